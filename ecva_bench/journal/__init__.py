"""The results file: one JSON record per line, appended and synced by one writer, readable after any crash.

The first line is the run's manifest. Then come answers, errors, events and questions that cannot be asked, in the order
in which they happened, and an end record if the run ended by itself. A key is answered once; of two records with one
key the first answer counts. A run that adds samples to a file appends a manifest that lists what both owe: the last one
counts. Knows only the format: nothing of videos, models or scores.
"""
