"""A model that looks at 16 frames and says 40 to 80 words drawn by its seed: answers of real length, no network."""

from __future__ import annotations

import random
from typing import Any

from ecva_bench.answering import Adapter, Question
from ecva_bench.video import Video, samplers

FRAMES = 16


def words(drawn: random.Random, count: int) -> str:
    """Return a sentence of so many made-up words."""
    return " ".join(drawn.choice(_VOCABULARY) for _ in range(count)).capitalize() + "."


def _word(drawn: random.Random) -> str:
    return "".join(drawn.choice("bcdfglmnprst") + drawn.choice("aeiou") for _ in range(drawn.randint(1, 4)))


_VOCABULARY = [_word(random.Random(number)) for number in range(5000)]


class Talker(Adapter):
    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def frame_indices(self, video: Video) -> Any:
        return samplers.midpoints(video.n_frames, FRAMES)

    def answer(self, video: Video, question: str) -> str:
        video.frames_at(self.frame_indices(video))
        task = question.task if isinstance(question, Question) else ""
        drawn = random.Random(f"{self.seed}/{video.path}/{video.n_frames}/{task}")
        said = words(drawn, drawn.randint(40, 80))
        if task == "classification":
            return f"{said} The class is [{drawn.randint(1, 4)}]."
        start = drawn.randint(0, 20) / 10
        return f"{said} It lasts from {start} to {start + 1} seconds." if task == "timestamp" else said

    def describe(self) -> dict[str, Any]:
        return {"seed": self.seed}
