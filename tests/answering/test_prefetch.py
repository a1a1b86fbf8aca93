"""Work ahead comes in order, within its bounds, and no job can stop the others."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

import pytest

from ecva_bench.answering.prefetch import Prefetcher
from ecva_bench.errors import DecodeTimeout


def prefetcher(
    jobs: Sequence[int], prepare: Callable[[int, Callable[[int], None]], int], **bounds: float
) -> Prefetcher[int, int]:
    found = Prefetcher(prepare, **bounds)  # type: ignore[arg-type]
    found.submit(*jobs)
    found.close()
    return found


def test_jobs_come_in_order_and_errors_in_their_place() -> None:
    def prepare(job: int, reserve: Callable[[int], None]) -> int:
        time.sleep(0.01 * (job % 3))
        if job == 4:
            raise ValueError("four")
        return job * job

    found = list(prefetcher(range(9), prepare, limit=1, threads=3, patience=10))
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

    for _, value in prefetcher(range(12), prepare, limit=25, threads=4, patience=10):
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

    videos = iter(prefetcher(range(5), prepare, limit=100, threads=1, patience=10))
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

    found = list(prefetcher(range(4), prepare, limit=100, threads=1, patience=0.3))
    forever.set()
    assert isinstance(found[1][1], DecodeTimeout)
    assert [value for job, value in found if job != 1] == [0, 2, 3]


def test_jobs_may_be_submitted_while_others_are_waited_for_and_come_until_it_is_closed() -> None:
    jobs = Prefetcher[int, int](lambda job, reserve: -job, limit=100, threads=2, patience=10)
    jobs.submit(0)
    found = []
    for job, value in jobs:
        found.append((job, value))
        if job == 3:
            threading.Timer(0.05, jobs.close).start()
        else:
            threading.Timer(0.05, jobs.submit, (job + 1,)).start()
    assert found == [(n, -n) for n in range(4)]


def test_no_more_jobs_are_begun_ahead_than_two_a_thread() -> None:
    begun: list[int] = []
    jobs = iter(prefetcher(range(20), lambda job, reserve: begun.append(job) or job, limit=100, threads=2, patience=10))
    next(jobs)
    time.sleep(0.1)
    assert sorted(begun) == [0, 1, 2, 3]
    assert len(list(jobs)) == 19
