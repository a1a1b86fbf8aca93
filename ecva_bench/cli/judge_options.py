"""The options of commands that ask a judge, and the one function that opens it and says what it cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypedDict, Unpack

import typer

from ..untrusted import say
from ..wording import amount, counted, usd
from .progress import progress

if TYPE_CHECKING:
    from ..judging import Judge
    from ..judging.extras import RequestExtras
    from ..judging.judge import LanguageJudge
    from ..judging.panel import PanelAgreement

_option = partial(typer.Option, rich_help_panel="Judge")

Model = Annotated[
    str | None,
    _option(
        "--judge",
        help="Judge: a model of an OpenAI-compatible endpoint, hf:PATH_OR_ID, or ./file.py:Name; a,b,c is a panel.",
    ),
]
Url = Annotated[str | None, _option("--judge-url", help="Its endpoint. Default: OPENAI_BASE_URL.")]
Votes = Annotated[
    int | None,
    _option(
        min=1,
        help="Times that the judge is asked each question. Default: as in the replay, else 1, in meta-eval 3.",
    ),
]
MaxTokens = Annotated[
    int | None,
    _option(min=1, help="Most tokens of a reply, its thoughts included, of a judge at an endpoint. Default: 4096."),
]
Args = Annotated[
    list[str] | None,
    _option(
        "--judge-arg",
        help="How much a judge at an endpoint thinks: reasoning-effort=low, thinking-budget=TOKENS; or parameters of "
        "the endpoint's own: extra-body='{…}'. May be repeated.",
        show_default=False,
    ),
]
Concurrency = Annotated[int | None, _option(min=1, help="Calls to the judge at once. Default: 16.")]
BudgetUsd = Annotated[
    float | None, _option(min=0, help="Stop before all votes asked for, earlier ones too, cost more.")
]
BudgetTokens = Annotated[int | None, _option(min=0, help="Stop before they take more tokens.")]
Prices = Annotated[Path | None, _option(help="Price table (JSON) that extends the packaged one.")]
Batch = Annotated[bool, _option("--batch", help="Ask the endpoint's judge by batches: half the price, within a day.")]
Store = Annotated[Path | None, _option("--judge-store", help="Where calls are kept. Default: the cache folder.")]
Export = Annotated[Path | None, _option("--judge-export", help="Write the calls used as JSON lines, to publish.")]
Replay = Annotated[
    Path | None,
    _option("--judge-replay", help="Take all calls from an export, which names its judge; ask nothing."),
]


_CONCURRENCY = 16
_WITH_PREFIX = ("url", "max_tokens", "arg", "store", "export", "replay")  # as --judge-url


class JudgeOptions(TypedDict):
    """The options above as a command got them."""

    url: str | None
    votes: int | None
    max_tokens: int | None
    arg: list[str] | None
    concurrency: int | None
    budget_usd: float | None
    budget_tokens: int | None
    prices: Path | None
    batch: bool
    store: Path | None
    export: Path | None
    replay: Path | None


def judge_from_options(
    model: str | None, *, usual_votes: int = 1, **options: Unpack[JudgeOptions]
) -> AbstractContextManager[Judge | None]:
    """Return a context with the judge in it: the model's, else that of the calls to be replayed, else None.

    Of several models, `a,b`, it is their panel; how far they agree is printed at the end. `usual_votes` are those of a
    language model where the user names no number of votes.
    When the context ends, also by an error, the calls used are exported and their cost is printed on standard error. If
    the budget ends, the command stops with code 3, and so it does if the judge gave no verdict at all, or if a replay
    lacks calls. Raises `UsageError` for options of a judge where none is named.
    """
    from ..judging.panel import member_names
    from ..judging.user_judge import is_user_judge

    if not model and not options["replay"]:
        _refuse_idle(options, "")
        return nullcontext()
    names = member_names(model or "")
    if model and all(map(is_user_judge, names)):
        _refuse_idle(options, names[0])
    return _opened(names, options, usual_votes)


def _refuse_idle(options: JudgeOptions, model: str) -> None:
    """Raise `UsageError` for options of a language model, where there is none."""
    from ..errors import UsageError

    idle = [_flag(name) for name, value in options.items() if value is not None and value is not False]
    if idle:
        none = "the judge is one of your own, which does this itself" if model else "none is named"
        remedy = "leave it out" if model else "name one with --judge"
        raise UsageError(f"an option is for a language model as judge, and {none}", ", ".join(idle), remedy)


def _flag(name: str) -> str:
    return f"--{'judge-' if name in _WITH_PREFIX else ''}{name.replace('_', '-')}"


@contextmanager
def _opened(names: Sequence[str], options: JudgeOptions, usual_votes: int) -> Iterator[Judge]:
    """Yield the judge of these names; of several, options are for language models, and a budget is divided evenly."""
    from ..judging.judge import LOCAL_PREFIX, LanguageJudge
    from ..judging.panel import Panel, opened_judge
    from ..judging.user_judge import is_user_judge

    paid = [name for name in names if not is_user_judge(name) and not name.startswith(LOCAL_PREFIX)]

    def language(name: str) -> AbstractContextManager[Judge]:
        if len(names) == 1:
            return _open_judge(name, options, usual_votes)
        own: JudgeOptions = {**options, "export": None}
        if name not in paid:
            own["max_tokens"] = own["arg"] = None
        return _open_judge(name, own, usual_votes, members=max(1, len(paid)))

    with opened_judge(",".join(names), language) as judge:
        try:
            yield judge
        finally:
            if isinstance(judge, Panel):
                for one in judge.agreement():
                    say(_agreement(one), error=True)
                asked = [one for one in judge.members if isinstance(one, LanguageJudge)]
                if asked and (path := options["export"]):
                    say(f"judge calls: {asked[0].export(path, panel=asked[1:]):,} in {path}", error=True)


def _agreement(one: PanelAgreement) -> str:
    alpha = "-" if one.alpha is None else f"{one.alpha:.2f}"
    within = "" if one.interval is None else " [{:.2f}, {:.2f}]".format(*one.interval)
    alike = "" if one.raw is None else f", alike {100 * one.raw:.1f} %"
    means = ", ".join(f"{name} {mean:.2f}" for name, mean in one.means.items())
    over = counted(one.verdicts, "verdict")
    return f"panel: {one.prompt}: alpha ({one.level}) {alpha}{within}{alike}, over {over}; means: {means}"


@contextmanager
def _open_judge(
    model: str, options: JudgeOptions, usual_votes: int, *, members: int | None = None
) -> Iterator[LanguageJudge]:
    """Yield a language model as judge, alone or as one of the `members` of a panel that share a budget."""
    from ..errors import BudgetExhausted
    from ..judging.judge import open_judge
    from ..judging.replays import replayed_judge
    from ..records.seals import unsealed_text

    votes, max_tokens = options["votes"], options["max_tokens"]
    extras = _extras(options)
    who = f"judge {model}" if members else "judge"
    if replay := options["replay"]:
        replayed = replayed_judge(replay, model or None)
        model, votes, max_tokens = replayed.model, votes or replayed.votes, max_tokens or replayed.max_tokens
        extras = extras if options["arg"] else replayed.extras
        if not replayed.sealed:
            say(f"note: {unsealed_text(replay)}", error=True)
    with (
        progress(who, "votes") as update,
        open_judge(
            model,
            base_url=options["url"],
            concurrency=options["concurrency"] or _CONCURRENCY,
            votes=votes or usual_votes,
            max_tokens=max_tokens,
            extras=extras,
            budget_usd=options["budget_usd"],
            budget_tokens=options["budget_tokens"],
            prices=options["prices"],
            batch=options["batch"],
            store=options["store"],
            replay=replay,
            progress=update,
            members=members or 1,
        ) as judge,
    ):
        try:
            yield judge
        except BudgetExhausted as error:
            say(f"stopped: {error}", error=True)
            raise typer.Exit(3) from None
        finally:
            say(f"{who}: {_cost(judge)}", error=True)
            if path := options["export"]:
                say(f"judge calls: {judge.export(path):,} in {path}", error=True)
        if judge.mute:
            again = "name another judge, or a new --judge-store to ask this one again"
            what = f"the judge gave not one verdict: {model}: the first call: {judge.mute}"
            say(f"error: {what}: {again}", error=True)
            raise typer.Exit(3)
        if absent := judge.usage.not_in_replay:
            remedy = "use the answers and the options that the calls were exported with"
            say(f"error: the replay lacks {counted(absent, 'vote')}: {replay}: {remedy}", error=True)
            raise typer.Exit(3)


def _extras(options: JudgeOptions) -> RequestExtras:
    """Return what `--judge-arg` has the requests say; `UsageError` for what it cannot."""
    from ..errors import UsageError
    from ..judging.completions import MAX_REPLY_TOKENS
    from ..judging.extras import RequestExtras
    from ..records.answers import THINKING
    from .options import model_options

    given = model_options(options["arg"])
    if unknown := next((name for name in given if name not in THINKING), None):
        known = ", ".join(name.replace("_", "-") for name in THINKING)
        raise UsageError(f"there is no option {unknown!r} of a judge", "--judge-arg", f"known are {known}")
    most_out = options["max_tokens"] or MAX_REPLY_TOKENS
    return RequestExtras.of(given, base_url=options["url"], most_out=most_out, option="--judge-arg")


def _cost(judge: LanguageJudge) -> str:
    usage = judge.usage
    price = "price unknown" if usage.usd is None else usd(usage.usd)
    thought = f" ({amount(usage.tokens_reasoning)} of them thought)" if usage.tokens_reasoning else ""
    out = f"{amount(usage.tokens_out)} out{thought}"
    notes = f", {counted(usage.uncounted, 'reply')} without a count of tokens" if usage.uncounted else ""
    notes += f", {counted(usage.not_in_replay, 'vote')} not in the replay" if usage.not_in_replay else ""
    return (
        f"{counted(usage.asked, 'vote')} asked, {usage.from_store:,} from the store, {usage.failed:,} failed, "
        f"{counted(usage.retries, 'retry')}, {amount(usage.tokens_in)} tokens in, {out}, "
        f"{price}{notes}"
    )
