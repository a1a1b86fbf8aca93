"""What tests of readers share."""

from __future__ import annotations

import signal
from contextlib import contextmanager

import pytest


@pytest.fixture
def cpu_limit():
    """A context in which this process may spend so many CPU seconds, whatever else the machine does."""

    def stop(number, frame):
        raise TimeoutError("the time grows faster than the text")

    @contextmanager
    def limited(seconds):
        before = signal.signal(signal.SIGVTALRM, stop)
        signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            signal.signal(signal.SIGVTALRM, before)

    return limited
