"""Answers held against their data set: its annotation counts, and what contradicts it or the file itself is named.

A results file holds the references that it is scored by, so whoever writes the file could write them too. Where the
data set is at hand, what it says stands in their place.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from ..data import Dataset, load_dataset
from ..data.dataset import EMBEDDED
from ..data.loading import DatasetSource
from ..errors import ResultsError
from ..interchange.lookup import Lookup
from ..records import Sample
from ..records.annotations import sample_parts
from ..records.answers import Answer, Doubt, Results, SampleAnnotation
from ..records.base import Record, canonical_json, cuts_moments
from ..records.identity import DatasetIdentity
from ..records.scores import Scores
from ..wording import counted
from .keys import Keys

_SHOWN = 48  # characters of a text in a doubt
_FIELDS = ("reference", "key_sentences", "moments", "label", "options", "curve")
_SAME_S = 0.1  # that two decoders may say of one file
_AHEAD = timedelta(days=1)  # that a clock may be
_SAID = {
    "annotation": "differences from the data set's annotation, which counts",
    "sample": "questions that the data set does not have, which are left out",
    "key": "keys that are not those of their answers",
    "second": "second answers under one key, which are left out",
    "duplicate": "answers that are there again, which count once",
    "prompt": "prompts that are not told, or not what they are called",
    "view": "views that cannot be as they are told",
    "time": "times that cannot be",
    "data": "another data set than it is called, so that the file's own annotation counts",
}


def data_set_at_hand(told: DatasetIdentity, data: Sequence[DatasetSource] = ()) -> Dataset | None:
    """Return the data set that a run says it is of, by hash: one of `data`, or an embedded one; else None."""
    return next((one for one in map(load_dataset, (*data, *EMBEDDED)) if one.sha256 == told.sha256), None)


def identity_of(results: Results) -> DatasetIdentity:
    """Return the data set that a results file says it is of."""
    return DatasetIdentity.model_validate(results.spec.get("dataset") or {})


def examined(results: Results, dataset: Dataset | None) -> Results:
    """Return answers as they are to be judged; `doubts` are what contradicts the data set or the file itself.

    The data set's annotation takes the place of the file's, and questions that it does not have are owed no longer.
    Without it, keys are held against the prompts alone.
    """
    lookup = None if dataset is None else Lookup(dataset)
    keys = Keys(results, lookup)
    doubts = [*results.doubts, *keys.doubts(), *_of_views(results), *_of_durations(results)]
    if dataset is None and (named := identity_of(results)).name in EMBEDDED:
        text = f"{named.name} has the hash {load_dataset(named.name).sha256[:12]} here, not {named.sha256[:12]}"
        doubts.append(Doubt(kind="data", id=named.name, view="full", text=text))
    kept: list[list[Answer]] = []
    for told in (results.answers, results.extra):
        kept.append([])
        for answer in told:
            fields = _of_data_set(answer, results)
            right = answer if lookup is None else _corrected(answer, _expected(lookup, answer.id), fields)
            doubts += [*_about(answer, right, dataset), *keys.doubts_about(answer)]
            kept[-1].append(right)
    expects, annotated = results.expects, results.annotated
    if lookup is not None:
        absent = [(view, one) for view, ids in expects.items() for one in ids if _expected(lookup, one) is None]
        text = f"{lookup.dataset.name} has no such question"
        doubts += [Doubt(kind="sample", id=one, view=view, text=text) for view, one in absent]
        gone = set(absent)
        expects = {view: tuple(one for one in ids if (view, one) not in gone) for view, ids in expects.items()}
        kept[0] = [answer for answer in kept[0] if (answer.view, answer.id) not in gone]
        annotated = annotated | _of_missing(results, lookup)
    found = {"answers": tuple(kept[0]), "extra": tuple(kept[1]), "expects": expects, "doubts": tuple(doubts)}
    return results.model_copy(update={**found, "annotated": annotated})


def check_answers(results: Results) -> None:
    """Raise `ResultsError` with the first doubt about answers, as `examined`, that are to be published.

    An answer that is there again changes nothing.
    """
    for doubt in (one for one in results.doubts if one.kind != "duplicate"):
        what = f"the answers cannot be as they are told: {doubt_text(doubt)}"
        raise ResultsError(what, results.source, "ask again what was changed, and score and submit that")


def check_scored_by_data_set(scores: Scores, results: Results) -> None:
    """Raise `ResultsError` where answers, as `examined`, were scored by another annotation than their data set's."""
    left_out = scores.header.unseen_only or ()
    doubts = [one for one in results.doubts if sample_parts(one.id).video not in left_out]
    found = [doubt for doubt in doubts if doubt.kind == "annotation"]
    differing = len({(doubt.id, doubt.view) for doubt in found})
    if differing != scores.header.corrected:
        first = f", the first: {doubt_text(found[0])}" if found else ""
        what = f"{counted(differing, 'answer')} with another annotation than the data set's{first}"
        raise ResultsError(
            f"{what}; {scores.header.corrected} were scored by the data set's",
            results.source,
            "score the answers again",
        )


