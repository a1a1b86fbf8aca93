"""A model, a metric, a data set, a judge and prompts in a user's own files, named as `./file.py:Name`."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from ecva_bench.answering import Question
from ecva_bench.answering.request import RunRequest, WorkerOptions
from ecva_bench.data import load_dataset
from ecva_bench.errors import UsageError
from ecva_bench.video import Video
from tests.clips import write_clip

from .conftest import Command

MINE = """
from ecva_bench.answering import Adapter
from ecva_bench.data import load_dataset
from ecva_bench.judging import Verdict
from ecva_bench.scoring import Column, Scorer


class Model(Adapter):
    def __init__(self, size: str = "1") -> None:
        self.size = int(size)

    def answer(self, video, question):
        return f"{self.size} {question.task}"


class Silent(Adapter):
    pass


class Stranger:
    def answer(self, video, question):
        return "x"


def function(video, question):
    return str(question)


def narrow(video):
    return "x"


class Length(Scorer):
    name = "length"
    tasks = ("cause",)
    columns = (Column("words", "how many words", unit="points", high=9),)

    def score(self, batch):
        return [{"words": len(item.candidate.split())} for item in batch]


class TooLong(Length):
    def score(self, batch):
        return [{"words": 9.5} for item in batch]


class Mistyped(Length):
    def score(self, batch):
        return [{"wrods": 1} for item in batch]


class Unnamed(Scorer):
    def score(self, batch):
        return []


class Rival(Length):
    columns = (Column("rouge1", "the same name as another's"),)


def dataset(path, videos):
    return load_dataset("mini", videos=videos)


def no_dataset(path, videos):
    return []


class Judge:
    def ask(self, calls):
        return [Verdict((float(call.prompt.scale.high),) * call.expected) for call in calls]

    def identity(self, keys=()):
        return {"judge": "always-yes"}


class Lenient(Judge):
    def ask(self, calls):
        return [Verdict((99.0,)) for call in calls]


PROMPTS = {"cause": "Why, in one word?"}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files of a user, and two clips of the embedded split's names."""
    (tmp_path / "mine.py").write_text(MINE)
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / "cause.md").write_text("What made it happen?\n")
    for annotation in load_dataset("mini").annotations[:2]:
        write_clip(tmp_path / "clips" / annotation.media)
    monkeypatch.chdir(tmp_path)
    return tmp_path


COMMON = ("run", "--task", "cause", "--limit", "2", "--videos", "clips", "--out", "r.jsonl")


def records(path: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in Path(path).read_bytes().splitlines()]


def answers(path: str = "r.jsonl") -> list[object]:
    return [record["answer"] for record in records(path) if record["type"] == "answer"]


def test_a_class_and_a_function_answer(folder: Path, ecva_bench: Command) -> None:
    assert ecva_bench(*COMMON, "--model", "./mine.py:Model", "--model-arg", "size=3")[0] == 0
    assert answers() == ["3 cause"] * 2
    again = ecva_bench(*COMMON, "--model", folder / "mine.py:Model", "--model-arg", "size=3")
    assert "2 answers (2 were there)" in again[1]  # the same file, wherever it is named from
    assert ecva_bench("models", "show", "mine.py:Model")[0] == 0
    asked = ("--model", "mine.py:function", "--prompts", "words", "--out", "f.jsonl")
    assert ecva_bench(*COMMON, *asked)[0] == 0
    assert answers("f.jsonl") == ["What made it happen?"] * 2
    assert ecva_bench(*COMMON, *asked[:2], "--prompts", "mine.py:PROMPTS", "--out", "g.jsonl")[0] == 0
    assert answers("g.jsonl") == ["Why, in one word?"] * 2
    (folder / "words" / "cause.md").write_text("And now?\n")
    code, _, complaint = ecva_bench(*COMMON, *asked)
    assert code == 2
    assert "prompts" in complaint


