"""Items joined with a data set, by the videos' names and never by position. Knows no file."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import DataError
from ..names import Name, one_video
from ..records import Annotation, Sample
from ..records.answers import Answer, Failure, finish_of
from ..records.base import LeanRecords, View, sha256_of
from .items import Item
from .lookup import Lookup
from .mapping import no_video_joins


@dataclass
class Joined:
    """What came of the items: answers and failures in the files' order, names of other videos, and repeated answers.

    `owed`: the questions that the run owed, by id and view; None where not every row says whether it is one.
    """

    answers: list[Answer] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    strangers: dict[str, None] = field(default_factory=dict)
    repeated: int = 0
    owed: set[tuple[str, View]] | None = None


def join(files: Sequence[tuple[Path, Sequence[Item]]], lookup: Lookup) -> Joined:
    """Return the answers and failures of the items of files, each a video's, a task's and a view's.

    An answer that is there twice counts once. Raises `DataError` where names do not tell videos apart or are none of
    the data set's, and where two answers to one question differ, with the places of both.
    """
    joined, small = Joined(), LeanRecords()
    named = [_videos_of([item.name for item in items], lookup, path) for path, items in files]
    _check_joins([path for path, _ in files], named, lookup)
    first: dict[tuple[str, View], tuple[str, str, str]] = {}
    failed: dict[tuple[str, View], Failure] = {}
    if all(item.owed is not None for _, items in files for item in items):
        joined.owed = set()
    for path, item, video in (
        (path, item, videos[item.name]) for (path, items), videos in zip(files, named, strict=True) for item in items
    ):
        place = (item.sample(video), item.view)
        if video not in lookup.annotations:
            joined.strangers[item.name] = None
        if joined.owed is not None and item.owed:
            joined.owed.add(place)
        if item.text is None:
            failed.setdefault(place, _failure(item, *place, video))
            continue
        text, where, written = first.setdefault(place, (item.text, item.where, item.name))
        if where == item.where:
            joined.answers.append(small.lean(_answer(item, *place, video, lookup)))
        elif text.strip() == item.text.strip():
            joined.repeated += 1
        else:
            at = f"{place[0]}{'' if item.view == 'full' else f' ({item.view})'}"
            both = f"{where}, and {item.where}"
            if written != item.name and repr(written) not in where:
                both = f"{where} ({written!r}), and {item.where} ({item.name!r})"
            what = f"two answers to {at} differ: {both}"
            remedy = "name the column that tells them apart, --map task=COLUMN or view=COLUMN"
            raise DataError(what, path, f"{remedy}; or import the answers of one run alone")
    joined.failures = [failure for place, failure in failed.items() if place not in first]
    return joined


def _videos_of(written: Sequence[str], lookup: Lookup, path: Path) -> dict[str, str]:
    """Return the id of the video that each name in a file means: of one of the dataset's, else one of its own.

    Names that differ in the zeros before a number are one. Raises `DataError` for two other names of one video, which
    the file itself tells apart; another file may write them so.
    """
    videos: dict[str, str] = {}
    owners: dict[str, tuple[Name, str]] = {}
    for text in dict.fromkeys(written):
        name, found = Name.of(text), lookup.find(text)
        if len(found) > 1:
            raise one_video(found[0], found[1], path, text)
        videos[text] = video = found[0] if found else "/".join((*name.folders, name.stem))
        owner, first = owners.get(video, (name, text))
        if (name.folders, name.number) != (owner.folders, owner.number) or (
            name.suffix and owner.suffix and name.suffix != owner.suffix
        ):
            raise one_video(first, text, path)
        owners[video] = (owner, first) if owner.suffix else (name, text)
    return videos


def _check_joins(paths: Sequence[Path], named: Sequence[Mapping[str, str]], lookup: Lookup) -> None:
    """Raise `DataError`, with the first names of both sides, where no file names a video of the dataset."""
    if any(lookup.find(text) for videos in named for text in videos):
        return
    path, written = next((path, list(videos)) for path, videos in zip(paths, named, strict=True) if videos)
    there = [each.media for each in (*lookup.dataset.annotations, *lookup.dataset.excluded)]
    raise no_video_joins(path, lookup.dataset.source, written, there, near(written[0], there))


def near(name: str, known: Sequence[str]) -> str:
    """Return in words which of the known names a name may be meant for, empty where none is like it."""
    stem = Name.of(name).stem.casefold()
    stems = {Name.of(one).stem.casefold(): one for one in known}
    within = (one for one in stems if len(one) > 2 and (one in stem or (stem in one and len(stem) > 2)))
    found = next(within, None) or next(iter(difflib.get_close_matches(stem, list(stems), n=1, cutoff=0.75)), None)
    return f"; did you mean {stems[found]!r}?" if found else ""


def imported_key(sample: str, view: View, text: str, file: str) -> str:
    """Return the identity of an answer that was made elsewhere; `file` is the name of what it was read from."""
    return sha256_of({"id": sample, "view": view, "answer": text, "source": file.partition(",")[0]})


def _key(item: Item, sample: str, view: View) -> str:
    return imported_key(sample, view, item.text or item.lack, item.where)


def _answer(item: Item, sample: str, view: View, video: str, lookup: Lookup) -> Answer:
    about = lookup.annotations.get(video) or Annotation(video=video, media=item.name)
    known = lookup.sample(sample) if item.task else None
    return Answer(
        key=_key(item, sample, view),
        id=sample,
        video=video,
        task=item.task or "",
        view=view,
        removed=about.moments if view == "anomaly" else (),
        answer=item.text or "",
        finish=finish_of(item.finish),
        reference=known.reference if known else item.reference,
        key_sentences=about.key_sentences,
        moments=(known or about).moments,
        label=(known or about).label,
        options=_options(item, known, sample),
        curve=known.curve if known else (),
        prompt_sha256=hashlib.sha256(item.prompt.encode()).hexdigest() if item.prompt else "",
    )


def _options(item: Item, known: Sample | None, sample: str) -> tuple[str, ...]:
    """Return the options in the order in which they were shown: as the file has them, else as the data set has.

    Raises `DataError` where the file's are others, and where they were rotated in an order that it does not tell.
    """
    if known is None or not known.options:
        return ()
    if item.options and sorted(item.options) != sorted(known.options):
        raise DataError(f"the options of {sample} are others than the data set's", item.where, "name its own --data")
    if not item.options and item.query.partition("@")[1]:
        raise DataError(f"the order of the options of {sample} is not told", item.where, "add a column `options`")
    return item.options or known.options


def _failure(item: Item, sample: str, view: View, video: str) -> Failure:
    return Failure(
        key=_key(item, sample, view),
        id=sample,
        video=video,
        task=item.task or "",
        view=view,
        stage="answer",
        error="NoAnswer",
        message=f"{item.where}: {item.lack}",
    )
