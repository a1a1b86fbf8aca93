"""What lies in a folder of videos, against the annotations: names, sizes, and durations as containers state them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from ..data import Dataset
from ..data.numbering import check_numbering
from ..errors import VideoAmbiguous
from ..files.folders import Listing, list_folder
from ..names import Name, first_few
from ..wording import counted
from .finding import Line

NUMBERING = "numbering"  # the subject of the line that says whether these are the annotations' videos
_NO_VIDEO = 1000  # bytes: nothing so small is a video, but an error page or a pointer of Git LFS is


def folder_alone(folder: Path) -> Iterator[Line]:
    """Yield what a folder holds, where no annotations are known."""
    listing = list_folder(folder)
    suffixes = Counter(suffix for file in (*listing.files, *listing.archived) if (suffix := Name.of(file).suffix))
    kinds = ", ".join(f"{count} {suffix}" for suffix, count in suffixes.most_common())
    yield Line(
        "videos", f"{sum(suffixes.values())} in {folder}: {kinds}" if kinds else f"none in {folder}", bool(kinds)
    )
    yield from _unread(listing)


def against(dataset: Dataset) -> Iterator[Line]:
    """Yield which videos of a data set are there, under which names, and what else lies in the folder."""
    files, videos = dataset.files, [annotation.video for annotation in dataset.annotations]
    found: dict[str, Path] = {}
    ambiguous: dict[str, str] = {}
    for video in videos:
        try:
            if path := files.find(video):
                found[video] = path.relative_to(files.folder)
        except VideoAmbiguous as error:
            ambiguous[video] = str(error.where)
    empty = [video for video, why in dataset.unusable(videos).items() if why == "empty"]
    there = len(found) - len(empty)
    yield Line("videos", f"{there} of {len(videos)} are there, in {files.folder}", there == len(videos))
    written = {annotation.video: annotation.media for annotation in dataset.annotations}
    renamed = [f"{path.as_posix()} is {video}" for video, path in found.items() if path.as_posix() != written[video]]
    if renamed:
        yield Line("names", f"{len(renamed)} are called otherwise than annotated: {first_few(renamed)}")
    if missing := dataset.tell_missing(videos):
        yield Line("missing", missing.removeprefix("missing: "), False)
    if ambiguous:
        one = next(iter(ambiguous.values()))
        yield Line(
            "ambiguous", f"{len(ambiguous)} may be either of two files: {first_few(list(ambiguous))}; {one}", False
        )
    if empty:
        yield Line("empty", f"{counted(len(empty), 'file')}: {first_few(empty)}", False)
    if small := [v for v, path in found.items() if v not in empty and _is_small(files.folder / path)]:
        yield Line("too small", f"{counted(len(small), 'file')}, no video for the size: {first_few(small)}", False)
    if unfinished := dataset.missing(files.unfinished):
        yield Line("unfinished", f"{counted(len(unfinished), 'download')}, not whole: {first_few(unfinished)}", False)
    taken = {path.as_posix() for path in found.values()} | {file for video in ambiguous for file in files.meant[video]}
    if unused := [file for file in files.listing.files if Name.of(file).suffix and file not in taken]:
        yield Line(
            "not used", f"{counted(len(unused), 'video file')} of no annotation, or a second one: {first_few(unused)}"
        )
    yield from _unread(files.listing)
    if (numbering := check_numbering(dataset)) is not None:
        if numbering.refused:
            yield Line(NUMBERING, str(numbering.error()), False)
        elif numbering.own.beyond:
            yield Line(NUMBERING, numbering.text.removeprefix("numbering: "))


def _unread(listing: Listing) -> Iterator[Line]:
    for place, why in listing.unread.items():
        yield Line("not read", f"{place}: {why}", False)


def _is_small(path: Path) -> bool:
    return path.is_file() and path.stat().st_size < _NO_VIDEO
