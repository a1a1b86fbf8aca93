"""Tables as they fit the terminal that is written to."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..untrusted import say_lines

if TYPE_CHECKING:
    from ..leaderboard.table import Table


def say_tables(tables: Iterable[Table]) -> None:
    """Print tables: no line is wider than the terminal; where there is none, such as in a file, all are whole."""
    from ..leaderboard.forms import as_text

    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    say_lines("\n".join(as_text(table, width) for table in tables))
