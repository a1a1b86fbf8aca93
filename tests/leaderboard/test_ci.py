"""The first tier of the gate: frozen answers and judge calls give the frozen scores, and a planted fault does not."""

from __future__ import annotations

import json
import re

import pytest

from ecva_bench.cli import main
from ecva_bench.leaderboard.exact import reproduce, reproduction_table
from ecva_bench.records import Label
from ecva_bench.records.readings import Reading
from ecva_bench.scoring import anomeval, bleu, classification, join, rouge, score
from ecva_bench.scoring.files import read_scores
from tests.leaderboard.freeze import CI, JUDGE, MODELS


@pytest.fixture
def reproduced(tmp_path, monkeypatch, capsys):
    """A function that scores a frozen run anew, as `make gate` does, and returns the gate's exit code and output."""
    for name in ("OPENAI_API_KEY", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)

    def ecva_bench(*arguments: object) -> int:
        monkeypatch.setattr("sys.argv", ["ecva-bench", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        return int(stop.value.code or 0)

    def run(model: str) -> tuple[int, str]:
        scores = tmp_path / f"{model}.scores.jsonl"
        judge = ("--judge", JUDGE, "--judge-replay", CI / "judge.jsonl")
        assert ecva_bench("score", CI / f"{model}.jsonl", *judge, "--out", scores) == 0
        capsys.readouterr()
        code = ecva_bench("gate", scores, "--against", CI / f"{model}.scores.jsonl", "--exact", "--out", tmp_path)
        return code, capsys.readouterr().out

    return run


@pytest.mark.parametrize("model", MODELS)
def test_frozen_runs_reproduce_their_scores_to_the_last_digit(reproduced, tmp_path, model):
    code, shown = reproduced(model)
    assert code == 0, shown
    assert json.loads((tmp_path / "verdict.json").read_text())["verdict"] == "PASS"
    judged = [c for c in read_scores(CI / f"{model}.scores.jsonl").summaries if c.column == "gated"]
    assert len(judged) == (0 if model == "second-round" else 3)


def _scaled(monkeypatch):
    """ROUGE a thousandth too high."""
    plain = rouge.Rouge.score

    def scaled(self, batch):
        return [{column: value * 1.001 for column, value in values.items()} for values in plain(self, batch)]

    monkeypatch.setattr(rouge.Rouge, "score", scaled)


def _swapped(monkeypatch):
    """BLEU with answer and reference exchanged."""
    plain = bleu.bleu
    monkeypatch.setattr(bleu, "bleu", lambda *, reference, candidate: plain(reference=candidate, candidate=reference))


def _ungated(monkeypatch):
    """AnomEval without its gate."""
    plain = anomeval.combine

    def ungated(*arguments):
        values = plain(*arguments)
        return {**values, "gated": values["S"]} if "S" in values else values

    monkeypatch.setattr(anomeval, "combine", ungated)


def _lost(monkeypatch):
    """A join that loses an answer."""
    plain = join.group_answers

    def losing(results, **options):
        return plain(results.model_copy(update={"answers": results.answers[:-1]}), **options)

    monkeypatch.setattr(score, "group_answers", losing)


def _misread(monkeypatch):
    """A reader of classes that takes the last number for the first."""
    last = re.compile(r"\d+(?=\D*$)")
    monkeypatch.setattr(
        classification,
        "read_class",
        lambda text, offered: Reading(labels=(Label(major=int(last.search(text)[0]) + 1),)),
    )


@pytest.mark.parametrize(
    ("plant", "named"),
    [
        (_scaled, "cause@full/rougeL"),
        (_swapped, "effect@full/bleu"),
        (_ungated, "cause@full/gated"),
        (_lost, "coverage"),
        (_misread, "classification@full/accuracy"),
    ],
)
def test_a_planted_fault_of_a_scorer_is_blocked_and_named(reproduced, monkeypatch, plant, named):
    plant(monkeypatch)
    code, shown = reproduced("motion")
    assert code == 1
    assert any(line.startswith("FAIL") and named in line for line in shown.splitlines())


def test_a_change_in_the_last_digit_alone_is_found():
    frozen = read_scores(CI / "motion.scores.jsonl")
    place = next(n for n, one in enumerate(frozen.scores) if one.values.get("rougeL"))
    one = frozen.scores[place]
    values = {**one.values, "rougeL": one.values["rougeL"] * (1 + 2**-52)}
    scores = list(frozen.scores)
    scores[place] = one.model_copy(update={"values": values})
    found = reproduce(base=frozen, new=frozen.model_copy(update={"scores": tuple(scores)}))
    assert found.verdict == "FAIL"
    (case,) = [case for case in found.cases if case.verdict != "PASS"]
    assert case.name == f"{one.task}@{one.view}/rougeL"
    assert one.id in case.text
    assert reproduction_table(found).notes == (f"{len(found.cases) - 1} of {len(found.cases)} parts reproduced",)


def test_scores_of_other_answers_are_no_reproduction():
    motion, constant = (read_scores(CI / f"{model}.scores.jsonl") for model in ("motion", "constant"))
    assert reproduce(base=constant, new=motion).verdict == "INVALID"


def test_what_is_frozen_says_nothing_of_the_machine():
    for model in MODELS:
        first = json.loads((CI / f"{model}.jsonl").read_text(encoding="utf-8").partition("\n")[0])
        assert first["environment"] == {}
