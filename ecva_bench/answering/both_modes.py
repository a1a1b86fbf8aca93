"""The same questions asked in both modes, to see whether the fast one changes answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import get_args

from ..errors import UsageError
from .inference import Mode
from .plan import stratified_order
from .request import RunRequest


def in_both_modes(
    request: RunRequest,
    questions: int,
    folder: Path,
    rendered: Callable[[int, int], None],
    settled: Callable[[int, int, int], None],
) -> dict[Mode, Path]:
    """Run a request in both modes on as many whole videos as have so many questions; return the results files.

    Videos are drawn as those of a subset are. `rendered` and `settled` are called with the progress of both parts.
    `UsageError` for a model that has one mode only.
    """
    if not request.adapter.answers_jointly:
        what = "the model answers each question alone in both modes"
        raise UsageError(what, f"model {request.model_name!r}", "there is nothing to check")
    groups = {group.video: group for group in request.plan.groups}
    drawn: list[str] = []
    for video in stratified_order(request.dataset.annotations, request.selection.seed):
        if sum(request.plan.owed_of(groups[found]) for found in drawn) >= questions:
            break
        drawn += [video] if video in groups else []
    selection = replace(request.selection, ids=tuple(drawn))
    files: dict[Mode, Path] = {}
    for mode in get_args(Mode):
        one = replace(request, selection=selection, settings=replace(request.settings, mode=mode))
        one.render(one.plan, rendered)
        files[mode] = folder / f"{mode}.jsonl"
        with one.open() as work, one.journal(files[mode], work) as results:
            work.run(results, settled)
    return files
