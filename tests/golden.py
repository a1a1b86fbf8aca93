"""Where the material outside the project lies: real data, and files computed by the original programs.

Both are looked for beside the checkout (`../shared`), or in the folders named by `ECVA_DATA` and `ECVA_GOLDEN`; whole
annotation files of the field, as they are published, in that named by `ECVA_FIELD`, and the paper's tables and classes
in that named by `ECVA_PAPER`. A test that needs one that is absent is skipped with the reason.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_SHARED = Path(__file__).resolve().parent.parent.parent / "shared"


def find(folder: str, variable: str) -> Path:
    """Return the folder named by the environment variable, or the one beside the checkout, or skip the test."""
    path = Path(os.environ.get(variable, _SHARED / folder))
    if not path.is_dir():
        pytest.skip(f"no folder {path}; name it in {variable}")
    return path
