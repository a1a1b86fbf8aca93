"""The words by which files tell what an answer is about: its task, and the view of the video that was shown.

One table for each, read with care: what may mean two tasks means none. Knows no file.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from itertools import pairwise
from typing import NamedTuple

from ..records.annotations import repeat_id, sample_parts
from ..records.base import View

# Words of task columns, sheets, keys and ids, letters and digits alone.
TASK_WORDS = {
    "description": ("description", "descriptions", "describe", "des", "desc", "anomalydescription"),
    "cause": ("cause", "causes", "cau", "reason", "reasons", "rootcause", "anomalycause"),
    "effect": ("effect", "effects", "result", "res", "outcome", "outcomes", "consequence", "consequences"),
    "classification": ("classification", "classify", "cls", "class"),
    "timestamp": (
        "timestamp",
        "timestamps",
        "time",
        "timesegment",
        "temporallocalization",
        "localization",
    ),
    "detection": ("detection", "anomalydetection", "detect", "judgement", "judgment", "binary"),
    "choice": ("choice", "multiplechoice", "mcq", "mcqa"),
    "grounding": ("grounding", "temporalgrounding", "sentencegrounding"),
    "severity": ("severity", "severitycurve", "importancecurve"),
}
# The words of the paper's title, and one more. They mean tasks as whole names only, and columns only beside others.
_QUESTION_WORDS = {"what": "description", "why": "cause", "how": "effect", "when": "timestamp"}
# Of these a file's name tells no task: `model_result.json` may be of any.
_VAGUE_IN_NAMES = {
    *("des", "res", "cau", "result", "class", "time", "localization", "grounding"),
    *("detection", "detect", "anomalydetection", "binary", "choice", "severity"),
}

VIEW_WORDS: dict[View, tuple[str, ...]] = {
    "full": ("full", "fullvideo", "original", "whole", "unedited"),
    "anomaly": ("anomaly", "noanomaly", "withoutanomaly", "anomalycut", "anomalyremoved"),
    "control": ("control", "controlcut"),
    "still": ("still", "stillframe", "oneframe", "singleframe"),
    "shuffled": ("shuffled", "shuffle", "shuffledframes"),
    "blank": ("blank", "blankvideo", "nopicture"),
}

# Phrases of the prompts of ECVA, CUVA and lmms-eval.
_PROMPT_PHRASES = {
    "classification": ("categories for anomaly detection",),
    "timestamp": ("locate the position of the anomalous segment",),
    "cause": ("root cause", "root reasons"),
    "effect": ("results and effect", "result of the anomal", "outcomes"),
    "description": ("detailed description of the anomalous", "describe any anomaly"),
}

_TASKS = {word: task for task, words in TASK_WORDS.items() for word in words}
_VIEWS = {word: view for view, words in VIEW_WORDS.items() for word in words}
_SEPARATOR = r"[/_\-:|.\s]+"


def bare_name(word: str) -> str:
    """Return the letters and digits of a name, in lower case: `Video Name` and `video_name` are one."""
    return "".join(character for character in word.casefold() if character.isalnum())


def task_of(text: str) -> str | None:
    """Return the task that a word, or the words of a name, stand for; None where it is none or more than one."""
    bare = bare_name(text)
    return _TASKS.get(bare) or _QUESTION_WORDS.get(bare) or _only(_words(text) & _TASKS.keys())


def is_task(word: object) -> bool:
    """Return whether a word alone names a task, and is no longer name with one in it."""
    return isinstance(word, str) and bare_name(word) in _TASKS


def is_question_word(word: object) -> bool:
    """Return whether a word is `why` or its like, which names a task only beside names of others."""
    return isinstance(word, str) and bare_name(word) in _QUESTION_WORDS


def are_tasks(words: Collection[object]) -> bool:
    """Return whether all of some words name tasks."""
    if len(words) > 1:
        return all(is_task(word) or is_question_word(word) for word in words)
    return all(map(is_task, words))


def task_of_file(stem: str) -> str | None:
    """Return the task that a file's name tells, None where it does not."""
    return _only((_words(stem) & _TASKS.keys()) - _VAGUE_IN_NAMES)


def task_of_prompt(text: str) -> str | None:
    """Return the task that a known prompt asks, None for other prompts."""
    lowered = text.casefold()
    return next((task for task, some in _PROMPT_PHRASES.items() if any(one in lowered for one in some)), None)


def view_of(text: str) -> View | None:
    """Return the view that a word stands for, None where it is none."""
    return _VIEWS.get(bare_name(text))


def without_task(stem: str) -> str:
    """Return a file's name without the task it ends in: `video_llama_reason` is by `video_llama`."""
    parts = re.split(r"(_+|-+)", stem)
    for last in (3, 1):  # `time_segment` is two words
        tail = "".join(parts[-last:])
        if len(parts) > last + 1 and bare_name(tail) in _TASKS and bare_name(tail) != "result":
            return "".join(parts[: -last - 1])
    return stem


class SampleId(NamedTuple):
    """The parts of an id that names more than a video: `00001/cause@anomaly`, `00001/choice/q1`, `00001/cause@s1`."""

    video: str
    task: str | None = None
    view: View | None = None
    query: str = ""


def sample_ids(text: str) -> list[SampleId]:
    """Return what an id may name besides a video alone: a video with a task before or behind it, with a view."""
    found = []
    head, at, view = text.rpartition("@")
    if at and view_of(view):
        found += [one._replace(view=view_of(view)) for one in (SampleId(head), *sample_ids(head))]
    elif (parts := sample_parts(text)).name or parts.repeat:
        found.append(SampleId(parts.video, parts.task, query=repeat_id(parts.name, parts.repeat)))
    for pattern, video, task in ((_TASK_BEHIND, 1, 2), (_TASK_BEFORE, 2, 1)):
        if (match := pattern.fullmatch(text)) and match[video]:
            found.append(SampleId(match[video], task_of(match[task])))
    return found


def _words(text: str) -> set[str]:
    """Return the words of a name, and two neighbours as one: `time_segment` is `timesegment`."""
    words = [bare_name(word) for word in re.split(r"[\W_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", text)) if word]
    return {*words, *(one + other for one, other in pairwise(words))}


def _only(words: set[str]) -> str | None:
    tasks = {_TASKS[word] for word in words}
    return tasks.pop() if len(tasks) == 1 else None


_ALTERNATIVES = "|".join(sorted([*_TASKS, *_QUESTION_WORDS, "time_segment", "root_cause"], key=len, reverse=True))
_TASK_BEHIND = re.compile(rf"(.+?){_SEPARATOR}({_ALTERNATIVES})", re.IGNORECASE)
_TASK_BEFORE = re.compile(rf"({_ALTERNATIVES}){_SEPARATOR}(.+)", re.IGNORECASE)
