"""Datasets behind one `load_dataset(source) -> Dataset`: ECVA, CUVA and the embedded split `mini`.

Public: `load_dataset` and `Dataset`; `check_numbering`, whether the videos are those that the annotations are of.
"""

from __future__ import annotations

from .dataset import Dataset
from .loading import DatasetSource, load_dataset
from .numbering import NumberingCheck, check_numbering

__all__ = ["Dataset", "DatasetSource", "NumberingCheck", "check_numbering", "load_dataset"]
