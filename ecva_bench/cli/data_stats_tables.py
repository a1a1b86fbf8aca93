"""The tables of `data stats`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..wording import counted

if TYPE_CHECKING:
    from rich.console import Console

    from ..data.spreads import Bin, Spread
    from ..data.stats import Stats
    from ..data.video_stats import VideoStats


def print_stats(result: Stats) -> None:
    """Print the statistics of a dataset."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    classes = Table(
        "code", "class", "videos", title=f"{result.dataset}: {counted(result.videos, 'video')}", title_justify="left"
    )
    for code, name, count in result.classes:
        classes.add_row(code, name if "-" not in code else f"  {name}", str(count))
    classes.add_row("", "without a class", str(result.unlabelled))
    console.print(classes)
    spreads = Table("", "n", "min", "25 %", "median", "75 %", "max", "mean", title="Lengths", title_justify="left")
    files = result.files
    rows: list[tuple[str, Spread | None]] = [(f"{name}, words", found) for name, found in result.words.items()]
    rows += [
        ("video, s", files.seconds if files else None),
        ("moment, s", result.durations),
        ("moment starts at, s", result.starts),
        ("moment ends at, s", result.ends),
    ]
    for name, found in rows:
        if found is not None:
            five = (found.minimum, found.lower, found.median, found.upper, found.maximum)
            spreads.add_row(name, str(found.n), *(f"{round(value, 2):g}" for value in five), f"{found.mean:.1f}")
    console.print(spreads)
    console.print(_bars("Moments by length, s", "moments", result.lengths))
    if result.files is not None:
        _print_files(console, result.files)
    per_video = ", ".join(f"{value:,.1f} {name}" for name, value in result.per_video.items())
    if per_video:
        console.print(f"written about a video, on average: {per_video}", highlight=False, soft_wrap=True)
    per_video = ", ".join(f"{moments}: {count}" for moments, count in result.moments_per_video.items())
    console.print(f"videos by number of moments: {per_video}", highlight=False, soft_wrap=True)
    console.print(f"moments that start at 0 s: {result.start_at_zero:.1%}", highlight=False, soft_wrap=True)
    severities = ", ".join(f"{severity}: {count}" for severity, count in result.severities.items())
    console.print(f"videos by severity: {severities}", highlight=False, soft_wrap=True)
    console.print(f"key sentences above 7 words: {result.key_sentences_too_long:.1%}", highlight=False, soft_wrap=True)


def _print_files(console: Console, files: VideoStats) -> None:
    from rich.table import Table

    console.print(_bars("Videos by length, s", "videos", files.lengths))
    if files.coverage is not None:
        places = Table("tenth of the video", "anomalous there", title="Moments by place", title_justify="left")
        for place, share in enumerate(files.coverage):
            places.add_row(f"{place * 10}-{place * 10 + 10} %", f"{share:6.1%} {'█' * round(30 * share)}")
        console.print(places)
    unusable = f"; {files.unusable:,} cannot be read" if files.unusable else ""
    rates = ", ".join(f"{rate:g}: {count:,}" for rate, count in files.frame_rates.items())
    lines = [
        f"video files: {files.n:,}, {files.hours:.2f} h, {files.frames:,} frames{unusable}",
        f"with audio: {files.with_audio:.1%}",
        f"videos by frames per second: {rates}; of variable rate: {files.variable_rates:,}",
    ]
    if files.anomalous is not None:
        five = files.anomalous
        lines.append(f"share of a video's time that is anomalous: mean {five.mean:.1%}, median {five.median:.1%}")
    for line in lines:
        console.print(line, highlight=False, soft_wrap=True)


def print_table_1(result: Stats) -> None:
    """Print the paper's Table I with the row of a dataset at hand below, and what is wrong in it as printed."""
    from rich.console import Console
    from rich.table import Table

    from ..data.table_1 import load_table_1, size_row

    console, printed = Console(), load_table_1()
    table = Table(
        "dataset",
        "frames",
        "hours",
        "A.C.L., s",
        "audio",
        "classes",
        title=f"Table I of {printed.paper}, as printed",
        title_justify="left",
    )
    own = size_row(result)
    for row in (*printed.rows, own):
        if row is own:
            table.add_section()
        table.add_row(
            f"{row.dataset} *" if row.doubt else row.dataset,
            "" if row.frames is None else f"{row.frames:,}",
            "" if row.hours is None else f"{row.hours:.2f}",
            "" if row.clip_s is None else f"{row.clip_s:.1f}",
            row.audio or "",
            "" if row.classes is None else str(row.classes),
        )
    console.print(table)
    for text in (*(f"* {row.dataset}: {row.doubt}" for row in printed.rows if row.doubt), *printed.notes):
        console.print(text, highlight=False, soft_wrap=True)


def _bars(title: str, unit: str, bins: tuple[Bin, ...]) -> object:
    from rich.table import Table

    table = Table("from", "to", unit, title=title, title_justify="left")
    most = max((part.count for part in bins), default=1) or 1
    for part in bins:
        end = "" if part.end is None else f"{part.end:g}"
        table.add_row(f"{part.start:g}", end, f"{part.count:4} {'█' * round(30 * part.count / most)}")
    return table
