"""How a run ends before its time: at an interrupt or SIGTERM, once the answer under way is written.

Of a process as a whole, as signals are. Where the answer takes longer than the grace, or a second signal comes, the
run ends at once: whoever sends SIGTERM kills soon after.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from ..untrusted import say

GRACE = 20.0  # seconds for the answers under way; SLURM kills 30 s after its SIGTERM
SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass
class _Process:
    wanted: bool = False  # the end
    under_way: bool = False  # an answer


_process = _Process()


def request() -> None:
    """Have the next `uninterrupted` part, or the one under way, end with `KeyboardInterrupt`."""
    _process.wanted = True


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Do what is inside to its end, though the run is to end meanwhile; `KeyboardInterrupt` then follows."""
    if _process.wanted:
        raise KeyboardInterrupt
    _process.under_way = True
    try:
        yield
    finally:
        _process.under_way = False
    if _process.wanted:
        raise KeyboardInterrupt


@contextmanager
def on_signals() -> Iterator[None]:
    """Raise `KeyboardInterrupt` at SIGINT and SIGTERM, but of an answer under way behind it. For the main thread."""
    _process.wanted = False
    before = {number: signal.signal(number, _end) for number in SIGNALS}
    before[signal.SIGALRM] = signal.signal(signal.SIGALRM, _end_now)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)
        _process.wanted = False


def _end(number: int, frame: FrameType | None) -> None:
    if _process.wanted or not _process.under_way:
        _end_now(number, frame)
    request()
    signal.setitimer(signal.ITIMER_REAL, GRACE)
    say("ending after the answer under way; interrupt again to end at once", error=True)


def _end_now(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
