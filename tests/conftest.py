"""Fixtures shared by all rooms."""

from __future__ import annotations

import gc
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from ecva_bench.cache import cache_dir
from tests import golden

# Networks here are tiny, and tests run side by side: threads of their own would only get into each other's way.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Whatever is started in the background ignores interrupts, and so would the programs that tests start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A busy machine is no failure: examples are bounded in number, not in time. In CI they are the same in every run, so
# that a change is not refused for what another left; every other run tries new ones.
settings.register_profile("ours", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("ours")


def pytest_collection_finish() -> None:
    """Keep the collector of cycles from going through all modules and tests again and again: they are never garbage."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real annotations, answers and clips (not part of the project)."""
    return golden.find("data", "ECVA_DATA")


@pytest.fixture(scope="session")
def shared_golden() -> Path:
    """The folder of tensors and scores computed by the original programs (not part of the project)."""
    return golden.find("golden", "ECVA_GOLDEN")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium, for one module only: while Playwright runs, no other test could run an event loop of its own."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    executable = os.environ.get("ECVA_CHROMIUM") or shutil.which("chromium")
    if not executable:
        pytest.skip("there is no chromium; install Debian's, or name one in ECVA_CHROMIUM")
    with sync_api.sync_playwright() as playwright:
        # The pages shown are our own, and a sandbox needs rights that a container's root lacks.
        running = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own, empty but for the clips of `mini`: to draw one takes half a second."""
    own = tmp_path / "cache"
    own.mkdir()
    for name in ("mini", "drawn"):
        (cache_dir() / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        (own / name).symlink_to(cache_dir() / name)
    monkeypatch.setenv("ECVA_CACHE", str(own))
    return own


@pytest.fixture(scope="session")
def field_files() -> Path:
    """The folder of whole public annotation files, a folder for each publisher (not part of the project)."""
    return golden.find("field", "ECVA_FIELD")


@pytest.fixture(scope="session")
def shared_paper() -> Path:
    """The folder of the paper's tables and classes as numbers and names (not part of the project)."""
    return golden.find("paper", "ECVA_PAPER")
