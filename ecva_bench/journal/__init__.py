"""The results file: one JSON record per line, appended and synced by one writer, readable after any crash.

The first line is the run's manifest. Then come answers, errors, events and questions that cannot be asked, in the order
in which they happened, and an end record if the run ended by itself. A key is answered once; of two records with one
key the first answer counts. A run that adds samples to a file appends a manifest that lists what both owe: the last one
counts. Knows only the format: nothing of videos, models or scores.
"""

from ..errors import ResultsBusy
from .lines import is_results, newest_results
from .manifests import KEYED, SampleView, differences, sample_views
from .merging import merge_results
from .results import read_results, read_spent
from .writer import Journal, end_of, now, write_results, writer

__all__ = [
    "KEYED",
    "Journal",
    "ResultsBusy",
    "SampleView",
    "differences",
    "end_of",
    "is_results",
    "merge_results",
    "newest_results",
    "now",
    "read_results",
    "read_spent",
    "sample_views",
    "write_results",
    "writer",
]
