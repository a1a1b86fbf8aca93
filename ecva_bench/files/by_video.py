"""Files that say something of each video by its name: the authors' `Voting_new.json`, spans of other tools, scores.

Times are in seconds. Videos are found by the rule of `names`, and what may be said of either of two is refused.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

from ..errors import DataError
from ..names import Name, Names, ids_of, media_of, number_of, of_number
from ..untrusted import parse_json

Span = tuple[float, float]
SentenceSpan = tuple[str, Span]  # a sentence, and a span in which it takes place
T = TypeVar("T")

_MOMENTS = 'write lists of {"video_name": "day/1.mp4", "answer": [5, 9]}, in seconds, names as the files have them'
_SPANS = 'write lines of {"video": "day/1.mp4", "sentence": "a car brakes", "spans": [[5, 9]]}, in seconds'
_SCORES = 'write lines of {"video": "00001", "scores": [0.2, 0.5, 0.3]}, one score for each key sentence'


class ByVideo(Generic[T]):
    """What a file says of each video; `sha256` is the hex hash of its bytes."""

    def __init__(self, path: Path, sha256: str, found: Sequence[tuple[str, Iterable[T]]], remedy: str) -> None:
        """Take up (name of the video, what is said) of every entry; `DataError` where a name may mean either of two."""
        self.sha256 = sha256
        self._path, self._remedy = path, remedy
        self._asked: dict[str, str] = {}
        self._said: dict[str, list[T]] = {}
        ids = ids_of((name for name, _ in found), path)
        self._names = Names(media_of(ids).items())
        for name, said in found:
            self._said.setdefault(ids[name], []).extend(said)

    def of(self, *names: str | Path) -> list[T]:
        """Return what is said of a video by the first of its names that the file has, nothing where it has none.

        Raises `DataError` where it may be said of another video, one that was asked about before or one of the file.
        """
        named = ((str(name), self._names.find(str(name))) for name in names)
        video, found = next((one for one in named if one[1]), ("", ()))
        if not found:
            return []
        if len(found) > 1:
            raise self._error(f"what it says of {found[0]!r} or of {found[1]!r} may be said of {video}")
        first = self._asked.setdefault(found[0], video)
        if first != video:
            raise self._error(f"what it says of {found[0]!r} may be said of {first} or of {video}")
        return self._said[found[0]]

    def check(self, videos: Iterable[str]) -> None:
        """Raise `DataError` where it cannot be told of which of the videos of a run something is said."""
        for video in videos:
            self.of(video)
        self._asked.clear()  # by names; by paths from now on

    def _error(self, what: str) -> DataError:
        return DataError(what, self._path, self._remedy)


def read_moments(path: Path) -> ByVideo[Span]:
    """Return the moments of a file: lists of `{"video_name": …, "answer": [start, end]}`, or null in place of a list.

    Raises `DataError` where it cannot be read so, naming the entry.
    """
    try:
        content = path.read_bytes()
        entries = [entry for group in parse_json(content) for entry in group or ()]
    except (OSError, ValueError, TypeError) as error:
        raise DataError(f"the moments cannot be read ({error})", path, _MOMENTS) from None
    found: list[tuple[str, Iterable[Span]]] = []
    for number, entry in enumerate(entries, start=1):
        try:
            found.append((_named(entry["video_name"]), [_span(entry["answer"])]))
        except (ValueError, KeyError, TypeError) as error:
            what = f"the moments cannot be read (entry {number}, {entry!r:.80}: {_why(error)})"
            raise DataError(what, path, _MOMENTS) from None
    return ByVideo(path, hashlib.sha256(content).hexdigest(), found, _MOMENTS)


def moments_json(moments: Mapping[str, Sequence[Span]]) -> str:
    """Return a file of moments in the authors' form: by a video's id its spans, and null for a video without any.

    A video that is called by a number is named by it, as the authors' program expects.
    """
    lists = []
    for video, spans in moments.items():
        number = number_of(video)
        name = number if number is not None and of_number(number) == video else video
        lists.append([{"video_name": name, "answer": [start, end]} for start, end in spans] or None)
    return json.dumps(lists, ensure_ascii=False) + "\n"


def read_sentence_spans(path: Path) -> ByVideo[SentenceSpan]:
    """Return when sentences take place by lines of `{"video": …, "sentence": …, "spans": [[start, end], …]}`.

    Raises `DataError` where the file cannot be read so, naming the line.
    """

    def said(entry: Any) -> Iterable[SentenceSpan]:
        sentence = entry["sentence"].strip()
        return [(sentence, _span(span)) for span in entry["spans"]]

    return _by_lines(path, "spans", said, _SPANS)


def read_peoples_scores(path: Path) -> ByVideo[float]:
    """Return people's scores of key sentences, in the order of the annotation, by lines of `{"video": …, "scores": …}`.

    Raises `DataError` where the file cannot be read so, or has scores of a video twice, naming the line.
    """
    seen: set[str] = set()

    def said(entry: Any) -> Iterable[float]:
        if (video := str(entry["video"])) in seen:
            raise ValueError(f"the video {video!r} has scores before")
        seen.add(video)
        scores = entry["scores"]
        if not isinstance(scores, list) or any(type(score) not in (int, float) for score in scores):
            raise ValueError("its scores are no list of numbers")
        return map(float, scores)

    return _by_lines(path, "scores", said, _SCORES)


def _by_lines(path: Path, things: str, said: Callable[[Any], Iterable[T]], remedy: str) -> ByVideo[T]:
    """Return what lines of JSON say of videos, each read by `said`; `DataError`, which names the `things`."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"the {things} cannot be read ({error.strerror})", path, remedy) from None
    found: list[tuple[str, Iterable[T]]] = []
    for number, line in enumerate(content.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            entry = parse_json(line)
            found.append((_named(entry["video"]), said(entry)))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            what = f"the {things} cannot be read (line {number}: {_why(error)})"
            raise DataError(what, path, remedy) from None
    return ByVideo(path, hashlib.sha256(content).hexdigest(), found, remedy)


def _span(value: Any) -> Span:
    start, end = map(float, value)
    return start, end


def _named(written: object) -> str:
    name = written if isinstance(written, str) else of_number(written)
    if not (name and Name.of(name).stem):
        raise ValueError("it names no video")
    return name


def _why(error: Exception) -> str:
    return f"no {error}" if isinstance(error, KeyError) else str(error)
