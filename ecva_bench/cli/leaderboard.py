"""`ecva-bench leaderboard`: rank scored runs, with the published rows beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ..untrusted import say, say_json, say_lines
from .named_files import UnseenOnly, each_run_once, unseen_scores
from .terminal import say_tables

if TYPE_CHECKING:
    from ..leaderboard.published import PublishedTable
    from ..leaderboard.submission import Submission
    from ..leaderboard.table import Table
    from ..verification.evidence import Evidence


Runs = Annotated[
    list[Path] | None,
    typer.Argument(
        help="Scores files, results files with their scores beside them, or submissions (.json).", show_default=False
    ),
]
Out = Annotated[Path | None, typer.Option(help="Folder to write every table to: Markdown, HTML, LaTeX, JSON, CSV.")]
Build = Annotated[
    Path | None,
    typer.Option(help="Write the leaderboards of every data set in this folder from its submissions, no more."),
]
Published = Annotated[
    bool, typer.Option(help="Show the paper's rows below ours, and those of other papers over the runs' data set.")
]
Verify = Annotated[
    bool, typer.Option("--verify", help="With --build: compute every score again, and rank verified ones alone.")
]
Answers = Annotated[
    list[Path] | None, typer.Option(help="Folder with more answers to verify by, found by hash; may be repeated.")
]
Data = Annotated[
    list[str] | None, typer.Option(help="Annotations to check and verify by, of a set not embedded; may be repeated.")
]
Form = Annotated[
    Literal["text", "md", "html", "tex", "csv", "json"], typer.Option("--format", help="Form to print in.")
]
Like = Annotated[
    Literal["table-3", "table-6", "table-8"] | None,
    typer.Option(help="With --format tex: this table of the paper, each run a bold row below.", show_default=False),
]
WithAnswers = Annotated[
    bool,
    typer.Option(
        "--with-answers",
        help="With --out: also write the page of the answers (`view`), and lead there from the numbers.",
    ),
]
Signers = Annotated[
    Path | None,
    typer.Option(
        help="With --verify: file of allowed signers, as ssh-keygen reads it, to check signatures by.",
        show_default=False,
    ),
]


def leaderboard_command(
    runs: Runs = None,
    published: Published = True,
    task: Annotated[str | None, typer.Option(help="Only this task.")] = None,
    out: Out = None,
    form: Form = "text",
    like: Like = None,
    build: Build = None,
    verify: Verify = False,
    answers: Answers = None,
    data: Data = None,
    unseen_only: UnseenOnly = False,
    allowed_signers: Signers = None,
    with_answers: WithAnswers = False,
) -> None:
    """Rank scored runs: one table per task, view, protocol, prompt and set of samples.

    Without files, the paper's tables alone. A submission that contradicts itself
    is refused. With --build and --verify, every score is computed again from the
    answers (<data set>/answers) and the judge's calls beside them; rows are
    marked verified, verified but for some metrics, or as stated, without a rank.

    Examples:

      ecva-bench leaderboard motion-mini.scores.jsonl constant-mini.scores.jsonl --task cause

      ecva-bench leaderboard *.scores.jsonl --out board

      ecva-bench leaderboard motion-mini.scores.jsonl --format tex --like table-3

      ecva-bench leaderboard --build leaderboards

      ecva-bench leaderboard --build leaderboards --verify --data annotations.xlsx
    """
    from ..leaderboard.board import leaderboards
    from ..leaderboard.files import written
    from ..leaderboard.like import table_like
    from ..leaderboard.published import published_tables, tables_of_others
    from ..tasks import find_tasks
    from ..verification.evidence import Evidence

    _check_like(like, form, elsewhere=bool(build or out or task))
    _check_answers(with_answers, out, runs or [])
    _check_options(build, verify, answers, allowed_signers, unseen_only)
    printed = published_tables() if published else []
    others = tables_of_others() if published else {}
    if build:
        _build(build, printed, others, Evidence(answers or (), data or (), allowed_signers), verify=verify)
        return
    named = unseen_scores(each_run_once(runs or []), unseen_only)
    submissions = _submissions(named, data or ())
    if like:
        say_lines(written([table_like(like, published_tables(), submissions)], form))
        return
    only = find_tasks([task])[0].name if task else None
    _print(leaderboards(submissions, published=printed, others=others, task=only), submissions, only, form)
    if out:
        files = dict(zip(named, submissions, strict=True))
        answered = _write_answers(files, data or (), out) if with_answers else {}
        _write(submissions, printed, others, only, out, answered)


def _print(tables: list[Table], submissions: Sequence[Submission], task: str | None, form: Form) -> None:
    """Print boards; in a terminal models x tasks first, of which other programs that read a form know nothing."""
    from ..leaderboard.files import written
    from ..leaderboard.overview import models_by_tasks

    if form == "text":
        say_tables([*models_by_tasks(submissions, task), *tables])
    else:
        (say_json if form == "json" else say_lines)(written(tables, form))


def _submissions(runs: list[Path], data: Sequence[str]) -> list[Submission]:
    from ..api.reading import read_run
    from ..data import load_dataset

    datasets = [load_dataset(one) for one in data]
    return [read_run(path, datasets) for path in runs]


def _check_like(like: str | None, form: str, *, elsewhere: bool) -> None:
    from ..errors import UsageError

    if like and (form != "tex" or elsewhere):
        remedy = "give it runs and --format tex, and leave out --build, --out and --task"
        raise UsageError("it prints a table of the paper in LaTeX", f"--like {like}", remedy)


def _check_answers(with_answers: bool, out: Path | None, runs: Sequence[Path]) -> None:
    from ..errors import UsageError
    from ..journal.lines import is_results

    if with_answers and not (out and any(path.exists() and is_results(path) for path in runs)):
        remedy = "name a folder with --out, and results files, which hold the answers"
        raise UsageError("there are no answers to lead to", "--with-answers", remedy)


def _check_options(
    build: Path | None, verify: bool, answers: list[Path] | None, allowed_signers: Path | None, unseen_only: bool
) -> None:
    from ..errors import UsageError

    if allowed_signers and not verify:
        raise UsageError("--allowed-signers is of --build --verify", allowed_signers, "add them, or leave it out")
    if (verify or answers) and not build:
        raise UsageError("--verify and --answers are of --build", remedy="name a folder with --build")
    if unseen_only and build:
        raise UsageError("--unseen-only is of runs that are named", build, "leave out --build")


def _write_answers(runs: Mapping[Path, Submission], data: Sequence[str], folder: Path) -> dict[str, str]:
    """Write the page of the runs' answers beside a board; return where each run's are, by its results file's hash."""
    from ..journal.lines import is_results
    from ..leaderboard.details import HASH
    from .view import open_dataset, write_answers

    files = [path for path in runs if is_results(path)]
    dataset = open_dataset(files, data[0] if data else None, None)
    page = write_answers(files, folder / "answers", dataset)
    say(f"wrote {page.folder / 'index.html'}")
    hashes = [runs[file].scores.results_sha256 for file in files]
    return {sha256: f"answers/index.html#run={sha256[:HASH]}" for sha256 in hashes}


def _write(
    submissions: Sequence[Submission],
    printed: list[PublishedTable],
    others: Mapping[str, Sequence[PublishedTable]],
    task: str | None,
    folder: Path,
    answers: Mapping[str, str],
) -> None:
    from ..api.boards import background
    from ..leaderboard.details import dataset_tables
    from ..leaderboard.files import write_leaderboards

    tables = dataset_tables(submissions, published=printed, others=others, known=background(answers), task=task)
    for path in write_leaderboards(tables, folder):
        say(f"wrote {path}")


def _build(
    folder: Path,
    printed: list[PublishedTable],
    others: Mapping[str, Sequence[PublishedTable]],
    evidence: Evidence,
    *,
    verify: bool,
) -> None:
    from ..api.boards import background
    from ..leaderboard.files import build_leaderboards

    read = evidence.read_verified if verify else evidence.read_as_stated
    for path in build_leaderboards(folder, published=printed, others=others, known=background(), read=read):
        say(f"wrote {path}")
    for note in evidence.notes:
        say(note)
    if not verify:
        say("scores are as stated: compute them again with --verify")
