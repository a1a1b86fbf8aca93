"""Which videos of a run its model was trained on, as the record of its training says.

A video is the same by the hash of its file, whatever it is called; and by data set and id, for a copy that was encoded
anew has another hash. Reads `training.json` and videos' bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import DataError, VideoError
from ..names import Names
from ..records.identity import DatasetIdentity
from ..records.training import TrainedOn, TrainedShare, TrainingVideo, parse_training
from ..video import Video


@dataclass(frozen=True)
class AskedVideo:
    """A video that is asked about: its name, what its data set calls the file, and the file where there is one."""

    video: str
    media: str
    file: Path | None


def trained_on(file: Path, asked: Sequence[AskedVideo], dataset: DatasetIdentity) -> TrainedOn:
    """Return which of some videos of a data set the record of a training in `file` names.

    Videos' files are hashed where one of their size was trained on. Raises `DataError` where the record cannot be read.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        remedy = "name a file that is there with --training"
        raise DataError(f"the record of the training cannot be read ({error.strerror})", file, remedy) from error
    stages = parse_training(content, file).stages
    seen = [video for stage in stages for video in stage.videos]
    found = set(_by_name(seen, asked, dataset.current))
    hashes, sizes = {one.sha256 for one in seen} - {""}, {one.bytes for one in seen if one.sha256}
    left = [one for one in asked if one.video not in found] if hashes else []
    found |= {one.video for one in left if _sha256(one.file, sizes) in hashes}
    return TrainedOn(
        sha256=hashlib.sha256(content).hexdigest(),
        videos=tuple(sorted(found)),
        at_least=any(stage.earlier_unknown for stage in stages),
    )


def _by_name(seen: Sequence[TrainingVideo], asked: Sequence[AskedVideo], dataset: str) -> list[str]:
    """Return the videos asked about whose data set and name are those of a video that was trained on."""
    names = Names((one.video, one.media) for one in asked)
    known = {one.video for one in asked}
    ids = dict.fromkeys(one.id for one in seen if one.id and dataset and one.dataset.lower() == dataset.lower())
    return [video for one in ids for video in ((one,) if one in known else names.find(one))]


def _sha256(file: Path | None, sizes: set[int]) -> str:
    """Return the hash of a video's file; empty where there is none, or its size is none of `sizes` (0: any)."""
    if file is None:
        return ""
    try:
        if file.is_file() and 0 not in sizes and file.stat().st_size not in sizes:
            return ""
        return Video(file).sha256
    except (VideoError, OSError):  # what is wrong with it becomes an error record when it is asked about
        return ""


def tell_trained(found: TrainedOn, owed: Mapping[str, int]) -> str:
    """Return in one line how many of the questions owed, counted by video, are about videos a model was trained on."""
    seen = sum(count for video, count in owed.items() if video in found.videos)
    share = TrainedShare(
        questions=seen, of=sum(owed.values()), videos=len(found.videos), sha256=found.sha256, at_least=found.at_least
    )
    marked = ", which are marked; score --unseen-only leaves them out" if seen else ""
    return f"the model was trained on the videos of {share}{marked}"
