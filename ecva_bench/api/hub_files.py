"""What is pushed to the hub of a folder of leaderboards: a data set's submissions, their page, and answers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from ..errors import ResultsError, UsageError
from ..leaderboard.files import TITLE, page_tables, written
from ..leaderboard.page import as_html
from ..leaderboard.published import published_tables, tables_of_others
from ..leaderboard.submission import read_submissions
from .boards import background

# Of a new repository.
_CARD = """---
{head}
---

# {title}

Scores of `ecva-bench`. In the folder of a data set, `submissions` holds a file for each run, with its settings and the
value of every video; `leaderboard.html` is their page. Answers lie in `answers`, where they were submitted, so that
their scores can be computed again: `ecva-bench leaderboard --build . --verify`. Answers quote annotations, whose
licence is that of their data set.
"""


def hub_commits(folders: Mapping[Path, Collection[Path]], *, space: bool) -> dict[str, dict[str, bytes]]:
    """Return the files of `<leaderboards>/<data set>` by commit and path: submissions with their page, then answers.

    Each folder has those of its answers that are to go with it. Raises `UsageError` where a Space would show several
    data sets, and `ResultsError` for a file that cannot be read.
    """
    if space and len(folders) > 1:
        raise UsageError("a Space shows the board of one data set", "--hub", "submit the runs of each by themselves")
    found: dict[str, dict[str, bytes]] = {}
    for folder, answers in folders.items():
        found |= _commits_of(folder, answers, space=space)
    return found


def _commits_of(folder: Path, answers: Collection[Path], *, space: bool) -> dict[str, dict[str, bytes]]:
    """Return the commits of one data set; each file of answers has one of its own, for it may be large."""
    dataset = folder.name
    found = read_submissions(folder)
    others = tables_of_others().get(dataset, ())
    tables = page_tables(dataset, found, published=published_tables(), others=others, known=background())
    title = f"{TITLE}: {dataset}"
    page = as_html(tables, title=title).encode()
    files = {
        f"{dataset}/leaderboard.html": page,
        f"{dataset}/leaderboard.md": f"# {title}\n\n{written(tables, 'md')}".encode(),
    }
    try:
        for path in sorted((folder / "submissions").glob("*.json*")):
            files[f"{dataset}/submissions/{path.name}"] = path.read_bytes()
        carried = {f"{dataset}/answers/{path.name}": path.read_bytes() for path in sorted(answers)}
    except OSError as error:
        raise ResultsError("a file to push cannot be read", error.filename, "check the path") from error
    if space:
        files["index.html"] = page.replace(b'href="submissions/', f'href="{dataset}/submissions/'.encode())
    first = {f"{title}, {len(found)} submitted": files}
    return first | {f"Answers: {path}": {path: content} for path, content in carried.items()}


def card(datasets: Iterable[str], *, space: bool) -> bytes:
    """Return the README of a new repository."""
    title = f"{TITLE}: {', '.join(datasets)}"
    head = f'title: "{title}"' + ("\nsdk: static\napp_file: index.html" if space else "")
    return _CARD.format(head=head, title=title).encode()
