"""A plug-in does not end the process: `os._exit` in its code raises, where else the command would end with its code.

Python cannot catch `os._exit`, so it is replaced while code of a plug-in runs. What a library in C ends stays ended.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from ..errors import Terminated

# What ends the program rightly. Whatever else code of a plug-in raises is its error: an exception, `SystemExit`, what
# `asyncio` cancels. Python throws `GeneratorExit` into a generator that is given up.
RIGHT_ENDS = (KeyboardInterrupt, GeneratorExit, Terminated)

_FAILED = 1

end_now = os._exit  # as Python has it: for those of this project that end the process


class ProcessEnd(BaseException):
    """A plug-in asked for the end of the process."""


class _Thread(threading.local):
    blocks = 0  # of plug-ins' code that this thread is in


_thread = _Thread()
_lock = threading.Lock()
_open: Counter[int] = Counter()  # how many such blocks are open in a process, in all its threads: a fork has none


@contextmanager
def kept_alive() -> Iterator[None]:
    """Raise `ProcessEnd` where code within calls `os._exit`; another thread that does ends the process as failed."""
    process = os.getpid()
    with _lock:
        _open[process] += 1
        os._exit = _refused
    _thread.blocks += 1
    try:
        yield
    finally:
        _thread.blocks -= 1
        with _lock:
            _open[process] -= 1
            if not _open[process]:
                os._exit = end_now


def _refused(status: int) -> NoReturn:
    if not _open[os.getpid()]:  # a fork's, which has to end so
        end_now(status)
    if _thread.blocks > 0:
        raise ProcessEnd(f"os._exit({status})")
    os.write(2, b"error: code of a plug-in ended the process (os._exit): have it raise an error instead\n")
    end_now(status or _FAILED)
