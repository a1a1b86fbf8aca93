"""Tables from scores: the score sheet of a run, what to report of it, leaderboards, and the paper's tables beside them.

`score_sheets`, `leaderboards` and `dataset_tables` return `Table` objects; `as_text`, `as_markdown`, `as_csv`,
`as_json`, `as_latex` and `as_html` write them. A leaderboard is made of submissions, each of which `submission` makes
of a scored run.
"""

from .board import leaderboards
from .details import dataset_tables
from .files import build_leaderboards, write_leaderboards, written
from .forms import as_csv, as_json, as_markdown, as_text
from .headline import headline_table
from .latex import as_latex
from .page import as_html
from .published import PublishedTable, published_tables
from .sheet import score_sheets
from .submission import Submission, read_submission, submission, write_submission
from .table import Cell, Table
from .values import sample_values

__all__ = [
    "Cell",
    "PublishedTable",
    "Submission",
    "Table",
    "as_csv",
    "as_html",
    "as_json",
    "as_latex",
    "as_markdown",
    "as_text",
    "build_leaderboards",
    "dataset_tables",
    "headline_table",
    "leaderboards",
    "published_tables",
    "read_submission",
    "sample_values",
    "score_sheets",
    "submission",
    "write_leaderboards",
    "write_submission",
    "written",
]
