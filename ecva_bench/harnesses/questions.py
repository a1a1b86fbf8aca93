"""The questions of one task about a data set's videos, with the files of the videos, and what one answer scores."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from ..data import Dataset
from ..errors import UsageError
from ..records.annotations import Sample
from ..records.answers import Answer, Results
from ..samples import OptionOrder, samples, tasks_of
from ..scoring.score import score_results
from ..tasks import PromptSet, find_tasks, prompt_for


class FilmedSample(NamedTuple):
    """A question and the file of its video."""

    sample: Sample
    media: Path


def questions(dataset: Dataset, task: str, prompts: PromptSet = "ours") -> list[FilmedSample]:
    """Return the questions of a task, as `run` asks them of full videos; options are in the order of seed 0.

    Videos without a file are left out; those of a set that draws its own are drawn. Raises `UsageError` for a task that
    is none, or of which the data set has no annotation or no video.
    """
    (wanted,) = find_tasks([task])
    known = {one.name: one for one in tasks_of(dataset.annotations, dataset.taxonomy)}
    if wanted.name not in known:
        raise UsageError(
            f"no annotation has a reference for the task {wanted.name}", dataset.source, "name another task"
        )
    dataset.ensure_videos()
    prompt = prompt_for(known[wanted.name], prompts)
    unusable = dataset.unusable(annotation.video for annotation in dataset.annotations)
    found = [
        FilmedSample(sample, dataset.media_path(annotation))
        for annotation in dataset.annotations
        if annotation.video not in unusable
        for sample in samples(annotation, known[wanted.name], prompt, OptionOrder(0))
    ]
    if not found:
        what = f"no video has a file of which the task {wanted.name} asks"
        raise UsageError(what, dataset.videos or dataset.source, "name the folder of the video files")
    return found


def graded(sample: Sample, text: str, duration: float | None = None) -> Mapping[str, float]:
    """Return what an answer scores, by column, as `score` without a judge does it; NaN where a metric has no value."""
    told = sample.model_dump(include={"id", "video", "task", "reference", "key_sentences", "options", "curve"})
    answer = Answer(key=sample.id, answer=text, moments=sample.moments, label=sample.label, duration=duration, **told)
    prompt = {"id": sample.prompt, "sha256": sample.prompt_sha256, "text": sample.question}
    run = Results(
        name="one",
        source="",
        sha256="",
        model="",
        expects={"full": (sample.id,)},
        answers=(answer,),
        spec={"prompts": {sample.task: prompt}},
    )
    found = score_results(run, tasks=[sample.task], draws=2)
    every = {summary.column: math.nan for summary in found.summaries}
    return every | {column: value for score in found.scores for column, value in score.values.items()}
