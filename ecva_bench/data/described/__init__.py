"""Data sets by description: one file says what the columns of an annotation file mean, and no Python is needed."""

from .loading import Shipped, is_description, load_described_file

__all__ = ["Shipped", "is_description", "load_described_file"]
