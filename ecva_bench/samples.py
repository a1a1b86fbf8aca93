"""The questions about a video: what its annotation asks and answers of each task, and the order of options.

Knows annotations and prompts; knows nothing of videos, models or results.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from .errors import DataError
from .records import Annotation, Label, Sample
from .records.annotations import LETTERS, REFERENCES, Query, format_moments, repeat_id
from .tasks import TASKS, Prompt, Task
from .taxonomy import Taxonomy
from .wording import counted

_OF_TIME = ("timestamp", "severity")  # asked of normal videos, too, where some video has a moment


@dataclass(frozen=True)
class OptionOrder:
    """In which order the options of a choice are shown.

    They are sorted by the SHA-256 of `<seed>/<sample id>/<number in the data set, from 0>`; without a seed they stand
    as in the data set. `rotate`: every question is asked as often as it has options, each time with the last of them
    put first (`@r1`, `@r2` behind the sample's id), so that the right one stands in every place once.
    """

    seed: int | None = 0
    rotate: bool = False

    def orders(self, options: Sequence[str], sample: str) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield (sample id, options as shown) for each time that a question is asked."""
        places = list(range(len(options)))
        if self.seed is not None:
            places.sort(key=lambda place: hashlib.sha256(f"{self.seed}/{sample}/{place}".encode()).digest())
        shown = tuple(options[place] for place in places)
        for turn in range(len(shown) if self.rotate else 1):
            yield f"{sample}@r{turn}" if turn else sample, shown[len(shown) - turn :] + shown[: len(shown) - turn]


def samples(annotation: Annotation, task: Task, prompt: Prompt, order: OptionOrder | None = None) -> list[Sample]:
    """Return the questions `task` asks about a video: its queries of the task, or the one of the annotation itself.

    None where the annotation has no reference for it; `unasked` says why. `DataError` for a class that is none of the
    data set's.
    """
    about = Sample(
        id=f"{annotation.video}/{task.name}",
        video=annotation.video,
        media=annotation.media,
        task=task.name,
        question=prompt.text,
        prompt=prompt.versioned_id,
        prompt_sha256=prompt.sha256,
        reference="",
        key_sentences=annotation.key_sentences,
        moments=annotation.moments,
        label=annotation.label,
        review=annotation.review,
    )
    if not task.fields:
        reference = REFERENCES[task.name](annotation)
        own: dict[str, object] = {"reference": reference}
        if task.asked:
            own |= {"curve": annotation.severity_curve, "asked": task.asked}
        return [about.model_copy(update=own)] if reference else []
    queries = [query for query in _queries(annotation, task) if not _unfit(query)]
    if task.classes and not queries:
        return _of_class(annotation, about, prompt, task)
    return [sample for query in queries for sample in _of_query(query, about, prompt, order or OptionOrder())]


def repeated(asked: Sequence[Sample], repeats: int) -> list[Sample]:
    """Return samples so many times, all once before any again; each time under an id of its own."""
    again = (
        one.model_copy(update={"id": repeat_id(one.id, number), "repeat": number})
        for number in range(1, repeats)
        for one in asked
    )
    return [*asked, *again]


def unasked(annotation: Annotation, task: Task) -> dict[str, str]:
    """Return why a task is not asked about a video, or some of its queries are not, by sample id."""
    queries = _queries(annotation, task)
    if not (queries if task.fields and not task.classes else queries or REFERENCES[task.name](annotation)):
        return {f"{annotation.video}/{task.name}": "no reference"}
    return {_query_id(annotation.video, query): why for query in queries if (why := _unfit(query))}


def tasks_of(annotations: Iterable[Annotation], taxonomy: Taxonomy) -> list[Task]:
    """Return the tasks that some annotation has a reference for, as they are asked of all of them: with the answers
    that the set lists, or its own classes, and so that they fit its normal videos.

    A set whose only class is one of its own is not asked for it: there is nothing to choose from. Nor is one asked for
    times that has normal videos and no time.
    """
    asked: dict[str, Task] = {}
    has_normal = False
    own = [(one.code, one.name) for one in taxonomy.own]
    for annotation in annotations:
        has_normal |= annotation.anomalous is False
        for query in annotation.queries:
            if query.task in TASKS and not _unfit(query):
                asked[query.task] = TASKS[query.task].with_options()
        timed = bool(annotation.moments or annotation.severity_curve)
        for name, reference in REFERENCES.items():
            if name in asked or not reference(annotation) or (name in _OF_TIME and not timed):
                continue
            if name != "classification" or not own:
                asked[name] = TASKS[name]
            elif len(own) > 1:
                asked[name] = TASKS[name].with_classes(own)
    fitting = {name: one.of_any_video() if has_normal and one.or_none else one for name, one in asked.items()}
    return [fitting[name] for name in TASKS if name in fitting]


def _queries(annotation: Annotation, task: Task) -> list[Query]:
    return [query for query in annotation.queries if query.task == task.name] if task.fields else []


def _unfit(query: Query) -> str:
    """Return why nobody is asked a query, empty where everybody is."""
    if query.task == "grounding":
        return "" if query.moments else "no annotated moment"
    most = len(LETTERS) if query.task == "choice" else len(query.options)  # classes are numbered
    if not 2 <= len(query.options) <= most:
        return f"{counted(len(query.options), 'option')}: there must be 2 to {len(LETTERS)}"
    return "" if query.answer is not None and query.answer < len(query.options) else "no right answer among the options"


def _query_id(video: str, query: Query) -> str:
    return "/".join(filter(None, (video, query.task, query.name)))


def _of_query(query: Query, about: Sample, prompt: Prompt, order: OptionOrder) -> Iterator[Sample]:
    """Yield the samples of a query: one, or of a choice that is rotated as many as it has options."""
    sample = _query_id(about.video, query)
    own: dict[str, object]
    if query.task == "grounding":
        own = {"question": prompt.filled(sentence=query.text), "moments": query.moments}
        yield about.model_copy(update={**own, "id": sample, "reference": format_moments(query.moments)})
        return
    right = query.answer or 0
    if query.task == "classification":
        yield _classified(about, prompt, sample, query.text, query.options, right)
        return
    for one, shown in order.orders(query.options, sample):
        listed = "\n".join(f"{letter}. {option}" for letter, option in zip(LETTERS, shown, strict=False))
        own = {"question": prompt.filled(question=query.text, options=listed), "options": shown}
        yield about.model_copy(update={**own, "id": one, "reference": query.options[right]})


def _of_class(annotation: Annotation, about: Sample, prompt: Prompt, task: Task) -> list[Sample]:
    """Return the question after the class of a video among those of its data set; none without a class."""
    if annotation.label is None:
        return []
    codes = [code for code, _ in task.classes]
    if annotation.label.major not in codes:
        what = f"the class {annotation.label.code} of {annotation.video!r} is none of its data set's"
        raise DataError(what, annotation.video, "mend the class, or leave the label out")
    names = tuple(name for _, name in task.classes)
    return [_classified(about, prompt, about.id, "", names, codes.index(annotation.label.major))]


def _classified(about: Sample, prompt: Prompt, sample: str, text: str, options: tuple[str, ...], right: int) -> Sample:
    """Return a question after one of some classes, which it lists by number from 1; so is the label numbered."""
    listed = "\n".join(f"{number}. {option}" for number, option in enumerate(options, 1))
    own = {"question": prompt.filled(question=text, options=listed), "label": Label(major=right + 1)}
    return about.model_copy(update={**own, "id": sample, "reference": options[right], "options": options})
