"""The hard prompt (Sec. IV-A): caption a video's segments, rank them against the question, look closer at the best.

Knows frame numbers, captions and replies; knows no network and no file. Segments are numbered from 1, as prompts and
replies number them.

A video has as many frames as one wants to take of it: 32 evenly spread ones are what its segments are captioned from,
and 8 for each segment, evenly spread just so, are what a closer look has to choose from. With four segments both are
the same 32, which is what the authors' scripts do: there nothing is sampled anew.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ecva_bench.reading import rankings
from ecva_bench.video import samplers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecva_bench.judging import Judge, JudgePrompt
    from ecva_bench.video import Video

COARSE = 32  # frames of the first look
DENSE = 8  # frames of a segment in the closer look
CHOSEN = 2  # segments that get one


@dataclass(frozen=True, eq=False)
class VideoSegment:
    """A stretch of a video.

    start, end: seconds of its first and last frame on the original timeline. frames: int64 indices of those of the
    first look, on the timeline shown.
    """

    start: float
    end: float
    frames: NDArray[np.int64]


@dataclass(frozen=True)
class Ranking:
    """What a ranker said, and the segments' numbers, best first, that were read in it: none where it is unreadable."""

    reply: str
    order: tuple[int, ...] = ()

    @property
    def chosen(self) -> tuple[int, ...]:
        """The numbers of the segments to look at, in the order of time."""
        return tuple(sorted(self.order[:CHOSEN]))


def evenly(n_frames: int, count: int) -> NDArray[np.int64]:
    """Return `count` indices, the middles of equal stretches, as the authors' program rounds them."""
    return samplers.midpoints(n_frames, count, rounded="bounds")


def segments_of(video: Video, count: int) -> list[VideoSegment]:
    """Return a video's segments, of equally many of its frames; `count` divides 32. Neighbours share a frame."""
    bounds = np.round((video.n_frames - 1) / count * np.arange(count + 1)).astype(np.int64)
    seconds = video.timestamps[bounds].tolist()
    frames = evenly(video.n_frames, COARSE).reshape(count, -1)
    return [VideoSegment(*place) for place in zip(seconds[:-1], seconds[1:], frames, strict=True)]


def closer(n_frames: int, count: int, chosen: Sequence[int]) -> NDArray[np.int64]:
    """Return the indices of the closer look at chosen ones of `count` segments: 8 each, in the order of time."""
    every = evenly(n_frames, count * DENSE).reshape(count, DENSE)
    return np.concatenate([every[number - 1] for number in sorted(chosen)])


def ranking_prompt(template: str, question: str, captions: Sequence[str]) -> str:
    """Return a ranking template with the question and the numbered captions, one line each, put in."""
    lines = [f"{number}.{' '.join(caption.split())}" for number, caption in enumerate(captions, 1)]
    return template.format(question=question, sentences="\n".join(lines))


def ranking_in(reply: str, count: int) -> Ranking:
    """Return the ranking in a reply, if it names at least as many segments as are chosen."""
    return Ranking(reply, rankings.read_ranking(reply, count, fewest=CHOSEN).order)


def ranked_by_judge(judge: Judge, prompt: JudgePrompt, question: str, captions: Sequence[str]) -> Ranking:
    """Return the ranking by a judge's grades of the captions; of equal grades the earlier segment comes first."""
    from ecva_bench.judging import Call

    (verdict,) = judge.ask([Call(prompt, {"question": question, "captions": list(captions)})])
    if verdict.values is None:
        return Ranking(verdict.reason)
    grades = dict(enumerate(verdict.values, 1))
    reply = json.dumps({"grades": verdict.values, "rationale": verdict.rationale}, ensure_ascii=False)
    return Ranking(reply, tuple(sorted(grades, key=lambda number: -grades[number])))


def steps(
    segments: Sequence[VideoSegment], captions: Sequence[str], ranking: Ranking, seconds: Sequence[float]
) -> dict[str, Any]:
    """Return the steps of an answer for its record; `seconds` are those of the frames it rests on."""
    return {
        "hard_prompt": {
            "segments": [
                {"start": round(segment.start, 6), "end": round(segment.end, 6), "caption": caption}
                for segment, caption in zip(segments, captions, strict=True)
            ],
            "reply": ranking.reply,
            "order": list(ranking.order),
            "chosen": list(ranking.chosen),
            "fallback": "" if ranking.order else "the ranking cannot be read: frames from the whole video",
            "frames": [round(second, 6) for second in seconds],
        }
    }
