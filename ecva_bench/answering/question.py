"""What a model is asked: the words, and what is known about the question. Nothing about the answer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, Self

from ..records import Sample
from ..tasks import TASKS, packaged_prompts


class Question(str):
    """The words of a question, with task, prompt, options and unit. As a `str`, also in `==`, it is the words alone.

    `task` is the task's name and `prompt_id` the prompt and its version, such as `ours/cause.v1`; both are empty where
    they are not known. `options` are the answers to choose from, empty where the answer is free. `unit` is the unit in
    which times are asked for, `seconds`, empty where none are. `repeat` says which time the same is asked, from 0: a
    model that samples draws anew for each.

    >>> import ecva_bench as eb

    >>> question = eb.Question("When?", task="timestamp", unit="seconds")
    >>> question == "When?", question.task
    (True, 'timestamp')
    """

    __slots__ = ("options", "prompt_id", "repeat", "task", "unit")
    task: str
    prompt_id: str
    options: tuple[str, ...]
    unit: str
    repeat: int

    def __new__(
        cls,
        text: str,
        *,
        task: str = "",
        prompt_id: str = "",
        options: Sequence[str] = (),
        unit: str = "",
        repeat: int = 0,
    ) -> Self:
        """Return the text as a question."""
        question = super().__new__(cls, text)
        question.task, question.prompt_id, question.options, question.unit = task, prompt_id, tuple(options), unit
        question.repeat = repeat
        return question

    @classmethod
    def of(cls, text: str) -> Question:
        """Return a text as a question: itself if it is one, else with what the packaged prompt of these words says.

        The `task` of other words is empty. For adapters that may be called with a plain `str`, and for their callers.
        """
        if isinstance(text, Question):
            return text
        task, prompt_id = _packaged().get(text, ("", ""))
        return _of_task(text, task, prompt_id)

    @classmethod
    def of_sample(cls, sample: Sample) -> Question:
        """Return the question of a sample, without anything the sample says about the answer."""
        return _of_task(sample.question, sample.task, sample.prompt, sample.options, sample.repeat)

    def describe(self) -> dict[str, Any]:
        """Return everything but the words, as JSON; which repeat it is only where the question was asked before."""
        again = {"repeat": self.repeat} if self.repeat else {}
        found = {"task": self.task, "prompt_id": self.prompt_id, "options": list(self.options), "unit": self.unit}
        return {**found, **again}


def repeat_of(question: str) -> int:
    """Return which time a question is asked, from 0; 0 of a plain text."""
    return question.repeat if isinstance(question, Question) else 0


def _of_task(text: str, task: str, prompt_id: str, options: Sequence[str] = (), repeat: int = 0) -> Question:
    unit = TASKS[task].unit if task in TASKS else ""
    return Question(text, task=task, prompt_id=prompt_id, options=options, unit=unit, repeat=repeat)


@cache
def _packaged() -> dict[str, tuple[str, str]]:
    """The task and the id of the newest packaged prompts, by their words."""
    return {prompt.text: (task.name, prompt.versioned_id) for task, prompt in packaged_prompts()}
