"""Datasets behind one `load(source) -> Dataset`: ECVA, CUVA and the embedded split `mini`.

Public: `load`, `Dataset`, and `read_released_answers` for the authors' answer files.
"""

from __future__ import annotations

from .dataset import Dataset
from .loading import Source, load
from .released import read_released_answers

__all__ = ["Dataset", "Source", "load", "read_released_answers"]
