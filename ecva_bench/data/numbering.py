"""Whether the videos in a folder are those that the annotations are of: last moments against durations.

A folder numbered otherwise than the annotations gives every video another one's annotation, and nothing fails. But then
moments lie beyond the ends of videos, by far and in many: over tens of videos it shows. Where it does, other ways to
read the numbers are tried, among them ECVA's and CUVA's numbers of the same videos (`identity.py`).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from pathlib import Path
from typing import TypeVar

from ..errors import DataError, VideoAmbiguous
from ..names import Name, number_of
from .dataset import Dataset
from .durations import stated_durations
from .identity import CUVA_VIDEOS, ecva_number, number_steps

T = TypeVar("T")

FEWEST = 8  # videos below which nothing is refused
FEWEST_BEHIND = 20  # videos behind a place below which no shift from there on is told
FEWEST_BEYOND = 4  # last moments beyond the end below which nothing is refused: some are annotated wrongly
MOST_BEYOND = 0.2  # share of last moments beyond the end at which videos and annotations do not belong together
_TOLERANCE_S, _TOLERANCE = 2.0, 0.1  # by which a moment may run beyond a video, in seconds and as a share of it
_BY_CHANCE = 0.01  # probability, over all readings tried, at which another reading is no better than by chance
_NEAR = 10  # a list that begins elsewhere, or has a few rows more or less
_FROM_ARCHIVES = 30  # videos that are taken out of archives to be compared


@dataclass(frozen=True)
class NumberReading:
    """One way to pair files and annotations; in `beyond` of `compared` pairs the last moment lies beyond the end."""

    says: str
    compared: int
    beyond: int

    def __str__(self) -> str:
        return f"{self.says}, {self.beyond} of {self.compared}"

    @property
    def share(self) -> float:
        """The share of the pairs in which the last moment lies beyond the end."""
        return self.beyond / self.compared if self.compared else 0.0


@dataclass(frozen=True)
class NumberingCheck:
    """What the durations say of the numbers. `other` is the reading that fits best where `own` does not fit well.

    `explained` says whether `other` fits better than by chance; `example` is a moment beyond an end.
    """

    dataset: str
    folder: Path
    own: NumberReading
    other: NumberReading | None = None
    explained: bool = False
    example: str = ""

    @property
    def refused(self) -> bool:
        """Whether the videos are not those of the annotations: too many last moments lie beyond the end."""
        enough = self.own.compared >= FEWEST and self.own.beyond >= FEWEST_BEYOND
        return self.explained or (enough and self.own.share >= MOST_BEYOND)

    @property
    def text(self) -> str:
        """What was compared, in a line."""
        if not (self.own.compared or self.other):
            return "numbering: no video could be compared with its annotation"
        example = f" ({self.example})" if self.example else ""
        other = f"; read as {self.other}" if self.other else ""
        return f"numbering: read as {self.own} last moments lie beyond the end of their video{example}{other}"

    def error(self) -> DataError:
        """Return the error of a check that is refused, with both readings and what to do."""
        what = "the videos are not those that these annotations are of"
        if self.explained:
            what = "the videos are numbered otherwise than the annotations"
        remedy = "name the folder of these annotations' videos with --videos"
        if self.dataset in ("cuva", "ecva"):
            remedy += f"; `ecva-bench data fetch {self.dataset} --to ANOTHER_FOLDER` gets them"
        return DataError(f"{what}; {self.text.removeprefix('numbering: ')}", self.folder, remedy)


def check_numbering(dataset: Dataset) -> NumberingCheck | None:
    """Return what the durations of the video files say of their numbers.

    None where no folder is known, and for a set that renders its videos. Reads what containers state, once a file.
    """
    if dataset.videos is None or dataset.render is not None:
        return None
    return _Comparison(dataset, dataset.videos).check()


class _Comparison:
    """Last moments by number, and the durations of the files they may be about."""

    def __init__(self, dataset: Dataset, folder: Path) -> None:
        self.dataset, self.folder = dataset, folder
        self.ends = {each.video: max(m.end for m in each.moments) for each in dataset.annotations if each.moments}

    def check(self) -> NumberingCheck:
        own_files = self._own_files()
        seconds = stated_durations(own_files.values())
        pairs = [(self.ends[video], seconds[file]) for video, file in own_files.items() if file in seconds]
        own = _reading("numbered", pairs)
        found = NumberingCheck(self.dataset.name, self.folder, own)
        if own.compared and own.beyond == 0:
            return found
        beyond = ((video, self.ends[video], seconds.get(file)) for video, file in own_files.items())
        example = next((f"{v}: {end:g} s of {s:.0f} s" for v, end, s in beyond if s and _is_beyond(end, s)), "")
        others = self._others(own)
        best = min(others, key=lambda one: (one.share, -one.compared), default=None)
        if best is None or (own.compared and best.share >= own.share):
            best = None
        explained = best is not None and _is_better(best, own, len(others))
        tried = not explained and own.compared >= FEWEST
        if tried and (later := shifted_from(self._ends_by_number, self._by_number)) is not None:
            best, explained = later, True
        if not own.compared and not explained:
            best = None
        return NumberingCheck(self.dataset.name, self.folder, own, best, explained, example)

    def _own_files(self) -> dict[str, Path]:
        """Return the file of each annotated video, of those in archives only some.

        A file that is linked to as several videos stands in for them, and its length says nothing of their numbers.
        """
        found: dict[str, Path] = {}
        for video in self.ends:
            with suppress(VideoAmbiguous):
                if path := self.dataset.files.find(video):
                    found[video] = path
        targets = {video: path.resolve() for video, path in found.items()}
        times = Counter(targets.values())
        kept = set(_spread([path for path in found.values() if not path.is_file()]))
        return {
            video: path
            for video, path in found.items()
            if times[targets[video]] == 1 and (path in kept or path.is_file())
        }

    @cached_property
    def _ends_by_number(self) -> dict[int, float]:
        """The end of the last moment of every annotation that a number means."""
        return {number: self.ends[video] for number, video in _numbered(list(self.ends)).items()}

    @cached_property
    def _by_number(self) -> dict[int, float]:
        """The seconds of every file that a number means, of those in archives only some."""
        listing = self.dataset.files.listing
        names = [name for name in (*listing.files, *_spread(listing.archived)) if Name.of(name).suffix]
        files = {number: self.folder / name for number, name in _numbered(names).items()}
        seconds = stated_durations(files.values())
        return {number: seconds[file] for number, file in files.items() if file in seconds}

    def _others(self, own: NumberReading) -> list[NumberReading]:
        """Return the other readings that pair enough videos to tell; where few are paired so far, the known ones."""
        ends = self._ends_by_number
        known = {number: ecva for number in ends if (ecva := ecva_number(number)) is not None}
        known_back = {ecva: number for number in range(1, CUVA_VIDEOS + 1) if (ecva := ecva_number(number)) is not None}
        tried: dict[str, Callable[[int], int | None]] = {
            "ECVA's numbers of CUVA's videos (file 1252 is annotation 1)": known.get,
            "CUVA's numbers of ECVA's videos (file 1 is annotation 1252)": known_back.get,
        }
        shifts = sorted({step.shift for step in number_steps()})
        near = [shift for shift in range(-_NEAR, _NEAR + 1) if shift and own.compared >= FEWEST]
        for shift in (*near, *shifts, *(-shift for shift in shifts)):
            tried[f"file n is annotation n{-shift:+}"] = shift.__add__
        found = []
        for says, file_of in tried.items():
            seconds = ((end, self._by_number.get(file_of(number) or -1)) for number, end in ends.items())
            pairs = [(end, length) for end, length in seconds if length is not None]
            if len(pairs) >= max(FEWEST, own.compared / 2):
                found.append(_reading(says, pairs))
        return found


def shifted_from(ends: Mapping[int, float], seconds: Mapping[int, float]) -> NumberReading | None:
    """Return the reading by which all annotations from some number on are another file's; None where none fits better.

    A list of files that lost a row, or has one more, is right before it and shifted behind it, so that the share of
    moments beyond the ends is small over all. Takes the ends of last moments and the durations of files, by number.
    """
    shifts = [shift for shift in range(-_NEAR, _NEAR + 1) if shift]
    found: list[tuple[float, NumberReading]] = []
    for shift in shifts:
        both = [number for number in sorted(ends) if number in seconds and number + shift in seconds]
        own = other = most = 0
        best = None
        for behind, number in enumerate(reversed(both), start=1):
            own += _is_beyond(ends[number], seconds[number])
            other += _is_beyond(ends[number], seconds[number + shift])
            if own - other > most and behind >= FEWEST_BEHIND:
                most, best = own - other, (number, behind, own, other)
        if best is not None:
            first, behind, own, other = best
            share = min(own / behind, 0.5)  # few that are annotated wrongly, side by side, are no shift
            chance = len(shifts) * len(both) * _at_most(other, behind, share)
            says = f"file n is annotation n{-shift:+} from annotation {first} on"
            found.append((chance, NumberReading(says, behind, other)))
    chance, reading = min(found, key=itemgetter(0), default=(1.0, None))
    return reading if chance < _BY_CHANCE else None


def _numbered(names: Sequence[str]) -> dict[int, str]:
    """Return the names that mean a number, by it; none of several that mean the same."""
    numbers = [(number, name) for name in names if (number := number_of(name)) is not None]
    times = Counter(number for number, _ in numbers)
    return {number: name for number, name in numbers if times[number] == 1}


def _reading(says: str, pairs: list[tuple[float, float]]) -> NumberReading:
    return NumberReading(says, len(pairs), sum(_is_beyond(end, seconds) for end, seconds in pairs))


def _is_beyond(end: float, seconds: float) -> bool:
    """Return whether a moment ends so far beyond a video's end that it cannot be a matter of rounding."""
    return end > seconds + max(_TOLERANCE_S, _TOLERANCE * seconds)


def _is_better(other: NumberReading, own: NumberReading, tried: int) -> bool:
    """Return whether another reading fits better than the best of so many does by chance.

    Where hardly a file has an annotated number, it must pair many more videos, and a tenth of them may not fit.
    """
    if own.compared < FEWEST:
        return other.compared >= 4 * own.compared and other.share <= MOST_BEYOND / 2
    return own.beyond >= FEWEST_BEYOND and tried * _at_most(other.beyond, other.compared, own.share) < _BY_CHANCE


def _at_most(count: int, n: int, share: float) -> float:
    """Return the probability that at most `count` of `n` are hit where each is with a probability in (0, 1]."""
    if share == 1:
        return float(count >= n)
    hit, missed, ways = math.log(share), math.log1p(-share), math.lgamma(n + 1)
    logs = (ways - math.lgamma(k + 1) - math.lgamma(n - k + 1) + k * hit + (n - k) * missed for k in range(count + 1))
    return sum(map(math.exp, logs))


def _spread(some: Sequence[T]) -> list[T]:
    """Return at most `_FROM_ARCHIVES` of some files, spread over all."""
    return list(some[:: max(1, math.ceil(len(some) / _FROM_ARCHIVES))])
