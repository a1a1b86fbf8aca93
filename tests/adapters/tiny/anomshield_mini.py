"""AnomShield mini with the weights of the package: it is tiny as it is."""

from __future__ import annotations

from pathlib import Path

from ecva_bench.adapters.anomshield_mini.adapter import WEIGHTS


def build(folder: Path) -> dict[str, str]:
    """Return the options that name the checkpoint."""
    return {"model_path": str(WEIGHTS), "device": "cpu", "max_new_tokens": "8"}
