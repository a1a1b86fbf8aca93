"""What is asked is a `Question`, and no model but a baseline can come by what the annotation answers."""

from __future__ import annotations

import copy
import functools
import gc
import json
import pickle
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any, get_args

import numpy as np
import pytest

from ecva_bench import registry
from ecva_bench.answering import Adapter, Baseline, Question, create_adapter, request
from ecva_bench.answering.adapter import ADAPTER_GROUP
from ecva_bench.answering.inference import Settings
from ecva_bench.answering.models import find_model
from ecva_bench.answering.request import RunRequest
from ecva_bench.answering.runner import Runner
from ecva_bench.errors import AdapterError, UsageError
from ecva_bench.journal.results import read_results
from ecva_bench.journal.writer import Journal
from ecva_bench.records import Annotation, Label, Moment, Sample
from ecva_bench.records.annotations import Review
from ecva_bench.records.base import Record
from ecva_bench.samples import samples
from ecva_bench.tasks import PROMPT_SETS, TASKS, SeverityFrom, has_prompt, prompt_for
from ecva_bench.video import Video
from tests.clips import Clips, write_clip

MOMENT, REVIEWED = Moment(start=1.234567, end=2.345678), Moment(start=1.456789, end=2.567891)
ANNOTATED = Annotation(
    video="clip",
    media="clip.mp4",
    label=Label(major=73, sub=19, severity=4),
    moments=(MOMENT,),
    description="the hidden description",
    cause="the hidden cause",
    effect="the hidden effect",
    key_sentences=("the hidden sentence",),
    review=Review(label=Label(major=74, sub=20), moments=(REVIEWED,)),
)
SECRETS = ("hidden", "73-19", "74-20", *(str(t) for m in (MOMENT, REVIEWED) for t in (m.start, m.end)))
SAMPLES = [one for task in TASKS.values() for one in samples(ANNOTATED, task, prompt_for(task)) if not task.named_only]


class OneClip(Clips):
    """A data set of one clip of which everything is annotated."""

    name, sha256 = "one-clip", "0" * 64

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.annotations = [ANNOTATED]


# The words and what goes with them


def test_a_question_is_its_words() -> None:
    question = Question("Why?", task="cause", prompt_id="mine/cause.v1", options=["yes", "no"])
    assert question == "Why?"
    assert {question: 1}["Why?"] == 1
    assert json.dumps([question]) == '["Why?"]'
    assert f"{question}" == "Why?"
    assert type(str(question)) is str
    assert question.describe() == {
        "task": "cause",
        "prompt_id": "mine/cause.v1",
        "options": ["yes", "no"],
        "unit": "",
    }


@pytest.mark.parametrize(
    "sent",
    [
        *(
            lambda q, n=n: pickle.loads(pickle.dumps(q, n))  # noqa: S301  its own bytes
            for n in range(2, pickle.HIGHEST_PROTOCOL + 1)
        ),
        copy.copy,
        copy.deepcopy,
    ],
)
def test_a_question_arrives_elsewhere_as_it_was(sent: Callable[[Question], Question]) -> None:
    question = Question("When?", task="timestamp", prompt_id="mine/timestamp.v2", options=("a",), unit="seconds")
    arrived = sent(question)
    assert type(arrived) is Question
    assert (arrived, arrived.describe()) == (question, question.describe())


@pytest.mark.parametrize("prompt_set", PROMPT_SETS)
@pytest.mark.parametrize("task", TASKS)
def test_the_words_of_a_packaged_prompt_are_a_whole_question(task: str, prompt_set: str) -> None:
    if not has_prompt(TASKS[task], prompt_set):
        assert prompt_set != "ours"
        return
    prompt = prompt_for(TASKS[task], prompt_set)
    question = Question.of(prompt.text)
    assert question == prompt.text
    assert question.task == task
    assert question.prompt_id == f"{prompt_set}/{task}.v{prompt.version}"
    assert question.unit == ("seconds" if task in ("timestamp", "grounding", "severity") else "")
    assert Question.of(question) is question


def test_of_other_words_no_task_is_known() -> None:
    assert Question.of("Why, then?").describe() == {"task": "", "prompt_id": "", "options": [], "unit": ""}
    with pytest.raises(AdapterError, match="no constant for the task ''"):
        create_adapter("constant").answer(None, "Why, then?")  # type: ignore[arg-type]


def test_one_prompt_for_two_tasks_asks_two_questions() -> None:
    two = [s.model_copy(update={"question": "Well?"}) for s in SAMPLES if s.task in ("cause", "classification")]
    constant = create_adapter("constant")
    cause, classification = (constant.answer(None, Question.of_sample(s)) for s in two)  # type: ignore[arg-type]
    assert classification == "[5]"
    assert cause.startswith("The driver")


