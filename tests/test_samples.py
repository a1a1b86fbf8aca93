"""The questions made of annotations: which there are, in which words and order, and what the model must answer."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

import pytest

import ecva_bench as eb
from ecva_bench.data import Dataset
from ecva_bench.data.mini import load_mini
from ecva_bench.errors import DataError, SpecMismatch, UsageError
from ecva_bench.records import Annotation, Moment
from ecva_bench.records.annotations import LETTERS, TASK_NAMES, Query, question_of, repeat_id, sample_parts
from ecva_bench.samples import OptionOrder, samples, tasks_of, unasked
from ecva_bench.tasks import TASKS, PromptSet, prompt_for
from ecva_bench.taxonomy import AnomalyClass, Taxonomy, load_taxonomy

CUVA = load_taxonomy("cuva")

OPTIONS = ("a fire", "a {options} fight", "nothing", "a theft")
CHOICE = Query(task="choice", name="q1", text="What is in {options}?", options=OPTIONS, answer=1)
SENTENCE = Query(task="grounding", name="s1", text="A man runs.", moments=(Moment(start=1, end=2),))
CLASSES = Query(task="classification", name="", text="", options=("Normal", "Fire"), answer=1)
VIDEO = Annotation(video="day/1", media="day/1.mp4", anomalous=False, queries=(CHOICE, SENTENCE))


def asked(annotation: Annotation, task: str, order: OptionOrder | None = None) -> list[eb.Sample]:
    kind = next((one for one in tasks_of([annotation], CUVA) if one.name == task), TASKS[task])
    return samples(annotation, kind, prompt_for(kind), order)


def test_a_video_is_asked_each_of_its_queries() -> None:
    (choice,), (grounding,), (detection,) = (asked(VIDEO, task) for task in ("choice", "grounding", "detection"))
    assert [one.id for one in (choice, grounding, detection)] == [
        "day/1/choice/q1",
        "day/1/grounding/s1",
        "day/1/detection",
    ]
    assert (choice.reference, set(choice.options)) == ("a {options} fight", set(OPTIONS))
    assert (grounding.reference, grounding.moments) == ("[1, 2]", SENTENCE.moments)
    assert "A man runs." in grounding.question
    assert detection.reference == "no"
    assert asked(VIDEO, "cause") == []
    assert unasked(VIDEO, TASKS["cause"]) == {"day/1/cause": "no reference"}
    assert [task.name for task in tasks_of([VIDEO], CUVA)] == ["detection", "choice", "grounding"]  # no time


def test_a_normal_video_is_asked_when_so_that_none_is_an_answer() -> None:
    moments = (Moment(start=1, end=2),)
    other = Annotation(video="2", media="2.mp4", anomalous=True, moments=moments)
    (when, *_) = tasks_of([other, VIDEO], CUVA)
    found = [one for video in (other, VIDEO) for one in samples(video, when, prompt_for(when))]
    assert [(one.prompt, one.reference) for one in found] == [
        ("ours/timestamp-or-none.v1", "[1, 2]"),
        ("ours/timestamp-or-none.v1", "none"),
    ]
    assert tasks_of([VIDEO, other], CUVA)[0] == when
    assert [task.prompt for task in tasks_of([other], CUVA)] == ["timestamp", "detection", "severity"]


def test_what_is_written_into_a_prompt_is_no_template() -> None:
    (choice,) = asked(VIDEO, "choice", OptionOrder(seed=None))
    assert "What is in {options}?\n\nA. a fire\nB. a {options} fight\nC. nothing\nD. a theft\n" in choice.question
    assert choice.options == OPTIONS


def test_options_stand_in_the_documented_order_whatever_else_is_asked() -> None:
    for seed in (0, 1, 7):
        (one,) = asked(VIDEO, "choice", OptionOrder(seed))
        drawn = [hashlib.sha256(f"{seed}/day/1/choice/q1/{place}".encode()).hexdigest() for place in range(4)]
        assert one.options == tuple(option for _, option in sorted(zip(drawn, OPTIONS, strict=True)))
    many = [Query(task="choice", name=f"q{n}", text="?", options=OPTIONS, answer=0) for n in range(400)]
    shown = [one.options.index("a fire") for one in asked(VIDEO.model_copy(update={"queries": tuple(many)}), "choice")]
    assert all(70 < count < 130 for count in Counter(shown).values())  # 100 each, give or take 3 deviations


def test_rotations_put_every_option_in_every_place() -> None:
    turned = asked(VIDEO, "choice", OptionOrder(0, rotate=True))
    assert [one.id for one in turned] == ["day/1/choice/q1", *(f"day/1/choice/q1@r{turn}" for turn in (1, 2, 3))]
    assert turned[0] == asked(VIDEO, "choice")[0]
    for place in range(4):
        assert {one.options[place] for one in turned} == set(OPTIONS)
    assert len({one.question for one in turned}) == 4


def test_own_classes_are_listed_and_coded_by_their_place() -> None:
    video = VIDEO.model_copy(update={"queries": (CLASSES,)})
    (one,) = asked(video, "classification")
    assert (one.id, one.prompt, one.options) == (
        "day/1/classification",
        "ours/classification-options.v1",
        CLASSES.options,
    )
    assert one.label is not None
    assert one.label.major == 2
    assert "1. Normal\n2. Fire\n" in one.question


def test_a_set_with_classes_of_its_own_asks_for_them_by_name() -> None:
    names = ("Abuse", "Assault", "Traffic_accident")
    own = Taxonomy("own", "Own", "", (3, 0), tuple(AnomalyClass(10 * n, name, ()) for n, name in enumerate(names, 1)))
    annotation = Annotation(video="a", media="a.mp4", label=eb.Label(major=30))
    (task,) = tasks_of([annotation], own)
    (one,) = samples(annotation, task, prompt_for(task))
    assert (one.id, one.reference, one.options, one.label) == ("a/classification", names[2], names, eb.Label(major=3))
    assert "\n1. Abuse\n2. Assault\n3. Traffic_accident\n" in one.question
    assert unasked(annotation, task) == {}
    assert unasked(annotation.model_copy(update={"label": None}), task) == {"a/classification": "no reference"}
    with pytest.raises(DataError, match="class 5 of 'a'"):
        samples(annotation.model_copy(update={"label": eb.Label(major=5)}), task, prompt_for(task))
    assert tasks_of([annotation], Taxonomy("one", "One", "", (1, 0), (own.classes[2],))) == []


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ({"answer": None}, "no right answer among the options"),
        ({"answer": 4}, "no right answer among the options"),
        ({"options": ("one",), "answer": 0}, "1 option: there must be 2 to 26"),
        ({"options": tuple(map(str, range(27))), "answer": 0}, "27 options: there must be 2 to 26"),
    ],
)
def test_what_cannot_be_asked_is_named(query: dict[str, object], why: str) -> None:
    video = VIDEO.model_copy(update={"queries": (CHOICE.model_copy(update=query),)})
    assert asked(video, "choice") == []
    assert unasked(video, TASKS["choice"]) == {"day/1/choice/q1": why}
    assert len(LETTERS) == 26


@pytest.mark.parametrize("name", ["a/b", "q@r1", "cause"])
def test_a_name_that_an_id_could_not_be_told_by_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="cannot name a query"):
        Query(task="choice", name=name, text="?")


@pytest.mark.parametrize(
    ("sample", "parts"),
    [
        ("1/cause", ("1", "cause", "")),
        ("day/1/cause", ("day/1", "cause", "")),
        ("day/1/choice/q1", ("day/1", "choice", "q1")),
        ("day/1/choice/q1@r2", ("day/1", "choice", "q1@r2")),
        ("1/choice@r2", ("1", "choice", "@r2")),
        ("choice/1/cause", ("choice/1", "cause", "")),
        ("choice/cause", ("choice", "cause", "")),
        ("1/a-later-task", ("1", "a-later-task", "")),
        ("cam@s1/cause", ("cam@s1", "cause", "")),
    ],
)
def test_an_id_is_taken_apart_as_it_was_made(sample: str, parts: tuple[str, str, str]) -> None:
    assert sample_parts(sample) == (*parts, 0)
    assert question_of(sample) == sample
    again = repeat_id(sample, 12)
    if parts[1] in TASK_NAMES:
        assert sample_parts(again) == (*parts, 12)
        assert question_of(again) == sample


# In a run


def dataset(folder: Path, *queries: Query, anomalous: bool | None = None) -> Dataset:
    """Two clips of the embedded split with queries of a data set's own, and nothing else."""
    from dataclasses import replace

    mini = load_mini(videos=folder)
    own = {"anomalous": anomalous, "queries": queries}
    bare = [Annotation(video=one.video, media=one.media, **own) for one in mini.annotations[:2]]
    return replace(mini, name="own", sha256="1" * 64, annotations=tuple(bare))


