"""Ends what a killed run leaves behind: its workers, programs and engines, and all that these have started.

A process that is killed cannot end its children, and one of them may hold a GPU. A small process outside the run's
group looks at the run's descendants, as Linux lists them, and kills those that outlive it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PROC = Path("/proc")
_EVERY = 0.5  # seconds between two looks
_PATIENCE = 2.0  # seconds in which descendants may end by themselves


@contextmanager
def none_left() -> Iterator[None]:
    """Have all descendants of this process end after it if it is killed or interrupted.

    Needs a `/proc` that lists children, as Linux has: all processes of a large machine would take long to look at.
    """
    if not (_PROC / f"self/task/{os.getpid()}/children").exists():
        yield
        return
    watcher = subprocess.Popen(
        [sys.executable, "-I", "-S", __file__, str(os.getpid())],
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    except KeyboardInterrupt:  # then this process is about to end, or to be killed
        raise
    except BaseException:
        watcher.kill()
        raise
    watcher.kill()
    watcher.wait()


def _watch(run: int) -> None:
    """Look at a run's descendants until it ends, then kill those that are left."""
    known: dict[int, str] = {}
    while os.getppid() == run:
        known |= {pid: since for pid in _descendants(run) if pid != os.getpid() and (since := _since(pid))}
        known = {pid: since for pid, since in known.items() if _since(pid) == since}
        time.sleep(_EVERY)
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end and any(_since(pid) == since for pid, since in known.items()):
        time.sleep(_EVERY / 10)
    for pid, since in known.items():
        if _since(pid) == since:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)


def _descendants(run: int) -> set[int]:
    found: set[int] = set()
    todo = [run]
    while todo:
        below = _children(todo.pop())
        found.update(below)
        todo += below
    return found


def _children(pid: int) -> list[int]:
    """Return what the threads of a process have started; nothing where it has ended."""
    found: list[int] = []
    with suppress(OSError):
        for thread in (_PROC / str(pid) / "task").iterdir():
            with suppress(OSError):  # it has just ended
                found += map(int, (thread / "children").read_text().split())
    return found


def _since(pid: int) -> str:
    """Return when a process began, in ticks, by which its number can be told from its successor's; empty if it ended.

    A process that ended and waits for its parent has ended.
    """
    fields = _stat(pid)
    return fields[19] if fields and fields[0] not in "ZX" else ""


def _stat(pid: int) -> list[str]:
    """Return what Linux tells of a process, from its state and its parent on; nothing where there is none."""
    try:
        return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


if __name__ == "__main__":
    _watch(int(sys.argv[1]))
