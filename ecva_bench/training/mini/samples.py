"""What a model is asked about a clip to train on, and what it is to answer; by the prompts that runs ask by.

Answers follow from how a clip was drawn: words of its kind with the colours it has, its moments, its severities.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from ... import prompt_files
from ...tasks import packaged_prompts
from ...video import samplers
from .clips import TrainingClip

if TYPE_CHECKING:
    from numpy.typing import NDArray

PARTS = 8  # that a run asks about a video of at most 40 seconds in
GRID = 0.1  # seconds between the instants at which a severity is reckoned
UNSEEN = {
    "description": "Nothing can be seen in this video.",
    "cause": "Nothing can be seen, so no cause can be named.",
    "effect": "Nothing can be seen, so no effect can be named.",
    "classification": "Nothing can be seen, so no class can be named.",
    "timestamp": "none",
    "timestamp-or-none": "none",
    "detection": "No",
    "severity": "0",
    "severity-likelihood": "0",
}  # what is to be said of a video without a picture
BY_FRAME = "Severe, by frame?"  # asked in training alone: eight severities for a clip that is seen once
BLANK = 8  # of so many clips, one is asked about without a picture


@dataclass(frozen=True, eq=False)
class TrainingSample:
    """A question with its answer; `indices` are the numbers of the clip's frames that are shown, None for no picture.

    `prompt` is the name of the question's prompt, `question` what is asked, with the time of the last frame.
    """

    prompt: str
    question: str
    answer: str
    indices: NDArray[np.int64] | None


def samples_of(clip: TrainingClip, seed: int, frames: int) -> Iterator[TrainingSample]:
    """Yield what is asked about a clip of which so many frames are shown: one text, all that is short, its parts."""
    chance = random.Random(f"ecva-bench training words {seed}/{clip.number}")
    kind, whole = clip.kind, samplers.midpoints(clip.n_frames, frames, rounded="bounds")
    spans = moments_as_told(clip)
    text, sentences = chance.choice((("description", kind.description), ("cause", kind.cause), ("effect", kind.effect)))
    answers = {
        text: chance.choice(sentences).format(**clip.colours),
        "classification": f"[{kind.label}]" if kind.label else "",
        "timestamp": spans,
        "timestamp-or-none": spans or "none",
        "detection": "Yes" if spans else "No",
    }
    for prompt, answer in answers.items():
        if answer:
            yield _sample(prompt, answer, whole, whole[-1] / clip.frame_rate)
    yield TrainingSample("by-frame", timed(BY_FRAME, whole[-1] / clip.frame_rate), _by_frame(clip, whole), whole)
    if clip.number % BLANK == 0:
        for prompt, answer in UNSEEN.items():
            yield _sample(prompt, answer, None, whole[-1] / clip.frame_rate)
    for place in range(PARTS) if kind.anomalous else [chance.randrange(PARTS)]:
        yield from _part(clip, place, frames)


def caption_of(clip: TrainingClip, seed: int, frames: int) -> TrainingSample:
    """Return a description of a clip, for the first stage."""
    chance = random.Random(f"ecva-bench training caption {seed}/{clip.number}")
    whole = samplers.midpoints(clip.n_frames, frames, rounded="bounds")
    text = chance.choice(clip.kind.description).format(**clip.colours)
    return _sample("description", text, whole, whole[-1] / clip.frame_rate)


def timed(question: str, seconds: float) -> str:
    """Return a question with the time of the last frame in front of it, in seconds from the start of what is shown."""
    return _timed().replace("{seconds}", half(seconds)).replace("{question}", question)


def half(seconds: float) -> str:
    """Return seconds as the model is told them and tells them: to the next half."""
    return f"{round(2 * seconds) / 2:.1f}"


def moments_as_told(clip: TrainingClip) -> str:
    """Return the moments of a clip as an answer; empty where nothing abnormal happens."""
    if not clip.kind.anomalous:
        return ""
    if clip.kind.whole:
        return f"[0.0, {half(clip.duration)}]"
    return " ".join(f"[{half(moment.start)}, {half(moment.end)}]" for moment in clip.moments)


def severity_at(clip: TrainingClip, t: float) -> float:
    """Return how severe a clip is at an instant, from 0 to 10."""
    if not clip.kind.anomalous:
        return 0.0
    begins, peak, ends, after = clip.times.severity
    value = 0.0
    for moment in clip.moments:
        if t >= moment.end:
            value = after
        elif t >= moment.start:
            share = (t - moment.start) / moment.duration
            return float(np.interp(share, (0, clip.times.peak, 1), (begins, peak, ends)))
    return value


def _part(clip: TrainingClip, place: int, frames: int) -> Iterator[TrainingSample]:
    """Yield both ways to ask how severe a part of the clip is, shown alone: from 0 to 10, and from 0 to 9."""
    length = clip.duration / PARTS
    start = place * length
    seconds = np.arange(clip.n_frames) / clip.frame_rate
    inside = np.flatnonzero((seconds >= start) & (seconds < start + length))
    indices = inside[samplers.midpoints(len(inside), frames, rounded="bounds")]
    severity = float(np.mean([severity_at(clip, float(t)) for t in np.arange(start, start + length, GRID)]))
    last = seconds[indices[-1]] - seconds[inside[0]]
    yield _sample("severity", str(round(severity)), indices, last)
    yield _sample("severity-likelihood", str(round(0.9 * severity)), indices, last)


def _by_frame(clip: TrainingClip, indices: NDArray[np.int64]) -> str:
    """Return how severe a clip is at each of some frames."""
    return " ".join(str(round(severity_at(clip, i / clip.frame_rate))) for i in indices.tolist())


def _sample(prompt: str, answer: str, indices: NDArray[np.int64] | None, seconds: float) -> TrainingSample:
    return TrainingSample(prompt, timed(prompts()[prompt], seconds), answer, indices)


@cache
def prompts() -> dict[str, str]:
    """Return the words of the packaged prompts by name; those of `ours` have no set before theirs."""
    return {prompt.id.removeprefix("ours/"): prompt.text for _, prompt in packaged_prompts()}


@cache
def _timed() -> str:
    return prompt_files.read_prompt("models", "anomshield-mini", 1)[1]
