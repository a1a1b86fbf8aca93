"""What a run is made with: this package, Python, the machine's system, and the libraries that may change an answer."""

from __future__ import annotations

import platform
from typing import Any

from ..libraries import versions_of
from ..version import __version__

# Packages that may change an answer: those that decode, prepare pictures and texts, and compute.
_PACKAGES = (
    "accelerate", "av", "mamba-ssm", "numpy", "peft", "pillow", "sentencepiece", "timm", "tokenizers", "torch",
    "torchvision", "transformers", "vllm",
)  # fmt: skip


def run_environment() -> dict[str, Any]:
    """Return the versions, for the manifest; they are no part of what identifies a run."""
    return {
        "ecva_bench": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": versions_of(*_PACKAGES),
    }
