"""The tasks: what is asked about a video, in which words, and which scorers apply.

Knows prompt files; knows nothing of annotations, videos, models or results. Prompts come in named sets and are
versioned files of the package `ecva_bench.prompts`; the highest version of a set is used and hashed into every sample.
Sets: `ours`, one prompt per task, identical for every model; `authors`, quoted from the paper's repository; `cuva`,
from its predecessor's, where A-Guardian is asked them. A user's own set is a folder, or a mapping from tasks to texts.
The prompts of `Task.fields` are templates, which what a data set brings is written into.
"""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

from . import prompt_files, registry
from .errors import UsageError

PROMPT_SETS = ("ours", "authors", "cuva")

# How severities are asked for: of each part of the video alone, of all parts at once, or of each part alone by how
# likely each digit is.
SeverityFrom = Literal["segments", "once", "likelihood"]
PROMPT_SET_GROUP = "ecva_bench.prompt_sets"

# A name of `PROMPT_SETS`, a folder of prompt files, texts by task, or `./file.py:NAME` of such texts.
PromptSet = str | Path | Mapping[str, str]


@dataclass(frozen=True)
class Task:
    """One kind of question, with the scorers it is scored by unless others are named; `unit` is that of its times.

    `edited`: whether a metric reads its answers about edited views, as AnomEval does. `fields`: what its prompt must
    leave a place for, `{question}` for `question`. `listed`: the prompt of the same task, with a place for `{options}`,
    for data sets that have their own answers to choose from. `or_none`: that for data sets with normal videos.
    `classes` are the code and the name of each class of a data set that has its own. `named_only`: it is asked where it
    is named, and not where all tasks are. `asked` is in which way, of those of `SeverityFrom`; empty for other tasks.
    """

    name: str
    summary: str
    scorers: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    unit: str = ""
    edited: bool = False
    fields: tuple[str, ...] = ()
    listed: str = ""
    or_none: str = ""
    words: str = ""
    classes: tuple[tuple[int, str], ...] = ()
    named_only: bool = False
    asked: SeverityFrom | Literal[""] = ""

    def with_options(self) -> Task:
        """Return the task as it is asked where a data set lists the answers to choose from."""
        return replace(self, words=self.listed, fields=("options",)) if self.listed else self

    def with_classes(self, classes: Iterable[tuple[int, str]]) -> Task:
        """Return the task as it is asked where a data set has classes of its own, by code and name."""
        return replace(self.with_options(), classes=tuple(classes))

    def of_any_video(self) -> Task:
        """Return the task as it is asked where a data set has normal videos, too."""
        return replace(self, words=self.or_none)

    def asked_from(self, way: SeverityFrom) -> Task:
        """Return the task as it is asked in a way; itself where there is only one."""
        if not self.asked:
            return self
        return replace(self, asked=way, words="" if way == "segments" else f"{self.name}-{way}")

    @property
    def prompt(self) -> str:
        """What its prompt is called in a set: `words`, where these are not its usual ones."""
        return self.words or self.name


