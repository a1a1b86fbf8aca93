"""Scores files and submissions that were changed since they were written: `score` and `submit` can write them again."""

from __future__ import annotations

from pathlib import Path

from ..errors import ResultsError
from ..leaderboard.submission import read_submission
from ..scoring.files import read_scores

_HEAD = 1 << 16  # bytes in which a scores file or a submission tells what it is
_OF_DERIVED = (b'"ecva.scores/', b'"ecva.submission/', b'"seal":"', b'"answers_sha256"')  # one may be damaged


def damage_of(file: Path) -> str | None:
    """Return what is wrong with a scores file or a submission, None where nothing is.

    Raises `ResultsError` for a file of another kind, which nobody can write again.
    """
    try:
        if file.suffix == ".json":
            read_submission(file)
        else:
            read_scores(file)
    except ResultsError as error:
        if not _is_ours(file):
            what = "this is neither a results file nor a scores file nor a submission"
            raise ResultsError(what, file, "name one of these") from error
        return error.what
    return None


def set_aside(file: Path) -> Path:
    """Move a file to `<file>.quarantined`; return that. Raises `ResultsError` where there is such a file already."""
    target = file.with_name(f"{file.name}.quarantined")
    if target.exists():
        raise ResultsError("there is a quarantined file already", target, "move it elsewhere")
    file.rename(target)
    return target


def _is_ours(file: Path) -> bool:
    """Return whether a file, a damaged one too, is of scores or a submission; no others can be written again."""
    with file.open("rb") as content:
        head = content.read(_HEAD)
    return b'"ecva.judge/' not in head and any(mark in head for mark in _OF_DERIVED)
