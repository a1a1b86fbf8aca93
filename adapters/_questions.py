"""Which task a question belongs to, for baselines that studied the samples."""

from __future__ import annotations

from collections.abc import Sequence

from ecva_bench.errors import AdapterError
from ecva_bench.records import Sample


def task_by_question(samples: Sequence[Sample]) -> dict[str, str]:
    """Return question text to task name; `AdapterError` where two tasks ask with the same words."""
    tasks: dict[str, str] = {}
    for sample in samples:
        if tasks.setdefault(sample.question, sample.task) != sample.task:
            raise AdapterError("two tasks share one prompt", sample.prompt, "give each task its own prompt")
    return tasks
