"""Measuring on a GPU: time by CUDA graph and by events, and what the device can do at most. Knows nothing of models."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ecva_bench.adapters.anomshield.cuda.loader import cuda_launcher

Inputs = Sequence[Sequence[Any]]
SETS = 4  # of inputs that take turns, so that one launch does not find the other's in the cache


@dataclass(frozen=True)
class Ceilings:
    """What the device was measured to do in a second: bytes moved, bfloat16 FLOP, exponentials."""

    bytes: float
    flop: float
    exponentials: float

    def floor(self, *, moved: float = 0, flop: float = 0, exponentials: float = 0) -> float:
        """Return the seconds that this much work takes at least."""
        return max(moved / self.bytes, flop / self.flop, exponentials / self.exponentials)


def graph_time(function: Callable[..., Any], inputs: Inputs, *, launches: int = 20, replays: int = 50) -> float:
    """Return the seconds of one call: `launches` calls recorded in a CUDA graph, the median of `replays`.

    What the graph left behind is compared with a call by itself afterwards: `AssertionError` where they differ.
    """
    outputs: list[Any] = []
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for arguments in inputs:
            function(*arguments)
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for i in range(launches):
            outputs.append(function(*inputs[i % len(inputs)]))
    seconds = _median(graph.replay, replays) / launches
    last = (launches - 1) % len(inputs)
    if not _alike(outputs[-1], function(*inputs[last])):
        raise AssertionError("a recorded call and one by itself give different numbers")
    return seconds


def eager_time(function: Callable[..., Any], inputs: Inputs, *, calls: int = 50) -> float:
    """Return the seconds of one call as Python starts it, the median of `calls`."""
    for arguments in inputs:
        function(*arguments)
    turns = iter(range(calls))
    return _median(lambda: function(*inputs[next(turns) % len(inputs)]), calls)


def kernels_of(function: Callable[[], Any]) -> int:
    """Return how many kernels a call starts."""
    function()
    activities = [torch.profiler.ProfilerActivity.CUDA]
    with torch.profiler.profile(activities=activities) as profile:
        function()
        torch.cuda.synchronize()
    on_device = [e for e in profile.events() if e.device_type == torch.autograd.DeviceType.CUDA]
    return sum(1 for event in on_device if not event.name.startswith(("Memcpy", "Memset")))


def peak_memory(function: Callable[[], Any]) -> int:
    """Return the most bytes that a call holds at once beyond what is held before it."""
    function()
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    function()
    torch.cuda.synchronize()
    return torch.cuda.max_memory_allocated() - before


def ceilings() -> Ceilings:
    """Measure the device: copying 1 GiB, a matrix product of 8192 x 8192, and nothing but exponentials."""
    source = torch.empty(2**30, dtype=torch.uint8, device="cuda")
    target = torch.empty_like(source)
    copying = _median(lambda: target.copy_(source), 20)
    a, b = (torch.randn(8192, 8192, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    product = torch.empty_like(a)
    multiplying = _median(lambda: torch.mm(a, b, out=product), 20)
    return Ceilings(2 * 2**30 / copying, 2 * 8192**3 / multiplying, _exponentials())


def _exponentials() -> float:
    launcher = cuda_launcher(torch.cuda.current_device(), Path(__file__).parent)
    blocks = 8 * torch.cuda.get_device_properties(0).multi_processor_count
    out, rounds = torch.empty(blocks * 256, device="cuda"), 10_000

    def run() -> None:
        launcher.launch("gpu.cu", "exponentials", (blocks, 1, 1), (256, 1, 1), [out, rounds], options={})

    return blocks * 256 * rounds * 8 / _median(run, 10)


def _median(function: Callable[[], Any], times: int) -> float:
    """Return the median seconds between events around each call."""
    function()
    events = [(torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)) for _ in range(times)]
    for start, stop in events:
        start.record()
        function()
        stop.record()
    torch.cuda.synchronize()
    return statistics.median(start.elapsed_time(stop) for start, stop in events) / 1000


def _alike(first: Any, second: Any) -> bool:
    """Say whether outputs differ by rounding at most: torch may take another matrix product while it records."""
    if isinstance(first, Tensor):
        return bool((first - second).float().norm() <= 0.01 * second.float().norm())
    return all(_alike(a, b) for a, b in zip(first, second, strict=True))
