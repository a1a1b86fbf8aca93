"""Work done ahead in background threads, handed over in order, within a bound of bytes and of time.

Knows nothing of videos: it prepares jobs. Decoding releases the interpreter lock, so threads are enough.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Generic, TypeVar

from ..errors import DecodeTimeout

Job = TypeVar("Job")
Prepared = TypeVar("Prepared")


class ByteBudget:
    """A bound on the bytes held by jobs that are prepared but not yet used up.

    The oldest job is always admitted, so that a video larger than the bound still runs: what is held never
    exceeds the limit and the oldest job together.
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
        """Give back what `job` holds and admit its successor."""
        with self._changed:
            self._held.pop(job, None)
            self._oldest = max(self._oldest, job + 1)
            self._changed.notify_all()


class Prefetcher(Generic[Job, Prepared]):
    """Iterates over (job, prepared or the exception that prevented it), in the order of `jobs`.

    `prepare(job, reserve)` runs in a background thread and calls `reserve(size)` before it allocates `size` bytes.
    A job that takes longer than `patience` seconds once it is waited for is given up as `DecodeTimeout`; its
    thread is left behind and replaced, because a native call cannot be interrupted.
    """

    def __init__(
        self,
        jobs: Sequence[Job],
        prepare: Callable[[Job, Callable[[int], None]], Prepared],
        *,
        limit: int,
        workers: int,
        patience: float,
    ) -> None:
        """Start nothing yet; iteration does. `limit` is in bytes."""
        self._jobs, self._prepare, self._patience = jobs, prepare, patience
        self._budget = ByteBudget(limit)
        self._workers = workers
        self._todo: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._done: dict[int, Prepared | Exception] = {}
        self._given_up: set[int] = set()
        self._ready = threading.Condition()
        self._stopped = False

    def __iter__(self) -> Iterator[tuple[Job, Prepared | Exception]]:
        """Yield in order; what a job reserved is free again when the next is asked for."""
        for _ in range(self._workers):
            self._start_worker()
        ahead = min(len(self._jobs), 2 * self._workers)
        for number in range(ahead):
            self._todo.put(number)
        try:
            for number, job in enumerate(self._jobs):
                yield job, self._wait_for(number)
                self._budget.release(number)
                if number + ahead < len(self._jobs):
                    self._todo.put(number + ahead)
        finally:
            self._stopped = True

    def _wait_for(self, number: int) -> Prepared | Exception:
        with self._ready:
            if self._ready.wait_for(lambda: number in self._done, self._patience):
                return self._done.pop(number)
            self._given_up.add(number)
        self._start_worker()
        return DecodeTimeout(f"preparing took more than {self._patience:g} s and was given up")

    def _start_worker(self) -> None:
        threading.Thread(target=self._work, name="prefetch", daemon=True).start()

    def _work(self) -> None:
        while not self._stopped:
            try:
                number = self._todo.get(timeout=0.2)
            except queue.Empty:
                continue
            try:
                reserve = partial(self._budget.acquire, number)
                found: Prepared | Exception = self._prepare(self._jobs[number], reserve)
            except Exception as error:
                found = error
            with self._ready:
                if number in self._given_up:
                    self._budget.release(number)
                else:
                    self._done[number] = found
                    self._ready.notify_all()


def stopwatch() -> Callable[[], float]:
    """Return a function that tells the seconds since this call, to the millisecond."""
    start = time.perf_counter()
    return lambda: round(time.perf_counter() - start, 3)
