"""Progress of long work: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from ..untrusted import say
from ..wording import counted, duration
from ..wording import rate as pace

LINE_EVERY = 5.0  # seconds; later a tenth of the time so far, so that a log of days stays short


class Update(Protocol):
    """A function that reports progress: units done, units in all, errors so far."""

    def __call__(self, done: int, total: int, errors: int = 0) -> None:
        """Show it."""


@contextmanager
def progress(what: str, unit: str) -> Iterator[Update]:
    """Show the progress of `what` on standard error; yields update(done, total, errors), counted in `unit`."""
    if sys.stderr.isatty():
        with _bar(what, unit) as update:
            yield update
    else:
        yield _lines(what, unit)


@contextmanager
def _bar(what: str, unit: str) -> Iterator[Update]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}{task.fields[errors]}"),
        TimeRemainingColumn(),
    )
    start = time.monotonic()
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=None, visible=False, rate="", errors="")

        def update(done: int, total: int, errors: int = 0) -> None:
            rate = pace(done, max(time.monotonic() - start, 1e-3), unit)
            shown = f", {counted(errors, 'error')}" if errors else ""
            bar.update(task, completed=done, total=total, visible=True, rate=rate, errors=shown)

        yield update


def _lines(what: str, unit: str) -> Update:
    start = last = time.monotonic()

    def update(done: int, total: int, errors: int = 0) -> None:
        nonlocal last
        now = time.monotonic()
        taken = now - start
        if now - last >= max(LINE_EVERY, taken / 10) or (done == total and taken >= LINE_EVERY):
            last = now
            left = f", {duration(taken / done * (total - done))} left" if 0 < done < total else ""
            so_far = f"{done:,}/{total:,} {unit}, {pace(done, taken, unit)}"
            say(f"{what}: {so_far}, {counted(errors, 'error')}{left}", error=True)

    return update
