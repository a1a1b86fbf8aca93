"""Datasets behind one `load_dataset(source) -> Dataset`: ECVA, CUVA and the embedded split `mini`.

Public: `load_dataset`, `Dataset`, and `read_released_answers` for the authors' answer files.
"""

from __future__ import annotations

from .dataset import Dataset
from .loading import DatasetSource, load_dataset
from .released import read_released_answers

__all__ = ["Dataset", "DatasetSource", "load_dataset", "read_released_answers"]
