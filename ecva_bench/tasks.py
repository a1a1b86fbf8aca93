"""The tasks: what is asked about a video, what the annotation answers, and which scorers apply.

Knows annotations and prompt files; knows nothing of videos, models or results. Prompts come in named sets and are
versioned files of the package `ecva_bench.prompts`; the highest version of a set is used and hashed into every sample.
Sets: `ours`, one prompt per task, identical for every model; `authors`, quoted from the paper's repository; `cuva`,
from its predecessor's, where A-Guardian is asked them.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from . import prompt_files
from .errors import UsageError
from .records import REFERENCES, Annotation, Sample

PROMPT_SETS = ("ours", "authors", "cuva")


@dataclass(frozen=True)
class Task:
    """One kind of question, with the scorers it is scored by unless others are named; `unit` is that of its times."""

    name: str
    summary: str
    scorers: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    unit: str = ""


@dataclass(frozen=True)
class Prompt:
    """The text of a task prompt with its identity; `sha256` is taken over the UTF-8 text alone."""

    id: str
    version: int
    source: str
    text: str

    @property
    def sha256(self) -> str:
        """Hex SHA-256 of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()


TASKS = {
    task.name: task
    for task in (
        Task("description", "what happened", ("bleu", "rouge")),
        Task("cause", "why it happened", ("bleu", "rouge"), aliases=("reason",)),
        Task("effect", "what it led to", ("bleu", "rouge"), aliases=("result", "outcome")),
        Task("classification", "which class of anomaly it is", ("classification",)),
        Task("timestamp", "when it took place", ("timestamp",), unit="seconds"),
    )
}

_BY_ANY_NAME = {name: task for task in TASKS.values() for name in (task.name, *task.aliases)}


def resolve(names: Iterable[str]) -> list[Task]:
    """Return the tasks of the given names or aliases, in the order of `TASKS`; `UsageError` for an unknown one."""
    wanted = set()
    for name in names:
        task = _BY_ANY_NAME.get(name.lower())
        if task is None:
            near = difflib.get_close_matches(name, _BY_ANY_NAME, n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise UsageError(f"no task is called {name!r}", remedy=f"{hint}available: {', '.join(TASKS)}")
        wanted.add(task.name)
    return [task for task in TASKS.values() if task.name in wanted]


def prompt_for(task: Task, prompt_set: str = "ours") -> Prompt:
    """Return the newest prompt of a task in a set; `UsageError` for an unknown set."""
    if prompt_set not in PROMPT_SETS:
        raise UsageError(f"no prompt set is called {prompt_set!r}", remedy=f"available: {', '.join(PROMPT_SETS)}")
    fields, text = prompt_files.read_prompt(prompt_set, task.name)
    return Prompt(fields["id"], int(fields["version"]), fields["source"], text)


def sample(annotation: Annotation, task: Task, prompt: Prompt) -> Sample | None:
    """Return the question `task` asks about a video, or None where the annotation has no reference for it."""
    reference = REFERENCES[task.name](annotation)
    if not reference:
        return None
    return Sample(
        id=f"{annotation.video}/{task.name}",
        video=annotation.video,
        media=annotation.media,
        task=task.name,
        question=prompt.text,
        prompt=f"{prompt.id}.v{prompt.version}",
        prompt_sha256=prompt.sha256,
        reference=reference,
        key_sentences=annotation.key_sentences,
        moments=annotation.moments,
        label=annotation.label,
        review=annotation.review,
    )
