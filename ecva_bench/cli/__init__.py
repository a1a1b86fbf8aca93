"""The command line: parse, call one function, print. No logic, and no heavy import before a command runs.

Exit codes: 0 done, 1 a check failed, 2 the request cannot be met as it stands, 3 it ended with something missing
(answers of a run, calls that a budget did not cover, videos to decide a strict gate), 130 interrupted.
"""

from __future__ import annotations

import sys

import typer

from . import (
    audit,
    check_fast,
    compare,
    data,
    gate,
    judge_audit,
    listing,
    merge,
    meta_eval,
    models,
    plan,
    report,
    run,
    score,
    serve_hint,
    submit,
    view,
)
from . import leaderboard as leaderboard_command

app = typer.Typer(
    name="ecva-bench",
    help="Evaluate how well video-language models understand the causes of video anomalies (ECVA, CUVA).",
    epilog="Start with: ecva-bench run --model motion --task cause, then: ecva-bench score results.jsonl",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("run")(run.run)
app.command("plan")(plan.plan)
app.command("merge")(merge.merge)
app.command("check-fast")(check_fast.check_fast)
app.command("score")(score.score)
app.command("view")(view.view)
app.command("report")(report.report)
app.command("submit")(submit.submit)
app.command("leaderboard")(leaderboard_command.leaderboard)
app.command("compare")(compare.compare)
app.command("gate")(gate.gate)
app.command("audit")(audit.audit)
app.command("judge-audit")(judge_audit.judge_audit)
app.command("meta-eval")(meta_eval.meta_eval)
app.command("serve-hint")(serve_hint.serve_hint)
app.command("tasks")(listing.tasks)
app.command("scorers")(listing.scorers)
app.add_typer(data.app, name="data")
app.add_typer(models.app, name="models")


def main() -> None:
    """Run the command line; errors raised on purpose are shown as one line, without a traceback."""
    from ..errors import EcvaError, ModelGone

    try:
        app()
    except EcvaError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(3 if isinstance(error, ModelGone) else 2) from error
    except KeyboardInterrupt:
        print("interrupted; what was computed is kept", file=sys.stderr)
        raise SystemExit(130) from None
