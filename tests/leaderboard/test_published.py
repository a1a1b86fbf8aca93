"""The published tables: form, sources, and every figure against the paper's."""

from __future__ import annotations

import json
import re
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from pydantic import ValidationError

from ecva_bench.data.table_1 import load_table_1
from ecva_bench.leaderboard.board import leaderboards
from ecva_bench.leaderboard.published import PublishedTable, published_tables

FOLDER = Path(__file__).resolve().parents[2] / "leaderboards" / "published"


@pytest.fixture(scope="module")
def printed(shared_paper):
    return json.loads((shared_paper / "tables.json").read_text(encoding="utf-8"))


def own(number):
    (table,) = (table for table in published_tables() if table.table == number)
    return table


def figures(table, source="paper"):
    """Every figure by model and column; None where a word stands in its place."""
    return {
        (row.model, name): cell.value
        for row in table.rows
        for name, cell in row.cells.items()
        if cell and cell.source == source
    }


def test_every_file_is_read_and_every_task_has_a_table():
    files = [path.name for path in FOLDER.glob("*.json")]
    assert len(published_tables()) + 2 == len(files)  # Table I and what comes out again are of other forms
    assert [table.table for table in published_tables()] == ["III", "IV", "V", "VI", "VIII"]
    paper = {"description", "cause", "effect", "classification", "timestamp"}
    assert {task for table in published_tables() for task in table.tasks} == paper


@pytest.mark.parametrize(
    ("number", "key"),
    [
        ("III", "III_cause"),
        ("IV", "IV_description"),
        ("V", "V_effect"),
        ("VI", "VI"),
        ("VIII", "VIII_ablation_AnomEval"),
    ],
)
def test_the_figures_are_those_of_the_paper(printed, number, key):
    named = {"classification": "Classification", "timestamp": "Timestamp"}
    theirs = {
        (row["model"], named.get(name, name)): value
        for row in printed[key]["rows"]
        for name, value in row.items()
        if name not in ("model", "base_llm")
    }
    assert figures(own(number)) == theirs
    models = [row["model"] for row in printed[key]["rows"]]
    assert [row.model for row in own(number).rows][: len(models)] == models
    for row, one in zip(printed[key]["rows"], own(number).rows, strict=False):
        assert one.base_llm == row.get("base_llm", "")


def test_sizes_of_data_sets_are_those_of_the_paper(printed):
    """Slips of the extraction apart: a zero or a dot for No, and blanks within numbers."""
    rows = load_table_1().rows
    assert len(rows) == len(printed["I_datasets"]["rows"])
    for row, theirs in zip(rows, printed["I_datasets"]["rows"], strict=True):
        name, _, frames, length, clip, audio, classes, *annotated = theirs
        assert row.dataset == name.partition(" [")[0].partition(" (")[0]
        assert row.frames == int(frames.replace(",", ""))
        seconds = [
            float(re.sub(r"[ _hs]", "", text)) if re.match("[0-9]", text) and text.isascii() else None
            for text in (length, clip)
        ]
        hours = seconds[0] and seconds[0] / (3600 if length.endswith("s") else 1)
        assert row.hours == (hours and pytest.approx(hours, abs=1e-4))
        assert row.clip_s == seconds[1]
        assert row.audio == (audio if audio.isascii() else "No")
        assert row.classes == (int(classes) if classes else None)
        assert [row.localization, row.description, row.reasoning, row.outcome] == annotated


def test_a_figure_from_elsewhere_stands_only_where_the_paper_has_none(printed):
    assert figures(own("IV"), "survey") == {("VILA", "AnomEval"): 37.49}
    # 35.09 is said to be 3.21 more than the second, so that the survey's figure is confirmed.
    assert figures(own("V"), "survey") == {("VILA", "AnomEval"): pytest.approx(35.09 - 3.21)}
    for number in ("III", "VI", "VIII"):
        assert own(number).sources.keys() == {"paper"}
    words = (FOLDER / "table-3-cause.json").read_text() + (FOLDER / "table-6-classification-timestamp.json").read_text()
    assert "at hand" not in words


def test_every_model_of_the_paper_is_one_that_can_be_run():
    named = {row.adapter for table in published_tables() for row in table.rows}
    registered = {entry.name for entry in entry_points(group="ecva_bench.adapters")}
    assert named <= registered
    assert len(named) == 15
    assert {row.adapter for row in own("III").rows if row.model == "Video-LLaMA2"} == {"videollama2"}


