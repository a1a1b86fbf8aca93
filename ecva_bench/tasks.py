"""The tasks: what is asked about a video, what the annotation answers, and which scorers apply.

Knows annotations and prompt files; knows nothing of videos, models or results. Prompts come in named sets and are
versioned files of the package `ecva_bench.prompts`; the highest version of a set is used and hashed into every sample.
Sets: `ours`, one prompt per task, identical for every model; `authors`, quoted from the paper's repository; `cuva`,
from its predecessor's, where A-Guardian is asked them. A user's own set is a folder, or a mapping from tasks to texts.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from . import prompt_files, registry
from .errors import UsageError
from .records import Annotation, Sample
from .records.annotations import REFERENCES

PROMPT_SETS = ("ours", "authors", "cuva")
PROMPT_SET_GROUP = "ecva_bench.prompt_sets"

# A name of `PROMPT_SETS`, a folder of prompt files, texts by task, or `./file.py:NAME` of such texts.
PromptSet = str | Path | Mapping[str, str]


@dataclass(frozen=True)
class Task:
    """One kind of question, with the scorers it is scored by unless others are named; `unit` is that of its times.

    `edited`: whether a metric reads its answers about edited views, as AnomEval does.
    """

    name: str
    summary: str
    scorers: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    unit: str = ""
    edited: bool = False


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
        Task("description", "what happened", ("bleu", "rouge"), edited=True),
        Task("cause", "why it happened", ("bleu", "rouge"), aliases=("reason",), edited=True),
        Task("effect", "what it led to", ("bleu", "rouge"), aliases=("result", "outcome"), edited=True),
        Task("classification", "which class of anomaly it is", ("classification",)),
        Task("timestamp", "when it took place", ("timestamp",), unit="seconds"),
    )
}

_BY_ANY_NAME = {name: task for task in TASKS.values() for name in (task.name, *task.aliases)}


def find_tasks(names: Iterable[str]) -> list[Task]:
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


def prompt_for(task: Task, prompt_set: PromptSet = "ours") -> Prompt:
    """Return the newest prompt of a task in a set.

    Raises `UsageError` for an unknown set, and for one of a user's own that has no fit text for the task.
    """
    if isinstance(prompt_set, str) and prompt_set in PROMPT_SETS:
        fields, text = prompt_files.read_prompt(prompt_set, task.name)
        return Prompt(fields["id"], int(fields["version"]), fields["source"], text)
    if isinstance(prompt_set, str | Path) and Path(prompt_set).is_dir():
        folder = Path(prompt_set).resolve()
        version, text = prompt_files.read_own(folder, task.name)
        return Prompt(f"./{folder.name}/{task.name}", version, "a folder of the user's", text)
    if isinstance(prompt_set, str | Path) and not registry.is_named(PROMPT_SET_GROUP, str(prompt_set)):
        remedy = f"available: {', '.join(PROMPT_SETS)}; or a folder with {task.name}.md"
        raise UsageError(f"no prompt set is called {str(prompt_set)!r}", remedy=remedy)
    found = registry.resolve(PROMPT_SET_GROUP, str(prompt_set) if isinstance(prompt_set, Path) else prompt_set)
    if not isinstance(found.value, Mapping):
        raise found.unfit("it is no mapping from names of tasks to texts")
    given = found.value.get(task.name)
    if not (isinstance(given, str) and given.strip()):
        raise found.unfit(f"it has no text for {task.name}; it has {', '.join(map(str, found.value)) or 'nothing'}")
    return Prompt(f"./{found.name}/{task.name}", 1, "texts of the user's", given.strip("\n"))


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
