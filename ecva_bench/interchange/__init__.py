"""Answers made elsewhere, and answers for elsewhere: files of other programs read as runs, and runs written as theirs.

In four steps, a module or two each: a file is opened as rows (`opening`, `containers`, `nesting`; what is none is told
what it is by `kinds`), its fields are recognised (`columns` has the names, `mapping` chooses), its rows are joined with
the data set (`words`, `values`, `joining`), and a run is made of them (`imported`). `export` is the way back. Knows no
score and no model.
"""

from .export import default_name, export_results
from .imported import Imported, import_answers
from .mapping import parse_map
from .opening import open_answers
from .sources import AnswerSource

__all__ = [
    "AnswerSource",
    "Imported",
    "default_name",
    "export_results",
    "import_answers",
    "open_answers",
    "parse_map",
]
