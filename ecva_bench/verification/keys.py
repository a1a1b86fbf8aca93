"""The keys of answers, computed again from what a run says of itself and from the words of its questions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..answering.result_records import identity, key
from ..errors import UsageError
from ..interchange.joining import imported_key
from ..interchange.lookup import Lookup
from ..prompt_files import read_prompt
from ..records import Sample
from ..records.answers import Answer, Doubt, Results
from ..tasks import PROMPT_SETS, TASKS, Prompt

_OF_ALL = ("model", "description", "decoder", "mode")  # of what keys hold, what every run of today says


class Keys:
    """The prompts and the settings of a run, which its keys are made of."""

    def __init__(self, results: Results, lookup: Lookup | None) -> None:
        spec = results.spec
        self._lookup = lookup
        told = spec.get("prompts")
        by_task = told.items() if isinstance(told, dict) else ()
        self._told: dict[str, dict[str, Any]] = {task: one for task, one in by_task if isinstance(one, dict)}
        self._prompts = {task: _prompt(told) for task, told in self._told.items()}
        self._tasks = dict.fromkeys(answer.task for answer in results.answers)
        self._files = _files(spec["imported"]) if "imported" in spec else ()
        self._lacking = [] if "imported" in spec else [name for name in _OF_ALL if name not in spec]
        self._spec = spec if "imported" not in spec and not self._lacking else None

    @property
    def unknown(self) -> str:
        """Why keys cannot be computed again: older runs do not tell all that theirs hold; empty where they can be."""
        if self._lacking:
            return f"the run does not say its {self._lacking[0]}, which its keys hold"
        untold = [task for task in self._tasks if self._spec is not None and self._prompts.get(task) is None]
        return f"the run does not say the words of its prompt for {untold[0]}, which its keys hold" if untold else ""

    def doubts(self) -> Iterator[Doubt]:
        """Yield the prompts that are not told, or not what they are called."""
        for task in self._tasks if self._spec is not None else ():
            if task not in self._told:
                yield Doubt(kind="prompt", id=task, view="full", text="the run does not say what it was asked")
        for task, told in self._told.items():
            if "sha256" not in told:
                continue
            sha256, named = str(told["sha256"]), packaged_prompt(str(told.get("id", "")))
            if named is not None and named.sha256 != sha256:
                text = f"the hash of {told['id']} is {named.sha256[:12]}, not {sha256[:12]}"
                yield Doubt(kind="prompt", id=task, view="full", text=text)
            elif isinstance(told.get("text"), str) and Prompt("", 0, "", told["text"]).sha256 != sha256:
                yield Doubt(kind="prompt", id=task, view="full", text=f"its words do not have the hash {sha256[:12]}")

    def doubts_about(self, told: Answer) -> Iterator[Doubt]:
        """Yield what is doubtful about the prompt and the key of an answer."""
        keys = [imported_key(told.id, told.view, told.answer, file) for file in self._files]
        if keys and told.key not in keys:
            text = f"its key {told.key[:12]} is not the hash of what was imported, {keys[0][:12]}"
            yield Doubt(kind="key", id=told.id, view=told.view, text=text)
        prompt = self._prompts.get(told.task)
        if prompt is None:
            return
        if told.prompt_sha256 not in ("", prompt.sha256):
            text = f"it was asked with the prompt {told.prompt_sha256[:12]}, the run with {prompt.sha256[:12]}"
            yield Doubt(kind="prompt", id=told.id, view=told.view, text=text)
        asked = self._asked(told, prompt)
        if self._spec is None or asked is None:
            return
        made = key(identity(self._spec, told.task), asked, told.view, told.removed, told.video_sha256)
        if made != told.key:
            text = f"its key {told.key[:12]} is not the hash of what determines it, {made[:12]}"
            yield Doubt(kind="key", id=told.id, view=told.view, text=text)

    def _asked(self, told: Answer, prompt: Prompt) -> Sample | None:
        """Return the question that an answer is to; None where its words are not known."""
        way = str(self._told[told.task].get("from", ""))
        if self._lookup is not None:
            seed = self._told[told.task].get("shuffle")
            found = self._lookup.sample(told.id, prompt, seed)
            return found and found.model_copy(update={"asked": way})
        if told.task not in TASKS or "{" in prompt.text:  # it has a place for what the data set asks
            return None
        return Sample(
            id=told.id,
            video=told.video,
            media=told.video,
            task=told.task,
            question=prompt.text,
            prompt="",
            prompt_sha256=prompt.sha256,
            reference="",
            asked=way,
        )


def _files(imported: Any) -> tuple[str, ...]:
    """Return the names of the files that all answers were imported from; none where texts came from a folder."""
    told = imported.get("files") if isinstance(imported, dict) else None
    files = [one for one in told or () if isinstance(one, dict)]
    if any(one.get("form") == "folder of texts" for one in files):
        return ()
    return tuple(str(one.get("name", "")) for one in files)


def _prompt(told: dict[str, Any]) -> Prompt | None:
    """Return the prompt that a run says it asked a task with; None where its words are not known."""
    if isinstance(told.get("text"), str):
        return Prompt("", 0, "", told["text"])
    found = packaged_prompt(str(told.get("id", "")))
    return found if found is not None and found.sha256 == told.get("sha256") else None


def packaged_prompt(name: str) -> Prompt | None:
    """Return the packaged prompt of a name such as `ours/cause.v1`; None where there is none."""
    folder, _, rest = name.partition("/")
    stem, _, version = rest.rpartition(".v")
    if folder not in PROMPT_SETS or not version.isdecimal():
        return None
    try:
        fields, text = read_prompt(folder, stem, int(version))
    except UsageError:
        return None
    return Prompt(fields["id"], int(fields["version"]), fields["source"], text)
