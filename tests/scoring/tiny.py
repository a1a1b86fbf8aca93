"""Tiny random checkpoints for every scorer that is a network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from .tiny_bleurt import save_rembert
from .tiny_moverscore import save_distilbert
from .tiny_unieval import save_t5

SAVE: dict[str, Callable[[Path], Path]] = {
    "bleurt": save_rembert,
    "moverscore": save_distilbert,
    "unieval": save_t5,
    "unieval-sum": save_t5,
}
