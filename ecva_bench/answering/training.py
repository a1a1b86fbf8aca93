"""Which videos of a run its model was trained on, as the record of its training says.

A video is the same by the hash of its file, whatever it is called; and by data set and id, for a copy that was encoded
anew has another hash. Reads `training.json` and videos' bytes; marks records and changes no answer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

from ..errors import DataError, VideoError
from ..names import Names
from ..records.answers import Answer, Failure
from ..records.identity import DatasetIdentity
from ..records.training import TrainedOn, TrainingVideo, parse_training
from ..video import Video
from .plan import Plan, VideoQuestions


def trained_on(
    file: Path, plan: Plan, dataset: DatasetIdentity, progress: Callable[[int, int], None] = lambda _done, _total: None
) -> TrainedOn:
    """Return which videos of a plan, of this data set, the record of a training in `file` names.

    Files are hashed where one of their size was trained on; `progress` is told how many were looked at, and of how
    many. Raises `DataError` where the record cannot be read.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        remedy = "name a file that is there with --training"
        raise DataError(f"the record of the training cannot be read ({error.strerror})", file, remedy) from error
    stages = parse_training(content, file).stages
    seen = [video for stage in stages for video in stage.videos]
    found = set(_by_name(seen, plan.groups, dataset.current))
    hashes, sizes = {one.sha256 for one in seen} - {""}, {one.bytes for one in seen if one.sha256}
    left = [group for group in plan.groups if group.video not in found] if hashes else []
    for done, group in enumerate(left, start=1):
        if _sha256(group, sizes) in hashes:
            found.add(group.video)
        progress(done, len(left))
    return TrainedOn(
        sha256=hashlib.sha256(content).hexdigest(),
        videos=tuple(sorted(found)),
        at_least=any(stage.earlier_unknown for stage in stages),
    )


def _by_name(seen: Sequence[TrainingVideo], groups: Sequence[VideoQuestions], dataset: str) -> list[str]:
    """Return the videos asked about whose data set and name are those of a video that was trained on."""
    names = Names((group.video, group.samples[0].media) for group in groups)
    asked = {group.video for group in groups}
    ids = dict.fromkeys(one.id for one in seen if one.id and dataset and one.dataset.lower() == dataset.lower())
    return [video for one in ids for video in ((one,) if one in asked else names.find(one))]


def _sha256(group: VideoQuestions, sizes: set[int]) -> str:
    """Return the hash of a video's file; empty where there is none, or its size is none of `sizes` (0: any)."""
    if group.fault:
        return ""
    try:
        if group.media.is_file() and 0 not in sizes and group.media.stat().st_size not in sizes:
            return ""
        return Video(group.media).sha256
    except (VideoError, OSError):  # what is wrong with it becomes an error record when it is asked about
        return ""


def mark_trained(record: Answer | Failure, found: TrainedOn | None) -> Answer | Failure:
    """Return a record marked as one about a video that the model was trained on, or itself where it was not."""
    if found is None or record.video not in found.videos:
        return record
    return record.model_copy(update={"trained_on": True})
