"""From Python: the public names, their examples, and that a call does what the command does."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import json
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import ecva_bench as eb
from ecva_bench.errors import SpecMismatch
from tests.imports import ROOT

PUBLIC = [name for name in eb.__all__ if name != "__version__"]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


class Echo(eb.Adapter):
    """A model that says what it is asked."""

    def __init__(self, mark: str = "") -> None:
        self.mark = mark

    def answer(self, video: eb.Video, question: eb.Question) -> str:
        return f"{self.mark}{question.task}"


class Letters(eb.Scorer):
    """A metric."""

    name = "letters"
    tasks = ("cause",)
    columns = (eb.Column("letters", "how many letters", unit="points", high=1000),)

    def score(self, batch: Any) -> list[dict[str, float]]:
        return [{"letters": float(len(item.candidate))} for item in batch]


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_is_documented_and_its_examples_hold(name: str) -> None:
    value = getattr(eb, name)
    assert inspect.getdoc(value)
    tests = doctest.DocTestFinder().find(value, name, globs={"__name__": "__main__"})
    assert any(test.examples for test in tests)
    said: list[str] = []
    for test in tests:
        doctest.DocTestRunner().run(test, out=said.append)
    assert not said, "".join(said)


def test_public_names_are_few_and_what_a_type_checker_sees_is_what_there_is() -> None:
    source = Path(eb.__file__).read_text(encoding="utf-8")
    [typed] = [node for node in ast.parse(source).body if isinstance(node, ast.If)]
    imported = {
        alias.name: node.module for node in typed.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    assert sorted(imported) == sorted(eb.__all__)
    assert imported == eb._ROOM
    assert len(PUBLIC) <= 40
    assert set(PUBLIC) <= set(dir(eb))
    assert not hasattr(eb, "nothing_of_this_name")


@pytest.mark.parametrize("room", sorted(path.parent.name for path in (ROOT / "ecva_bench").glob("*/__init__.py")))
def test_a_room_hands_out_what_the_package_does_and_nothing_else(room: str) -> None:
    assert sorted(getattr(import_module(f"ecva_bench.{room}"), "__all__", ())) == sorted(eb._ROOMS.get(room, ()))


def test_importing_the_package_imports_nothing_else() -> None:
    program = "import ecva_bench, sys; print(*[m for m in sys.modules if m.startswith('ecva_bench.') or m == 'numpy'])"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "\n"


def test_a_room_of_the_same_name_does_not_hide_the_function() -> None:
    program = (
        "from ecva_bench.leaderboard.forms import as_text\nimport ecva_bench as eb\n"
        "print(callable(eb.leaderboard), callable(as_text))"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert shown == "True True\n"


def test_a_call_and_a_command_write_the_same_and_resume_each_other() -> None:
    command = [sys.executable, "-m", "ecva_bench", "run", "--model", "constant", "--task", "cause", "--limit", "2"]
    subprocess.run([*command, "--out", "command.jsonl"], check=True, capture_output=True)
    outcome = eb.run("constant", tasks="cause", limit=2, out="call.jsonl")

    def told(path: str) -> list[object]:
        lines = [json.loads(line) for line in Path(path).read_bytes().splitlines()]
        return [
            line["spec"] if line["type"] == "run" else {k: v for k, v in line.items() if k not in ("t", "time", "seal")}
            for line in lines
        ]

    assert told("call.jsonl") == told("command.jsonl")
    assert str(outcome) == "call.jsonl: 2 answers, 0 errors, 0 missing"
    before = Path("command.jsonl").read_bytes()
    assert eb.run("constant", tasks="cause", limit=2, out="command.jsonl").records
    assert Path("command.jsonl").read_bytes().startswith(before)
    again = subprocess.run([*command, "--out", "call.jsonl"], check=True, capture_output=True, text=True)
    assert "2 answers (2 were there)" in again.stdout


def test_a_class_an_instance_and_a_function_are_models() -> None:
    def function(video: eb.Video, question: eb.Question) -> str:
        return f"f {question.task}"

    common: dict[str, Any] = {"tasks": "cause,effect", "limit": 1}
    of_class = eb.run(Echo, model_args={"mark": 7}, out="class.jsonl", **common)
    assert [answer.answer for answer in of_class.records] == ["7cause", "7effect"]
    instance = Echo("i ")
    assert eb.run(instance, out="instance.jsonl", **common).rows()[1]["answer"] == "i effect"
    assert eb.run(function, out="function.jsonl", **common).rows()[0]["answer"] == "f cause"
    assert eb.run(function, out="function.jsonl", **common).end.answers == 2
    with pytest.raises(SpecMismatch, match="run: Echo there, function here"):
        eb.run(function, out="class.jsonl", **common)
    with pytest.raises(eb.UsageError, match=r"int.* is no model: it has no answer\(video, question\)"):
        eb.run(7, **common)  # type: ignore[arg-type]
    with pytest.raises(eb.UsageError, match="other processes, which cannot make this again"):
        eb.run(instance, devices=["cpu", "cpu"], **common)


def test_own_metrics_and_data_sets_are_given_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = eb.load_dataset("mini")
    outcome = eb.run(Echo, data=dataset, tasks="cause", limit=2, prompts={"cause": "Why?"})
    assert outcome.path == Path("Echo-mini.jsonl")
    scored = eb.score(outcome, scorers=[Letters, "rouge"], out="scores.jsonl")
    assert [row["metric"] for row in scored.rows()] == ["letters", "rouge1", "rouge2", "rougeL"]
    assert (scored.rows()[0]["mean"], scored.rows()[0]["unit"]) == (5.0, "points")
    assert re.search(r"^letters\|test_python_api.py:[0-9a-f]{16}\|strip:", scored.rows()[0]["signature"])
    assert scored.answers()[0]["letters"] == 5.0
    assert eb.score(outcome, scorers=Letters).records == scored.records[:1]
    assert "letters" in str(scored)
    monkeypatch.setitem(sys.modules, "pandas", SimpleNamespace(DataFrame=list))
    assert scored.to_frame() == scored.rows()
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(eb.UsageError, match="pandas is not installed"):
        scored.to_frame()


def test_a_run_that_was_not_scored_is_named() -> None:
    outcome = eb.run("constant", tasks="cause", limit=1)
    with pytest.raises(eb.UsageError, match="score them first"):
        eb.leaderboard(outcome)


class Steps(Letters):
    """A metric with an attribute, and without settings."""

    def __init__(self, step: object) -> None:
        self.step = step


class Described(Echo):
    """A model that describes itself."""

    def describe(self) -> dict[str, Any]:
        return {"mark": "hidden"}


def test_instances_are_told_apart_by_what_they_were_made_with() -> None:
    common: Any = {"tasks": "cause", "limit": 1}
    assert eb.run(Echo("a "), out="a.jsonl", **common).records[0].answer == "a cause"
    assert eb.run(Echo("a "), out="a.jsonl", **common).end.answers == 1
    with pytest.raises(SpecMismatch, match=r"made_with\.mark"):
        eb.run(Echo("b "), out="a.jsonl", **common)
    with pytest.raises(
        eb.UsageError, match=r"could not be told apart \(its mark is of the type object.*give it describe\(\)"
    ):
        eb.run(Echo(object()), out="b.jsonl", **common)  # type: ignore[arg-type]
    assert eb.run(Described(object()), out="b.jsonl", **common).end.answers == 1  # type: ignore[arg-type]
    found = [eb.score("a.jsonl", scorers=Steps(step)).rows()[0]["signature"] for step in (1, 1, 2)]
    assert found[0] == found[1] != found[2]
    with pytest.raises(eb.UsageError, match=r"its step is of the type object, and it has no settings"):
        eb.score("a.jsonl", scorers=Steps(object()))


class Called:
    """An object that is called, or whose method is."""

    def __init__(self, mark: object) -> None:
        self.mark = mark

    def __call__(self, video: Any, question: Any) -> str:
        return str(self.mark)

    def ask(self, video: Any, question: Any) -> str:
        return str(self.mark)


def test_objects_that_are_called_are_told_apart_by_what_they_hold() -> None:
    common: Any = {"tasks": "cause", "limit": 1}
    for out, model in (("a.jsonl", lambda mark: Called(mark)), ("b.jsonl", lambda mark: Called(mark).ask)):
        assert eb.run(model("a"), out=out, **common).end.answers == 1
        assert eb.run(model("a"), out=out, **common).end.answers == 1
        with pytest.raises(SpecMismatch, match=r"made_with\.mark a there, b here"):
            eb.run(model("b"), out=out, **common)
    with pytest.warns(UserWarning, match="Called holds mark, which cannot be compared"):
        eb.run(Called(object()), out="c.jsonl", **common)


def test_what_cannot_be_run_or_scored_is_refused() -> None:
    async def later(video: Any, question: Any) -> str:
        return "x"

    with pytest.raises(eb.UsageError, match="coroutine"):
        eb.run(later, limit=1)  # type: ignore[arg-type]
    with pytest.raises(eb.UsageError, match="an empty list names nothing"):
        eb.run("constant", tasks=[], limit=1)
    with pytest.raises(eb.UsageError, match="a dict is neither a run nor a file"):
        eb.score({"00001": "x"})  # type: ignore[arg-type]


def test_a_metric_has_one_signature_from_python_and_from_its_file(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = (
        "from ecva_bench import Column, Scorer",
        "class One(Scorer):",
        "    name, tasks, columns = 'one', ('cause',), (Column('one', 'one'),)",
        "    def score(self, batch):",
        "        return [{'one': 1} for item in batch]",
    )
    Path("lone.py").write_text("\n".join(lines))
    monkeypatch.syspath_prepend(Path.cwd())
    lone = importlib.import_module("lone")
    outcome = eb.run("constant", tasks="cause", limit=1)
    of_class, of_file = (eb.score(outcome, scorers=one).rows()[0]["signature"] for one in (lone.One, "./lone.py:One"))
    assert of_class == of_file
    del sys.modules["lone"]
