"""Where inputs lie that were once read wrongly, each with its right value: beside the checkout, or in `ECVA_CASES`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import golden


def case(name: str) -> Path:
    """Return the folder of a case; a test that needs one that is absent is skipped with the reason."""
    path = golden.find("cases", "ECVA_CASES") / name
    if not path.is_dir():
        pytest.skip(f"no case {path}")
    return path
