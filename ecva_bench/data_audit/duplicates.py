"""Texts and videos that are there more than once, in one set or in two."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..data import Dataset
from ..errors import VideoAmbiguous
from ..names import Name, number_of
from ..records.base import sha256_of_file
from .findings import DataFinding, finding_of
from .questions import plain_text
from .similar import near_pairs
from .texts import FIELDS

_LONG = 8  # words: two texts this long are not equal by chance
_SHOWN = 60  # characters

Owner = tuple[int, str]  # the number of a data set, and a video of it


@dataclass(frozen=True)
class _Text:
    """A long text of one video of one set, as it is compared."""

    owner: Owner
    field: str
    plain: str


def find_texts(datasets: Sequence[Dataset]) -> list[DataFinding]:
    """Return the long texts that several videos of a set share, equal or near, and those that two sets share."""
    texts = [text for number, dataset in enumerate(datasets) for text in _long_texts(number, dataset)]
    index = _Index(texts)
    findings = []
    for number, dataset in enumerate(datasets):
        fields: dict[str, list[_Text]] = defaultdict(list)
        for text in texts:
            if text.owner[0] == number:
                fields[text.field].append(text)
        for field, own in fields.items():
            findings += _within(dataset.name, field, own, index)
        own = [text for some in fields.values() for text in some]
        for later in range(number + 1, len(datasets)):
            findings += _between(dataset.name, datasets[later].name, later, own, index)
    return findings


def find_videos(datasets: Sequence[Dataset], same_numbers: Sequence[str]) -> list[DataFinding]:
    """Return the video ids that two sets share. A bare number counts where `same_numbers` are equal for both."""
    ids = [{one.video: _id(one.video) for one in dataset.annotations} for dataset in datasets]
    findings = []
    for first, second in _pairs(len(datasets)):
        alike = same_numbers[first] == same_numbers[second]
        there = {name for video, name in ids[second].items() if alike or number_of(video) is None}
        cases = [(video, name in there) for video, name in ids[first].items()]
        shown = (video for video, hit in cases if hit)
        findings += finding_of(
            "video-shared", datasets[first].name, cases, shown, other=datasets[second].name, text="by id"
        )
    return findings


def find_files(datasets: Sequence[Dataset]) -> list[DataFinding]:
    """Return the video files that are there twice, byte for byte, in one set or two. Those in archives are left out."""
    hashes = file_hashes(datasets)
    findings = []
    for number, dataset in enumerate(datasets):
        own = {video: sha for (place, video), sha in hashes.items() if place == number}
        counts = Counter(sha for sha in own.values() if sha)
        cases = [(video, counts[sha] > 1) for video, sha in own.items()]
        findings += finding_of("file-repeated", dataset.name, cases, (video for video, hit in cases if hit))
        for later in range(number + 1, len(datasets)):
            theirs = {sha: video for (place, video), sha in hashes.items() if place == later and sha}
            cases = [(video, sha in theirs) for video, sha in own.items()]
            shown = (f"{video} and {theirs[sha]}" for video, sha in own.items() if sha in theirs)
            findings += finding_of("file-shared", dataset.name, cases, shown, other=datasets[later].name)
    return findings


def file_hashes(datasets: Sequence[Dataset]) -> Mapping[Owner, str]:
    """Return the SHA-256 of each video file on the disk, empty where no other file is as long: it has no double."""
    sizes: dict[int, list[tuple[Owner, Path]]] = defaultdict(list)
    for number, dataset in enumerate(datasets):
        for video, path in video_files(dataset).items():
            with suppress(OSError):
                if path.is_file():
                    sizes[path.stat().st_size].append(((number, video), path))
    found: dict[Owner, str] = {}
    for alike in sizes.values():
        for owner, path in alike:
            found[owner] = ""
            if len(alike) > 1:
                with suppress(OSError):
                    found[owner] = sha256_of_file(path)
    return dict(sorted(found.items()))


def video_files(dataset: Dataset) -> dict[str, Path]:
    """Return the path of every annotated video that has a file, by its id; none where no folder is known."""
    found: dict[str, Path] = {}
    for annotation in dataset.annotations if dataset.videos is not None else ():
        with suppress(VideoAmbiguous):
            if path := dataset.files.find(annotation.video):
                found[annotation.video] = path
    return found


def _long_texts(number: int, dataset: Dataset) -> Iterator[_Text]:
    for one in dataset.annotations:
        found = [(field, text) for field in FIELDS if (text := getattr(one, field))]
        for query in one.queries:
            found.append((f"{query.task} question", "\n".join((query.text, *sorted(query.options)))))
        for field, text in found:
            plain = plain_text(text)
            if plain.count(" ") >= _LONG - 1:
                yield _Text((number, one.video), field, plain)


class _Index:
    """Which videos have a text, equal or near."""

    def __init__(self, texts: Sequence[_Text]) -> None:
        self._owners: dict[str, set[Owner]] = defaultdict(set)
        for text in texts:
            self._owners[text.plain].add(text.owner)
        plain = list(self._owners)
        self._near: dict[str, list[str]] = defaultdict(list)
        for one, other in near_pairs(plain):
            self._near[plain[one]].append(plain[other])
            self._near[plain[other]].append(plain[one])

    def equal(self, text: _Text, place: int) -> str:
        """Return another video of a set that has the very text; empty where there is none."""
        return _another(self._owners[text.plain], text.owner, place)

    def near(self, text: _Text, place: int) -> str:
        """Return another video of a set that has nearly the text; empty where there is none."""
        found = (_another(self._owners[other], text.owner, place) for other in self._near.get(text.plain, ()))
        return next(filter(None, found), "")


def _within(dataset: str, field: str, texts: Sequence[_Text], index: _Index) -> list[DataFinding]:
    place = texts[0].owner[0]
    equal = [index.equal(text, place) for text in texts]
    near = ["" if again else index.near(text, place) for text, again in zip(texts, equal, strict=True)]
    findings = _finding("text-repeated", dataset, texts, equal, task=field)
    return findings + _finding("text-near", dataset, texts, near, task=field)


def _between(dataset: str, other: str, place: int, texts: Sequence[_Text], index: _Index) -> list[DataFinding]:
    theirs = [index.equal(text, place) or index.near(text, place) for text in texts]
    return _finding("text-shared", dataset, texts, theirs, other=other)


def _finding(
    rule: str, dataset: str, texts: Sequence[_Text], others: Sequence[str], *, task: str = "", other: str = ""
) -> list[DataFinding]:
    """Return the finding of a rule for texts that other videos have too; `others` are these, empty for none."""
    pairs = list(zip(texts, others, strict=True))
    cases = [(text.owner[1], bool(video)) for text, video in pairs]
    shown = (f"{text.owner[1]} and {video}: {text.plain[:_SHOWN]}" for text, video in pairs if video)
    return finding_of(rule, dataset, cases, shown, task=task, other=other)


def _another(owners: set[Owner], own: Owner, place: int) -> str:
    """Return a video of a set, other than one's own, among the owners of a text; empty where there is none."""
    return min((video for number, video in owners if number == place and (number, video) != own), default="")


def _pairs(count: int) -> list[tuple[int, int]]:
    return [(first, second) for first in range(count) for second in range(first + 1, count)]


def _id(video: str) -> str:
    """Return a video's name without folders, suffix and the zeros before a number."""
    return Name.of(video).number
