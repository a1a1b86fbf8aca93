"""Videos: exact frames at given instants, moments cut without re-encoding, samplers, typed errors for bad files."""

from . import samplers
from .probing import Probe, probe, stated_duration
from .video import Frames, Video, decoder_version

__all__ = ["Frames", "Probe", "Video", "decoder_version", "probe", "samplers", "stated_duration"]