# What is out of a model's reach


def reachable(roots: object) -> Iterator[object]:
    """Everything that can be reached from objects by attributes, items, closures and bound methods.

    Classes, modules and the global names of functions are not followed: they are there whoever is asked.
    """
    seen: set[int] = set()
    todo = [roots]
    kept = []  # so that no id is given twice
    while todo:
        found = todo.pop()
        if id(found) in seen or isinstance(found, type | ModuleType):
            continue
        seen.add(id(found))
        kept.append(found)
        yield found
        if isinstance(found, FunctionType):
            todo += [found.__closure__, found.__defaults__, found.__kwdefaults__, vars(found)]
        elif isinstance(found, functools.cached_property | BuiltinFunctionType) and isinstance(
            getattr(found, "__self__", None), ModuleType
        ):
            continue
        else:
            todo += gc.get_referents(found)


def secrets(roots: object) -> list[object]:
    """What of the annotation can be reached: its records, its texts, its seconds."""
    numbers = {t for moment in (MOMENT, REVIEWED) for t in (moment.start, moment.end)}
    return [
        found
        for found in reachable(roots)
        if isinstance(found, Record)
        or (isinstance(found, str | bytes) and any(secret in str(found) for secret in SECRETS))
        or (isinstance(found, float) and found in numbers)
        or (isinstance(found, np.ndarray) and found.dtype.kind == "f" and np.isin(found, list(numbers)).any())
    ]


class Leaky(Question):
    """A question with room for what it must not have."""

    __slots__ = ("sample",)
    sample: object


def _leaky(value: object) -> Question:
    question = Leaky("Why?")
    question.sample = value
    return question


class _Holder:
    def __init__(self, value: object) -> None:
        self.value = value

    def method(self) -> None:
        """Hold its object."""


@pytest.mark.parametrize(
    "hide",
    [
        lambda value: [{"samples": (value,)}],
        _leaky,
        _Holder,
        lambda value: _Holder(value).method,
        lambda value: lambda: value,
        lambda value: lambda given=value: given,
        lambda value: functools.partial(print, value),
        lambda value: [value].append,
        lambda value: (found for found in [value]),
    ],
)
@pytest.mark.parametrize("value", [SAMPLES[0], MOMENT.start, "x the hidden cause", "[73-19]", np.array([MOMENT.end])])
def test_the_search_finds_what_is_hidden(value: object, hide: Callable[[object], object]) -> None:
    assert secrets(hide(value))
    assert not secrets(hide("nothing"))


HANDED: list[tuple[str, Any, list[object]]] = []  # method, arguments, and what was found in them at that time


def _watched(name: str) -> Callable[..., Any]:
    plain = getattr(Adapter, name)

    def watched(self: Adapter, *given: object, **named: object) -> Any:
        HANDED.append((name, (given, named), secrets((self, given, named))))
        return plain(self, *given, **named)

    return watched


class Watching(Adapter):
    """Looks through whatever it is handed, by any method of the interface."""

    fails: bool = False

    def __init__(self, size: str = "") -> None:
        HANDED.append(("__init__", size, secrets((self, size))))

    def frame_indices(self, video: Video) -> Sequence[int]:
        HANDED.append(("frame_indices", video, secrets((self, video))))
        return range(0, video.n_frames, 5)

    def answer(self, video: Video, question: Question) -> str:
        frames = video.frames_at(self.frame_indices(video))
        HANDED.append(("answer", question, secrets((self, video, question, frames))))
        if self.fails and question.task == "effect":
            raise RuntimeError("not today")
        return "text"

    def answer_many(self, video: Video, questions: Sequence[Question]) -> list[str]:
        HANDED.append(("answer_many", list(questions), secrets((self, video, questions))))
        return [self.answer(video, question) for question in questions]

    def first_token_probabilities(self, video: Video, question: Question, words: Sequence[str]) -> list[float]:
        HANDED.append(("first_token_probabilities", question, secrets((self, video, question, words))))
        return [1 / len(words)] * len(words)

    def study(self, samples: Sequence[Sample]) -> None:
        raise AssertionError("a model was shown the references")


for _name in set(vars(Adapter)) - set(vars(Watching)) - {"answers_jointly", "baseline", "tasks", "card"}:
    if not _name.startswith("_") and callable(getattr(Adapter, _name)):
        setattr(Watching, _name, _watched(_name))


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Runner]:
    """A function that returns the runner of a class of models, over one clip."""
    write_clip(tmp_path / "clip.mp4")
    monkeypatch.setattr(request, "load_dataset", lambda *_, **__: OneClip(tmp_path))

    def make(model: type[Adapter], **fields: Any) -> Runner:
        return RunRequest(model, model_args={"size": "1"} if model is Watching else {}, **fields).prepare()

    return make


