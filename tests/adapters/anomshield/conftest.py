"""Fixtures for tests that run our CUDA kernels on the CPU."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from ecva_bench.adapters.anomshield.cuda import loader

from .emulator import EmulatedLauncher, require_compiler


@pytest.fixture
def emulated() -> Iterator[None]:
    """Let tensors on the CPU be served by the emulation; whatever torch allocates is NaN until it is written."""
    require_compiler()
    torch.use_deterministic_algorithms(True)  # fills what is allocated with NaN
    loader.install("cpu", EmulatedLauncher())
    yield
    loader.install("cpu", None)
    torch.use_deterministic_algorithms(False)
