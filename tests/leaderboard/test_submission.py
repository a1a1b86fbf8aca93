"""Submissions: what they hold of a run, that they give their own means, and files that are refused."""

from __future__ import annotations

import json
import re

import pytest

from ecva_bench.errors import ResultsError, UsageError
from ecva_bench.leaderboard.board import leaderboards
from ecva_bench.leaderboard.details import dataset_tables
from ecva_bench.leaderboard.submission import read_submission, read_submissions, submission, write_submission
from ecva_bench.leaderboard.values import sample_values
from ecva_bench.records.answers import SeenFrames
from ecva_bench.records.identity import CUVA_WORKBOOK
from ecva_bench.scoring.score import score_results
from tests.scoring.build import answer, failure, label, results
from tests.scoring.judges import RuleJudge

OWED = tuple(f"v{n}/cause" for n in range(4))
SPEC = {"dataset": {"name": "mini"}, "mode": "exact", "baseline": True}


def run(*texts, **fields):
    """A run that answers the first of four questions, and fails at the last."""
    answers = [
        answer(
            f"v{n}",
            text,
            reference="a red car hits a wall",
            label=label(n + 1),
            time={"decode": 0.5, "answer": 1.0 + n},
            frames=SeenFrames(n=8 + n, timestamps=()),
        )
        for n, text in enumerate(texts)
    ]
    given = {"expects": {"full": OWED}, "failures": (failure("v3"),), "spec": SPEC, **fields}
    return results(answers, **given)


def submitted(*texts, hardware=None, usd=None, **fields):
    found = run(*texts, **fields)
    return submission(score_results(found, draws=50), found, hardware=hardware, usd=usd)


def test_what_a_submission_holds_of_a_run():
    found = submitted("a red car", "a wall stands", hardware="one core", usd=1.5)
    (entry,) = found.entries
    assert (found.scores.model, found.scores.baseline, str(found.dataset)) == ("model", True, "mini")
    assert (found.hardware, found.usd) == ("one core", 1.5)
    assert found.classes == {"v0": 1, "v1": 2}
    assert (entry.coverage.answered, entry.coverage.failed, entry.coverage.missing) == (2, 1, 1)
    assert entry.effort.seconds == 2.0
    assert entry.effort.words == 3.0
    assert entry.effort.frames == (8, 9)


def test_a_video_without_an_answer_counts_zero_and_the_values_give_the_mean():
    (entry,) = submitted("a red car hits a wall", "nothing").entries
    rouge = next(summary for summary in entry.summaries if summary.column == "rouge1")
    assert entry.values["rouge1"] == {"v0": 1.0, "v1": 0.0, "v2": 0.0, "v3": 0.0}
    assert rouge.zero_filled == 0.25


def test_a_view_that_was_not_answered_counts_as_missing_and_one_not_asked_for_as_unscored():
    both = [
        answer("v0", "a car", view=view, reference="a car", key_sentences=("a car",)) for view in ("full", "anomaly")
    ]
    asked = results(
        [*both, answer("v1", "a car", reference="a car", key_sentences=("a car",))],
        expects={"full": ("v0/cause", "v1/cause"), "anomaly": ("v0/cause", "v1/cause")},
    )
    scores = score_results(asked, judge=RuleJudge(), scorers=["anomeval"], draws=50)
    by_column = {(s.view, s.column): s for s in scores.summaries}
    assert sample_values(scores, by_column["full", "s3"]).keys() == {"v0/cause", "v1/cause"}
    assert sample_values(scores, by_column["full", "s3"])["v1/cause"] == 0
    not_asked = score_results(results(both[:1]), judge=RuleJudge(), scorers=["anomeval"], draws=50)
    s3 = next(s for s in not_asked.summaries if s.column == "s3")
    assert (sample_values(not_asked, s3), s3.zero_filled) == ({}, None)
    one_failed = results(both[:1], expects={"full": ("v0/cause", "v9/cause")})  # is no s3 of 0 either
    not_asked = score_results(one_failed, judge=RuleJudge(), scorers=["anomeval"], draws=50)
    s3 = next(s for s in not_asked.summaries if s.column == "s3")
    assert (sample_values(not_asked, s3), s3.zero_filled) == ({}, None)


