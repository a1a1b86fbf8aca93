"""The five tasks asked about a clip of the embedded split, together and one by one."""

from __future__ import annotations

from pathlib import Path

from ecva_bench.answering import Adapter
from ecva_bench.data.mini import load_mini, render_clip
from ecva_bench.tasks import find_tasks, prompt_for
from ecva_bench.video import Video

FIVE = find_tasks(["description", "cause", "effect", "classification", "timestamp"])


def mini_clip(folder: Path) -> Video:
    """The first clip of `mini`, drawn into a folder."""
    annotation = load_mini(videos=folder).annotations[0]
    render_clip(annotation, folder / annotation.media)
    return Video(folder / annotation.media)


def five_answers(adapter: Adapter, video: Video, prompts: str = "ours") -> list[str]:
    """The answers to the five tasks, which are the same together and one by one."""
    questions = [prompt_for(task, prompts).text for task in FIVE]
    together = adapter.answer_many(video, questions)
    assert [adapter.answer(video, question) for question in questions] == together
    return together
