"""`--samples`: a run whose questions are asked several times, from the command to scores, exports and the page."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ecva_bench.data import load_dataset
from ecva_bench.journal.lines import parse_records
from ecva_bench.journal.results import read_results
from ecva_bench.records.answers import Answer
from ecva_bench.scoring.files import read_scores
from ecva_bench.verification.examining import examined

from .conftest import Command

MODEL = """
from ecva_bench.answering import Adapter


class Drawing(Adapter):
    def answer(self, video, question):
        return f"The blue car, {'red car ' * question.repeat}{len(video.sha256)}"
"""


@pytest.fixture(autouse=True)
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.py").write_text(MODEL)
    monkeypatch.chdir(tmp_path)


def run(ecva_bench: Command, *more: object, out: str = "r.jsonl", limit: int = 2) -> str:
    name = ("--model", "./mine.py:Drawing", "--task", "cause", "--limit", limit, "--out", out)
    code, shown, told = ecva_bench("run", *name, *more)
    assert code == 0, told
    return shown


def keys(path: str) -> dict[str, str]:
    return {one.id: one.key for one in parse_records(Path(path)) if isinstance(one, Answer)}


def numbers(path: str) -> list[dict[str, object]]:
    return [one.model_dump() for one in read_scores(Path(path)).summaries]


def test_a_file_that_was_asked_once_takes_more_of_each(ecva_bench: Command) -> None:
    run(ecva_bench)
    once = keys("r.jsonl")
    shown = run(ecva_bench, "--samples", 3)
    assert shown.startswith("r.jsonl: 6 answers (2 were there), 0 errors, 0 missing")
    thrice = keys("r.jsonl")
    assert len(set(thrice.values())) == 6
    assert {sample: thrice[sample] for sample in once} == once
    assert run(ecva_bench, "--samples", 3).startswith("r.jsonl: 6 answers (6 were there)")
    assert run(ecva_bench).startswith("r.jsonl: 6 answers (6 were there)")  # to ask less is to ask nothing
    found = read_results(Path("r.jsonl"))
    assert not examined(found, load_dataset("mini")).doubts  # each key can be had again from what determines it
    assert {one.id: one.answer for one in found.answers}["mini01/cause@s2"] == "The blue car, red car red car 64"
    assert run(ecva_bench, "--samples", 2, "--reuse", "r.jsonl", out="s.jsonl").startswith("s.jsonl: 4 answers (0 were")
    assert keys("s.jsonl").items() < thrice.items()


def test_parts_exports_and_the_page_know_each_sample(ecva_bench: Command) -> None:
    run(ecva_bench, "--samples", 3)
    for part in (1, 2):
        run(ecva_bench, "--samples", 3, "--shard", f"{part}/2", out=f"part{part}.jsonl")
    assert ecva_bench("merge", "part1.jsonl", "part2.jsonl", "--out", "whole.jsonl")[0] == 0
    assert keys("whole.jsonl") == keys("r.jsonl")
    assert ecva_bench("score", "r.jsonl", "whole.jsonl")[0] == 0
    scores = numbers("r.scores.jsonl")
    assert numbers("whole.scores.jsonl") == scores
    assert scores[0]["n"] == 2
    assert ecva_bench("export", "r.jsonl", "--to", "lmms-eval", "--out", "e.jsonl")[0] == 0
    assert ecva_bench("import", "e.jsonl", "--data", "mini", "--out", "back.jsonl")[0] == 0
    there, back = (
        {one.id: one.answer for one in read_results(Path(name)).answers} for name in ("r.jsonl", "back.jsonl")
    )
    assert back == there
    assert ecva_bench("export", "r.jsonl", "--to", "every-eval-ever", "--out", "records")[0] == 0
    (instances,) = Path("records").rglob("*_samples.jsonl")
    said = [json.loads(line) for line in instances.read_text().splitlines()]
    found = [one["evaluation"]["score"] for one in said if one["evaluation_result_id"] == "cause.rougeL"]
    assert len(found) == 6
    mean = next(one["zero_filled"] for one in scores if one["column"] == "rougeL")
    assert sum(found) / 6 == pytest.approx(mean)
    assert ecva_bench("view", "r.jsonl", "--no-serve", "--out", "page")[0] == 0
    index = json.loads(Path("page/data/index.js").read_text().partition(",")[2].rpartition(")")[0])
    assert len(index["samples"]) == 2
    assert index["runs"][0]["owed"] == 2
    shown = Path("page/data/chunk-0.js").read_text()
    assert '"again":[{"sample":2,"answer":"The blue car, red car 64","bleu":"' in shown


def test_what_is_printed_counts_questions(ecva_bench: Command) -> None:
    run(ecva_bench, "--samples", 4)
    code, planned, _ = ecva_bench(
        "plan", "--model", "./mine.py:Drawing", "--task", "cause", "--limit", 2, "--samples", 4
    )
    assert code == 0
    assert planned.startswith("2 videos, 8 answers to 2 questions owed")
    code, sheet, _ = ecva_bench("score", "r.jsonl")
    assert code == 0
    assert "2 of 2 answered (100.00 %)" in sheet
    assert "asked 4 times each, 8 of 8 answers" in sheet
    assert "2 videos, full video, 2 of 2 questions answered" in sheet
    assert "questions were asked 4 times; the value of each is the mean over its answers" in sheet
    rows = re.findall(r"^(?:bleu|rouge\w) .* to .*", sheet, re.MULTILINE)
    assert len(rows) == 4
    assert all(re.search(r" 2 +2 ", row) for row in rows)
    code, board, _ = ecva_bench("leaderboard", "r.scores.jsonl", "--task", "cause")
    assert code == 0
    assert "2 samples of mini" in board
    assert " 2/2 " in board
    assert "asked 4 times each, 8 of 8 answers" in board


def test_a_model_that_gives_the_same_answer_each_time_is_not_asked_again(ecva_bench: Command) -> None:
    code, _, told = ecva_bench("run", "--model", "motion", "--samples", 3, "--limit", 1, "--out", "m.jsonl")
    assert code == 2
    assert "asked 3 times, the model gives the same answer each time" in told
    assert not Path("m.jsonl").exists()