def test_equal_answers_have_equal_hashes_whatever_else_differs():
    one = submitted("a car", "a wall", name="one")
    slow = [a.model_copy(update={"time": {"answer": 9.0}}) for a in run("a car", "a wall").answers]
    same = run("x", "y", name="other", model="another").model_copy(update={"answers": tuple(slow[::-1])})
    other = submission(score_results(same, draws=50), same)
    assert one.entries[0].answers_sha256 == other.entries[0].answers_sha256
    assert one.entries[0].answers_sha256 != submitted("a car", "a door").entries[0].answers_sha256


def test_writing_and_reading_changes_nothing_and_writes_the_same_bytes(tmp_path):
    found = submitted("a car", "a wall")
    path = write_submission(found, tmp_path)
    assert path == tmp_path / "mini" / "submissions" / "run.json"
    assert read_submission(path) == found
    first = path.read_bytes()
    assert write_submission(found, tmp_path).read_bytes() == first


def test_of_the_results_file_only_its_name_is_told():
    found = submitted("a car", source="/home/somebody/runs/of june.jsonl")
    assert found.scores.results == "of june.jsonl"


def test_scores_alone_say_nothing_of_how_answers_were_made(tmp_path):
    found = submission(score_results(run("a car"), draws=50))
    assert found.entries[0].answers_sha256 is None
    with pytest.raises(UsageError, match="which data set"):
        write_submission(found, tmp_path)


def test_no_path_of_a_machine_is_published():
    model = "hf:/weights/ours/qwen"
    spec = {
        "model": model,
        "model_args": {"lora": "/home/me/lora", "frames": "8", "url": "https://host/v1/chat", "half": "~/a/b.bin"},
        "description": {"checkpoint": "/weights/ours/qwen@abc", "command": ["-I", "C:\\Users\\me\\my model.py"]},
        "dataset": {"name": "mini"},
        "prompts": {"cause": {"id": "ours/cause.v1", "text": "What and/or why? A / B /c."}},
    }
    made = run("a car").model_copy(update={"spec": spec, "model": model, "source": "/home/me/runs/r.jsonl"})
    text = submission(score_results(made, draws=50), made).model_dump_json()
    assert not re.search(r"/home|/weights|~/|Users|me/", text)
    for kept in (
        "hf:qwen",
        '"lora":"lora"',
        "https://host/v1/chat",
        "b.bin",
        "qwen@abc",
        "my model.py",
        "A / B /c.",
    ):
        assert kept in text
    assert '"results":"r.jsonl"' in text


def test_a_name_is_no_path_and_belongs_to_one_model(tmp_path):
    path = write_submission(submitted("a car", name="../../etc/x y"), tmp_path)
    assert path.resolve().parent == (tmp_path / "mini" / "submissions").resolve()
    write_submission(submitted("a car", name="mine"), tmp_path)
    with pytest.raises(ResultsError, match="another model"):
        write_submission(submitted("a car", name="mine", model="other"), tmp_path)


def test_what_is_there_and_says_something_else_is_replaced_only_when_asked(tmp_path):
    path = write_submission(submitted("a car", usd=1.0), tmp_path)
    first = path.read_bytes()
    for other, named in (
        (submitted("a car", usd=2.0), r"\(other usd\)"),
        (submitted("a wall", usd=1.0, sha256="1" * 64), "other results_sha256, .*values of cause"),
    ):
        message = f"another submission has this name .*{named}.*{path.name}.*--replace"
        with pytest.raises(ResultsError, match=message) as refused:
            write_submission(other, tmp_path)
        assert "entries" not in str(refused.value)
        assert path.read_bytes() == first
    replaced = submitted("a car", usd=2.0)
    assert read_submission(write_submission(replaced, tmp_path, replace=True)) == replaced
    with pytest.raises(ResultsError, match="another model"):
        write_submission(submitted("a car", model="other"), tmp_path, replace=True)


