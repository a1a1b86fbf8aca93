"""Workers on a Ray cluster of several machines: one of them is lost in the middle, and no answer with it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from ecva_bench.answering.workers import WorkerPool
from ecva_bench.journal.writer import Journal
from tests.answering.test_workers import VIDEOS, alone, answers, events, folder, lines, trouble
from tests.answering.worker_models import prepare, prepare_one

ray = pytest.importorskip("ray", reason="Ray is not installed (extra `ray`)")

__all__ = ["folder", "trouble"]  # fixtures
PATIENCE_S = 120.0


@pytest.fixture
def cluster() -> Iterator[object]:
    """Three machines of one core each, and one that only drives."""
    from ray.cluster_utils import Cluster

    found = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    try:
        ray.init(address=found.address, logging_level="error", log_to_driver=False)
        yield found
    finally:
        ray.shutdown()
        found.shutdown()


@pytest.mark.slow
def test_a_machine_lost_in_the_middle_costs_no_answer_and_gives_none_twice(
    cluster: object, folder: Path, trouble: Path, tmp_path: Path
) -> None:
    from ecva_bench.answering.ray_workers import RayWorkers

    machines = [cluster.add_node(num_cpus=1, wait=True) for _ in range(2)]  # type: ignore[attr-defined]
    path = tmp_path / "ray.jsonl"
    runner = prepare(folder, trouble)
    engine = RayWorkers(partial(prepare_one, folder, trouble), 2)
    hold = trouble / "hold"
    hold.touch()

    def wait_for(text: bytes, times: int) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while path.read_bytes().count(text) < times and time.monotonic() < deadline:
            time.sleep(0.02)

    def lose_one() -> None:
        try:
            wait_for(b'"type":"answer"', 2)  # one from either machine, each of which now holds a video half asked
            cluster.remove_node(machines[0], allow_graceful=False)  # type: ignore[attr-defined]
            wait_for(b'"worker_lost"', 1)
        finally:
            hold.unlink()

    with WorkerPool(engine, runner.plan, runner.settings) as pool, Journal(path, pool.manifest) as journal:
        thief = threading.Thread(target=lose_one)
        thief.start()
        end = pool.run(journal)
        thief.join()
    assert end.status == "complete"
    assert end.answers == 4 * VIDEOS
    assert answers(path) == alone(folder, tmp_path / "one.jsonl")
    assert not lines(path, "error")
    assert len(events(path, "worker_lost")) == 1
