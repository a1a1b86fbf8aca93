"""Datasets behind one `load(source) -> Dataset`: ECVA, CUVA and the embedded split `mini`.

Public: `load` and `Dataset`.
"""

from __future__ import annotations

from .dataset import Dataset
from .loading import load

__all__ = ["Dataset", "load"]
