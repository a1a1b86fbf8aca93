"""Inputs that were read wrongly once, each with the right value: beside the checkout, or where ECVA_CASES says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def case(name: str) -> Path:
    """Return the folder of a case; skips the test where it is not at hand."""
    folder = Path(os.environ.get("ECVA_CASES") or ROOT.parent / "shared" / "cases") / name
    if not folder.is_dir():
        pytest.skip(f"no case {name} at {folder}: set ECVA_CASES")
    return folder
