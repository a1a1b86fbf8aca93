"""What every dataset is to the rest of the program: annotations, what was wrong with them, where the videos are.

Knows no file format: those are the business of the modules registered under `ecva_bench.datasets`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ..errors import UsageError
from ..names import VideoFiles
from ..records import Annotation, Finding
from ..taxonomy import Taxonomy


@dataclass(frozen=True)
class Dataset:
    """Annotated videos.

    `sha256` is that of the annotation file's bytes (for `mini`: of its version). `annotations` are usable and
    ordered by video id; `excluded` are not, and keep their raw texts because a protocol may count them;
    `findings` say for each repair, exclusion and oddity which rule met which field. `videos` is the folder of
    the video files where known; `render` makes one, for sets that are made and not filmed.
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

    def media_path(self, annotation: Annotation) -> Path:
        """Return the path of an annotation's video file; where there is none, the path at which it should be.

        `UsageError` if no folder is known, `DataError` where two files may be the video. A set that renders its own
        files does so in `ensure_videos`.
        """
        if self.videos is None:
            raise UsageError("the folder of the video files is not known", self.source, "name it with --videos DIR")
        return self._files.find(annotation.video, annotation.media) or self.videos / annotation.media

    @cached_property
    def _files(self) -> VideoFiles:
        media = {annotation.video: annotation.media for annotation in (*self.excluded, *self.annotations)}
        return VideoFiles(self.videos or Path(), media)

    def ensure_videos(
        self, progress: Callable[[int, int], None] | None = None, *, only: Collection[str] | None = None
    ) -> None:
        """Render what is missing of the videos `only` names, or of all; nothing to do for filmed sets.

        `progress` is called with (clips done, clips in all).
        """
        if self.render is None:
            return
        wanted = [each for each in self.annotations if only is None or each.video in only]
        missing = [each for each in wanted if not self.media_path(each).exists()]
        for done, annotation in enumerate(missing, start=1):
            self.render(annotation, self.media_path(annotation))
            if progress is not None:
                progress(done, len(missing))