def test_known_misprints_are_named():
    """33.30 is cause: the text puts AnomShield second there, behind VILA's 35.00, and first in description."""
    for number in ("III", "IV", "VIII"):
        (misprint,) = own(number).misprints
        assert "Table VIII" in misprint
        assert "swapped" in misprint
    cause = {row.model: row.cells["AnomEval"].value for row in own("III").rows}
    assert sorted(cause.values())[-2:] == [cause["AnomShield (Ours)"], cause["VILA"]]
    doubted = {(row.model, name) for row in own("VIII").rows for name, cell in row.cells.items() if cell.doubted}
    assert {name for _, name in doubted} == {"Description", "Cause"}


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "ecva.published/1"},
        {"rows": [{"model": "m", "cells": {}}]},
        {"rows": [{"model": "m", "cells": {"AnomEval": {"value": 1.0, "source": "hearsay"}}}]},
        {"rows": [{"model": "m", "cells": {"AnomEval": {"source": "survey"}}}]},
        {"rows": [{"model": "m", "cells": {"AnomEval": {"value": 1.0, "printed": "1", "source": "survey"}}}]},
        {"remark": "unknown field"},
        {"null": ""},
    ],
)
def test_a_file_of_another_form_is_refused(change):
    content = json.loads((FOLDER / "table-5-effect.json").read_text())
    PublishedTable.model_validate(content)
    with pytest.raises(ValidationError):
        PublishedTable.model_validate(content | change)


def test_without_runs_the_published_rows_stand_alone():
    boards = leaderboards([], published=published_tables())
    tasks = ("cause", "description", "effect", "classification", "timestamp")
    titles = [f"{task}, as published" for task in tasks]
    assert [board.title for board in boards] == [*titles, "ablation, Table VIII, as published"]
    board, ablation = leaderboards([], published=published_tables(), task="effect")
    assert [row[0].text for row in board.rows] == ["AnomShield (Ours)", "VILA"]
    assert [row[-1].text for row in ablation.rows] == ["35.09", "34.91", "14.12"]


def others():
    """The figures of VAU-R1's tables, by table, model and column."""
    return {
        (table.table, row.model, name): cell.value
        for table in published_tables("vau-bench")
        for row in table.rows
        for name, cell in row.cells.items()
        if cell
    }


def test_figures_of_other_papers_are_those_that_were_read(shared_data):
    """A list of them, made by reading the paper: rows of Markdown, and a sentence for Table 7."""
    text = (shared_data.parent / "specs" / "field.md").read_text(encoding="utf-8")
    aspects = ["CLS", "KM", "FLU", "INF", "FAC", "VAU-Eval"]
    theirs = {}
    for line in re.findall(r"^\| ((?:InternVL|Qwen|HolmesVAU).*) \|$", text, re.MULTILINE):
        model, *cells = (cell.strip() for cell in line.split("|"))
        if len(cells) == 8 and " / " not in model:
            model = model.replace("(table", "(Table")
            named = dict(zip(["MCQ accuracy", "MCQ accuracy, thinking", *aspects], cells, strict=True))
            theirs |= {("5 and 6", model, name): float(cell) for name, cell in named.items() if cell}
        elif " / " in cells[0]:  # two models in one row, of which only the totals are told
            first, second, *_, total = (cell.split(" / ") for cell in cells if cell)
            for place, name in enumerate((model.partition(" / ")[0], f"{model.partition(' +')[0]} + RFT")):
                found = {"MCQ accuracy": first, "MCQ accuracy, thinking": second, "VAU-Eval": total}
                theirs |= {("5 and 6", name, column): float(both[place]) for column, both in found.items()}
    sentence = " ".join(text[text.index("Table 7, binary") :].partition("\n- ")[0].split())
    names = ["Binary accuracy", "Multi-class accuracy", "Binary accuracy, thinking", "Multi-class accuracy, thinking"]
    for model, *cells in re.findall(r"([\w.+-]+) ([\d.]+)/([\d.]+) \(([\d.]+)/([\d.]+)\)", sentence):
        model = f"Qwen2.5-VL-3B + {model[1:]}" if model[0] == "+" else model
        theirs |= {("7", model, name): float(cell) for name, cell in zip(names, cells, strict=True)}
    assert others() == theirs
    assert len(theirs) == 10 * 3 + 5 * 5 + 5 * 4


@pytest.mark.parametrize(("table", "questions"), [("5 and 6", 430), ("7", 441)])
def test_accuracies_of_vau_r1_are_whole_numbers_of_so_many_answers(table, questions):
    """And of no other number below its double: what their notes say of the file that was released, 438 rows."""
    accuracies = [value for (number, _, name), value in others().items() if number == table and "accuracy" in name]

    def fits(n):
        return all(round(100 * round(value * n / 100) / n, 2) == value for value in accuracies)

    assert [n for n in range(50, 2 * questions) if fits(n)] == [questions]
    (notes,) = (one.notes for one in published_tables("vau-bench") if one.table == table)
    assert f"answers to {questions} questions" in " ".join(notes)


def test_two_choices_of_vau_r1_are_below_a_rule_that_never_looks():
    plain = [value for (_, _, name), value in others().items() if name == "MCQ accuracy"]
    assert (len(plain), sum(value < 82.6 for value in plain), sum(82.6 <= value < 83.1 for value in plain)) == (
        10,
        2,
        1,
    )
