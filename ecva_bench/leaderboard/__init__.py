"""Tables from scores: the score sheet of a run, leaderboards over runs, and the paper's tables beside them.

`score_sheets` and `leaderboards` return `Table` objects; `as_text`, `as_markdown` and `as_csv` write them.
"""

from .board import leaderboards
from .files import write_leaderboards
from .published import PublishedTable, published_tables
from .sheet import score_sheets
from .table import Cell, Table, as_csv, as_markdown, as_text

__all__ = [
    "Cell",
    "PublishedTable",
    "Table",
    "as_csv",
    "as_markdown",
    "as_text",
    "leaderboards",
    "published_tables",
    "score_sheets",
    "write_leaderboards",
]
