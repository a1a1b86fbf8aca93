"""The page as a folder of static files: an index that is loaded at once, and chunks that are loaded when needed.

A page opened from a file may not fetch, so data come as scripts that hand a value to `Ecva.take`: `data/index.js`
(runs, metrics and means, videos and samples), `data/metric-N.js` (one column over all samples of a task),
`data/chunk-N.js` (some videos with all their answers), `data/words-N.js` (in which answers a word occurs) and
`data/noted.js` (which were cut off or not read). Their content is made in `collecting`, `counted`, `entries`, `search`.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from ..errors import UsageError
from .collecting import Collection, compact
from .run import Run
from .thumbnails import draw_thumbnails
from .videos import Videos

CHUNK_BYTES = 256 * 1024
INDEX = "index.html"
MEDIA = "media"  # the folder of the links to videos
FRAMES = "frames"  # the folder of the pictures of frames
FRAMES_OF = 100  # videos; drawing takes about a second of each


@dataclass(frozen=True)
class Page:
    """A page that was written: its folder, and what it holds.

    `with_file` are the videos that it shows, `with_frames` those of which it has pictures of the frames shown, and
    `undrawn` how many of which it could have had them.
    """

    folder: Path
    videos: tuple[str, ...]
    answers: int
    with_file: tuple[str, ...]
    with_frames: tuple[str, ...] = ()
    undrawn: int = 0


def write_page(
    runs: Iterable[Run],
    folder: Path,
    videos: Videos | None = None,
    *,
    frames_of: int = FRAMES_OF,
    progress: Callable[[int, int], None] | None = None,
) -> Page:
    """Write the page of some runs into `folder` and return it; its `index.html` opens in any browser.

    A page that is there already is replaced. Video files are linked to, not copied. The frames that models were shown
    are drawn of at most `frames_of` videos, else of none; `progress` is called with (videos drawn, of all). Raises
    `UsageError` where the folder holds something else or cannot be written to, or the runs hold no sample.
    """
    _check(folder)
    collected = Collection(videos or Videos())
    for run in runs:
        collected.add(run)
        del run  # before the next one is read, for two may be too much for the memory
    if not collected.common:
        raise UsageError("there is nothing to look at", folder, "give results files that hold answers")
    part = folder / ".part"
    try:
        shutil.rmtree(part, ignore_errors=True)
        page = _write_page(collected, part, frames_of, progress)
        _move(part, folder)
        return replace(page, folder=folder)
    except OSError as error:
        shutil.rmtree(part, ignore_errors=True)
        raise UsageError("the page cannot be written", folder, f"name another folder with --out ({error})") from None


def _write_page(
    collected: Collection, folder: Path, frames_of: int, progress: Callable[[int, int], None] | None
) -> Page:
    for name in ("data", MEDIA):
        (folder / name).mkdir(parents=True)
    for source in files(__package__).joinpath("static").iterdir():
        (folder / source.name).write_bytes(source.read_bytes())
    media = _link_videos(folder, collected)
    drawable = [video for video in media if collected.seen[video]]
    drawn: dict[str, Mapping[str, Any]] = {}
    for number, video in enumerate(drawable if len(drawable) <= frames_of else (), start=1):
        target = folder / FRAMES / f"{Path(media[video]).stem}.jpg"
        if found := draw_thumbnails((folder / media[video]).resolve(), collected.seen[video], target):
            drawn[video] = found
        if progress:
            progress(number, len(drawable))
    places: dict[str, tuple[int, int]] = {}
    number = -1
    for number, chunk in enumerate(chunks(collected.texts(media, drawn), CHUNK_BYTES)):
        places |= {video: (number, place) for place, (video, _) in enumerate(chunk)}
        _write(folder, f"chunk-{number}", "[" + ",\n".join(text for _, text in chunk) + "]")
    for place, column in enumerate(collected.columns()):
        _write(folder, f"metric-{place}", compact(column))
    _write(folder, "noted", compact(collected.noted()))
    words = []
    for part, found in enumerate(collected.words().parts()):
        words.append(next(iter(found)))
        _write(folder, f"words-{part}", compact(found))
    _write(folder, "index", compact(collected.index(places, words)))
    return Page(
        folder, tuple(sorted(places)), collected.answers, tuple(media), tuple(drawn), len(drawable) - len(drawn)
    )


def _move(part: Path, folder: Path) -> None:
    """Put a page that is whole in the place of the one that is there, and of links to elsewhere."""
    for new in part.iterdir():
        old = folder / new.name
        if old.is_dir():
            shutil.rmtree(old)
        new.rename(old)
    part.rmdir()


def chunks(texts: Iterable[tuple[str, str]], limit: int) -> Iterator[list[tuple[str, str]]]:
    """Yield (name, text) pairs in groups of at most `limit` characters of text; a longer text is a group alone."""
    group: list[tuple[str, str]] = []
    size = 0
    for name, text in texts:
        if group and size + len(text) > limit:
            yield group
            group, size = [], 0
        group.append((name, text))
        size += len(text)
    if group:
        yield group


def _check(folder: Path) -> None:
    """Refuse a folder that contains anything but a page of this program, which is replaced."""
    if not folder.exists():
        return
    if not folder.is_dir() or (any(folder.iterdir()) and not (folder / "data" / "index.js").is_file()):
        raise UsageError("the folder contains something else", folder, "name a new folder with --out")


def _link_videos(folder: Path, collected: Collection) -> dict[str, str]:
    """Link the video files into the page's folder, under names that need no quoting, and return those by video."""
    names = {}
    for number, video in enumerate(sorted(collected.common)):
        path = collected.videos.file(video)
        if path:
            names[video] = f"{MEDIA}/{number:05d}{path.suffix}"
            (folder / names[video]).symlink_to(path)
    return names


def _write(folder: Path, name: str, text: str) -> None:
    # A script file is no place where HTML is read, but `<` costs nothing to keep out.
    inert = text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    path = folder / "data" / f"{name}.js"
    # Half a surrogate pair, which an answer cut in an emoji can end with, has no UTF-8.
    path.write_text(f'Ecva.take("{name}",{inert});\n', encoding="utf-8", errors="replace")
