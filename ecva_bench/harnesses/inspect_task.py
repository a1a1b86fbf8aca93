"""A task of inspect (`inspect_ai`): it shows a model the frames of our videos, and scores its answers by our metrics.

inspect finds it by the entry point `inspect_ai` once both packages are installed:

    inspect eval ecva_bench/ecva --model openai/gpt-5.4-mini -T data=mini -T task=cause

Each sample has our id, so that `ecva-bench import LOG --data DATA` gives a run that scores, ranks and compares as any
other. Metrics that need a judge are left to `ecva-bench score`.
"""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ChatMessageUser, ContentImage, ContentText, ContentVideo
from inspect_ai.scorer import Score, Scorer, Target, mean, scorer, stderr
from inspect_ai.solver import Generate, Solver, TaskState, generate, solver

from ..data import load_dataset
from ..records.annotations import Sample as Question
from ..untrusted import say
from ..video.samplers import midpoints
from ..video.video import Video
from .questions import graded, questions


@task
def ecva(data: str = "mini", task: str = "cause", videos: str | None = None, frames: int = 8) -> Task:
    """Return the questions of a task about a data set.

    `data` and `videos` are those of `ecva-bench run`. `frames` are shown as JPEG pictures with the second of each
    before it; 0 hands the model the file, which few providers take.
    """
    dataset = load_dataset(data, videos=None if videos is None else Path(videos))
    if lacking := dataset.tell_unusable([annotation.video for annotation in dataset.annotations]):
        say(f"left out: {lacking}", error=True)
    asked = [
        Sample(
            id=one.sample.id,
            input=one.sample.question,
            target=one.sample.reference,
            metadata={
                "media": str(one.media),
                "video": one.sample.video,
                "options": list(one.sample.options),
                "question": one.sample.model_dump(mode="json"),
            },
        )
        for one in questions(dataset, task)
    ]
    called = MemoryDataset(asked, name=f"{dataset.name}-{task}")
    return Task(
        dataset=called, solver=[show_video(frames), generate()], scorer=ecva_metrics(), name=f"{dataset.name}-{task}"
    )


@solver
def show_video(frames: int) -> Solver:
    """Put a video before its question: so many of its frames, or for 0 its file."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        shown = _shown(Path(state.metadata["media"]), frames)
        state.messages = [ChatMessageUser(content=[*shown, ContentText(text=state.input_text)])]
        return state

    return solve


def _shown(media: Path, frames: int) -> list[Any]:
    if not frames:
        return [ContentVideo(video=str(media), format="mov" if media.suffix.lower() == ".mov" else "mp4")]
    from PIL import Image

    content: list[Any] = []
    with Video(media) as video:
        seen = video.frames_at(midpoints(video.n_frames, frames))
        for pixels, second in zip(seen.pixels, seen.positions, strict=True):
            picture = io.BytesIO()
            Image.fromarray(pixels).save(picture, "JPEG", quality=90)
            encoded = base64.b64encode(picture.getvalue()).decode()
            content += [ContentText(text=f"{second:.1f} s:"), ContentImage(image=f"data:image/jpeg;base64,{encoded}")]
    return content


@scorer(metrics={"*": [mean(), stderr(cluster="video")]})
def ecva_metrics() -> Scorer:
    """Score an answer by the metrics of its task that need no judge, a value for each column."""

    async def score(state: TaskState, target: Target) -> Score:
        text = state.output.completion
        question = Question.model_validate(state.metadata["question"])
        with Video(Path(state.metadata["media"])) as video:
            values = graded(question, text, video.duration)
        return Score(value=dict(values), answer=text)

    return score
