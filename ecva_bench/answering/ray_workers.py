"""Workers as actors of a Ray cluster (https://docs.ray.io, extra `ray`), one per GPU, or per machine without GPUs.

Ray starts them, carries their messages and notices when a machine is gone; `workers` decides which worker answers what.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from ..errors import UsageError
from .inference import Job
from .runner import Runner
from .workers import Died, Send, Worker, WorkerHandle

try:
    import ray as _ray
except ImportError as error:
    raise UsageError(
        f"Ray cannot be imported ({error})", "--engine ray", "install it: pip install 'ecva-bench[ray]'"
    ) from None

ray: Any = _ray  # many of its functions have no types


class RayWorkers:
    """An `Engine` of actors. All machines need the same files and packages.

    Each calls `prepare` with the number of them; it is pickled.
    """

    def __init__(self, prepare: Callable[[int], Runner], workers: int | None) -> None:
        """Join the cluster that `RAY_ADDRESS` names or that runs on this machine; `UsageError` where there is none.

        Without a number of workers there is one for each GPU, or for each machine of a cluster that has none.
        """
        if not ray.is_initialized():
            _join()
        gpus = int(ray.cluster_resources().get("GPU", 0))
        machines = sum(node["Alive"] for node in ray.nodes())
        self.places = tuple(f"ray {number}" for number in range(1, 1 + (workers or gpus or machines)))
        self._prepare, self._gpus = partial(prepare, len(self.places)), 1 if gpus else 0

    def start(self, place: str, send: Send) -> WorkerHandle:
        """Start an actor where the cluster has room; see `Engine`."""
        return _Actor(self._prepare, self._gpus, send)


class _Actor:
    """A worker in an actor; a thread receives its messages."""

    def __init__(self, prepare: Callable[[], Runner], gpus: int, send: Send) -> None:
        # Two calls at a time: a long one that yields the messages, and short ones that submit videos.
        options: dict[str, Any] = {
            "num_cpus": 1,
            "num_gpus": gpus,
            "max_concurrency": 2,
            "scheduling_strategy": "SPREAD",
        }
        self._actor: Any = ray.remote(Worker).options(**options).remote(prepare)
        threading.Thread(target=self._listen, args=(send,), name="listener", daemon=True).start()

    def submit(self, job: Job) -> None:
        self._actor.submit.remote(job)

    def end(self) -> None:
        self._actor.end.remote()

    def stop(self) -> None:
        ray.kill(self._actor)

    def _listen(self, send: Send) -> None:
        why = "ended"
        try:
            for said in self._actor.work.options(num_returns="streaming").remote():
                send(ray.get(said))
        except ray.exceptions.RayError as error:
            why = " ".join(str(error).split())[:500]
        ray.kill(self._actor)  # an actor that raised still occupies its place
        send(Died(why))


def _join() -> None:
    address = os.environ.get("RAY_ADDRESS", "auto")
    try:
        ray.init(address=address, logging_level=logging.WARNING)
    except ConnectionError as error:
        remedy = "start one (ray start --head), or name one in RAY_ADDRESS"
        raise UsageError(f"no Ray cluster can be joined ({error})", address, remedy) from None
