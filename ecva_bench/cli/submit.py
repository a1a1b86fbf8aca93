"""`ecva-bench submit`: put a scored run into the leaderboards' folder."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from ..untrusted import say
from .hub import push_folders
from .named_files import only_answers
from .score import Data

if TYPE_CHECKING:
    from ..data import Dataset
    from ..leaderboard.submission import Submission
    from ..publishing import HubPush


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
_Hub = Annotated[
    str | None,
    typer.Option(help="Push to a data set of the hub, OWNER/NAME, or to spaces/OWNER/NAME.", show_default=False),
]
_Replace = Annotated[bool, typer.Option("--replace", help="Replace this model's submission of the same name.")]
_Public = Annotated[bool, typer.Option("--public", help="Everybody may read what --hub pushes.")]
_Scores = Annotated[Path | None, typer.Option(help="The scores file, of one run. Default: the one beside each.")]


def submit_command(
    results: _Results,
    scores: _Scores = None,
    data: Data = None,
    to: Annotated[Path, typer.Option(help="Folder of the leaderboards.")] = Path("leaderboards"),
    hardware: Annotated[str | None, typer.Option(help="What the run ran on, for the cost table.")] = None,
    usd: Annotated[float | None, typer.Option(min=0, help="What the whole run cost, in US dollars.")] = None,
    replace: _Replace = False,
    with_answers: _WithAnswers = False,
    judge_calls: _JudgeCalls = None,
    verify: Annotated[bool, typer.Option("--verify", help="Compute every score again first.")] = False,
    sign: _Sign = None,
    hub: _Hub = None,
    public: _Public = False,
) -> None:
    """Write a submission: scores, signatures, settings, coverage and every video's value.

    It goes to <to>/<data set>/submissions/<results file's name>.json. With
    --with-answers, the results file and the judge's calls go to
    <to>/<data set>/answers as they are: only with them, boards rank it
    (leaderboard --build <to> --verify). Answers quote annotations: mind their
    licence.

    With --hub, the data set's submissions, a page of them, and these answers
    are pushed, to a private repository unless --public. The token is HF_TOKEN,
    or that of `hf auth login`.

    A run that contradicts itself or its data set is refused. A submission that
    is there and says something else is left alone, unless it is to be replaced.

    Examples:

      ecva-bench submit motion-mini.jsonl

      ecva-bench submit motion-mini.jsonl --with-answers --verify

      ecva-bench submit motion-mini.jsonl --hardware "1x A100 80 GB" --usd 3.20

      ecva-bench submit motion-mini.jsonl --with-answers --hub spaces/me/my-board
    """
    from ..data import load_dataset
    from ..errors import UsageError

    results = only_answers(results)
    if len(results) > 1 and (scores or hardware or usd is not None):
        raise UsageError("--scores, --hardware and --usd are of one run", remedy="submit the runs one by one")
    _check_use(judge_calls, sign, used=verify or with_answers)
    target = _hub(hub, public=public)
    dataset = load_dataset(data) if data else None
    folders: dict[Path, list[Path]] = {}
    for file in results:
        made = _submission(file, scores, dataset, hardware, usd, calls=judge_calls, verify=verify, carried=with_answers)
        path, beside = _write(made, to, file if with_answers else None, judge_calls, sign, replace=replace)
        folders.setdefault(path.parent.parent, []).extend(beside)
    if target:
        push_folders(target, folders)
        return
    say(f"next: ecva-bench leaderboard --build {quote(str(to))}{' --verify' if with_answers else ''}")


def _write(
    made: Submission, to: Path, answers: Path | None, calls: Path | None, key: Path | None, *, replace: bool
) -> tuple[Path, list[Path]]:
    """Write and sign a submission and what goes beside it, and return both; `answers` is None where nothing does."""
    from ..leaderboard.submission import submission_path, write_submission
    from ..verification.evidence import copies, write_copies

    beside = copies(submission_path(made, to), answers, calls) if answers else {}
    path = write_submission(made, to, replace=replace)
    write_copies(beside)
    for written in (path, *beside):
        say(f"wrote {written}")
    _sign(path, beside, key)
    if made.dataset.renamed:
        say(f"data set: {made.dataset}")
    return path, list(beside)


def _check_use(judge_calls: Path | None, key: Path | None, *, used: bool) -> None:
    """Raise `UsageError` for a judge's calls that nothing uses, and for a key that is none."""
    from ..errors import UsageError
    from ..verification.signatures import check_key

    if judge_calls and not used:
        remedy = "add --with-answers, which puts them beside it, or --verify"
        raise UsageError("nothing uses the judge's calls of --judge-calls", judge_calls, remedy)
    if key:
        check_key(key)


def _hub(place: str | None, *, public: bool) -> HubPush | None:
    """Return the client for what is to be pushed, before anything is written; None where nothing is."""
    from ..errors import UsageError
    from ..publishing import HubPush, HubRepository

    if place is None and public:
        raise UsageError("--public is of what is pushed", "--public", "add --hub OWNER/NAME")
    return HubPush(HubRepository.parse(place), public=public) if place is not None else None


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
    from ..api.reading import read_answer_file, read_scored
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
