"""Fixtures shared by all rooms."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

from tests import golden

# A busy machine is no failure: examples are bounded in number, not in time.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real annotations, answers and clips (not part of the project)."""
    return golden.find("data", "ECVA_DATA")


@pytest.fixture(scope="session")
def shared_golden() -> Path:
    """The folder of tensors and scores computed by the original programs (not part of the project)."""
    return golden.find("golden", "ECVA_GOLDEN")
