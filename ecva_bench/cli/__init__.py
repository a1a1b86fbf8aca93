"""The command line: parse, call one function, print. No logic, and no heavy import before a command runs.

Exit codes: 0 done, 1 a check failed, 2 the request cannot be met as it stands, 3 it ended with something missing
(answers of a run, calls that a budget did not cover, videos to decide a strict gate), 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from functools import partial
from io import TextIOWrapper
from types import TracebackType
from typing import Annotated

import typer

from ..libraries import VERBOSE, quiet
from ..untrusted import say, say_lines
from . import (
    annotate,
    audit,
    check_fast,
    compare,
    data,
    doctor,
    export,
    gate,
    import_answers,
    judge_audit,
    leaderboard,
    listing,
    merge,
    meta_eval,
    models,
    plan,
    repair,
    report,
    run,
    score,
    serve_hint,
    submit,
    summary,
    train,
    view,
)
from .naming import NamingCommand, with_options

app = typer.Typer(
    name="ecva-bench",
    help="Evaluate how well video-language models understand the causes of video anomalies (ECVA, CUVA).",
    epilog="Start with: ecva-bench run --model motion --task cause, then: ecva-bench score",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
_command = partial(app.command, cls=NamingCommand)
_command("run")(run.run_command)
_command("plan")(plan.plan_command)
_command("doctor")(doctor.doctor_command)
_command("repair")(repair.repair_command)
_command("merge")(merge.merge_command)
_command("import")(import_answers.import_command)
_command("export")(export.export_command)
_command("check-fast")(check_fast.check_fast_command)
_command("score")(score.score_command)
_command("summary")(summary.summary_command)
_command("view")(view.view_command)
_command("report")(report.report_command)
_command("submit")(submit.submit_command)
_command("leaderboard")(leaderboard.leaderboard_command)
_command("compare")(compare.compare_command)
_command("gate")(gate.gate_command)
_command("audit")(audit.audit_command)
_command("judge-audit")(judge_audit.judge_audit_command)
_command("meta-eval")(meta_eval.meta_eval_command)
_command("train")(train.train_command)
_command("serve-hint")(serve_hint.serve_hint_command)
_command("tasks")(listing.tasks_command)
_command("scorers")(listing.scorers_command)
app.add_typer(data.app, name="data")
app.add_typer(annotate.app, name="annotate")
app.add_typer(models.app, name="models")


def _version(wanted: bool) -> None:
    if wanted:
        from ..version import __version__

        say(f"ecva-bench {__version__}")
        raise typer.Exit


@app.callback()
def _program(
    context: typer.Context,
    _: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_version, is_eager=True)
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Show also what libraries say, such as warnings of transformers.")
    ] = False,
) -> None:
    """Take the options of the program itself."""
    if verbose:
        os.environ[VERBOSE] = "1"  # for workers too
    context.with_resource(quiet())


def main() -> None:
    """Run the command line; errors raised on purpose, and the system's, are shown as one line, without a traceback."""
    from ..errors import EcvaError, ModelGone, WorkerLost

    sys.excepthook = _say_fault
    if isinstance(sys.stdout, TextIOWrapper):  # a terminal that has not all letters shows the others by their number
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        app()
    except EcvaError as error:
        say(f"error: {with_options(error, str(error))}", error=True)
        raise SystemExit(3 if isinstance(error, ModelGone | WorkerLost) else 2) from error
    except ModuleNotFoundError as error:
        if (error.name or "").startswith(__package__.partition(".")[0]):
            raise
        what = (
            f"is not installed: {error.name}"
            if error.name
            else f"cannot be imported: {str(error).partition(chr(10))[0]}"
        )
        from ..doctor.machine import extra_of

        extra = extra_of(error.name or "")
        say(f"error: a package {what}: pip install 'ecva-bench[{extra}]'", error=True)
        raise SystemExit(2) from error
    except OSError as error:
        place = f": {error.filename}" if error.filename else ""
        remedy = ": check the place, its permissions and the room left" if error.errno else ""  # else it is a package's
        message = f"{error.strerror or error}{place}{remedy}"
        say(f"error: {with_options(error, message)}", error=True)
        raise SystemExit(2) from error


def _say_fault(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Show the traceback of an error that nobody expected; its message may hold anything."""
    from traceback import format_exception

    say_lines("".join(format_exception(kind, error, trace)).rstrip(), error=True)
