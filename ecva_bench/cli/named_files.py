"""The files that a command is given, as a shell's `*.jsonl` names them: results, and what lies beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..untrusted import say

UnseenOnly = Annotated[
    bool, typer.Option("--unseen-only", help="Take of results files the scores that `score --unseen-only` wrote.")
]


def only_answers(files: list[Path]) -> list[Path]:
    """Return the files less this program's others, such as scores, and say which were passed over.

    All of them are returned where none would be left: each is refused where it is read.
    """
    from ..interchange.kinds import kind_of_ours

    kinds = {file: kind_of_ours(file) for file in files}
    if all(kinds.values()):
        return files
    _say({file: kind for file, kind in kinds.items() if kind})
    return [file for file in files if not kinds[file]]


def each_run_once(files: list[Path]) -> list[Path]:
    """Return the files less the scores files whose results are named too, and say which were passed over."""
    from ..scoring.files import scores_path

    beside = {scores_path(file, "standard", unseen_only=unseen): file for file in files for unseen in (False, True)}
    _say({file: f"the scores of {beside[file]}, which is named too" for file in files if file in beside})
    return [file for file in files if file not in beside]


def unseen_scores(files: list[Path], unseen_only: bool) -> list[Path]:
    """Return files, with `unseen_only` in place of each results file its scores of `score --unseen-only`.

    Raises `UsageError` where a results file has none.
    """
    from ..journal.lines import is_results

    return [_scores_of_unseen(file) if unseen_only and is_results(file) else file for file in files]


def _scores_of_unseen(results: Path) -> Path:
    from ..errors import UsageError
    from ..scoring.files import scores_path

    scores = scores_path(results, "standard", unseen_only=True)
    if not scores.exists():
        remedy = "name all runs that are to be compared: ecva-bench score FILE… --unseen-only"
        raise UsageError("the answers about unseen videos are not scored yet", results, remedy)
    return scores


def _say(passed_over: dict[Path, str]) -> None:
    for file, kind in passed_over.items():
        say(f"passed over: {file}: {kind}", error=True)
