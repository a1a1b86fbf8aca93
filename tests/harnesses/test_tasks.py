"""Our questions in other harnesses: what an answer scores there, and how a log of theirs comes back."""

from __future__ import annotations

import json
import math
import runpy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from ecva_bench.data import Dataset
from ecva_bench.data.mini import load_mini
from ecva_bench.errors import ResultsError, UsageError
from ecva_bench.harnesses.lmms_eval import write_lmms_task
from ecva_bench.harnesses.questions import graded, questions
from ecva_bench.interchange.imported import import_answers
from ecva_bench.interchange.sources import AnswerSource
from ecva_bench.journal.results import read_results
from ecva_bench.records.annotations import LETTERS, Query
from ecva_bench.scoring.score import score_results
from tests.cli.conftest import Command, ecva_bench  # noqa: F401
from tests.imports import ROOT

OPTIONS = ("a fire", "a fight", "nothing", "a theft")
FROZEN = ROOT / "leaderboards" / "ci" / "motion.jsonl"


class Yaml(yaml.SafeLoader):
    """YAML as lmms-eval reads it: `!function` names a function of a file beside it."""


Yaml.add_constructor("!function", lambda loader, node: ("function", node.value))


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """The first two clips of mini."""
    mini = load_mini(videos=tmp_path_factory.mktemp("clips"))
    return replace(mini, annotations=mini.annotations[:2])


@pytest.fixture(scope="module")
def choices(two: Dataset) -> Dataset:
    """The same with three choices each, of which the first option, another, and the last are right."""
    asked = [Query(task="choice", name=f"q{n}", text=f"What {n}?", options=OPTIONS, answer=n) for n in (0, 2, 3)]
    found = [one.model_copy(update={"queries": tuple(asked)}) for one in two.annotations]
    return replace(two, name="own", sha256="1" * 64, annotations=tuple(found))


def test_an_answer_scores_what_it_scores_in_a_run(two: Dataset) -> None:
    """Of the frozen run, against the scores of the run as a whole."""
    run = read_results(FROZEN)
    answers = {one.id: one for one in run.answers if one.view == "full"}
    run = run.model_copy(update={"answers": tuple(answers.values()), "expects": {"full": tuple(answers)}})
    theirs: dict[str, dict[str, float]] = {}
    for score in score_results(run, tasks=["cause", "classification", "timestamp"], draws=2).scores:
        theirs.setdefault(score.id, {}).update(score.values)
    for task in ("cause", "classification", "timestamp"):
        for sample, _ in questions(two, task):
            said = answers[sample.id]
            assert graded(sample, said.answer, said.duration) == theirs[sample.id]


def test_every_answer_has_the_same_columns(two: Dataset) -> None:
    """As inspect wants it, which ends a task where one lacks a column and leaves NaN out of a mean."""
    asked = questions(two, "cause")[0].sample
    latin, other = graded(asked, "A car brakes too late."), graded(asked, "汽车")  # of which ROUGE has no value
    assert list(other) == list(latin) == ["bleu", "rouge1", "rouge2", "rougeL"]
    assert [math.isnan(value) for value in other.values()] == [False, True, True, True]
    assert not any(map(math.isnan, latin.values()))


