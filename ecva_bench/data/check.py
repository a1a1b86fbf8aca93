"""Whether a dataset can be used: its rows by the findings of the reader, its video files by probing each.

Returns plain records; printing is the command line's. What is wrong with a video file is the video room's to say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..errors import VideoAmbiguous, VideoMissing
from ..records import Annotation
from ..records.annotations import Finding
from .dataset import Dataset
from .numbering import NumberingCheck, check_numbering
from .rules import FINDING_RULES

# Moments are annotated in whole seconds.
MOMENT_TOLERANCE = 1.0

# Rules by which a row is about no video of the set: it is no row of those that are usable or unusable.
ROWS_LEFT_OUT = ("row-broken", "row-of-a-cut-video", "duplicate-row", "review-without-row", "task-unknown")


@dataclass(frozen=True)
class VideoCheck:
    """One video file: `duration` in seconds, `rotation` in degrees.

    `error` is the code of a video error and `message` its text; the rest is unknown then.
    """

    video: str
    media: str
    error: str | None
    message: str = ""
    frames: int | None = None
    duration: float | None = None
    frame_rate: float | None = None
    variable_frame_rate: bool | None = None
    rotation: int | None = None
    has_audio: bool | None = None
    codec: str | None = None
    sha256: str | None = None


@dataclass(frozen=True)
class DatasetCheck:
    """What was found. `videos` is None where no video folder is known; `missing` says which have no file, in a line."""

    dataset: str
    source: str
    sha256: str
    counts: dict[str, int]
    unusable: tuple[Annotation, ...]
    findings: tuple[Finding, ...]
    videos: tuple[VideoCheck, ...] | None
    unannotated: tuple[str, ...] = ()
    missing: str = ""
    numbering: NumberingCheck | None = None

    @property
    def ok(self) -> bool:
        """Whether every row and every video file can be used, and the videos are those of the annotations."""
        broken = any(finding.rule == "row-broken" for finding in self.findings)
        strange = self.numbering is not None and self.numbering.refused
        return not (self.unusable or broken or strange) and all(video.error is None for video in self.videos or ())

    def by_rule(self) -> list[tuple[str, str, list[Finding]]]:
        """Return (rule, what it means, its findings) in the order of the table of rules."""
        return [
            (rule, meaning, found)
            for rule, meaning in FINDING_RULES.items()
            if (found := [finding for finding in self.findings if finding.rule == rule])
        ]

    def as_dict(self) -> dict[str, Any]:
        """Return all of it as plain values for JSON."""
        return {
            "dataset": self.dataset,
            "source": self.source,
            "sha256": self.sha256,
            "ok": self.ok,
            "counts": self.counts,
            "unusable": [annotation.video for annotation in self.unusable],
            "findings": [finding.model_dump() for finding in self.findings],
            "videos": None if self.videos is None else [asdict(video) for video in self.videos],
            "unannotated": list(self.unannotated),
            "numbering": None if self.numbering is None else self.numbering.text,
            "missing": [video.video for video in self.videos or () if video.error == VideoMissing.code],
        }


def check_dataset(dataset: Dataset, progress: Callable[[int, int, int], None] | None = None) -> DatasetCheck:
    """Check a dataset's annotations and, where their folder is known, its video files.

    `progress` is called with (videos done, videos in all, unusable videos).
    """
    videos: list[VideoCheck] = []
    findings = list(dataset.findings)
    unannotated: tuple[str, ...] = ()
    if dataset.videos is not None:
        findings += _of_folder(dataset)
        failed = 0
        for annotation in dataset.annotations:
            checked, found = _check_video(dataset, annotation)
            videos.append(checked)
            findings += found
            failed += checked.error is not None
            if progress is not None:
                progress(len(videos), len(dataset.annotations), failed)
        unannotated = tuple(_unannotated(dataset, dataset.videos))
    return DatasetCheck(
        dataset=dataset.name,
        source=dataset.source,
        sha256=dataset.sha256,
        counts=_counts(dataset),
        unusable=dataset.excluded,
        findings=tuple(sorted(findings, key=lambda finding: finding.video)),
        videos=None if dataset.videos is None else tuple(videos),
        unannotated=unannotated,
        missing=dataset.tell_missing([annotation.video for annotation in dataset.annotations]),
        numbering=check_numbering(dataset),
    )


def _counts(dataset: Dataset) -> dict[str, int]:
    usable = dataset.annotations
    return {
        "rows": len(usable) + len(dataset.excluded),
        "usable": len(usable),
        "unusable": len(dataset.excluded),
        "left out": sum(finding.rule in ROWS_LEFT_OUT for finding in dataset.findings),
        "with description": sum(annotation.description is not None for annotation in usable),
        "with cause": sum(annotation.cause is not None for annotation in usable),
        "with effect": sum(annotation.effect is not None for annotation in usable),
        "with class": sum(annotation.label is not None for annotation in usable),
        "with moments": sum(bool(annotation.moments) for annotation in usable),
        "with key sentences": sum(bool(annotation.key_sentences) for annotation in usable),
        "reviewed": sum(annotation.review is not None for annotation in usable),
        "examples": len(dataset.examples),
        **_counts_of_own(usable),
    }


def _counts_of_own(usable: Sequence[Annotation]) -> dict[str, int]:
    """Return how many normal videos and how many queries of each task there are, of those that are there."""
    found = Counter(f"{query.task} queries" for annotation in usable for query in annotation.queries)
    found.update("normal videos" for annotation in usable if annotation.anomalous is False)
    return dict(sorted(found.items()))


def _check_video(dataset: Dataset, annotation: Annotation) -> tuple[VideoCheck, list[Finding]]:
    from ..video.probing import probe

    try:
        path = dataset.files.find(annotation.video)
    except VideoAmbiguous as error:
        checked = VideoCheck(annotation.video, annotation.media, error.code, str(error))
        return checked, [_finding(annotation, "media", "video-ambiguous", str(error), "excluded")]
    if path is None:  # which is said once of all that are missing, and is no finding of each
        absent = VideoMissing("no file", dataset.media_path(annotation), "put it there")
        return VideoCheck(annotation.video, annotation.media, absent.code, str(absent)), []
    found = probe(path)
    media = path.relative_to(dataset.files.folder).as_posix()
    if found.error is not None:
        checked = VideoCheck(annotation.video, media, found.error, found.message)
        return checked, [_finding(annotation, "media", "video-unusable", found.message, "excluded")]
    checked = VideoCheck(
        video=annotation.video,
        media=media,
        error=None,
        frames=found.frames,
        duration=found.duration,
        frame_rate=found.frame_rate,
        variable_frame_rate=found.variable_frame_rate,
        rotation=found.rotation,
        has_audio=found.has_audio,
        codec=found.codec,
        sha256=found.sha256,
    )
    findings = [_finding(annotation, "media", "video-warning", warning) for warning in found.warnings]
    last = max((moment.end for moment in annotation.moments), default=0.0)
    if last > found.duration + MOMENT_TOLERANCE:
        before = f"last moment ends at {last:g} s, the video at {found.duration:.2f} s"
        findings.append(_finding(annotation, "moments", "moment-beyond-end", before))
    return checked, findings


def _of_folder(dataset: Dataset) -> list[Finding]:
    """Return what stands in the way of videos: folders that cannot be read, and downloads that are not whole."""
    unread = dataset.files.listing.unread.items()
    missing = dataset.missing(dataset.files.unfinished)
    return [
        *(_of("", place, "folder-unread", why, "kept") for place, why in unread),
        *(_of(video, "media", "video-unfinished", dataset.files.unfinished[video], "kept") for video in missing),
    ]


def _unannotated(dataset: Dataset, folder: Path) -> list[str]:
    """Return what lies beside the annotated videos and is none of them, by its path in the folder."""
    known: set[Path] = set()
    for annotation in (*dataset.annotations, *dataset.excluded):
        with suppress(VideoAmbiguous):
            known.add(dataset.media_path(annotation))
    places = {place for path in known for place in path.parents if place.is_relative_to(folder)}
    there = {path for place in places if place.is_dir() for path in place.iterdir() if path.name[0] != "."}
    return sorted(path.relative_to(folder).as_posix() for path in there - known - places)


def _finding(annotation: Annotation, field: str, rule: str, before: str, action: str = "kept") -> Finding:
    return _of(annotation.video, field, rule, before, action)


def _of(video: str, field: str, rule: str, before: str, action: str) -> Finding:
    return Finding.model_validate({"video": video, "field": field, "rule": rule, "action": action, "before": before})
