"""Datasets behind one `load_dataset(source) -> Dataset`: ECVA, CUVA and the embedded split `mini`.

Public: `load_dataset` and `Dataset`.
"""

from __future__ import annotations

from .dataset import Dataset
from .loading import Source, load_dataset

__all__ = ["Dataset", "Source", "load_dataset"]
