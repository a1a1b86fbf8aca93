"""Where a run is carried out: here, by processes of this machine, or over a cluster."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ..errors import UsageError
from .runner import Runner

if TYPE_CHECKING:
    from .workers import Engine


@dataclass(frozen=True)
class WorkerOptions:
    """Where a run is carried out: in this process alone, or by `workers` elsewhere.

    `local` workers are processes of this machine, one for each of `devices` where those are named; `ray` workers are
    spread over a cluster. None of this changes an answer.
    """

    engine: Literal["local", "ray"] = "local"
    workers: int | None = None
    devices: tuple[str, ...] = ()

    def engine_for(self, prepare: Callable[[int], Runner]) -> Engine | None:
        """Return the engine that starts the workers; None where this process does the work.

        Each worker calls `prepare` with the number of workers. Raises `UsageError` for options that contradict each
        other and for devices that are not there.
        """
        if self.devices and (self.engine == "ray" or self.workers not in (None, len(self.devices))):
            remedy = "name devices alone: each has one worker; on a cluster, Ray chooses them"
            raise UsageError("devices contradict the number of workers or the engine", ",".join(self.devices), remedy)
        if self.engine == "ray":
            from .ray_workers import RayWorkers

            return RayWorkers(prepare, self.workers)
        if not self.devices and self.workers in (None, 1):
            return None
        from .process_workers import ProcessWorkers, check_there, devices_for

        places = devices_for(self.workers or 1, self.devices)
        check_there(self.devices)
        return ProcessWorkers(prepare, places)
