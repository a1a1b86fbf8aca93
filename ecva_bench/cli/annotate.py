"""`ecva-bench annotate`: have people annotate videos with tools they know, and see how far they agree."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import Annotated

import typer

from ..untrusted import say, say_json, say_lines
from .annotate_triples import annotate_rankings_command, annotate_triples_command
from .naming import NamingCommand

app = typer.Typer(help="Plan, exchange, compare and settle annotations made by people.", no_args_is_help=True)

app.command("triples", cls=NamingCommand)(annotate_triples_command)
app.command("rankings", cls=NamingCommand)(annotate_rankings_command)

Json = Annotated[bool, typer.Option("--json", help="Print JSON in place of tables.")]


@app.command("agreement", cls=NamingCommand)
def annotate_agreement_command(
    annotations: Annotated[
        Path, typer.Argument(help="annotations.jsonl, or a workbook with two rounds.", show_default=False)
    ],
    gold: Annotated[
        Path | None, typer.Option(help="Adjudicated answers (annotate adjudicate), to screen annotators by.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the intervals and of what is shuffled.")] = 0,
    as_json: Json = False,
) -> None:
    """Say how far annotators agree: on moments, classes, severity digits, ranked sentences and texts.

    Blind annotations of the same videos are compared with one another, reviews with
    what they reviewed. Intervals are over videos. With --gold, annotators are
    screened: exit code 1 where one fails, or a batch goes back to the queue.

    Example: ecva-bench annotate agreement annotations.xlsx
    """
    from ..annotation.acts import read_acts
    from ..annotation.agreement import agreements
    from ..annotation.screening import screen
    from ..errors import DataError
    from ..leaderboard.forms import as_text
    from .annotate_tables import agreement_table, screening_table

    acts = read_acts(annotations)
    found = agreements(acts, seed=seed)
    screened = screen(acts, read_acts(gold)) if gold else []
    if not found and not screened:
        what = "no video was annotated by two people blind, or reviewed"
        raise DataError(what, annotations, "have some videos annotated twice: annotate queue --overlap")
    if as_json:
        content = {"agreement": [one.as_dict() for one in found], "screening": [one.as_dict() for one in screened]}
        say_json(json_module.dumps(content, ensure_ascii=False, indent=2))
    else:
        tables = [*map(agreement_table, found), *([screening_table(screened)] if screened else [])]
        say_lines("\n".join(map(as_text, tables)))
    if any(one.passed is False or one.batch for one in screened):
        raise typer.Exit(1)


@app.command("export", cls=NamingCommand)
def annotate_export_command(
    annotations: Annotated[
        Path, typer.Argument(help="A file of a queue, annotations.jsonl, or a data set's file.", show_default=False)
    ],
    to: Annotated[str, typer.Option(help="label-studio, via, elan; xlsx or json, the authors' forms.")],
    out: Annotated[Path, typer.Option(help="Folder that the tool's files are written into.")],
    annotator: Annotated[str | None, typer.Option(help="Only what this annotator said.")] = None,
    round_: Annotated[int | None, typer.Option("--round", min=1, help="Only what was said in this round.")] = None,
    videos: Annotated[Path | None, typer.Option(help="Folder of the video files, for Label Studio.")] = None,
    source: Annotated[
        Path | None, typer.Option(help="For xlsx and json: the file of which only what changed is written anew.")
    ] = None,
) -> None:
    """Write a queue as files of an annotation tool, or annotations, for a review or to go on from.

    Label Studio counts frames at the rate of each video file; a video of a variable
    rate is refused, for via and elan count seconds. ELAN gets one file a video. The
    authors' forms have whole seconds; with --source their other bytes stay.

    Example: ecva-bench annotate export annotations.xlsx --round 1 --to via --out review
    """
    from ..annotation.exchange import rounded_ends, write_for
    from ..annotation.queue import chosen_acts
    from ..wording import counted
    from ..writing import write_whole

    acts = chosen_acts(annotations, annotator, round_)
    files = write_for(to, acts, videos, source)
    if parts := rounded_ends(to, acts):
        say(f"note: rounded to whole seconds: {counted(parts, 'end')} of moments", error=True)
    for name, content in files.items():
        write_whole(out / name, content)
    say(f"{out}: {counted(len(files), 'file')} for {to}, {counted(len(acts), 'video')}")


@app.command("import", cls=NamingCommand)
def annotate_import_command(
    exports: Annotated[list[Path], typer.Argument(help="Files that the tool wrote.", show_default=False)],
    out: Annotated[Path, typer.Option(help="annotations.jsonl, which is appended to.")],
    annotator: Annotated[str | None, typer.Option(help="Who annotated. Default: whom the file names.")] = None,
    round_: Annotated[int, typer.Option("--round", min=1, help="1, or 2 of a review.")] = 1,
    saw: Annotated[list[str] | None, typer.Option(help="Whose work the annotator was shown; may be repeated.")] = None,
    frame_rate: Annotated[
        float | None, typer.Option(min=0.01, help="Of Label Studio's configuration, where tasks state none.")
    ] = None,
) -> None:
    """Append what annotators did in Label Studio, VIA 3 or ELAN to a file of annotations.

    The content of a file says which tool wrote it. What the file of annotations has
    already is not written again. Nothing is written where a file cannot be read.

    Example: ecva-bench annotate import project.json --annotator ann --out annotations.jsonl
    """
    from ..annotation.acts import append_acts
    from ..annotation.exchange import read_from
    from ..wording import counted

    done = (act for path in exports for act in read_from(path, annotator, frame_rate))
    acts = [act.in_round(round_, tuple(saw or ())) for act in done]
    new = append_acts(out, acts)
    say(f"{out}: {counted(new, 'annotation')} added, {len(acts) - new:,} there already")


@app.command("queue", cls=NamingCommand)
def annotate_queue_command(
    videos: Annotated[Path, typer.Argument(help='Lines such as {"video": "00001"}.', show_default=False)],
    annotators: Annotated[str, typer.Option(help="Names, separated by commas.")],
    out: Annotated[Path, typer.Option(help="Folder for plan.jsonl and a file for each annotator.")],
    overlap: Annotated[float, typer.Option(min=0, max=1, help="Share of the videos that two people annotate.")] = 0.2,
    seed: Annotated[int, typer.Option(help="Seed of who gets what.")] = 0,
    gold: Annotated[
        Path | None, typer.Option(help="Adjudicated answers; 5 % more videos are hidden ones of these.")
    ] = None,
) -> None:
    """Say who annotates which videos, blind: all once, some twice, and some whose answer is known.

    A file of an annotator does not say which videos are annotated twice or known;
    plan.jsonl does, and is not for annotators.

    Example: ecva-bench annotate queue videos.jsonl --annotators ann,ben,cleo --out queue
    """
    from ..annotation.acts import read_acts
    from ..annotation.queue import plan_queue, read_queue, write_plan
    from ..wording import counted

    names = [name.strip() for name in annotators.split(",")]
    known = [act.video for act in read_acts(gold)] if gold else []
    plan = plan_queue(read_queue(videos), names, overlap=overlap, seed=seed, gold=known)
    for path, count in write_plan(out, plan, names).items():
        say(f"{path}: {counted(count, 'video')}")


@app.command("adjudicate", cls=NamingCommand)
def annotate_adjudicate_command(
    annotations: Annotated[Path, typer.Argument(help="annotations.jsonl.", show_default=False)],
    out: Annotated[Path, typer.Option(help="File for the settled videos.")],
    third: Annotated[str, typer.Option(help="Who is to settle the others.")] = "third",
    open_: Annotated[Path | None, typer.Option("--open", help="File for the queue of the others.")] = None,
) -> None:
    """Settle what several people said: equal is taken, moments of IoU 0.9 are averaged, of the rest a third decides.

    The third person sees what was said without names. Import that work with
    --round 2 and a --saw for each annotator, and call this again.

    Example: ecva-bench annotate adjudicate annotations.jsonl --out gold.jsonl --open third.jsonl
    """
    from ..annotation.acts import acts_text, read_acts
    from ..annotation.adjudicating import adjudicate, reviewed_alone
    from ..annotation.queue import queue_text
    from ..errors import UsageError
    from ..names import first_few
    from ..wording import counted
    from ..writing import write_whole

    if annotations.resolve() in {one.resolve() for one in (out, open_) if one}:
        raise UsageError("the annotations would be written over", annotations, "name another file")
    if open_ is not None and open_.resolve() == out.resolve():
        raise UsageError("what is settled would be written over by what is not", out, "name another file")
    acts = read_acts(annotations)
    settled, others = adjudicate(acts, third=third)
    if alone := reviewed_alone(acts):
        what = f"{counted(len(alone), 'video')} with a review, and without the annotation that it reviews"
        say(f"left out: {what}: {first_few(alone)}", error=True)
    write_whole(out, acts_text(settled))
    say(f"{out}: {counted(len(settled), 'video')} settled")
    if open_ is not None:
        write_whole(open_, queue_text(others))
        say(f"{open_}: {counted(len(others), 'video')} for {third}")
    elif others:
        say(f"{counted(len(others), 'video')} for a third person: name a file for them with --open")