def doubt_notes(results: Results) -> list[str]:
    """Return what is doubtful about a results file, a line for each kind, with the first case of it."""
    found: dict[str, list[Doubt]] = defaultdict(list)
    for doubt in results.doubts:
        found[doubt.kind].append(doubt)
    return [
        f"beware: {results.source}: {_SAID[kind]}: {len(some)}, the first: {doubt_text(some[0])}"
        for kind, some in found.items()
    ]


def doubt_text(doubt: Doubt) -> str:
    """Return a doubt in one line: the question, its view, and what is wrong."""
    return f"{doubt.id} ({doubt.view}): {doubt.text}"


def _expected(lookup: Lookup, sample: str) -> Sample | None:
    return lookup.sample(sample)


def _of_data_set(answer: Answer, results: Results) -> tuple[str, ...]:
    """Return the fields of an answer that its data set has; importance curves may be of a file of their own."""
    apart = ("reference", "curve") if answer.task == "severity" and "curves" in results.spec else ()
    return tuple(name for name in _FIELDS if name not in apart)


def _corrected(answer: Answer, about: Sample | None, fields: Sequence[str]) -> Answer:
    """Return an answer with the data set's annotation; the order of options stays the file's."""
    if about is None:
        return answer
    update = {name: right for name in fields if (right := getattr(about, name)) != getattr(answer, name)}
    if sorted(answer.options) == sorted(about.options):
        update.pop("options", None)
    return answer.model_copy(update=update) if update else answer


def _of_missing(results: Results, lookup: Lookup) -> dict[str, SampleAnnotation]:
    """Return what the data set says of samples without an answer; not where curves of a file stand in its place."""
    answered = {(answer.id, answer.view) for answer in results.answers}
    missing = {one for view, ids in results.expects.items() for one in ids if (one, view) not in answered}
    if "curves" in results.spec:
        missing = {one for one in missing if sample_parts(one).task != "severity"}
    found = {one: lookup.sample(one) for one in missing}
    return {one: SampleAnnotation.of(sample) for one, sample in found.items() if sample}


def _of_views(results: Results) -> Iterator[Doubt]:
    """Yield the questions that are said to be impossible about a view which every video has."""
    for view, reasons in results.unasked.items():
        if not cuts_moments(view):
            for one in reasons:
                yield Doubt(kind="view", id=one, view=view, text="every video has this view, so it can be asked")


def _of_durations(results: Results) -> Iterator[Doubt]:
    """Yield answers that say another duration of the same file of a video than the first answer about it."""
    first: dict[tuple[str, str], float] = {}
    for answer in (*results.answers, *results.extra):
        if answer.video_sha256 and answer.duration is not None:
            usual = first.setdefault((answer.video, answer.video_sha256), answer.duration)
            if abs(usual - answer.duration) > _SAME_S:
                text = f"its video takes {answer.duration:g} s, in other answers {usual:g} s"
                yield Doubt(kind="time", id=answer.id, view=answer.view, text=text)


def _about(told: Answer, right: Answer, dataset: Dataset | None) -> Iterator[Doubt]:
    """Yield what is doubtful about an answer as it was told; `right` has the data set's annotation."""

    def doubt(kind: Any, text: str) -> Doubt:
        return Doubt(kind=kind, id=told.id, view=told.view, text=text)

    parts = sample_parts(told.id)
    if (parts.video, parts.task) != (told.video, told.task):
        yield doubt("sample", f"it says it is of {told.video!r} and {told.task!r}")
    for field in _FIELDS:
        one, other = getattr(told, field), getattr(right, field)
        if one != other and dataset is not None:
            yield doubt("annotation", f"{field} is {_short(one)}, in {dataset.name} {_short(other)}")
    if told.removed and not cuts_moments(told.view):
        yield doubt("view", "spans are cut from it, which this view does not do")
    if told.duration is not None and told.duration <= 0:
        yield doubt("time", f"its video takes {told.duration:g} s")
    for step, seconds in told.time.items():
        if seconds < 0:
            yield doubt("time", f"{step} took {seconds:g} s")
    if _ahead(told.t):
        yield doubt("time", f"it was given at {told.t}")


def _short(value: object) -> str:
    text = canonical_json(_plain(value))
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _plain(value: object) -> Any:
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return value.model_dump(mode="json", exclude_none=True) if isinstance(value, Record) else value


def _ahead(told: str) -> bool:
    try:
        when = datetime.fromisoformat(told)
    except ValueError:
        return False
    return when.replace(tzinfo=when.tzinfo or UTC) > datetime.now(UTC) + _AHEAD
