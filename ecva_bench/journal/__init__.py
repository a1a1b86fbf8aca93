"""The results file: one JSON record per line, appended and synced by one writer, readable after any crash.

The first line is the run's manifest, then answers, errors, events and what cannot be asked, in the order they happened,
then an end record if the run came to its end. A key is answered once; of two records with one key the first answer
counts. A run that takes up a file of which the manifest owes another list appends its own: the last one counts. Knows
the format only: nothing of videos, models or scores.
"""

from ..errors import ResultsBusy
from .lines import differences, is_results
from .merging import merge_results
from .results import read_results
from .writer import Journal, end_of, now, write_results, writer

__all__ = [
    "Journal",
    "ResultsBusy",
    "differences",
    "end_of",
    "is_results",
    "merge_results",
    "now",
    "read_results",
    "write_results",
    "writer",
]
