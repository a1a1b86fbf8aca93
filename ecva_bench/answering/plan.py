"""The plan of a run: which videos, which questions about each, which views. Opens no video and asks no model."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence, Set
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import DataError, UsageError, VideoAmbiguous
from ..journal.manifests import SampleView
from ..names import Names
from ..records import Annotation, Moment, Sample
from ..records.annotations import BY_CLASS
from ..records.base import VIEWS, View, changes_pictures, cuts_moments
from ..samples import OptionOrder, repeated, samples, unasked
from ..tasks import Prompt, Task

if TYPE_CHECKING:
    from ..data import Dataset


@dataclass(frozen=True)
class Selection:
    """Which videos of a data set are asked about; the parts apply in this order.

    `ids`: only these videos. `available`: only those with exactly one file,
    which is not empty. `subset`: this many, stratified over anomaly
    classes and drawn with `seed`; a smaller subset is contained in every larger one. `limit`: the first so many.
    `shard`: (i, n), the i-th of n equal parts.
    """

    ids: tuple[str, ...] = ()
    subset: int | None = None
    seed: int = 0
    limit: int | None = None
    shard: tuple[int, int] | None = None
    available: bool = False

    def apply(
        self, annotations: Sequence[Annotation], unusable: Callable[[Iterable[str]], Collection[str]] = lambda _: ()
    ) -> list[Annotation]:
        """Return the selected annotations in the order given; `UsageError` for an unknown id or a bad shard.

        `unusable` says which of some videos have no file that can be asked about.
        """
        chosen = list(annotations)
        if self.ids:
            wanted = _named(self.ids, chosen)
            chosen = [annotation for annotation in chosen if annotation.video in wanted]
        if self.available:
            absent = set(unusable([annotation.video for annotation in chosen]))
            chosen = [annotation for annotation in chosen if annotation.video not in absent]
        if self.subset is not None:
            kept = set(stratified_order(chosen, self.seed)[: self.subset])
            chosen = [annotation for annotation in chosen if annotation.video in kept]
        if self.limit is not None:
            chosen = chosen[: self.limit]
        if self.shard is not None:
            part, parts = self.shard
            if not 1 <= part <= parts:
                raise UsageError(f"there is no shard {part} of {parts}", remedy="write --shard i/n with 1 <= i <= n")
            chosen = chosen[part - 1 :: parts]
        return chosen

    def describe(self) -> dict[str, Any]:
        """Return the selection as JSON for the manifest, `available` where it was asked for."""
        return {name: value for name, value in asdict(self).items() if name != "available" or value}


def _named(ids: Sequence[str], annotations: Sequence[Annotation]) -> set[str]:
    """Return the videos with these ids, by the rule for video names: `1` and `1.mp4` are 00001."""
    names = Names((annotation.video, annotation.media) for annotation in annotations)
    known = {annotation.video for annotation in annotations}
    found = {one: (one,) if one in known else names.find(one) for one in ids}
    if unknown := sorted(one for one, videos in found.items() if not videos):
        some = ", ".join(annotation.video for annotation in annotations[:3])
        remedy = f"its first usable ones are {some}; `data check` names those that are left out"
        raise UsageError("the data set has no usable video of this id", ", ".join(unknown), remedy)
    if several := next(((one, videos) for one, videos in found.items() if len(videos) > 1), None):
        raise UsageError("an id may mean several videos", several[0], f"name one of {', '.join(several[1])}")
    return {video for videos in found.values() for video in videos}


def stratified_order(annotations: Sequence[Annotation], seed: int) -> list[str]:
    """Return all video ids in an order of which every prefix holds each class nearly in proportion.

    Within a class the order is random by `seed`; the k-th of m videos of a class stands at (k + 1/2) / m.
    """
    strata: dict[int, list[str]] = defaultdict(list)
    for annotation in annotations:
        strata[annotation.label.major if annotation.label else 0].append(annotation.video)
    placed = []
    for videos in strata.values():
        shuffled = sorted(videos, key=lambda video: _draw(seed, video))
        placed += [((rank + 0.5) / len(videos), _draw(seed, video), video) for rank, video in enumerate(shuffled)]
    return [video for *_, video in sorted(placed)]


def _draw(seed: int, video: str) -> str:
    return hashlib.sha256(f"{seed}/{video}".encode()).hexdigest()


@dataclass(frozen=True)
class VideoQuestions:
    """All questions of one video, so that it is decoded once for all of them.

    `fault` is why its file is not known where two may be it; nothing lies at `media` then. `edited` are the sample ids
    and edited views that are asked about, those that cut moments as far as there is an annotated one. `moments` are the
    video's, which such views are cut by.
    """

    video: str
    media: Path
    samples: tuple[Sample, ...]
    fault: VideoAmbiguous | None = None
    edited: frozenset[SampleView] = frozenset()
    moments: tuple[Moment, ...] = ()

    def asked(self, view: View) -> tuple[Sample, ...]:
        """Return the questions asked about a view: one that cuts moments needs an annotated one."""
        if view == "full":
            return self.samples
        there = bool(self.moments) or not cuts_moments(view)
        return tuple(s for s in self.samples if there and (s.id, view) in self.edited)

    def asked_also(self, owed: Set[SampleView]) -> VideoQuestions:
        """Return the same with the edited views that a results file owes besides, of whatever task."""
        mine = {(s.id, view) for s in self.samples for view in VIEWS}
        return replace(self, edited=self.edited | (mine & owed))


@dataclass(frozen=True)
class Plan:
    """All questions of a run. `expects` are the sample ids owed, by view; `unasked` are those left out and why."""

    groups: tuple[VideoQuestions, ...]
    views: tuple[View, ...]
    prompts: dict[str, Prompt]
    expects: dict[View, tuple[str, ...]]
    unasked: dict[str, str]

    @property
    def owed(self) -> int:
        """How many answers the run owes."""
        return sum(len(ids) for ids in self.expects.values())

    @property
    def questions(self) -> int:
        """How many questions these are answers to, each counted once, however often it is asked."""
        return sum(self.questions_of(group) for group in self.groups)

    @property
    def references(self) -> dict[str, str]:
        """What the annotation answers to the samples whose accuracy is balanced over it, by id."""
        return {one.id: one.reference for group in self.groups for one in group.samples if one.task in BY_CLASS}

    def questions_of(self, group: VideoQuestions) -> int:
        """Return how many questions are asked about one video and its views."""
        return sum(not sample.repeat for view in self.views for sample in group.asked(view))

    def owed_of(self, group: VideoQuestions) -> int:
        """Return how many of them are about one video."""
        return sum(len(group.asked(view)) for view in self.views)


def make_plan(
    dataset: Dataset,
    tasks: dict[Task, Prompt],
    selection: Selection,
    views: Sequence[View] = ("full",),
    *,
    all_tasks: bool = False,
    order: OptionOrder | None = None,
    repeats: int = 1,
) -> Plan:
    """Return every question of the selected videos, grouped by video; `UsageError` where nothing is left to ask.

    `order` is that of the options of choices; each question is asked `repeats` times. `DataError` for two questions of
    one id. About views that cut moments only the tasks are asked of which a metric reads the answers, unless
    `all_tasks` are wanted; about those with other pictures all are, since each is scored by view.
    """
    on_cuts = frozenset(task.name for task in tasks if task.edited or all_tasks)
    groups: list[VideoQuestions] = []
    left_out: dict[str, str] = {}
    for annotation in selection.apply(dataset.annotations, dataset.unusable):
        for task in tasks:
            left_out |= unasked(annotation, task)
        asked = tuple(one for task, prompt in tasks.items() for one in samples(annotation, task, prompt, order))
        _check_distinct(asked, dataset.source)
        asked = tuple(repeated(asked, repeats))
        if asked:
            edited = frozenset(
                (one.id, view) for one in asked for view in views if one.task in on_cuts or changes_pictures(view)
            )
            media, fault = Path(annotation.media), None
            try:
                media = dataset.media_path(annotation)
            except VideoAmbiguous as error:
                fault = error
            groups.append(VideoQuestions(annotation.video, media, asked, fault, edited, annotation.moments))
    if not groups:
        remedy = "widen --ids, --limit, --subset or --task"
        if selection.available and dataset.unusable(annotation.video for annotation in dataset.annotations):
            remedy += "; --available takes only videos that are there: see `ecva-bench doctor`"
        raise UsageError("nothing is left to ask", dataset.source, remedy)
    expects: dict[View, tuple[str, ...]] = {}
    for view in dict.fromkeys(views):
        unmarked = [one for group in groups if not group.moments for one in group.samples]
        expects[view] = tuple(s.id for group in groups for s in group.asked(view))
        if cuts_moments(view):
            of_cuts = (one for one in unmarked if one.task in on_cuts and not one.repeat)
            left_out |= {f"{one.id}@{view}": "no annotated moment" for one in of_cuts}
    prompts = {task.name: prompt for task, prompt in tasks.items()}
    return Plan(tuple(groups), tuple(expects), prompts, expects, left_out)


def _check_distinct(asked: Sequence[Sample], source: str) -> None:
    """Raise `DataError` where two questions about a video have one id, for their answers could not be told apart."""
    for found, count in Counter(one.id for one in asked).items():
        if count > 1:
            remedy = "give each query of a task and video a name of its own"
            raise DataError(f"{count} questions have the id {found!r}", source, remedy)
