"""A Gaussian about the middle of every video: what a prior alone says of when the worst happens.

Published detectors multiply their curves by such a prior. It sees the duration and nothing else; a model that does not
beat it has shown nothing of what it saw.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ecva_bench.answering import Baseline
from ecva_bench.reading.curves import cell_centres, middle, segments_of_cells, severity_text

if TYPE_CHECKING:
    from ecva_bench.video import Video


class Middle(Baseline):
    """Answers severity with a Gaussian about the middle, its sigma a quarter of the video."""

    tasks = ("severity",)

    def answer(self, video: Video, question: str) -> str:
        """Return the severities of the video's cells."""
        cells = len(cell_centres(video.duration))
        return severity_text(segments_of_cells(middle(cells), video.duration))

    def describe(self) -> dict[str, Any]:
        """Return the curve's form."""
        return {"curve": "gaussian", "centre": 0.5, "sigma": 0.25}
