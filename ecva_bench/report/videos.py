"""What is known of the videos beside the answers: their annotations, their files, the names of their classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from ..records import Annotation, Label


@dataclass(frozen=True)
class Videos:
    """Annotations by video id, the folder of the files where there is one, and a class in words."""

    annotations: Mapping[str, Annotation] = field(default_factory=dict)
    folder: Path | None = None
    describe: Callable[[Label], str] = lambda label: label.code

    def file(self, video: str) -> Path | None:
        """Return the file of a video: where the annotation says, else one in the folder named after the video."""
        if self.folder is None:
            return None
        annotation = self.annotations.get(video)
        if annotation and (self.folder / annotation.media).is_file():
            return (self.folder / annotation.media).resolve()
        return self._by_stem.get(video)

    def class_of(self, label: Label | None) -> str:
        """Return a class as its code and, where it has one, its name; empty without a label."""
        if label is None:
            return ""
        name = self.describe(label)
        return label.code if name == label.code else f"{label.code} {name}"

    @cached_property
    def _by_stem(self) -> dict[str, Path]:
        files = sorted(path for path in self.folder.iterdir() if path.is_file()) if self.folder else []
        return {path.stem: path.resolve() for path in reversed(files)}