@pytest.mark.parametrize("mode", ["exact", "fast"])
def test_no_model_can_reach_a_reference(
    mode: Any, made: Callable[..., Runner], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    HANDED.clear()
    for fails in (True, False):  # the second run takes up the first, and adopts what it was
        monkeypatch.setattr(Watching, "fails", fails)
        runner = made(Watching, settings=Settings(mode=mode))
        with runner, Journal(tmp_path / "r.jsonl", runner.manifest) as journal:
            end = runner.run(journal)
        assert (end.status == "complete") != fails
    watched = [*HANDED]
    for way in get_args(SeverityFrom):
        runner = made(Watching, settings=Settings(mode=mode), tasks=("severity",), severity_from=way)
        with runner, Journal(tmp_path / f"{way}.jsonl", runner.manifest) as journal:
            assert runner.run(journal).status == "complete"
    called = {name for name, _, _ in HANDED}
    everything = {name for name in vars(Adapter) if not name.startswith("_") and callable(getattr(Adapter, name))}
    of_no_run = {
        "check_checkpoint",
        "notes",
        "of_target",  # of the class
        "question_cost",
        "target_rows",
        "training_file",
    }  # but of what is said before one
    assert called >= everything - of_no_run - {"share"}  # of several workers
    assert [(name, found) for name, _, found in watched if found] == []
    parts = [one for _, _, found in HANDED[len(watched) :] for one in found]  # what is cut to show a part alone
    assert all(isinstance(one, Moment) and one not in (MOMENT, REVIEWED) for one in parts)
    asked = [question for name, question, _ in watched if name == "answer"]
    assert {type(question) for question in asked} == {Question}
    assert {(q.task, q.prompt_id, q.unit) for q in asked} == {
        (s.task, f"ours/{s.task}.v1", "seconds" if s.task == "timestamp" else "") for s in SAMPLES
    }
    assert next(given for name, given, _ in HANDED if name == "check_videos") == ((["clip.mp4"],), {})
    # The data set is the one with the secrets: they are in what is scored.
    assert {a.reference for a in read_results(tmp_path / "r.jsonl").answers} == {s.reference for s in SAMPLES}


def test_of_an_edited_view_the_spans_cut_out_are_known_and_nothing_else(
    made: Callable[..., Runner], tmp_path: Path
) -> None:
    HANDED.clear()
    runner = made(Watching, edited=("anomaly",))
    with Journal(tmp_path / "r.jsonl", runner.manifest) as journal:
        runner.run(journal)
    found = [secret for _, _, some in HANDED for secret in some]
    assert found
    assert {repr(secret) for secret in found} <= {repr(s) for s in (MOMENT, MOMENT.start, MOMENT.end)}


def test_only_a_baseline_studies_and_it_is_marked(made: Callable[..., Runner]) -> None:
    class Studying(Baseline):
        samples: tuple[Sample, ...] = ()

        def study(self, samples: Sequence[Sample]) -> None:
            self.samples = tuple(samples)

        def answer(self, video: Video, question: Question) -> str:
            return "text"

    runner = made(Studying)
    assert isinstance(runner.adapter, Studying)
    assert list(runner.adapter.samples) == SAMPLES
    assert runner.manifest.spec["baseline"] is True
    assert made(Watching).manifest.spec["baseline"] is False  # its `study` raises


def test_a_class_cannot_be_half_a_baseline(made: Callable[..., Runner]) -> None:
    class Ranked(Baseline):
        baseline = False

        def answer(self, video: Video, question: Question) -> str:
            return "text"

    class Marked(Adapter):
        baseline = True

        def answer(self, video: Video, question: Question) -> str:
            return "text"

    for model in (Ranked, Marked):
        with pytest.raises(UsageError, match=r"marked as a baseline and is none.*derive baselines from Baseline"):
            made(model)


def test_the_baselines_of_the_project_are_those_that_look_or_show_a_floor() -> None:
    found = {name for name in registry.names(ADAPTER_GROUP) if find_model(name).baseline}
    assert found == {"blind", "constant", "motion", "middle", "oracle", "prompt-echo", "second-round"}
    for name in registry.names(ADAPTER_GROUP):
        model = registry.load(ADAPTER_GROUP, name)
        assert model.baseline == issubclass(model, Baseline) == (name in found)
        assert hasattr(model, "study") == (name in found)
