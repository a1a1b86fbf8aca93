"""What is known of the videos apart from answers: their annotations, files and class names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from ..errors import VideoError
from ..files.archives import on_disk
from ..files.folders import VideoFiles, list_folder
from ..names import Names
from ..records import Annotation, Label


@dataclass(frozen=True)
class Videos:
    """Annotations by video id, the folder of the files where there is one, and a class in words."""

    annotations: Mapping[str, Annotation] = field(default_factory=dict)
    folder: Path | None = None
    describe: Callable[[Label], str] = lambda label: label.code

    def file(self, video: str) -> Path | None:
        """Return the file of a video: where the annotation says, else the only one that its id names."""
        if self.folder is None:
            return None
        with suppress(VideoError):  # of two files neither is shown, and none that is not to be had
            if video in self.annotations:
                path = self._files.find(video)
            else:
                found = self._names.find(video)
                path = self.folder / found[0] if len(found) == 1 else None
            return on_disk(path).resolve() if path else None
        return None

    def class_of(self, label: Label | None) -> str:
        """Return a class as `class_in_words` does; empty without a label."""
        return class_in_words(label, self.describe) if label else ""

    @cached_property
    def _files(self) -> VideoFiles:
        return VideoFiles(self.folder or Path(), {video: each.media for video, each in self.annotations.items()})

    @cached_property
    def _names(self) -> Names:
        """The files of the folder, which are their own ids."""
        found = list_folder(self.folder or Path())
        return Names((file, file) for file in (*found.files, *found.archived))


def class_in_words(label: Label, describe: Callable[[Label], str]) -> str:
    """Return a class as its code and, where it has one, its name."""
    name = describe(label)
    return label.code if name == label.code else f"{label.code} {name}"
