"""The question as its own answer: shows what a metric gives to text that never saw the video."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecva_bench.answering import Baseline

if TYPE_CHECKING:
    from ecva_bench.video import Video


class PromptEcho(Baseline):
    """Returns the question unchanged."""

    def answer(self, video: Video, question: str) -> str:
        """Return the question."""
        return question
