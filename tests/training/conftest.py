"""Fixtures of the tests of training."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
import torch


@pytest.fixture(scope="module", autouse=True)
def light() -> Iterator[None]:
    """One thread, since two wait for each other at this size; and each end of a training looks through new objects
    alone for those that nothing holds.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    gc.collect()
    gc.freeze()
    yield
    torch.set_num_threads(threads)
