"""The file of acts, `annotations.jsonl`: read whole, appended to; and a data set's two rounds as acts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from ..data.dataset import Dataset
from ..data.loading import load_dataset
from ..data.record_lines import record_of
from ..errors import DataError
from ..journal.growing import open_growing, set_aside_torn_tail
from ..records.acts import ACT_SCHEMA, AnnotationAct
from ..records.annotations import Annotation
from ..records.base import canonical_json
from ..untrusted import parse_json

FIRST_ROUND, SECOND_ROUND = "round 1", "round 2"  # who annotated in a data set that does not say who did
_REMEDY = "correct that line, or name a file that `ecva-bench annotate import` wrote"


def read_acts(path: Path) -> list[AnnotationAct]:
    """Return the acts of a file: of lines of `ecva.annotation/1`, or of a data set's annotations and their review.

    A last line that a kill cut off is left out. Raises `DataError` where the file cannot be read, holds no act, or has
    a line that is none.
    """
    if path.suffix != ".jsonl":
        return acts_of_dataset(load_dataset(path))
    found = list(_lines(path))
    if not found:
        raise DataError("the file holds no annotation", path, "import some with `ecva-bench annotate import`")
    return found


def acts_of_dataset(dataset: Dataset) -> list[AnnotationAct]:
    """Return the annotations of a data set as acts of the first round, and their review as acts of the second."""
    return [act for annotation in dataset.annotations for act in _both_rounds(annotation, dataset)]


def latest(acts: Iterable[AnnotationAct]) -> list[AnnotationAct]:
    """Return the last act of each annotator on each video in each round: who says it anew corrects it."""
    return list({(act.video, act.annotator, act.round): act for act in acts}.values())


def append_acts(path: Path, acts: Iterable[AnnotationAct]) -> int:
    """Append to a file the acts that it has not yet, and return how many; an incomplete last line is set aside.

    Raises `ResultsBusy` where another process writes it, `DataError` where it holds something else, and `ResultsError`
    where it cannot be written.
    """
    file = open_growing(path, "file of annotations")
    try:
        there = {_line(act) for act in latest(_lines(path))}
        if _is_whole(path.read_bytes().rpartition(b"\n")[2]):
            file.append(b"\n")  # which another program left out
        else:
            set_aside_torn_tail(file)
        new = [line for line in dict.fromkeys(map(_line, acts)) if line not in there]
        for line in new:
            file.append(line.encode() + b"\n")
    finally:
        file.close()
    return len(new)


def acts_text(acts: Iterable[AnnotationAct]) -> str:
    """Return acts as lines of a file."""
    return "".join(f"{_line(act)}\n" for act in acts)


def _line(act: AnnotationAct) -> str:
    return canonical_json(act.model_dump(mode="json"))


def _lines(path: Path) -> Iterator[AnnotationAct]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"the annotations cannot be read ({error.strerror})", path, "check the path") from error
    *lines, last = content.split(b"\n")
    for number, line in enumerate([*lines, last] if _is_whole(last) else lines, start=1):
        if line.strip():
            yield record_of(line, path, number, ACT_SCHEMA, lambda _: AnnotationAct, _REMEDY)


def _is_whole(line: bytes) -> bool:
    """Return whether a last line, behind which no line break stands, is one that no kill cut off."""
    try:
        parse_json(line)
    except ValueError:
        return False
    return True


def _both_rounds(annotation: Annotation, dataset: Dataset) -> Iterator[AnnotationAct]:
    first = AnnotationAct(
        video=annotation.video,
        media=annotation.media,
        annotator=FIRST_ROUND,
        label=annotation.label,
        moments=annotation.moments,
        anomalous=annotation.anomalous,
        description=annotation.description,
        cause=annotation.cause,
        effect=annotation.effect,
        key_sentences=annotation.key_sentences,
        tool=dataset.source,
    )
    yield first
    if annotation.review is not None:
        yield AnnotationAct(
            video=first.video,
            media=first.media,
            annotator=SECOND_ROUND,
            round=2,
            blind=False,
            saw=(FIRST_ROUND,),
            label=annotation.review.label,
            moments=annotation.review.moments,
            tool=dataset.source,
        )