def test_lmms_evals_log_comes_back_with_the_options_as_shown(choices: Dataset, tmp_path: Path) -> None:
    asked = questions(choices, "choice")
    assert len({one.sample.options for one in asked}) > 1  # they are shuffled
    folder = tmp_path / "task"
    (folder / "__pycache__").mkdir(parents=True)  # as lmms-eval leaves it
    with pytest.raises(ResultsError, match="something else has the name"):
        write_lmms_task(asked, "ecva_own_choice", folder)
    (folder / "__pycache__").rmdir()
    write_lmms_task(asked, "ecva_own_choice", folder)
    (folder / "__pycache__").mkdir()
    assert all(path.is_file() for path in write_lmms_task(asked, "ecva_own_choice", folder))  # again: as it is
    config = yaml.load((folder / "ecva_own_choice.yaml").read_text(encoding="utf-8"), Yaml)  # noqa: S506
    used = runpy.run_path(str(folder / "utils.py"))
    named = [value[1] for value in config.values() if isinstance(value, tuple)]
    assert {name.removeprefix("utils.") for name in named} <= used.keys()
    docs = [json.loads(line) for line in Path(config["dataset_kwargs"]["data_files"]).read_text().splitlines()]
    rows = []
    for number, doc in enumerate(docs):
        assert Path(used["doc_to_visual"](doc)[0]).is_file()
        assert "(A)" in used["doc_to_text"](doc) or "A." in used["doc_to_text"](doc)
        text = LETTERS[json.loads(doc["options"]).index(doc[config["doc_to_target"]])]
        # as lmms-eval 0.7.3 writes a sample: without the document, its filtered answer as a text
        told = {"doc_id": number, "target": doc["answer"], "filtered_resps": text, "doc_hash": "0" * 64}
        rows.append({**told, **used["process_results"](doc, [text]), "input": used["doc_to_text"](doc)})
    assert used["share"]([row["ecva_answered"] for row in rows]) == 1
    log = tmp_path / "x_samples_ecva_own_choice.jsonl"
    log.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    again = import_answers([AnswerSource(log)], choices)
    assert {one.id for one in again.answers} == {one.sample.id for one in asked}
    (accuracy,) = (s for s in score_results(again.results(), draws=2).summaries if s.column == "accuracy")
    assert (accuracy.hits, accuracy.n, accuracy.expected) == (6, 6, 6)


def test_what_cannot_be_asked_is_refused(two: Dataset, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no annotation has a reference for the task choice"):
        questions(two, "choice")
    with pytest.raises(UsageError, match="no video has a file of which the task cause asks"):
        questions(replace(two, render=None, videos=tmp_path), "cause")
    with pytest.raises(ResultsError, match="something else has the name"):
        write_lmms_task([], "x", ROOT / "docs")


def test_videos_without_a_file_are_named(
    two: Dataset,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    ecva_bench: Command,  # noqa: F811
) -> None:
    there, lacking = (one.video for one in two.annotations)
    (tmp_path / f"{there}.mp4").write_bytes(b"a film")
    monkeypatch.setattr("ecva_bench.data.load_dataset", lambda *_, **__: replace(two, render=None, videos=tmp_path))
    asked = ("data", "lmms-task", "own.json", "--task", "cause", "--out", tmp_path / "task")
    code, shown, errors = ecva_bench(*asked)
    assert (code, "1 question;" in shown) == (0, True), errors
    assert "left out: missing: 1 of 2 videos" in errors
    assert lacking in errors


@pytest.mark.slow
@pytest.mark.parametrize("task", ["choice", "timestamp"])
def test_inspect_prints_what_its_log_scores(
    task: str, choices: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With inspect_ai and its stand-in for a model, which counts tokens by a table that it would download."""
    inspect_ai = pytest.importorskip("inspect_ai")
    from inspect_ai.model import ModelOutput, get_model

    from ecva_bench.harnesses import inspect_task

    class Letters:
        def encode(self, text: str, **_: Any) -> list[str]:
            return list(text)

    monkeypatch.setattr("tiktoken.get_encoding", lambda _: Letters())
    monkeypatch.setattr(inspect_task, "load_dataset", lambda *_, **__: choices)
    said = [ModelOutput.from_content("mockllm/model", text) for text in ("(A) [1.0, 3.5]", "B, at 2 to 5 s") * 3]
    model = get_model("mockllm/model", custom_outputs=said)
    asked = inspect_task.ecva(data="own", task=task, frames=2)
    (log,) = inspect_ai.eval(asked, model=model, log_dir=str(tmp_path / "logs"), display="none")
    assert log.status == "success", log.error
    shown = [part.type for part in log.samples[0].messages[0].content]
    assert shown == ["text", "image", "text", "image", "text"]
    again = import_answers([AnswerSource(next((tmp_path / "logs").iterdir()))], choices)
    assert {one.id for one in again.answers} == {one.sample.id for one in questions(choices, task)}
    ours = {one.column: one.mean for one in score_results(again.results(), draws=2).summaries}
    theirs = {one.name: one.metrics["mean"].value for one in log.results.scores}
    assert theirs == pytest.approx(ours, abs=1e-9)
