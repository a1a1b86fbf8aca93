"""The seed of an answer that is drawn, so that each answer has a draw of its own and can be had again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecva_bench.answering.question import repeat_of
from ecva_bench.records.base import sha256_of

if TYPE_CHECKING:
    from ecva_bench.video import Video


def seed_of(video: Video, question: str) -> int:
    """Return a seed, of 31 bits, for an answer to a question about a video, another one each time it is asked.

    One seed for all would have all answers drawn with the same chance numbers, and so no longer independent.
    """
    cuts = [[moment.start, moment.end] for moment in video.removed]
    drawn = sha256_of([video.sha256, cuts, video.pictures, str(question), repeat_of(question)])
    return int(drawn[:8], 16) >> 1
