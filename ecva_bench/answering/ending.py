"""How a run ends before its time: at an interrupt or SIGTERM, once the answer under way is written.

Of a process as a whole, as signals are. Where the answer takes longer than the grace, or a second signal comes, the
run ends at once: whoever sends SIGTERM kills soon after. An engine that waits for what no longer comes may stop even
that; then the process is ended from another thread. What was written is on disk, and `orphans` ends the children.
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from ..registry.process_end import end_now
from ..untrusted import say

GRACE = 20.0  # seconds for the answers under way; SLURM kills 30 s after its SIGTERM
LAST = 5.0  # seconds more, for workers, programs and files to be closed
SIGNALS = (signal.SIGINT, signal.SIGTERM)
_INTERRUPTED = 130  # the exit code
_STOP = b"\0"  # which is no signal's number


@dataclass
class _Process:
    wanted: bool = False  # the end
    under_way: bool = False  # an answer
    latest: float | None = None  # when it has to be ended, in monotonic seconds
    watched: bool = False  # by a thread that ends it then


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


def await_others() -> float:
    """Return until when, in monotonic seconds, answers under way in other processes may be awaited."""
    end = time.monotonic() + GRACE
    _process.latest = end + LAST
    return end


@contextmanager
def on_signals() -> Iterator[None]:
    """Raise `KeyboardInterrupt` at SIGINT and SIGTERM, but of an answer under way behind it. For the main thread.

    A process that has not left this part after the time there is for that is ended, with the exit code 130.
    """
    _process.wanted, _process.latest = False, None
    before = {number: signal.signal(number, _end) for number in SIGNALS}
    before[signal.SIGALRM] = signal.signal(signal.SIGALRM, _end_now)
    heard, ours = socket.socketpair()
    ours.setblocking(False)
    earlier = signal.set_wakeup_fd(ours.fileno(), warn_on_full_buffer=False)
    watch = threading.Thread(target=_watch, args=(heard,), name="end", daemon=True)
    watch.start()
    _process.watched = True
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.set_wakeup_fd(earlier)
        for number, handler in before.items():
            signal.signal(number, handler)
        ours.send(_STOP)
        watch.join()
        ours.close()
        _process.wanted = _process.watched = False


def _end(number: int, frame: FrameType | None) -> None:
    if _process.wanted or not _process.under_way:
        _end_now(number, frame)
    request()
    signal.setitimer(signal.ITIMER_REAL, GRACE)
    say("ending after the answer under way; interrupt again to end at once", error=True)


def _end_now(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _forget() -> None:
    """In a fork: what it is told is not said to the process that it comes from."""
    if _process.watched:
        signal.set_wakeup_fd(-1)
        _process.watched = False


os.register_at_fork(after_in_child=_forget)


def _watch(heard: socket.socket) -> None:
    """End the process at its latest time. Signals arrive here whatever the main thread waits for."""
    signals = 0
    with heard, selectors.DefaultSelector() as waiting:
        waiting.register(heard, selectors.EVENT_READ)
        while True:
            left = None if _process.latest is None else max(0.0, _process.latest - time.monotonic())
            if waiting.select(left):
                said = heard.recv(64)
                if _STOP in said:
                    return
                for _ in (number for number in said if number in SIGNALS):
                    signals += 1
                    soon = time.monotonic() + LAST
                    if signals == 1:  # what is under way, here or elsewhere, may be finished
                        soon = max(soon + GRACE * _process.under_way, _process.latest or soon)
                    _process.latest = soon
            elif _process.latest is not None and time.monotonic() >= _process.latest:
                os.write(2, b"interrupted; what was written is kept\n")
                end_now(_INTERRUPTED)
