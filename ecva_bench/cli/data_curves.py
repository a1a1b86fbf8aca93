"""`ecva-bench data curves`: importance curves of annotated videos."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ..untrusted import say
from ..wording import counted
from . import judge_options

if TYPE_CHECKING:
    from ..judging import Judge
    from ..severity.building import Built
    from ..severity.making import CurveOptions

Source = Annotated[str, typer.Argument(help="An annotation file, mini, or name:file, as for `data check`.")]
Out = Annotated[Path, typer.Option(help="File of curves; one that exists is gone on with.")]
Videos = Annotated[Path | None, typer.Option(help="Folder of the video files.")]
Clip = Annotated[
    str | None,
    typer.Option(
        help="CLIP model: open_clip:MODEL/TAG, open_clip:MODEL/FILE, or open_clip:FOLDER. Default: ViT-L-14-quickgelu/"
        "openai; of cuva-2024 ViT-B-32-quickgelu/openai."
    ),
]
CurveProtocol = Annotated[
    Literal["standard", "cuva-2024"], typer.Option(help="standard, or the released code's arithmetic with its faults.")
]
Votes = Annotated[int, typer.Option(min=1, help="Times the judge ranks a video's sentences, each in another order.")]
Seed = Annotated[int, typer.Option(help="Seed of these orders.")]
Smooth = Annotated[float, typer.Option(min=0, help="Sigma in seconds of a Gaussian over the values. Default: none.")]
Spans = Annotated[
    list[str] | None,
    typer.Option(
        help="Source of spans to vote: a model, entailment:MODEL, a *.jsonl of {video, sentence, spans}, or "
        "Voting_new.json; may be repeated."
    ),
]
Scores = Annotated[
    Path | None, typer.Option(help="People's scores in place of a judge: lines of {video, scores: [0.2, 0.5, 0.3]}.")
]
Moments = Annotated[
    Path | None, typer.Option(help="Write the located spans as `a-guardian --model-arg moments=FILE` reads them.")
]


def data_curves_command(
    source: Source,
    out: Out,
    videos: Videos = None,
    clip: Clip = None,
    protocol: CurveProtocol = "standard",
    judge: judge_options.Model = None,
    votes: Votes = 3,
    seed: Seed = 0,
    scores: Scores = None,
    smooth: Smooth = 0.0,
    spans: Spans = None,
    moments: Moments = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first N videos.")] = None,
    judge_url: judge_options.Url = None,
    judge_max_tokens: judge_options.MaxTokens = None,
    judge_arg: judge_options.Args = None,
    concurrency: judge_options.Concurrency = None,
    budget_usd: judge_options.BudgetUsd = None,
    budget_tokens: judge_options.BudgetTokens = None,
    prices: judge_options.Prices = None,
    batch: judge_options.Batch = False,
    judge_store: judge_options.Store = None,
    judge_export: judge_options.Export = None,
    judge_replay: judge_options.Replay = None,
) -> None:
    """Build importance curves from key sentences: how severe each video is over time.

    A judge ranks the sentences of each video, CLIP compares them with a frame of
    each second, and the weighted sum is brought to [0, 1]. One line a video goes
    into --out at once; the same command goes on after a kill and tries again what
    failed. Needs pip install 'ecva-bench\\[severity]'.

    Example: ecva-bench data curves annotations.xlsx --videos videos --judge gpt-4o-mini --out curves.jsonl
    """
    from ..files.by_video import read_peoples_scores
    from ..severity.making import CurveOptions

    given = read_peoples_scores(scores) if scores else None
    with judge_options.judge_from_options(
        judge,
        url=judge_url,
        votes=1 if (judge or judge_replay) and not _own(judge) else None,
        max_tokens=judge_max_tokens,
        arg=judge_arg,
        concurrency=concurrency,
        budget_usd=budget_usd,
        budget_tokens=budget_tokens,
        prices=prices,
        batch=batch,
        store=judge_store,
        export=judge_export,
        replay=judge_replay,
    ) as opened:
        options = CurveOptions(protocol, votes, seed, smooth, given)
        built = _build(source, videos, out, clip, spans or [], opened, options, limit)
    _say_built(built, out, moments)
    if built.failures:
        raise typer.Exit(3)


def _build(
    source: str,
    videos: Path | None,
    out: Path,
    clip: str | None,
    spans: list[str],
    judge: Judge | None,
    options: CurveOptions,
    limit: int | None,
) -> Built:
    from ..data import load_dataset
    from ..severity.building import build_curves
    from ..severity.openclip import DEFAULT, DEFAULT_2024, OpenClip
    from ..severity.sources import open_sources
    from .progress import progress

    sources = open_sources(spans)
    try:
        model = OpenClip(clip or (DEFAULT_2024 if options.protocol == "cuva-2024" else DEFAULT))
        dataset = load_dataset(source, videos=videos)
        with progress("rendering", "clips") as update:
            dataset.ensure_videos(update, only={one.video for one in dataset.annotations[:limit]})
        with progress("curves", "videos") as update:
            return build_curves(dataset, out, model, judge, sources, options, limit=limit, progress=update)
    finally:
        for one in sources:
            one.close()


def _own(judge: str | None) -> bool:
    from ..judging.user_judge import is_user_judge

    return judge is not None and is_user_judge(judge)


def _say_built(built: Built, out: Path, moments: Path | None) -> None:
    from ..severity.building import write_moments

    before = f", {built.there:,} there before" if built.there else ""
    say(f"{counted(built.written, 'curve')} written{before}: {out}")
    for word, counts in (("finding", built.findings), ("without a curve", built.failures)):
        if counts:
            say(f"{word}: {_listed(counts)}")
    if moments:
        say(f"{counted(write_moments(out, moments), 'span')} in {moments}: a-guardian --model-arg moments={moments}")


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items(), key=lambda one: (-one[1], one[0])))