@pytest.mark.parametrize("usd", [float("inf"), float("nan")])
def test_a_cost_is_an_amount(usd):
    with pytest.raises(UsageError, match="is no cost"):
        submitted("a car", usd=usd)


def test_scores_of_another_results_file_are_refused():
    found = run("a car")
    with pytest.raises(ResultsError, match="another results file"):
        submission(score_results(found, draws=50), found.model_copy(update={"sha256": "1" * 64}))


def test_a_run_on_cuvas_workbook_is_of_cuva_whatever_it_was_recorded_as(tmp_path):
    spec = {"dataset": {"name": "ecva", "sha256": CUVA_WORKBOOK}}
    old, new = (
        submitted("a red car", spec=spec),
        submitted("a wall", spec={"dataset": {**spec["dataset"], "name": "cuva"}}),
    )
    assert str(old.dataset) == "cuva (recorded as ecva)"
    assert not new.dataset.renamed
    path = write_submission(old, tmp_path)
    assert path.parts[-3:-1] == ("cuva", "submissions")
    assert read_submission(path).spec == spec  # what was recorded stays
    (board,) = leaderboards([old, new])
    assert len(board.rows) == 2
    assert sum("data set cuva (recorded as ecva)." in note for note in board.notes) == 1
    text = "\n".join(note for table in dataset_tables([old, new]) for note in table.notes)
    assert "model: data set cuva (recorded as ecva)." in text
    other = submitted("a red car", spec={"dataset": {"name": "ecva", "sha256": "0" * 64}})
    assert (other.dataset.current, other.dataset.renamed) == ("ecva", False)
    assert len(leaderboards([old, other])) == 2  # samples of one name, of two data sets


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda content: content.update(schema="ecva.submission/2"), "no submission"),
        (lambda content: content.pop("entries"), "no submission"),
        (lambda content: content.update(usd=float("inf")), "no submission"),
        (lambda content: content["entries"][0]["summaries"][0].update(floor=float("nan")), "no submission"),
        (lambda content: content["entries"][0]["summaries"][0].update(mean=1e308), "no submission"),
        (lambda content: content["entries"][0]["summaries"][0].update(expected=10**400), "no submission"),
        (lambda content: content["entries"][0]["summaries"][0].update(decimals=10**9), "no submission"),
        (lambda content: content["entries"][0]["values"]["rouge2"].update(v0=-1e308), "no submission"),
        (lambda content: content["spec"].update(prompts={"cause": "ours"}), "no submission"),
        (lambda content: content["spec"].update(prompts={"cause": {"with": 5}}), "no submission"),
        (lambda content: content["entries"][0]["values"]["rouge2"].update(v0=0.9), "do not give their mean"),
        (lambda content: content["entries"][0]["values"].pop("rouge2"), "do not give their mean"),
        (lambda content: content["entries"][0]["summaries"][0].update(zero_filled=0.9), "do not give their mean"),
    ],
)
def test_a_submission_that_was_changed_is_refused(tmp_path, spoil, message):
    path = write_submission(submitted("a red car", "a wall"), tmp_path)
    content = json.loads(path.read_text())
    del content["seal"], content["sealed"]  # as one that has none
    spoil(content)
    path.write_text(json.dumps(content))
    with pytest.raises(ResultsError, match=message):
        read_submission(path)


def test_what_is_no_submission_is_one_line(tmp_path):
    with pytest.raises(ResultsError, match="cannot be read"):
        read_submission(tmp_path / "none.json")
    (tmp_path / "text.json").write_text("no json")
    with pytest.raises(ResultsError, match="no submission"):
        read_submission(tmp_path / "text.json")


def test_a_submission_that_is_a_link_out_of_its_folder_is_refused(tmp_path):
    board, away = tmp_path / "board", tmp_path / "away"
    (board / "submissions").mkdir(parents=True)
    away.mkdir()
    path = write_submission(submitted("a red car"), away)
    (board / "submissions" / "mine.json").symlink_to(path)
    with pytest.raises(ResultsError, match="a link out of its folder"):
        read_submissions(board)
    (board / "submissions" / "mine.json").unlink()
    path.rename(board / "submissions" / "mine.json")
    assert len(read_submissions(board)) == 1
