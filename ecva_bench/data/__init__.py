"""Datasets behind one `load_dataset(source) -> Dataset`: ECVA, CUVA, the embedded split `mini` and its twins."""

from .dataset import Dataset
from .loading import load_dataset

__all__ = ["Dataset", "load_dataset"]