@dataclass(frozen=True)
class Prompt:
    """The text of a task prompt with its identity; `sha256` is taken over the UTF-8 text alone."""

    id: str
    version: int
    source: str
    text: str

    @property
    def versioned_id(self) -> str:
        """The id with the version, which says which words were used: `authors/cause.v1`."""
        return f"{self.id}.v{self.version}"

    @property
    def sha256(self) -> str:
        """Hex SHA-256 of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def filled(self, **values: str) -> str:
        """Return the text with each `{name}` of `values` replaced; what is written in is not looked through again."""
        places = "|".join(map(re.escape, values))
        return re.sub(rf"\{{({places})\}}", lambda match: values[match[1]], self.text) if values else self.text


TASKS = {
    task.name: task
    for task in (
        Task("description", "what happened", ("bleu", "rouge", "twins"), aliases=("what",), edited=True),
        Task("cause", "why it happened", ("bleu", "rouge", "twins"), aliases=("why", "reason"), edited=True),
        Task("effect", "what it led to", ("bleu", "rouge", "twins"), aliases=("how", "result", "outcome"), edited=True),
        Task(
            "classification",
            "which class of anomaly it is",
            ("classification",),
            aliases=("class",),
            listed="classification-options",
        ),
        Task(
            "timestamp",
            "when it took place",
            ("timestamp",),
            aliases=("when", "time"),
            unit="seconds",
            or_none="timestamp-or-none",
        ),
        Task(
            "detection",
            "whether there is an anomaly",
            ("detection", "twins"),
            aliases=("judgement", "judgment", "binary"),
        ),
        Task(
            "choice",
            "a question with answers to choose from",
            ("choice",),
            aliases=("mcq", "multiple-choice"),
            fields=("question", "options"),
        ),
        Task(
            "grounding",
            "when it happens what a sentence says",
            ("grounding",),
            aliases=("tsgv",),
            unit="seconds",
            fields=("sentence",),
        ),
        Task(
            "severity",
            "how severe it is over time",
            ("severity",),
            aliases=("importance", "how-severe"),  # `how` is the effect, as it was before this task
            unit="seconds",
            named_only=True,
            asked="segments",
        ),
    )
}

_BY_ANY_NAME = {name: task for task in TASKS.values() for name in (task.name, *task.aliases)}


def about_times(names: Iterable[str]) -> list[str]:
    """Return which of some tasks are asked for times, in the order of `TASKS`."""
    wanted = {*names}
    return [task.name for task in TASKS.values() if task.unit and task.name in wanted]


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

    Raises `UsageError` for an unknown set, for one that has no text for the task, and for one of a user's own whose
    text lacks a place for what the data set asks.
    """
    if isinstance(prompt_set, str) and prompt_set in PROMPT_SETS:
        if not has_prompt(task, prompt_set):
            having = [name for name in PROMPT_SETS if has_prompt(task, name)]
            raise UsageError(f"the prompt set {prompt_set!r} has none for {task.prompt}", remedy=_take(having, task))
        fields, text = prompt_files.read_prompt(prompt_set, task.prompt)
        return Prompt(fields["id"], int(fields["version"]), fields["source"], text)
    if isinstance(prompt_set, str | Path) and Path(prompt_set).is_dir():
        folder = Path(prompt_set).resolve()
        version, text = prompt_files.read_own(folder, task.prompt)
        return _whole(task, Prompt(f"./{folder.name}/{task.prompt}", version, "a folder of the user's", text))
    found = _own_texts(prompt_set)
    texts = found.value
    given = texts.get(task.prompt)
    if not (isinstance(given, str) and given.strip()):
        raise found.unfit(f"it has no text for {task.prompt}; it has {', '.join(map(str, texts)) or 'nothing'}")
    return _whole(task, Prompt(f"./{found.name}/{task.prompt}", 1, "texts of the user's", given.strip("\n")))


def has_prompt(task: Task, prompt_set: PromptSet) -> bool:
    """Return whether a set has a prompt for a task; `UsageError` for an unknown set."""
    if isinstance(prompt_set, str) and prompt_set in PROMPT_SETS:
        return task.prompt in prompt_files.list_prompts(prompt_set)
    if isinstance(prompt_set, str | Path) and Path(prompt_set).is_dir():
        return any(file.name.partition(".")[0] == task.prompt for file in Path(prompt_set).glob("*.md"))
    return task.prompt in _own_texts(prompt_set).value


def packaged_prompts() -> Iterator[tuple[Task, Prompt]]:
    """Yield the newest prompt of each task in each packaged set that has one."""
    for prompt_set in PROMPT_SETS:
        for task in TASKS.values():
            ways = (task.asked_from(way) for way in get_args(SeverityFrom))
            for one in dict.fromkeys((task, task.with_options(), task.of_any_video(), *ways)):
                if has_prompt(one, prompt_set):
                    yield task, prompt_for(one, prompt_set)


def _take(having: Sequence[str], task: Task) -> str:
    return f"take the set {' or '.join(having)}, a folder with {task.prompt}.md, or other tasks"


def _own_texts(prompt_set: PromptSet) -> registry.Plugin:
    """Return a user's texts by task as the registry has them; `UsageError` where there are none."""
    if isinstance(prompt_set, str | Path) and not registry.is_named(PROMPT_SET_GROUP, str(prompt_set)):
        remedy = f"available: {', '.join(PROMPT_SETS)}; or a folder with TASK.md files, such as cause.md"
        raise UsageError(f"no prompt set is called {str(prompt_set)!r}", remedy=remedy)
    found = registry.resolve(PROMPT_SET_GROUP, str(prompt_set) if isinstance(prompt_set, Path) else prompt_set)
    if not isinstance(found.value, Mapping):
        raise found.unfit("it is no mapping from names of tasks to texts")
    return found


def _whole(task: Task, prompt: Prompt) -> Prompt:
    if lacking := [f"{{{name}}}" for name in task.fields if f"{{{name}}}" not in prompt.text]:
        raise UsageError(f"the prompt for {task.name} has no place for {' and '.join(lacking)}", prompt.id, "add it")
    return prompt
