"""Which tasks a run asks: those named, or all that model, annotations and prompts allow."""

from __future__ import annotations

from collections.abc import Sequence

from .. import tasks
from ..data import Dataset
from ..errors import UsageError
from ..samples import tasks_of
from ..tasks import PromptSet, SeverityFrom, Task
from .adapter import Adapter, Baseline


def tasks_to_ask(
    adapter: Adapter,
    model: str,
    dataset: Dataset,
    names: Sequence[str],
    *,
    prompts: PromptSet,
    severity_from: SeverityFrom,
) -> list[Task]:
    """Return the tasks to ask, as the data set has them; `UsageError` for one named that cannot be asked.

    Without names, these are all that the model answers, some annotation has a reference for, and the prompt set has
    words for. `model` is what the adapter is called by.
    """
    chosen = _able(adapter, model, names)
    known = tasks_of(dataset.annotations, dataset.taxonomy)
    annotated = [task.asked_from(severity_from) for task in known if task.name in chosen]
    if not names:
        unnamed = [task for task in annotated if not task.named_only]
        return [task for task in unnamed if tasks.has_prompt(task, prompts)] or unnamed
    if any(task.asked == "likelihood" for task in annotated):
        _check_probabilities(adapter, model)
    if absent := chosen - {task.name for task in annotated}:
        there = ", ".join(task.name for task in known) or "none"
        what = f"no annotation has a reference for {', '.join(sorted(absent))}"
        raise UsageError(what, dataset.source, f"the tasks of this data set: {there}")
    return annotated


def _able(adapter: Adapter, model: str, names: Sequence[str]) -> set[str]:
    """Return the tasks named, or all that the model answers; `UsageError` for one that it does not."""
    able = {task.name for task in tasks.TASKS.values() if adapter.tasks is None or task.name in adapter.tasks}
    if not names:
        return able
    chosen = [task.name for task in tasks.find_tasks(names)]
    if unable := [name for name in chosen if name not in able]:
        what = f"the model cannot be asked {', '.join(unable)}"
        answers = ", ".join(name for name in tasks.TASKS if name in able)
        raise UsageError(what, f"model {model!r}", f"it answers {answers}")
    return set(chosen)


def _check_probabilities(adapter: Adapter, model: str) -> None:
    """Raise `UsageError` where a model that is asked for likelihoods gives none."""
    if not (adapter.gives_probabilities or isinstance(adapter, Baseline)):
        remedy = "take --severity-from segments or once; hf:, vllm:, openai: and the paper's systems give them"
        raise UsageError("the model gives no probabilities of its words", f"model {model!r}", remedy)
