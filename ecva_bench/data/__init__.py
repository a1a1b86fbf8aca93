"""Datasets behind one `load_dataset(source) -> Dataset`: ECVA, CUVA and the embedded split `mini`."""

from .dataset import Dataset
from .loading import load_dataset

__all__ = ["Dataset", "load_dataset"]
