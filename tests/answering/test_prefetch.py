"""Work ahead comes in order, within its bounds, and no job can stop the others."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from ecva_bench.answering.prefetch import Prefetcher
from ecva_bench.errors import DecodeTimeout


def test_jobs_come_in_order_and_errors_in_their_place() -> None:
    def prepare(job: int, reserve: Callable[[int], None]) -> int:
        time.sleep(0.01 * (job % 3))
        if job == 4:
            raise ValueError("four")
        return job * job

    found = list(Prefetcher(range(9), prepare, limit=1, workers=3, patience=10))
    assert [job for job, _ in found] == list(range(9))
    assert [value for job, value in found if job != 4] == [n * n for n in range(9) if n != 4]
    assert isinstance(found[4][1], ValueError)


@pytest.mark.parametrize(("size", "bound"), [(10, 25 + 10), (1000, 1000)])
def test_bytes_held_stay_within_the_limit_and_one_job(size: int, bound: int) -> None:
    held = peak = 0
    lock = threading.Lock()

    def prepare(job: int, reserve: Callable[[int], None]) -> int:
        nonlocal held, peak
        reserve(size)
        with lock:
            held += size
            peak = max(peak, held)
        return size

    for _, value in Prefetcher(range(12), prepare, limit=25, workers=4, patience=10):
        time.sleep(0.002)
        with lock:
            assert isinstance(value, int)
            held -= value
    assert held == 0
    assert peak <= bound


def test_work_is_done_ahead() -> None:
    started: list[int] = []

    def prepare(job: int, reserve: Callable[[int], None]) -> int:
        started.append(job)
        return job

    videos = iter(Prefetcher(range(5), prepare, limit=100, workers=1, patience=10))
    next(videos)
    deadline = time.monotonic() + 5
    while len(started) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert started[:2] == [0, 1]
    assert list(videos) == [(n, n) for n in range(1, 5)]


def test_a_job_that_hangs_is_given_up_and_the_others_go_on() -> None:
    forever = threading.Event()

    def prepare(job: int, reserve: Callable[[int], None]) -> int:
        if job == 1:
            forever.wait()
        return job

    found = list(Prefetcher(range(4), prepare, limit=100, workers=1, patience=0.3))
    forever.set()
    assert isinstance(found[1][1], DecodeTimeout)
    assert [value for job, value in found if job != 1] == [0, 2, 3]
