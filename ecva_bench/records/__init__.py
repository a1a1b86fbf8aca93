"""The typed records that cross rooms. They know their shape and nothing else: no file, no video, no model.

Time is in seconds on the original timeline of a video. Every record is immutable; unknown fields of a newer
minor version are kept, so that rewriting a file loses nothing.
"""

from __future__ import annotations

from .annotations import REFERENCES, Annotation, Finding, Label, Moment, Review, Sample, format_moments
from .answers import (
    RESULTS_SCHEMA,
    Answer,
    End,
    Event,
    Failure,
    Lacking,
    Manifest,
    Results,
    SeenFrames,
    Unasked,
    finish_of,
)
from .base import Action, Count, Measured, Record, View, canonical_json, sha256_of
from .identity import CUVA_WORKBOOK, DatasetIdentity
from .scores import SCORES_SCHEMA, Aggregate, Coverage, JudgedPart, Reading, Score, Scores, ScoresHeader, Summary

__all__ = [
    "CUVA_WORKBOOK",
    "REFERENCES",
    "RESULTS_SCHEMA",
    "SCORES_SCHEMA",
    "Action",
    "Aggregate",
    "Annotation",
    "Answer",
    "Count",
    "Coverage",
    "DatasetIdentity",
    "End",
    "Event",
    "Failure",
    "Finding",
    "JudgedPart",
    "Label",
    "Lacking",
    "Manifest",
    "Measured",
    "Moment",
    "Reading",
    "Record",
    "Results",
    "Review",
    "Sample",
    "Score",
    "Scores",
    "ScoresHeader",
    "SeenFrames",
    "Summary",
    "Unasked",
    "View",
    "canonical_json",
    "finish_of",
    "format_moments",
    "sha256_of",
]
