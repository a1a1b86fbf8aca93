"""Videos: exact frames at given instants, moments cut without re-encoding, samplers, typed errors for bad files."""

from . import samplers
from .video import Frames, Video

__all__ = ["Frames", "Video", "samplers"]
