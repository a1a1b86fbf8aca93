"""Leaderboards on disk: the same tables in every form, and the folders that are built from submissions.

A folder of leaderboards holds one folder per data set: `submissions/*.json` go in, `leaderboard.*` and `csv/*` come
out. The same submissions write the same bytes: nothing that is written knows the time or the machine.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from ..errors import ResultsError, UsageError
from ..writing import write_whole
from .background import NOTHING_KNOWN, Background
from .details import dataset_tables
from .forms import as_csv, as_json, as_markdown, as_text
from .latex import PACKAGES, as_latex
from .page import as_html
from .printed import published_boards
from .published import PUBLISHED_DATASET, WITH_PUBLISHED, PublishedTable
from .reproduction import reproduction_tables
from .submission import Submission, read_submission, read_submissions
from .table import Table

Form = Literal["text", "md", "html", "tex", "csv", "json"]

TITLE = "Leaderboards"
REPRODUCED = "Reproduction of the paper's figures"


def written(tables: Sequence[Table], form: Form) -> str:
    """Return tables in one of the forms they are written in."""
    match form:
        case "text":
            return "\n".join(map(as_text, tables))
        case "md":
            return "\n".join(map(as_markdown, tables))
        case "csv":
            return "\n".join(map(as_csv, tables))
        case "tex":
            return PACKAGES + "\n" + "\n".join(map(as_latex, tables))
        case "html":
            return as_html(tables, title=TITLE)
        case "json":
            return as_json(tables)


def write_leaderboards(tables: Sequence[Table], folder: Path, *, title: str = TITLE) -> list[Path]:
    """Write `leaderboard.md`, `.html`, `.tex` and `.json`, and a CSV file per table in `csv`; return the paths.

    Raises `ResultsError` where the folder cannot be written to.
    """
    texts = {
        "leaderboard.md": f"# {title}\n\n" + written(tables, "md"),
        "leaderboard.html": as_html(tables, title=title),
        "leaderboard.tex": written(tables, "tex"),
        "leaderboard.json": as_json(tables),
    }
    for table in tables:
        texts[_free_name(table.title, texts)] = as_csv(table)
    return _write(texts, folder)


def _write(texts: Mapping[str, str], folder: Path) -> list[Path]:
    paths = []
    try:
        for name, text in texts.items():
            path = folder / name
            write_whole(path, text)
            paths.append(path)
    except OSError as error:
        raise ResultsError("the leaderboards cannot be written", folder, f"name another folder ({error})") from None
    return paths


def build_leaderboards(
    folder: Path,
    *,
    published: Sequence[PublishedTable],
    others: Mapping[str, Sequence[PublishedTable]] | None = None,
    known: Background = NOTHING_KNOWN,
    read: Callable[[Path], Submission] = read_submission,
) -> list[Path]:
    """Write the leaderboards of every data set in a folder from its submissions; return the paths.

    `read` reads a submission, and may refuse or verify it. The published tables make up the page of their data set,
    with its submissions where it has some; where the answers that the authors released are among the submissions, also
    `reproduction.md` and `.html`. `others` are tables of other papers, by the data set whose page they make up, or end.
    CSV files of tables that are no more are removed. Raises `UsageError` where there is no such folder, and
    `ResultsError` for a submission that cannot be read, or a folder that cannot be written to.
    """
    if not folder.is_dir():
        raise UsageError("there is no such folder", folder, "name the folder that holds <data set>/submissions")
    datasets = {path.parent.name for path in folder.glob("*/submissions")}
    if published:
        datasets.add(PUBLISHED_DATASET)
    others = others or {}
    datasets |= others.keys()
    paths: list[Path] = []
    submissions = {dataset: read_submissions(folder / dataset, read) for dataset in sorted(datasets)}
    for dataset, found in submissions.items():
        tables = page_tables(dataset, found, published=published, others=others.get(dataset, ()), known=known)
        current = write_leaderboards(tables, folder / dataset, title=f"{TITLE}: {dataset}")
        for old in set((folder / dataset / "csv").glob("*.csv")) - set(current):
            old.unlink()
        paths += current
    of_paper = [one for dataset in WITH_PUBLISHED for one in submissions.get(dataset, ())]
    again = reproduction_tables(published, of_paper) if published else []
    return [*paths, *(_write_reproduction(again, folder) if again else [])]


def page_tables(
    dataset: str,
    found: Sequence[Submission],
    *,
    published: Sequence[PublishedTable],
    others: Sequence[PublishedTable],
    known: Background,
) -> list[Table]:
    """Return the tables of a data set's page.

    `published` are the paper's, which stand beside its runs; `others` those of other papers over this data set, which
    make up the page, or end it.
    """
    beside = published if dataset in WITH_PUBLISHED else ()
    tables = dataset_tables(found, published=beside or (() if found else others), known=known)
    return [*tables, *(published_boards(others) if found else [])]


def _write_reproduction(tables: Sequence[Table], folder: Path) -> list[Path]:
    texts = {
        "reproduction.md": f"# {REPRODUCED}\n\n" + written(tables, "md"),
        "reproduction.html": as_html(tables, title=REPRODUCED),
    }
    return _write(texts, folder)


def _free_name(title: str, taken: Mapping[str, str]) -> str:
    stem = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
    names = (f"csv/{stem}.csv" if number == 1 else f"csv/{stem}-{number}.csv" for number in range(1, len(taken) + 2))
    return next(name for name in names if name not in taken)
