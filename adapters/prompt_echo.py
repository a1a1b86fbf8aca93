"""The question as its own answer: shows what a metric gives to text that never saw the video."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecva_bench.answering import Adapter

if TYPE_CHECKING:
    from ecva_bench.video import Video


class PromptEcho(Adapter):
    """Returns the question unchanged."""

    baseline = True

    def answer(self, video: Video, question: str) -> str:
        """Return the question."""
        return question
