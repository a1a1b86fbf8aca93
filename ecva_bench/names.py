"""What a video is called, and which names mean the same video: one rule for annotations, answers, moments and files.

A name is the whole relative path of a video file, `day/cam.1.mp4`. Two names mean the same video where their folders
are equal and their files differ at most in a video's suffix (none, `.mp4`, `.avi`) or in the zeros before a number
(`1`, `00001.mp4`); where a name stands for several so, the one spelled alike is meant. Names of two files that lie in
different places may differ in the folders before, `/mnt/set/day/1.mp4` means `day/1`, and in the word "video" before
a number: `video_00001.mp4` means `1`. Nothing else is cut off a name.
"""

from __future__ import annotations

import posixpath
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from .errors import DataError

SUFFIXES = frozenset((
    ".3g2", ".3gp", ".asf", ".avi", ".divx", ".dv", ".f4v", ".flv", ".h264", ".h265", ".hevc", ".m2t", ".m2ts", ".m4v",
    ".mjpeg", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".mxf", ".ogm", ".ogv", ".qt", ".rm", ".rmvb", ".ts",
    ".vob", ".webm", ".wmv",
))  # fmt: skip
NUMBER_WIDTH = 5  # a number is written as 00001 in ids
NUMBER_DIGITS = 15  # at most, of a number of a video
FEW = 5  # so many videos are named where a message counts more

# What `relative` gives back as it is: parts without blanks at their ends, and no part that begins with a dot.
_RELATIVE = re.compile(r"[^./\\\s][^/\\]*+(?<!\s)(?:/[^./\\\s][^/\\]*+(?<!\s))*+")
_AFTER_THE_WORD = re.compile(r"video[ _-]?([0-9]+)", re.IGNORECASE | re.ASCII)


class Name(NamedTuple):
    """A name in parts. `suffix` is a video's, in lower case, and empty where none is written: `cam.1` has none."""

    folders: tuple[str, ...]
    stem: str
    suffix: str

    @classmethod
    def of(cls, written: str) -> Name:
        """Return a name as it is written, in either slash; `stem` is empty where it names no file."""
        path = relative(written if written.isascii() else unicodedata.normalize("NFC", written))
        folders, _, last = path.rpartition("/")
        suffix = _suffix_of(last)
        return cls(_parts(folders), last[: -len(suffix)] if suffix else last, suffix)

    @property
    def number(self) -> str:
        """The stem without the zeros before a number."""
        return _number(self.stem) if _is_number(self.stem) else self.stem

    @property
    def bare(self) -> str:
        """The number without zeros and without the word "video" before it; else the stem."""
        found = _AFTER_THE_WORD.fullmatch(self.stem)
        return _number(found[1]) if found else self.number


def relative(written: str) -> str:
    """Return a name as a path that leads nowhere but down, with slashes: `C:\\set\\1.mp4` becomes `C:/set/1.mp4`."""
    if _RELATIVE.fullmatch(written):
        return written
    path = posixpath.normpath(written.strip().replace("\\", "/"))
    return "/".join(part for part in path.split("/") if part not in ("", ".", ".."))


def of_number(value: object) -> str | None:
    """Return the name that a number stands for, `00007` for 7 and 7.0; None for what is no number of a video."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 10**NUMBER_DIGITS:
        return None
    return f"{value:0{NUMBER_WIDTH}}"


def number_of(written: str) -> int | None:
    """Return the number that a video is called by, 14 for `14.mp4` and `raw/video_00014`; None where it is none."""
    bare = Name.of(written).bare
    return int(bare) if _is_number(bare) and len(bare) <= NUMBER_DIGITS else None


def ids_of(written: Iterable[str], where: object, *, numbered: bool = False) -> dict[str, str]:
    """Return the id of the video that each name in one file means; `where` is the file, for messages.

    An id is the name below the folder that all videos of the file lie in, without the suffix unless another video
    differs in it alone. In a `numbered` file a number counts and not how it is written: its id has `NUMBER_WIDTH`
    digits. Raises `DataError`, with both names, where a name may mean either of two videos.
    """
    names = {text: Name.of(text) for text in dict.fromkeys(written)}
    folders = {name.folders for name in names.values()}
    depth = len(posixpath.commonprefix(list(folders)))
    first: dict[tuple[tuple[str, ...], str], str] = {}
    alike: dict[tuple[tuple[str, ...], str], dict[Name, str]] = {}
    for text, name in names.items():
        key = (name.folders, name.number)
        known = first.setdefault(key, text)
        if numbered or known is not text:
            alike.setdefault(key, {names[known]: known}).setdefault(name, text)
    if not alike:  # the names below the folder are as different as the names are
        first.clear()  # in a large file they take more memory than the ids
        below = {one: "/".join((*one[depth:], "")) for one in folders}
        return {text: below[name.folders] + name.stem for text, name in names.items()}
    ids: dict[Name, str] = {}
    for key, text in first.items():
        ids |= _ids_of_alike(alike.get(key) or {names[text]: text}, depth, numbered, where)
    owners: dict[str, Name] = {}
    for name, video in ids.items():
        owner = owners.setdefault(video, name)
        if owner.suffix and name.suffix and owner != name:
            raise one_video(_written_as(names, owner), _written_as(names, name), where)
    return {text: ids[name] for text, name in names.items()}


def _written_as(names: Mapping[str, Name], name: Name) -> str:
    return next(text for text, one in names.items() if one == name)


def media_of(ids: Mapping[str, str]) -> dict[str, str]:
    """Return the file of every video by its id, from the ids by name: `.mp4` where no name of it has a suffix."""
    media: dict[str, str] = {}
    for written, video in ids.items():
        path = relative(written)
        if _suffix_of(path.rpartition("/")[2]):
            media[video] = path
        else:
            media.setdefault(video, f"{path}.mp4")
    return media


@lru_cache(maxsize=1024)
def _parts(folders: str) -> tuple[str, ...]:
    return tuple(folders.split("/")) if folders else ()


def _suffix_of(file: str) -> str:
    """Return a video's suffix in lower case, empty where a file has none; `.mp4` alone is a name."""
    stem, dot, suffix = file.rpartition(".")
    suffix = dot + suffix.lower()
    return suffix if suffix in SUFFIXES and stem.strip(".") else ""


