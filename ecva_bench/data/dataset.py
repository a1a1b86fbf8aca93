"""What every dataset is to the rest of the program: annotations, what was wrong with them, where the videos are.

Knows no file format: those are the business of the modules registered under `ecva_bench.datasets`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ..errors import UsageError, VideoAmbiguous
from ..files.folders import VideoFiles
from ..names import first_few
from ..records import Annotation
from ..records.annotations import Finding
from ..taxonomy import Taxonomy
from ..wording import counted

EMBEDDED = ("mini", "mini-twins")  # drawn by this program, so that there is no file to name


@dataclass(frozen=True)
class Dataset:
    """Annotated videos.

    `sha256` is that of the annotation file's bytes (for `mini`: of its version). `annotations` are usable and
    ordered by video id; `excluded` are not, and keep their raw texts because a protocol may count them;
    `findings` say for each repair, exclusion and oddity which rule met which field. `videos` is the folder of
    the video files where known; `render` makes one, for sets that are made and not filmed, and `is_rendered` says
    whether it is there, as it was made.

    >>> import ecva_bench as eb

    >>> mini = eb.load_dataset("mini")
    >>> len(mini.annotations), mini.annotations[0].video
    (14, 'mini01')
    """

    name: str
    source: str
    sha256: str
    taxonomy: Taxonomy
    annotations: tuple[Annotation, ...]
    excluded: tuple[Annotation, ...] = ()
    findings: tuple[Finding, ...] = ()
    examples: tuple[Annotation, ...] = ()
    videos: Path | None = None
    render: Callable[[Annotation, Path], None] | None = None
    is_rendered: Callable[[Path], bool] = Path.exists

    def media_path(self, annotation: Annotation) -> Path:
        """Return the path of an annotation's video file; where there is none, the path at which it should be.

        It leads through an archive that the file lies in (`archives.on_disk`). `UsageError` if no folder is known,
        `VideoAmbiguous` where two files may be the video. A set that renders its own files does so in `ensure_videos`.
        """
        return self.files.find(annotation.video) or self.files.folder / annotation.media

    @cached_property
    def files(self) -> VideoFiles:
        """The folder of the video files; `UsageError` if it is not known."""
        if self.videos is None:
            raise UsageError("the folder of the video files is not known", self.source, "name it with --videos DIR")
        return VideoFiles(self.videos, {each.video: each.media for each in (*self.excluded, *self.annotations)})

    def found_by(self, rule: str) -> tuple[Finding, ...]:
        """Return the findings of a rule."""
        return tuple(finding for finding in self.findings if finding.rule == rule)

    def unusable(self, videos: Iterable[str]) -> dict[str, str]:
        """Return which of some videos have not exactly one file with something in it, and why.

        Reasons are `missing`, `ambiguous` (two files may be the video) and `empty`. None of a set that renders its
        files, or has no folder.
        """
        if self.render is not None or self.videos is None:
            return {}
        reasons = ((video, self._unusable(video)) for video in videos)
        return {video: reason for video, reason in reasons if reason}

    def missing(self, videos: Iterable[str]) -> tuple[str, ...]:
        """Return which of some videos have no file; none of a set that renders its files, or has no folder."""
        return tuple(video for video, reason in self.unusable(videos).items() if reason == "missing")

    def tell_missing(self, videos: Sequence[str]) -> str:
        """Return in one line how many of some videos have no file, and the first few; empty where none lacks one."""
        missing = self.missing(videos)
        if not missing:
            return ""
        if self.videos is not None and not self.videos.exists():
            return f"missing: all of {counted(len(videos), 'video')}, for there is no folder {self.videos}"
        share = f"{len(missing):,} of {counted(len(videos), 'video')}"
        text = f"missing: {share}, without a file in {self.videos}: {first_few(missing)}"
        unread = sorted(self.files.listing.unread)
        return text + (f"; not all could be looked through: {first_few(unread)}" if unread else "")

    def tell_unusable(self, videos: Sequence[str]) -> str:
        """Return in one line what `tell_missing` does, and which videos have two files or an empty one."""
        reasons = self.unusable(videos)
        parts = [self.tell_missing(videos)]
        for reason in ("ambiguous", "empty"):
            if some := [video for video, why in reasons.items() if why == reason]:
                parts.append(f"{reason}: {counted(len(some), 'video')}: {first_few(some)}")
        return "; ".join(filter(None, parts))

    def _unusable(self, video: str) -> str:
        try:
            path = self.files.find(video)
        except VideoAmbiguous:
            return "ambiguous"
        if path is None:
            return "missing"
        return "empty" if path.is_file() and not path.stat().st_size else ""

    def ensure_videos(
        self, progress: Callable[[int, int], None] | None = None, *, only: Collection[str] | None = None
    ) -> None:
        """Render what is missing of the videos `only` names, or of all; nothing to do for filmed sets.

        `progress` is called with (clips done, clips in all).
        """
        if self.render is None:
            return
        wanted = [each for each in self.annotations if only is None or each.video in only]
        missing = [each for each in wanted if not self.is_rendered(self.media_path(each))]
        for done, annotation in enumerate(missing, start=1):
            self.render(annotation, self.media_path(annotation))
            if progress is not None:
                progress(done, len(missing))
