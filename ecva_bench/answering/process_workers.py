"""Workers as processes of this machine, one per device. Each sees only its device, so models need no option for it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection

from ..devices import gpus, there
from ..errors import UsageError
from .ending import SIGNALS
from .inference import Job
from .runner import Runner
from .workers import Died, Send, Worker, WorkerHandle

VISIBLE = "CUDA_VISIBLE_DEVICES"


class ProcessWorkers:
    """An `Engine` of processes. Devices are as `devices_for` returns them.

    Each calls `prepare` with the number of them; it is pickled.
    """

    def __init__(self, prepare: Callable[[int], Runner], devices: Sequence[str]) -> None:
        self.places = tuple(devices)
        self._prepare = partial(prepare, len(self.places))

    def start(self, place: str, send: Send) -> WorkerHandle:
        """Start a process on a device; see `Engine`."""
        return _Process(self._prepare, place, send)


class _Process:
    """A worker in a process; a thread receives its messages."""

    def __init__(self, prepare: Callable[[], Runner], device: str, send: Send) -> None:
        spawn = multiprocessing.get_context("spawn")  # a fork would share locks, threads and the GPU's state
        self._pipe, its_end = spawn.Pipe()
        self._process = spawn.Process(target=_serve, args=(its_end, prepare, device), name=f"worker on {device}")
        self._process.start()
        its_end.close()
        self._listener = threading.Thread(target=self._listen, args=(send,), name=f"listener of {device}", daemon=True)
        self._listener.start()

    def submit(self, job: Job) -> None:
        with suppress(OSError):  # it is dead; the listener reports that
            self._pipe.send(job)

    def end(self) -> None:
        with suppress(OSError):
            self._pipe.send(None)

    def stop(self) -> None:
        self._process.kill()
        self._listener.join()

    def _listen(self, send: Send) -> None:
        with suppress(EOFError, OSError):
            while True:
                send(self._pipe.recv())
        self._process.join()
        with suppress(ProcessLookupError):  # what it started, such as an engine that holds its GPU
            os.killpg(self._process.pid or 0, signal.SIGKILL)
        code = self._process.exitcode or 0
        send(Died(f"killed by signal {-code}" if code < 0 else f"ended with exit code {code}"))


def devices_for(workers: int, devices: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the device of each worker: those named, else the GPUs in turn, else `cpu`.

    Raises `UsageError` for a name that is no device, and for more workers than named devices.
    """
    if not devices:
        found = gpus()
        return tuple(f"cuda:{number % found}" if found else "cpu" for number in range(workers))
    for device in devices:
        kind, _, number = device.partition(":")
        if not (device == "cpu" or (kind == "cuda" and number.isdecimal())):
            remedy = f"write cuda:N or cpu, separated by commas; there is {', '.join(there())}"
            raise UsageError(f"{device!r} is no device", remedy=remedy)
    return tuple(devices)


def check_there(devices: Sequence[str]) -> None:
    """Raise `UsageError`, listing the devices there are, if this machine lacks one of these."""
    found = there() if devices else ()
    for device in devices:
        kind, _, number = device.partition(":")
        if (f"{kind}:{int(number)}" if number else kind) not in found:
            raise UsageError("this machine has no such device", device, f"there is {', '.join(found)}")


def _serve(pipe: Connection, prepare: Callable[[], Runner], device: str) -> None:
    """Run a worker until the pipe is closed, which happens when the parent process ends."""
    os.setpgrp()  # of which all that it starts is a part
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)  # for the parent, which ends this process
    os.environ[VISIBLE] = _visible(device, os.environ.get(VISIBLE))
    worker = Worker(prepare)
    threading.Thread(target=_take, args=(pipe, worker), name="jobs", daemon=True).start()
    for message in worker.work():
        pipe.send(message)


def _take(pipe: Connection, worker: Worker) -> None:
    with suppress(EOFError, OSError):
        while True:
            job = pipe.recv()
            if job is None:
                worker.end()
            else:
                worker.submit(job)
    os.killpg(0, signal.SIGKILL)


def _visible(device: str, visible: str | None) -> str:
    """Return the value of CUDA_VISIBLE_DEVICES for one device: the N-th of those visible now."""
    number = device.partition(":")[2]
    if not number:
        return ""
    return visible.split(",")[int(number)].strip() if visible else number