def one_video(one: str, other: str, where: object, named: str = "") -> DataError:
    """Return the error for two names, or two videos of one name, of which a file at hand makes one video."""
    by = f", both meant by {named!r}" if named else ""
    what = f"two videos cannot be told apart: {one!r} and {other!r}{by}"
    return DataError(what, where, "write whole names, as the files lie in their folders")


def _ids_of_alike(alike: Mapping[Name, str], depth: int, numbered: bool, where: object) -> dict[Name, str]:
    """Return the ids of names, given as they are written, that differ in suffix and zeros alone."""

    def plain(name: Name) -> str:
        stem = name.number.zfill(NUMBER_WIDTH) if numbered and _is_number(name.stem) else name.stem
        return "/".join((*name.folders[depth:], stem))

    whole = [name for name in alike if name.suffix]
    ids = {name: plain(name) for name in whole}
    if len(set(ids.values())) < len(ids):
        ids = {name: video + name.suffix for name, video in ids.items()}
    for name in alike.keys() - ids.keys():
        meant = [one for one in whole if one.stem == name.stem] or whole
        if len(meant) > 1:
            raise one_video(alike[meant[0]], alike[meant[1]], where, alike[name])
        ids[name] = ids[meant[0]] if meant else plain(name)
    return ids


class Names:
    """Videos by their ids and names, to find which of them a name in another place means."""

    def __init__(self, written: Iterable[tuple[str, str]]) -> None:
        """Take up (id, name as it is written) of every video."""
        self._alike: dict[object, list[str]] = defaultdict(list)
        self._below: dict[object, list[str]] = defaultdict(list)
        self.folders: set[tuple[str, ...]] = set()
        for video, text in written:
            name = Name.of(text)
            self.folders.add(name.folders)
            for key in _spellings(name):
                self._alike[key].append(video)
            for key in (key for below in _below(name) for key in _spellings(below)):
                self._below[key].append(video)

    def find(self, written: str) -> tuple[str, ...]:
        """Return the ids of the videos that a name may mean: none, one, or several that it does not tell apart."""
        name = Name.of(written)
        if alike := self.alike(name):
            return alike
        tails = [_spellings(below) for below in _below(name)]
        for strictness, key in enumerate(_spellings(name)):
            found = [*self._below.get(key, ()), *(v for keys in tails for v in self._alike.get(keys[strictness], ()))]
            if found:
                return tuple(dict.fromkeys(found))
        return ()

    def alike(self, name: Name) -> tuple[str, ...]:
        """Return the ids of the videos in the very folders of a name that it may mean."""
        return next((tuple(found) for key in _spellings(name) if (found := self._alike.get(key))), ())


def _below(name: Name) -> list[Name]:
    """Return a name as it is called in each of the folders that it lies in, from the first folder down."""
    return [name._replace(folders=name.folders[start:]) for start in range(1, len(name.folders) + 1)]


def _spellings(name: Name) -> tuple[tuple[object, ...], ...]:
    """Return what must be equal for two names to be alike, the strictest first."""
    number, bare = (name.folders, name.number, "number"), (name.folders, name.bare, "bare")
    return (name, (name.folders, name.stem), number, bare)


def first_few(videos: Sequence[str]) -> str:
    """Return the first few of some videos in words, and how many more there are."""
    more = f" and {len(videos) - FEW} more" if len(videos) > FEW else ""
    return ", ".join(videos[:FEW]) + more


def _number(digits: str) -> str:
    return digits.lstrip("0") or "0"


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()
