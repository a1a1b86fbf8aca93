"""Where the cases lie that came with what they should give: `../shared/cases` beside the checkout, or `ECVA_CASES`."""

from __future__ import annotations

from pathlib import Path

from .golden import find


def case(name: str) -> Path:
    """Return the folder of one case, or skip the test with the reason."""
    return find("cases", "ECVA_CASES") / name
