"""The row of the best rule that never looks: on the board, on the score sheet, and as a run's own baseline."""

from __future__ import annotations

import csv
import io
import json

import pytest

from ecva_bench.leaderboard import board
from ecva_bench.leaderboard.forms import as_csv, as_json, as_markdown, as_text
from ecva_bench.leaderboard.headline import headline_table
from ecva_bench.leaderboard.page import as_html
from ecva_bench.leaderboard.sheet import score_sheets
from ecva_bench.leaderboard.submission import Submission, submission
from ecva_bench.leaderboard.table import Table
from ecva_bench.records.scores import Scores
from ecva_bench.scoring.score import score_results
from tests.scoring.build import answer, results

QUESTIONS = [
    ("the long right one", "wrong"),
    ("no", "the right option"),
    ("right one, long", "wr"),
    ("of two", "right"),
]
KEYS = (0, 1, 0, 1)


def run(model: str, *letters: str) -> Scores:
    """A run that chooses these options; the longest is right in three of four."""
    answers = [
        answer(f"v{n}", letter, task="choice", options=options, reference=options[key])
        for n, (letter, options, key) in enumerate(zip(letters, QUESTIONS, KEYS, strict=True))
    ]
    return score_results(results(answers, model=model), draws=200)


@pytest.fixture
def table() -> Table:
    (found,) = board.leaderboards([submission(run("good", "A", "B", "A", "B")), submission(run("poor", *"BABA"))])
    return found


def row(table: Table, model: str) -> dict[str, str]:
    place = table.header.index("model")
    (cells,) = [cells for cells in table.rows if cells[place].text == model]
    return dict(zip(table.header, (cell.text for cell in cells), strict=True))


def test_the_best_blind_rule_is_the_row_below_the_runs_and_has_no_rank(table: Table) -> None:
    assert [cells[table.header.index("model")].text for cells in table.rows] == ["good", "poor", "longest"]
    found = row(table, "longest")
    assert (found["accuracy %"], found["rank"], found["kind"]) == ("75.00", "", "never looks")
    assert row(table, "good")["rank"] == "1"


def test_it_stands_in_every_form(table: Table) -> None:
    assert any("longest" in line and "75.00" in line for line in as_text(table).splitlines())
    assert any("longest" in line and "75.00" in line for line in as_markdown(table).splitlines() if line[0:1] == "|")
    written_row = next(line for line in csv.DictReader(io.StringIO(as_csv(table))) if line["kind"] == "never looks")
    assert (written_row["model"], written_row["accuracy %"]) == ("longest", "75.0")
    (written,) = json.loads(as_json([table]))["tables"]
    assert {"text": "75.00", "value": 75.0, "marks": ["baseline"]} in written["rows"][-1]
    assert "never looks" in as_html([table], title="t")


def test_the_other_rules_stand_in_one_note_and_in_no_column(table: Table) -> None:
    (note,) = [note for note in table.notes if note.startswith("rules that never look")]
    assert "longest 75.00 %" in note
    assert "chance 50.00 %" in note
    assert not any("always" in name for name in table.header)
    (sheet,) = score_sheets(run("good", *"ABAB"))
    assert note in sheet.notes


def test_a_run_is_held_against_it_by_itself() -> None:
    shown = as_text(headline_table(submission(run("good", *"ABAB"))))
    assert "75.00 % (longest)" in shown


def test_it_is_over_the_questions_of_the_run_that_answered_most() -> None:
    scores = run("part", *"ABAB")
    part = score_results(
        results([answer("v3", "B", task="choice", options=QUESTIONS[3], reference="right")], model="few",
                expects={"full": tuple(f"v{n}/choice" for n in range(4))}), draws=200,
    )  # fmt: skip
    (found,) = board.leaderboards([submission(part), submission(scores)])
    assert row(found, "longest")["accuracy %"] == "75.00"


def test_the_rules_go_with_a_submission_and_older_ones_have_none() -> None:
    whole = submission(run("good", *"ABAB"))
    again = Submission.model_validate_json(whole.model_dump_json(by_alias=True))
    assert again == whole
    (entry,) = whole.entries
    assert {one.column for one in entry.aggregates if one.blind} >= {"chance", "always_a", "longest"}
    bare = whole.model_copy(update={"entries": (entry.model_copy(update={"aggregates": ()}),)})
    (found,) = board.leaderboards([bare])
    assert [cells[3].text for cells in found.rows] == ["run"]


def test_runs_with_other_orders_of_options_stand_beside_the_best_of_their_rules() -> None:
    def ordered(model: str, turn: int) -> Scores:
        answers = [
            answer(f"v{n}", "A", task="choice", options=options[turn:] + options[:turn], reference=options[key])
            for n, (options, key) in enumerate(zip(QUESTIONS[::-1], (0, 1, 0, 0), strict=True))
        ]
        return score_results(results(answers, model=model), draws=200)

    runs = [submission(ordered(model, turn)) for model, turn in (("as-given", 0), ("turned", 1))]
    firsts = [{one.column: one.value for one in found.entries[0].aggregates if one.blind}["always_a"] for found in runs]
    assert firsts == [0.75, 0.25]
    (one,) = board.leaderboards(runs)
    (note,) = [note for note in one.notes if note.startswith("rules that never look")]
    assert "always_a 75.00 %" in note
    (other,) = board.leaderboards(runs[::-1])
    assert note in other.notes
