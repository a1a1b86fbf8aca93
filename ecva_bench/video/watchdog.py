"""Stop a decoder that hangs: time limits and processes.

A `Deadline` is checked between packets: cheap and precise, but it cannot interrupt a decoder that never returns.
`isolated` runs a function in a process of its own, which can always be killed. The process comes from a fork
server: a plain fork would copy the threads' locks of a parent that is decoding, and hang on them.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar

from ..errors import DecoderDied, DecodeTimeout

T = TypeVar("T")

_START_LIMIT = 60.0  # seconds a busy machine may take to start a process and import the decoder


class Deadline:
    """The time at which work on a file is given up."""

    def __init__(self, path: Path, seconds: float) -> None:
        self.path, self.seconds = path, seconds
        self._end = time.monotonic() + seconds

    def check(self) -> None:
        """Raise `DecodeTimeout` once the time is over."""
        if time.monotonic() > self._end:
            raise self.timeout()

    def timeout(self) -> DecodeTimeout:
        """Return the error to raise when time is over."""
        return _timeout(self.path, self.seconds)


def isolated(function: Callable[..., T], *arguments: Any, path: Path, seconds: float) -> T:
    """Return `function(*arguments)` as computed in a process of its own, or raise what it raised there.

    The function, its arguments and its result must be picklable. `DecodeTimeout` if it takes more than `seconds`
    (the process is killed), `DecoderDied` with the exit code if the process ends without a result.
    """
    context = multiprocessing.get_context("forkserver")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(sender, function, arguments), daemon=True)
    process.start()
    sender.close()
    try:
        for limit in (_START_LIMIT, seconds):
            if not receiver.poll(limit):
                raise _timeout(path, seconds)
            outcome = receiver.recv()
    except EOFError:
        process.join()
        raise DecoderDied(
            f"the decoder process ended with exit code {process.exitcode}",
            path,
            "the file makes the decoder crash: re-encode it or leave it out",
        ) from None
    finally:
        process.kill()
        process.join()
        receiver.close()
    succeeded, value = outcome
    if succeeded:
        return value  # type: ignore[no-any-return]
    raise value


def _work(sender: Connection, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    """Say that the process has started, then send what the function returns or raises."""
    sender.send(None)
    try:
        outcome = True, function(*arguments)
    except Exception as error:  # whatever it is belongs to the parent, which raises it
        outcome = False, error
    sender.send(outcome)


def _timeout(path: Path, seconds: float) -> DecodeTimeout:
    return DecodeTimeout(
        f"decoding took more than {seconds:g} s", path, "raise the deadline, or check the file with another player"
    )
