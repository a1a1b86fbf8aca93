"""Datasets behind one `load_dataset(source) -> Dataset`: ECVA, CUVA and the embedded split `mini`.

Public: `load_dataset` and `Dataset`.
"""

from __future__ import annotations

from .dataset import Dataset
from .loading import DatasetSource, load_dataset

__all__ = ["Dataset", "DatasetSource", "load_dataset"]
