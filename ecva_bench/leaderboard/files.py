"""Leaderboards on disk: all tables in one Markdown file, and each in a CSV file of its own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from .table import Table, as_csv, as_markdown


def write_leaderboards(tables: Sequence[Table], folder: Path) -> list[Path]:
    """Write `leaderboard.md` and one CSV file per table, named after its title; return the paths.

    The same tables write the same bytes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    texts = {"leaderboard.md": "# Leaderboards\n\n" + "\n".join(map(as_markdown, tables))}
    for table in tables:
        texts[_free_name(table.title, texts)] = as_csv(table)
    paths = []
    for name, text in texts.items():
        path = folder / name
        path.write_text(text, encoding="utf-8", newline="")
        paths.append(path)
    return paths


def _free_name(title: str, taken: dict[str, str]) -> str:
    stem = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
    names = (f"{stem}.csv" if number == 1 else f"{stem}-{number}.csv" for number in range(1, len(taken) + 2))
    return next(name for name in names if name not in taken)