def test_an_edited_file_is_another_model(folder: Path, ecva_bench: Command) -> None:
    assert ecva_bench(*COMMON, "--model", "./mine.py:Model")[0] == 0
    keys = {record["key"] for record in records("r.jsonl") if record["type"] == "answer"}
    (folder / "mine.py").write_text(MINE.replace('f"{self.size} ', 'f"about {self.size} '))
    code, _, complaint = ecva_bench(*COMMON, "--model", "./mine.py:Model")
    assert code == 2
    assert "code is 'mine.py:" in complaint
    assert ecva_bench(*COMMON, "--model", "./mine.py:Model", "--out", "new.jsonl")[0] == 0
    assert answers("new.jsonl") == ["about 1 cause"] * 2
    assert not keys & {record.get("key") for record in records("new.jsonl")}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--model", "./mine.py:Silent"), "Silent in mine.py is no model: it has no answer(video, question)"),
        (("--model", "./mine.py:Stranger"), "Stranger in mine.py is no model: it does not derive from"),
        (("--model", "./mine.py:narrow"), "narrow in mine.py is no model: it cannot be called with (video, question)"),
        (("--model", "./mine.py:PROMPTS"), "PROMPTS in mine.py is no model: it has no answer(video, question)"),
        (("--model", "./mine.py:Model", "--model-arg", "size=x"), "cannot be made (ValueError: invalid literal"),
        (("--model", "./mine.py:Model", "--model-arg", "sise=1"), "there is no option sise"),
        (("--model", "./mine.py:Model:large"), "this model takes nothing behind its name"),
        (("--model", "./mine.py:function", "--model-arg", "a=1"), "only a class takes options"),
        (("--model", "motion", "--data", "mine.py:no_dataset"), "is no data set: it returned list, not a Dataset"),
        (("--model", "motion", "--data", "mine.py:narrow"), "is no data set: it cannot be called with (path, videos)"),
        (("--model", "motion", "--prompts", "clips"), "the folder has no prompt for cause"),
        (("--model", "motion", "--prompts", "mine.py:Model"), "is no prompt set: it is no mapping"),
    ],
)
def test_what_is_unfit_is_one_line(folder: Path, ecva_bench: Command, options: tuple[str, ...], said: str) -> None:
    code, _, complaint = ecva_bench(*COMMON, *options)
    assert code == 2
    assert said in complaint
    assert complaint.count("\n") == 1


def test_workers_make_a_model_of_a_file_again(folder: Path, ecva_bench: Command) -> None:
    assert ecva_bench(*COMMON, "--model", "./mine.py:Model", "--devices", "cpu,cpu")[0] == 0
    assert answers() == ["1 cause"] * 2


def test_what_workers_cannot_make_again_runs_here_alone(folder: Path) -> None:
    def inner(video: Video, question: Question) -> str:
        return "x"

    request = RunRequest(inner, data="mine.py:dataset", videos=folder / "clips", tasks=("cause",))
    with pytest.raises(UsageError, match=r"workers are other processes, which cannot make this again: .*inner"):
        replace(request, worker_options=WorkerOptions(devices=("cpu", "cpu"))).open()
    with request.open() as runner:
        assert runner.manifest.spec["model"] == "inner"


def test_a_metric_and_a_judge_are_signed_with_their_files(folder: Path, ecva_bench: Command) -> None:
    assert ecva_bench(*COMMON, "--model", "mine.py:Model", "--data", "mine.py:dataset")[0] == 0
    code, shown, _ = ecva_bench("score", "r.jsonl", "--scorers", "./mine.py:Length,rouge")
    assert code == 0
    assert re.search(r"^words +2.00 points", shown, re.MULTILINE)
    line = next(line for line in shown.splitlines() if line.startswith("length|"))
    code, shown, _ = ecva_bench("score", "r.jsonl", "--judge", "mine.py:Judge", "--scorers", "gpt")
    assert code == 0
    assert "|judge:always-yes|judge-code:mine.py:" in shown
    (folder / "mine.py").write_text(MINE + "\n")
    assert line not in ecva_bench("score", "r.jsonl", "--scorers", "./mine.py:Length,rouge")[1]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ("--scorers", "mine.py:TooLong"),
            "scorer 'length' gave 9.5 for 'words', which is not in [0, 9]: mini01/cause",
        ),
        (
            ("--scorers", "mine.py:Mistyped"),
            "scorer 'length' gave a column 'wrods' that it does not have: mini01/cause",
        ),
        (("--scorers", "mine.py:Unnamed"), "Unnamed in mine.py is no scorer: it has no name"),
        (("--scorers", "mine.py:Model"), "Model in mine.py is no scorer: it has no score(batch)"),
        (("--scorers", "mine.py:Rival,rouge"), "two columns are called 'rouge1'"),
        (("--judge", "mine.py:Model"), "Model in mine.py is no judge: it has no ask(calls)"),
        (("--judge", "mine.py:Lenient"), "the judge gave Verdict(values=(99.0,)"),
        (("--judge", "mine.py:Judge", "--budget-usd", "1"), "the judge is one of your own, which does this itself: --budget-usd"),
    ],
)
def test_a_metric_or_a_judge_that_is_unfit_is_one_line(
    folder: Path, ecva_bench: Command, options: tuple[str, ...], said: str
) -> None:
    assert ecva_bench(*COMMON, "--model", "constant")[0] == 0
    code, _, complaint = ecva_bench("score", "r.jsonl", *options)
    assert code == 2
    assert said in complaint
    assert complaint.count("\n") == 1
