"""`ecva-bench data`: check, describe and fetch annotated videos."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import VideoMissing
from ..names import first_few
from ..untrusted import one_line, say, say_json
from ..wording import counted
from .data_audit import data_audit_command
from .data_curves import data_curves_command
from .data_lmms_task import data_lmms_task_command
from .naming import NamingCommand

if TYPE_CHECKING:
    from ..data.check import DatasetCheck
    from ..data.dataset import Dataset

app = typer.Typer(help="Check, audit, describe and fetch annotated videos.", no_args_is_help=True)
app.command("audit", cls=NamingCommand)(data_audit_command)
app.command("curves", cls=NamingCommand)(data_curves_command)
app.command("lmms-task", cls=NamingCommand)(data_lmms_task_command)

Source = Annotated[
    str,
    typer.Argument(
        help="mini, mini-twins, an annotation file (workbook or JSON), a description (my.toml), or name:file "
        "(cuva:…, ecva:…, vau-bench:…)."
    ),
]
Videos = Annotated[Path | None, typer.Option(help="Folder of the video files.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON in place of tables.")]


@app.command("check", cls=NamingCommand)
def data_check_command(source: Source, videos: Videos = None, json: Json = False) -> None:
    """Say which rows and video files can be used, and what was repaired by which rule.

    Exit code 1 when something cannot be used, or when the videos are numbered
    otherwise than the annotations: last moments are compared with durations.
    An annotation file is the authors' workbook (three sheets, or one with the
    columns of the first), a JSON or parquet list of {visual_input, task, output},
    or one of {video_name, task, answer}. Its content tells CUVA from ECVA. Files of
    other data sets are named with the set's, or read by a description of yours.

    Example: ecva-bench data check annotations.xlsx --videos videos/
    """
    from ..data.check import check_dataset
    from .progress import progress

    dataset = _load(source, videos)
    with progress("checking", "videos") as update:
        result = check_dataset(dataset, update)
    if json:
        say_json(json_module.dumps(result.as_dict(), ensure_ascii=False, indent=2))
    else:
        _print_check(result)
    if not result.ok:
        raise typer.Exit(1)


@app.command("stats", cls=NamingCommand)
def data_stats_command(
    source: Source,
    videos: Videos = None,
    table1: Annotated[bool, typer.Option("--table1", help="Print its row of the paper's Table I, beside all.")] = False,
    json: Json = False,
) -> None:
    """Describe a dataset: classes, lengths of texts, lengths and places of moments, and its videos.

    Lengths, frames, rates and sound of videos, and where in them moments lie, need
    the video files.

    Example: ecva-bench data stats annotations.xlsx --videos videos/ --table1
    """
    from ..data.stats import dataset_stats
    from .data_stats_tables import print_stats, print_table_1
    from .progress import progress

    dataset = _load(source, videos)
    with progress("reading", "videos") as update:
        result = dataset_stats(dataset, update)
    if json:
        say_json(json_module.dumps(result.as_dict(), ensure_ascii=False, indent=2))
    elif table1:
        print_table_1(result)
    else:
        print_stats(result)


@app.command("fetch", cls=NamingCommand)
def data_fetch_command(
    name: Annotated[str, typer.Argument(help="ecva (ModelScope) or cuva (Hugging Face).")],
    to: Annotated[Path, typer.Option(help="Folder to download into.")],
    annotations: Annotated[bool, typer.Option("--annotations", help="Only the annotations, no videos.")] = False,
) -> None:
    """Download a real dataset; say first how large it is and what is free. Run it again to resume.

    Videos stay in the zip files that they come in, and are read there. Needs the hubs'
    clients: pip install 'ecva-bench\\[data]'. Mind the datasets' licences.

    Example: ecva-bench data fetch ecva --to data/ecva
    """
    from ..data.fetch import fetch_dataset, offer_dataset

    offer = offer_dataset(name, to, annotations_only=annotations)
    say(offer)
    fetched = fetch_dataset(offer)
    for folder in fetched.unpacked:
        say(f"unpacked {folder}")
    for path, reason in fetched.not_annotations:
        say(f"no annotations: {path}: {reason}")
    for file in fetched.archived:
        say(f"in an archive, to be taken out before it can be read: {to / file}")
    for file in fetched.not_read:
        say(f"an archive of a kind that is not read, to be unpacked beside: {to / file}")
    for note in fetched.notes:
        say(f"note: {note}")
    if fetched.moments:
        say(f"moments by vote: run --model a-guardian --model-arg moments={fetched.moments}")
    for path, videos in fetched.annotations:
        following = f"ecva-bench data check {quote(f'{name}:{path}')} --videos {quote(str(to))}"
        say(f"annotations of {counted(videos, 'video')}: next: {following}")
    if not fetched.annotations:
        say("no annotations were found: name the file with ecva-bench data check FILE")


def _load(source: str, videos: Path | None) -> Dataset:
    from ..data import load_dataset
    from .progress import progress

    dataset = load_dataset(source, videos=videos)
    with progress("rendering", "clips") as update:
        dataset.ensure_videos(update)
    return dataset


def _print_check(result: DatasetCheck) -> None:
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table

    console = Console()
    console.print(
        f"{result.dataset}: {_escaped(result.source)}, sha256 {result.sha256[:16]}", highlight=False, soft_wrap=True
    )
    console.print(
        ", ".join(f"{count:,} {name}" for name, count in result.counts.items()), highlight=False, soft_wrap=True
    )
    findings = Table("n", "rule", "meaning, and the videos", title="Findings", title_justify="left", box=SIMPLE)
    for rule, meaning, found in result.by_rule():
        actions = " ".join(sorted({finding.action for finding in found}))
        videos = " ".join(dict.fromkeys(finding.video for finding in found))
        lost = next((f"{one.field} {_short(one.before)!r}" for one in found if one.action == "excluded"), "")
        example = f"; for example {_escaped(lost)}" if lost else ""
        findings.add_row(str(len(found)), rule, f"{actions}: {meaning}{example}\n[dim]{_escaped(videos)}[/dim]")
    repairs = Table("video", "field", "before", "after", title="Repairs", title_justify="left", box=SIMPLE)
    for finding in result.findings:
        if finding.action == "repaired":
            texts = (_escaped(_short(text)) for text in (finding.before, finding.after))
            repairs.add_row(_escaped(finding.video), finding.field, *texts)
    for table in (findings, repairs):
        if table.row_count:
            console.print(table)
    if result.videos is not None:
        _print_videos(result)
    unusable = " ".join(annotation.video for annotation in result.unusable) or "none"
    console.print(f"unusable rows: {_escaped(unusable)}", highlight=False, soft_wrap=True)


def _print_videos(result: DatasetCheck) -> None:
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Column, Table

    columns = (Column("file", overflow="fold"), "frames", "seconds", "fps", "codec", "notes", "sha256")
    table = Table(*columns, title="Video files", title_justify="left", box=SIMPLE)
    console = Console()
    for video in result.videos or ():
        if video.error == VideoMissing.code:
            continue
        if video.error is not None:
            table.add_row(_escaped(video.media), "", "", "", "", f"[red]{video.error}[/red]")
            continue
        notes = {
            "variable rate": video.variable_frame_rate,
            f"rotated {video.rotation}°": video.rotation,
            "audio": video.has_audio,
        }
        table.add_row(
            _escaped(video.media),
            str(video.frames),
            f"{video.duration:.2f}",
            f"{video.frame_rate:.3f}",
            video.codec,
            ", ".join(note for note, applies in notes.items() if applies),
            (video.sha256 or "")[:12],
        )
    if table.row_count:
        console.print(table)
    if result.missing:
        console.print(_escaped(result.missing), highlight=False, soft_wrap=True)
    if result.numbering:
        refused = result.numbering.refused
        text = _escaped(str(result.numbering.error()) if refused else result.numbering.text)
        console.print(f"[red]{text}[/red]" if refused else text, highlight=False, soft_wrap=True)
    unusable = [video for video in result.videos or () if video.error not in (None, VideoMissing.code)]
    console.print(f"unusable files: {len(unusable) or 'none'}", highlight=False, soft_wrap=True)
    for video in unusable:
        console.print(f"  {_escaped(video.media)}: {_escaped(video.message)}", highlight=False, soft_wrap=True)
    if result.unannotated:
        some = first_few(result.unannotated)
        console.print(
            f"files without annotation: {len(result.unannotated)}: {_escaped(some)}", highlight=False, soft_wrap=True
        )


def _short(text: str, length: int = 60) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _escaped(text: str) -> str:
    """Return a text of others for rich, which may begin a new line at any of its words."""
    from rich.markup import escape

    return escape(one_line(text).replace("::", ": :"))
