"""Work done ahead of time in background threads, handed over in order, within limits of memory and time.

Knows nothing of videos: it prepares jobs. Decoding releases the interpreter lock, so threads are enough.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Generic, TypeVar

from ..errors import DecodeTimeout

_Job = TypeVar("_Job")
_Prepared = TypeVar("_Prepared")


class ByteBudget:
    """A limit on the bytes of jobs that are prepared and not yet finished.

    The oldest job is always admitted, so that a video larger than the limit still runs: the bytes in use never
    exceed the limit plus those of the oldest job.
    """

    def __init__(self, limit: int) -> None:
        """Allow `limit` bytes."""
        self.limit = limit
        self._held: dict[int, int] = {}
        self._oldest = 0
        self._changed = threading.Condition()

    def acquire(self, job: int, size: int) -> None:
        """Wait until `size` bytes fit, or until `job` is the oldest."""
        with self._changed:
            self._changed.wait_for(lambda: job <= self._oldest or sum(self._held.values()) + size <= self.limit)
            self._held[job] = size

    def release(self, job: int) -> None:
        """Free the bytes of `job` and admit the next."""
        with self._changed:
            self._held.pop(job, None)
            self._oldest = max(self._oldest, job + 1)
            self._changed.notify_all()


class Prefetcher(Generic[_Job, _Prepared]):
    """Iterates over (job, prepared or the exception that prevented it), in the order in which jobs were submitted.

    `prepare(job, reserve)` runs in a background thread and calls `reserve(size)` before it allocates `size` bytes.
    A job that takes longer than `patience` seconds once it is waited for is given up as `DecodeTimeout`; its
    thread is left behind and replaced, because a native call cannot be interrupted.
    """

    def __init__(
        self,
        prepare: Callable[[_Job, Callable[[int], None]], _Prepared],
        *,
        limit: int,
        threads: int,
        patience: float,
    ) -> None:
        """Start nothing yet; iteration does. `limit` is in bytes."""
        self._prepare, self._patience = prepare, patience
        self._budget = ByteBudget(limit)
        self._threads, self._ahead = threads, 2 * threads
        self._jobs: list[_Job] = []
        self._begun = self._handed_out = 0
        self._closed = self._stopped = False
        self._done: dict[int, _Prepared | Exception] = {}
        self._given_up: set[int] = set()
        self._changed = threading.Condition()

    def submit(self, *jobs: _Job) -> None:
        """Add jobs; any thread may."""
        with self._changed:
            self._jobs += jobs
            self._changed.notify_all()

    def close(self) -> None:
        """End iteration after the last job submitted so far."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def __iter__(self) -> Iterator[tuple[_Job, _Prepared | Exception]]:
        """Yield in order; the bytes of a job are freed when the next one is requested."""
        for _ in range(self._threads):
            self._start_thread()
        try:
            for number in itertools.takewhile(self._comes, itertools.count()):
                yield self._jobs[number], self._wait_for(number)
                self._budget.release(number)
                with self._changed:
                    self._handed_out = number + 1
                    self._changed.notify_all()
        finally:
            with self._changed:
                self._stopped = True
                self._changed.notify_all()

    def _comes(self, number: int) -> bool:
        """Wait for a job; return False where there will be none."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or number < len(self._jobs))
            return number < len(self._jobs)

    def _wait_for(self, number: int) -> _Prepared | Exception:
        with self._changed:
            if self._changed.wait_for(lambda: number in self._done, self._patience):
                return self._done.pop(number)
            self._given_up.add(number)
        self._start_thread()
        return DecodeTimeout(f"preparing took more than {self._patience:g} s and was given up")

    def _start_thread(self) -> None:
        threading.Thread(target=self._work, name="prefetch", daemon=True).start()

    def _work(self) -> None:
        while (number := self._take()) is not None:
            try:
                reserve = partial(self._budget.acquire, number)
                found: _Prepared | Exception = self._prepare(self._jobs[number], reserve)
            except Exception as error:
                found = error
            with self._changed:
                if number in self._given_up:
                    self._budget.release(number)
                else:
                    self._done[number] = found
                    self._changed.notify_all()

    def _take(self) -> int | None:
        """Wait for a job that may begin and return its number; None at the end."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._stopped or self._begun < min(len(self._jobs), self._handed_out + self._ahead)
            )
            if self._stopped:
                return None
            self._begun += 1
            return self._begun - 1


def stopwatch() -> Callable[[], float]:
    """Return a function that returns the seconds since this call, to the millisecond."""
    start = time.perf_counter()
    return lambda: round(time.perf_counter() - start, 3)
