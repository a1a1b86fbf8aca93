"""The typed records that cross rooms. They know their shape and nothing else: no file, no video, no model.

Time is in seconds on the original timeline of a video. Every record is immutable; unknown fields of a newer
minor version are kept, so that rewriting a file loses nothing.
"""

from .annotations import Annotation, Label, Moment, Sample

__all__ = ["Annotation", "Label", "Moment", "Sample"]
