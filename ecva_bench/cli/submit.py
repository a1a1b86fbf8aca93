"""`ecva-bench submit`: put a scored run into the leaderboards' folder."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from ..untrusted import say
from .named_files import only_answers
from .score import Data

if TYPE_CHECKING:
    from ..data import Dataset
    from ..leaderboard.submission import Submission


_Results = Annotated[
    list[Path], typer.Argument(help="Results files of runs, or answers made elsewhere.", show_default=False)
]
_WithAnswers = Annotated[
    bool, typer.Option("--with-answers", help="Put the answers beside it, so that others can verify its scores.")
]
_JudgeCalls = Annotated[
    Path | None, typer.Option(help="The judge's calls, as score --judge-export wrote them.", show_default=False)
]
_Sign = Annotated[
    Path | None,
    typer.Option(help="SSH key to sign the submission and the judge's calls with.", show_default=False),
]
_Scores = Annotated[Path | None, typer.Option(help="The scores file, of one run. Default: the one beside each.")]


def submit_command(
    results: _Results,
    scores: _Scores = None,
    data: Data = None,
    to: Annotated[Path, typer.Option(help="Folder of the leaderboards.")] = Path("leaderboards"),
    hardware: Annotated[str | None, typer.Option(help="What the run ran on, for the cost table.")] = None,
    usd: Annotated[float | None, typer.Option(min=0, help="What the whole run cost, in US dollars.")] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace this model's submission of the same name.")
    ] = False,
    with_answers: _WithAnswers = False,
    judge_calls: _JudgeCalls = None,
    verify: Annotated[bool, typer.Option("--verify", help="Compute every score again first.")] = False,
    sign: _Sign = None,
) -> None:
    """Write a submission: scores, signatures, settings, coverage and every video's value.

    It goes to <to>/<data set>/submissions/<results file's name>.json. With
    --with-answers, the results file and the judge's calls go to
    <to>/<data set>/answers as they are: only with them, boards rank it
    (leaderboard --build <to> --verify). Answers quote annotations: mind their
    licence.

    A run that contradicts itself or its data set is refused. A submission that
    is there and says something else is left alone, unless it is to be replaced.

    Examples:

      ecva-bench submit motion-mini.jsonl

      ecva-bench submit motion-mini.jsonl --with-answers --verify

      ecva-bench submit motion-mini.jsonl --hardware "1x A100 80 GB" --usd 3.20
    """
    from ..data import load_dataset
    from ..errors import UsageError
    from ..leaderboard.submission import submission_path, write_submission
    from ..verification.evidence import copies, write_copies
    from ..verification.signatures import check_key

    results = only_answers(results)
    if len(results) > 1 and (scores or hardware or usd is not None):
        raise UsageError("--scores, --hardware and --usd are of one run", remedy="submit the runs one by one")
    if judge_calls and not (verify or with_answers):
        remedy = "add --with-answers, which puts them beside it, or --verify"
        raise UsageError("nothing uses the judge's calls of --judge-calls", judge_calls, remedy)
    if sign:
        check_key(sign)
    dataset = load_dataset(data) if data else None
    for file in results:
        made = _submission(file, scores, dataset, hardware, usd, calls=judge_calls, verify=verify, carried=with_answers)
        beside = copies(submission_path(made, to), file, judge_calls) if with_answers else {}
        path = write_submission(made, to, replace=replace)
        write_copies(beside)
        for written in (path, *beside):
            say(f"wrote {written}")
        _sign(path, beside, sign)
        if made.dataset.renamed:
            say(f"data set: {made.dataset}")
    say(f"next: ecva-bench leaderboard --build {quote(str(to))}{' --verify' if with_answers else ''}")


def _sign(submission: Path, beside: Collection[Path], key: Path | None) -> None:
    """Sign what was written; without a key, say which signatures are of what stood there before."""
    from ..verification.signatures import sign, signature_path

    for file in (submission, *(copy for copy in beside if copy.name.endswith(".judge.jsonl"))):
        signature = signature_path(file)
        if key:
            say(f"wrote {sign(file, key)}")
        elif signature.exists() and signature not in beside:
            say(f"beware: {signature} may be of what stood there before: sign with --sign KEY", error=True)


def _submission(
    results: Path,
    scores: Path | None,
    data: Dataset | None,
    hardware: str | None,
    usd: float | None,
    *,
    calls: Path | None,
    verify: bool,
    carried: bool,
) -> Submission:
    """Return the submission of a run, once it was checked and, where that is wanted, scored again."""
    from ..api.calls import read_answer_file, read_scored
    from ..errors import UsageError
    from ..journal.lines import is_results
    from ..leaderboard.submission import submission
    from ..scoring.files import read_scores
    from ..scoring.unseen import without_videos
    from ..verification.examining import check_answers, data_set_at_hand
    from ..verification.rescoring import verify as verified
    from ..verification.rows import check_row

    if (verify or carried) and results.exists() and not is_results(results):
        remedy = f"import them first: ecva-bench import {quote(str(results))}"
        raise UsageError("only answers in a results file can be verified", results, remedy)
    datasets = [] if data is None else [data]
    answers = read_answer_file(results, data)
    check_answers(answers)
    scored = read_scores(scores) if scores else read_scored(results, datasets, answers)
    if (left_out := scored.header.unseen_only) is not None:
        answers = without_videos(answers, left_out)
    made = submission(scored, answers, hardware=hardware, usd=usd)
    dataset = data_set_at_hand(made.dataset, datasets)
    check_row(made, results, dataset)
    if verify:
        found = verified(made, results, answers=results, calls=calls, dataset=dataset)
        say(f"{found.text}: {found.why}" if found.why else found.text)
    return made
