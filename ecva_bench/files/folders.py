"""The video files in a folder, at any depth and in its archives, found by the names that annotations have for them.

Knows folders and archives; which names mean the same video is known to `names`.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from ..errors import DataError, VideoAmbiguous
from ..names import Name, Names, relative
from . import archives

# What browsers and downloaders put behind the name of a file that is not whole yet.
UNFINISHED = (".part", ".partial", ".crdownload", ".download", ".aria2", ".incomplete", ".tmp", ".!qb", ".ytdl")


class Listing(NamedTuple):
    """What lies in a folder: files by their paths in it, and what could not be looked into, with the reason.

    `archived` are paths of files in archives, which lead through the archive's name.
    """

    files: tuple[str, ...]
    archived: tuple[str, ...]
    unread: Mapping[str, str]


class VideoFiles:
    """The video files in a folder, found by the names that annotations have for them."""

    def __init__(self, folder: Path, written: Mapping[str, str]) -> None:
        """Take up the folder, and the names of the videos by their ids."""
        self.folder, self._written = folder, written

    def find(self, video: str) -> Path | None:
        """Return the file of a video by its id, None where there is none.

        That is the file of its very name, which may begin at any of the folders above its id; else the only one, at
        any depth, that means it and no other video; else the only one in an archive. Raises `VideoAmbiguous`, with
        both files, where there are two.
        """
        parts = relative(self._written[video]).split("/")
        for start in range(max(1, len(parts) - video.count("/"))):
            path = self.folder.joinpath(*parts[start:])
            if path.is_file():
                return path
        found = self.meant.get(video, ())
        if len(found) > 1:
            one, other = (self.folder / file for file in found[:2])
            remedy = "move the one that is not meant elsewhere, or name the folder of the other with --videos"
            raise VideoAmbiguous(f"two files may be the video {video}", f"{one} and {other}", remedy)
        return self.folder / found[0] if found else None

    @cached_property
    def listing(self) -> Listing:
        """What lies in the folder, looked through once."""
        return list_folder(self.folder)

    @cached_property
    def meant(self) -> dict[str, tuple[str, ...]]:
        """The files that mean a video, by its id, as paths in the folder; those in archives where there are no others.

        A file without a suffix counts where no other means the video, and one that is linked to counts once.
        """
        names = Names(self._written.items())
        found: dict[str, tuple[str, ...]] = {}
        for files in (self.listing.files, self.listing.archived):
            meant: dict[str, list[str]] = defaultdict(list)
            for file in files:
                if len(videos := names.find(file)) == 1:
                    meant[videos[0]].append(file)
            for video, some in meant.items():
                found.setdefault(video, self._distinct([one for one in some if Name.of(one).suffix] or some))
        return found

    @cached_property
    def unfinished(self) -> dict[str, str]:
        """Downloads that are not whole yet, by the id of the video that they will be."""
        names = Names(self._written.items())
        found = {}
        for file in self.listing.files:
            whole, suffix = os.path.splitext(file)  # noqa: PTH122  a path in the folder, as a text
            if suffix.lower() in UNFINISHED and len(videos := names.find(whole)) == 1:
                found[videos[0]] = file
        return found

    def _distinct(self, files: list[str]) -> tuple[str, ...]:
        """Return files without those that are another of them under a second name."""
        if len(files) == 1:
            return tuple(files)
        return tuple({(self.folder / file).resolve(): file for file in reversed(files)}.values())[::-1]


def list_folder(folder: Path) -> Listing:
    """Return what lies in a folder at any depth, but for what is hidden; links to folders are followed, each once."""
    files: list[str] = []
    unread: dict[str, str] = {}
    for place, found in _walk(folder, unread):
        below = place.relative_to(folder).as_posix()
        files += found if below == "." else [f"{below}/{file}" for file in found]
    archived: list[str] = []
    for file in files:
        if archives.is_archive(folder / file):
            try:
                archived += [f"{file}/{member}" for member in archives.members(folder / file) if _is_plain(member)]
            except (DataError, OSError) as error:
                unread[file] = str(error)
    return Listing(tuple(files), tuple(archived), unread)


def _walk(folder: Path, unread: dict[str, str]) -> Iterator[tuple[Path, list[str]]]:
    """Yield every folder below one, each once however many links lead to it, and the names of its files."""
    seen: set[tuple[int, int]] = set()
    waiting, linked = [folder], list[Path]()  # links last: a folder is called by its own name where it has one
    while waiting or linked:
        place = (waiting or linked).pop()
        try:
            status = place.stat()
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            with os.scandir(place) as entries:
                found = sorted((entry for entry in entries if entry.name[0] != "."), key=lambda one: one.name)
        except OSError as error:
            unread[place.relative_to(folder).as_posix()] = error.strerror or str(error)
            continue
        yield place, [entry.name for entry in found if _leads_to(entry, os.DirEntry.is_file)]
        for entry in reversed(found):
            if _leads_to(entry, os.DirEntry.is_dir):
                (linked if entry.is_symlink() else waiting).append(place / entry.name)


def _leads_to(entry: os.DirEntry[str], kind: Callable[[os.DirEntry[str]], bool]) -> bool:
    """Return whether an entry is, or is a link to, something of a kind; a link that leads nowhere is neither."""
    try:
        return kind(entry)
    except OSError:
        return False


def _is_plain(member: str) -> bool:
    """Return whether a name in an archive is a path that stays in it, with nothing hidden on the way."""
    parts = PurePosixPath(member).parts
    return bool(parts) and not any(part[0] in "./" or part == "__MACOSX" for part in parts)
