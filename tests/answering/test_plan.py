"""Which videos and questions a run asks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecva_bench.answering.plan import Selection, make_plan, stratified_order
from ecva_bench.data import Dataset
from ecva_bench.errors import UsageError
from ecva_bench.records import Annotation, Label, Moment
from ecva_bench.records.annotations import REFERENCES, TASK_NAMES
from ecva_bench.records.base import View
from ecva_bench.scoring.factory import available, scorer_class
from ecva_bench.tasks import TASKS, find_tasks, prompt_for
from ecva_bench.taxonomy import load_taxonomy

FIVE = find_tasks(["description", "cause", "effect", "classification", "timestamp"])


def annotation(number: int, major: int | None = 1, **fields: object) -> Annotation:
    label = Label(major=major) if major else None
    return Annotation(video=f"{number:05}", media=f"{number:05}.mp4", label=label, **fields)


class FakeDataset:
    source = "fake"

    def __init__(self, annotations: list[Annotation], absent: frozenset[str] = frozenset()) -> None:
        self.annotations, self.absent = annotations, absent

    def media_path(self, annotation: Annotation) -> Path:
        return Path("videos") / annotation.media

    def unusable(self, videos: Iterable[str]) -> dict[str, str]:
        return {video: "missing" for video in videos if video in self.absent}


majors = st.lists(st.integers(min_value=1, max_value=5), min_size=1, max_size=60)


@given(majors, st.integers())
def test_every_prefix_of_the_stratified_order_divides_seats_as_sainte_lague_does(classes: list[int], seed: int) -> None:
    """The highest quotient (seats - 1/2) / size of a class is at most the lowest (seats + 1/2) / size of any."""
    annotations = [annotation(n, major) for n, major in enumerate(classes)]
    order = stratified_order(annotations, seed)
    assert sorted(order) == [a.video for a in annotations]
    major_of = {a.video: a.label.major for a in annotations if a.label}
    for size in range(1, len(order) + 1):
        seats = Counter(major_of[video] for video in order[:size])
        taken = [(seats[major], classes.count(major)) for major in set(classes)]
        assert max((n - 0.5) / m for n, m in taken) <= min((n + 0.5) / m for n, m in taken) + 1e-9


def test_a_subset_of_a_fifth_holds_a_fifth_of_a_rare_class() -> None:
    annotations = [annotation(n, 1 if n % 10 else 2) for n in range(100)]
    for seed in range(5):
        kept = Selection(subset=20, seed=seed).apply(annotations)
        assert Counter(a.label.major for a in kept if a.label) == {1: 18, 2: 2}


@given(majors, st.integers(), st.data())
def test_subsets_are_nested(classes: list[int], seed: int, data: st.DataObject) -> None:
    annotations = [annotation(n, major) for n, major in enumerate(classes)]
    small = data.draw(st.integers(min_value=1, max_value=len(classes)))
    large = data.draw(st.integers(min_value=small, max_value=len(classes)))
    chosen = [{a.video for a in Selection(subset=n, seed=seed).apply(annotations)} for n in (small, large)]
    assert len(chosen[0]) == small
    assert chosen[0] <= chosen[1]


def test_another_seed_draws_another_subset() -> None:
    annotations = [annotation(n) for n in range(40)]
    draws = {tuple(a.video for a in Selection(subset=10, seed=seed).apply(annotations)) for seed in range(5)}
    assert len(draws) == 5


@given(st.integers(min_value=1, max_value=7), st.integers(min_value=0, max_value=30))
def test_shards_divide_the_videos(parts: int, count: int) -> None:
    annotations = [annotation(n) for n in range(count)]
    found = [Selection(shard=(part, parts)).apply(annotations) for part in range(1, parts + 1)]
    assert sorted(a.video for shard in found for a in shard) == [a.video for a in annotations]
    assert max(map(len, found)) - min(map(len, found)) <= 1


def test_limit_and_ids() -> None:
    annotations = [annotation(n) for n in range(10)]
    assert [a.video for a in Selection(limit=2).apply(annotations)] == ["00000", "00001"]
    assert [a.video for a in Selection(ids=("00007", "00003")).apply(annotations)] == ["00003", "00007"]
    with pytest.raises(UsageError, match="00099"):
        Selection(ids=("00099", "00001")).apply(annotations)


def test_of_the_videos_that_are_there_a_subset_is_drawn() -> None:
    dataset = FakeDataset(
        [annotation(n, n % 3 + 1, cause="c") for n in range(60)], frozenset(f"{n:05}" for n in range(50))
    )
    prompts = {task: prompt_for(task) for task in find_tasks(["cause"])}

    def chosen(**selection: Any) -> list[str]:
        plan = make_plan(dataset, prompts, Selection(**selection))  # type: ignore[arg-type]
        return [group.video for group in plan.groups]

    there = [f"{n:05}" for n in range(50, 60)]
    assert chosen(available=True) == there
    assert chosen(available=True, ids=("1", "52", "59.avi")) == ["00052", "00059"]
    assert set(chosen(available=True, subset=6)) < set(there)
    assert len(chosen(available=True, subset=6)) == 6
    assert chosen(available=True, limit=2) == there[:2]
    assert [*chosen(available=True, shard=(1, 2)), *chosen(available=True, shard=(2, 2))] == there[::2] + there[1::2]
    with pytest.raises(UsageError, match=r"nothing is left to ask.*--available"):
        chosen(available=True, ids=("1",))
    assert "available" not in Selection().describe()  # a results file from before may be resumed
    assert Selection(available=True).describe()["available"] is True


def test_a_video_that_two_files_may_be_costs_itself_alone(tmp_path: Path) -> None:
    for name in ("a/1.mkv", "b/1.avi", "2.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    annotations = tuple(annotation(n, cause="c") for n in (1, 2))
    dataset = Dataset("x", "x", "", load_taxonomy("cuva"), annotations, videos=tmp_path)
    first, second = make_plan(dataset, {task: prompt_for(task) for task in find_tasks(["cause"])}, Selection()).groups
    assert "a/1.mkv" in str(first.fault)
    assert "b/1.avi" in str(first.fault)
    assert (second.media, second.fault) == (tmp_path / "2.mp4", None)
    assert dataset.missing(["00001", "00002"]) == ()


def test_ids_follow_the_rule_for_names_of_videos() -> None:
    annotations = [annotation(n) for n in range(1, 12)]
    for written in (("1", "11"), ("00001.mp4", "11.avi"), ("videos/00001.mp4", "00011")):
        assert [a.video for a in Selection(ids=written).apply(annotations)] == ["00001", "00011"]
    folders = [Annotation(video=f"{day}/1", media=f"{day}/1.mp4") for day in ("day", "night")]
    assert [a.video for a in Selection(ids=("night/1",)).apply(folders)] == ["night/1"]
    with pytest.raises(UsageError, match="an id may mean several videos: 1: name one of day/1, night/1"):
        Selection(ids=("1",)).apply(folders)
    with pytest.raises(UsageError, match="no shard 3 of 2"):
        Selection(shard=(3, 2)).apply(annotations)


def test_questions_are_grouped_by_video_and_what_is_not_asked_is_named() -> None:
    whole = annotation(1, description="d", cause="c", effect="e", moments=(Moment(start=1, end=2),))
    bare = annotation(2, major=None, cause="c2")
    prompts = {task: prompt_for(task) for task in FIVE}
    plan = make_plan(FakeDataset([whole, bare]), prompts, Selection(), ("full", "anomaly"))  # type: ignore[arg-type]
    assert [group.video for group in plan.groups] == ["00001", "00002"]
    assert plan.expects["full"] == (*(f"00001/{task.name}" for task in FIVE), "00002/cause")
    assert plan.expects["anomaly"] == ("00001/description", "00001/cause", "00001/effect")  # what a metric reads
    assert plan.unasked == {
        **{f"00002/{task.name}": "no reference" for task in FIVE if task.name != "cause"},
        "00002/cause@anomaly": "no annotated moment",
    }
    assert plan.owed == 9
    references = {s.task: s.reference for s in plan.groups[0].samples}
    assert references == {
        "description": "d", "cause": "c", "effect": "e", "classification": "1", "timestamp": "[1, 2]",
    }  # fmt: skip


def test_all_tasks_are_asked_about_edited_views_where_that_is_wanted() -> None:
    whole = annotation(1, description="d", cause="c", effect="e", moments=(Moment(start=1, end=2),))
    prompts = {task: prompt_for(task) for task in FIVE}
    plan = make_plan(FakeDataset([whole]), prompts, Selection(), ("full", "control"), all_tasks=True)  # type: ignore[arg-type]
    assert plan.expects["control"] == tuple(f"00001/{task.name}" for task in FIVE)


def test_every_task_is_asked_about_other_pictures_and_no_moment_is_needed() -> None:
    """Each task has a metric of its own, whose value by view says what the model uses."""
    bare = annotation(1, description="d", cause="c", effect="e")
    prompts = {task: prompt_for(task) for task in FIVE}
    views: tuple[View, ...] = ("full", "anomaly", "still", "shuffled", "blank")
    plan = make_plan(FakeDataset([bare]), prompts, Selection(), views)  # type: ignore[arg-type]
    assert plan.expects["anomaly"] == ()
    assert plan.expects["still"] == plan.expects["shuffled"] == plan.expects["blank"] == plan.expects["full"]
    assert len(plan.expects["full"]) == 4
    assert plan.owed == plan.owed_of(plan.groups[0]) == 16
    assert {name.partition("@")[2] for name in plan.unasked} == {"", "anomaly"}


def test_the_tasks_asked_about_edited_views_are_those_of_which_a_metric_needs_them() -> None:
    reading = {task for name in available() for each in [scorer_class(name)] if each.needs for task in each.tasks}
    assert reading == {task.name for task in FIVE if task.edited}


def test_a_plan_with_nothing_to_ask_is_refused() -> None:
    prompts = {task: prompt_for(task) for task in find_tasks(["timestamp"])}
    with pytest.raises(UsageError, match="nothing is left to ask"):
        make_plan(FakeDataset([annotation(1, cause="c")]), prompts, Selection())  # type: ignore[arg-type]


def test_tasks_go_by_their_aliases_and_keep_their_order() -> None:
    assert [task.name for task in find_tasks(["outcome", "Reason", "cause"])] == ["cause", "effect"]
    with pytest.raises(UsageError, match="did you mean 'effect'"):
        find_tasks(["efect"])


def test_every_task_has_a_reference_and_every_reference_a_task() -> None:
    assert set(TASK_NAMES) == set(TASKS)
    assert set(REFERENCES) == {task.name for task in TASKS.values() if not task.fields}
