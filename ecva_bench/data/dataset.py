"""What every dataset is to the rest of the program: annotations, what was wrong with them, where the videos are.

Knows no file format: those are the business of the modules registered under `ecva_bench.datasets`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..errors import UsageError
from ..records import Annotation, Finding
from .taxonomy import Taxonomy


@dataclass(frozen=True)
class Dataset:
    """Annotated videos.

    `sha256` is that of the annotation file's bytes (for `mini`: of its definition). `annotations` are usable and
    ordered by video id; `excluded` are not, and keep their raw texts because a protocol may count them;
    `findings` say for each repair, exclusion and oddity which rule met which field. `videos` is the folder of
    the video files where known; `render` makes a missing one, for sets that are made and not filmed.
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
        """Return the path of an annotation's video file, rendered first where this set renders its own.

        Whether a filmed one exists is for the video room to say. `UsageError` if no folder is known.
        """
        if self.videos is None:
            raise UsageError("the folder of the video files is not known", self.source, "name it with --videos DIR")
        path = self.videos / annotation.media
        if self.render is not None and not path.exists():
            self.render(annotation, path)
        return path

    def ensure_videos(self, progress: Callable[[int, int], None] | None = None) -> None:
        """Render what is missing; nothing to do for filmed sets. `progress` is told (clips done, clips in all)."""
        if self.render is None or self.videos is None:
            return
        missing = [each for each in self.annotations if not (self.videos / each.media).exists()]
        for done, annotation in enumerate(missing, start=1):
            self.media_path(annotation)
            if progress is not None:
                progress(done, len(missing))