def test_a_run_asks_what_the_data_set_has_and_the_oracle_is_right(tmp_path: Path) -> None:
    own = dataset(tmp_path, CHOICE, SENTENCE, CLASSES, anomalous=True)
    run = eb.run("oracle", data=own, out=tmp_path / "r.jsonl", rotate=True)
    assert (run.end.answers, run.end.errors) == (2 * (4 + 1 + 1 + 1), 0)
    rows = {(row["task"], row["metric"]): row["mean"] for row in eb.score(run).rows()}
    right = {("choice", "accuracy"), ("grounding", "iou"), ("detection", "correct"), ("classification", "accuracy")}
    assert {place: rows[place] for place in right} == dict.fromkeys(right, 1.0)


def test_a_task_that_nobody_has_is_an_error_only_where_it_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no annotation has a reference for choice") as raised:
        eb.run("constant", tasks=("choice", "cause"), out=tmp_path / "r.jsonl")
    assert "description, cause, effect, classification, timestamp" in str(raised.value)
    run = eb.run("constant", limit=1, out=tmp_path / "r.jsonl")
    assert {answer.task for answer in run.records} == {"description", "cause", "effect", "classification", "timestamp"}


def test_a_set_of_prompts_is_asked_only_what_it_has(tmp_path: Path) -> None:
    own = dataset(tmp_path, CHOICE)
    own_words: PromptSet = {"choice": "{question} {options}"}
    assert eb.run("constant", data=own, prompts=own_words, out=tmp_path / "a.jsonl").end.answers == 2
    with pytest.raises(UsageError, match="prompt set 'authors' has none for choice"):
        eb.run("constant", data=own, prompts="authors", out=tmp_path / "b.jsonl")
    with pytest.raises(UsageError, match=r"has no place for \{options\}"):
        eb.run("constant", data=own, prompts={"choice": "{question}?"}, out=tmp_path / "c.jsonl")


def test_two_queries_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="2 questions have the id 'mini01/choice/q1'"):
        eb.run("constant", data=dataset(tmp_path, CHOICE, CHOICE), out=tmp_path / "r.jsonl")


def test_another_order_of_options_is_another_run(tmp_path: Path) -> None:
    own, out = dataset(tmp_path, CHOICE), tmp_path / "r.jsonl"
    eb.run("constant", data=own, out=out)
    assert eb.run("constant", data=own, out=out, rotate=True).end.answers == 8
    with pytest.raises(SpecMismatch, match="options shuffled by seed 0 there, 1 here"):
        eb.run("constant", data=own, out=out, shuffle=1)
