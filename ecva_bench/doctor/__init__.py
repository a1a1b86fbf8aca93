"""What there is to work with, in seconds and without torch: extras, keys, GPUs, space, data, videos, weights.

Public: `examine`, which also says which command to type next, and `Examination`. No video is decoded.
"""

from .examining import Examination, examine
from .finding import Line

__all__ = ["Examination", "Line", "examine"]
