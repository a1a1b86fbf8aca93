"""`ecva-bench data audit`: what a data set measures, and what is wrong with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import UsageError
from ..untrusted import say, say_json, say_lines
from ..wording import counted

if TYPE_CHECKING:
    from ..data import Dataset


def data_audit_command(
    sources: Annotated[
        list[str], typer.Argument(help="Data sets: names, annotation files, or name:file.", show_default=False)
    ],
    videos: Annotated[
        list[Path] | None,
        typer.Option(help="Folder of the video files; one for all sets, or one for each in their order."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write the whole audit here, as JSON.")] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="End with code 1 where a finding is above its threshold.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON in place of tables.")] = False,
) -> None:
    """Say what rules that never look reach in data sets, and what is wrong with keys, times, texts and splits.

    For each task: always A, the longest option, the most frequent answer, words
    of questions and options (learnt on other videos), constant spans and texts,
    each beside chance. Then keys that are missing, equal options, minutes that
    were read as seconds, moments beyond the video, messages of programs, and
    texts and videos that are there twice, in one set or in two.

    Examples:

      ecva-bench data audit mini

      ecva-bench data audit ./my_data.py:load:train.csv ./my_data.py:load:test.csv --out audit.json

      ecva-bench data audit annotations.xlsx --videos videos/ --strict
    """
    from ..data_audit.audit import audit_datasets
    from ..leaderboard.forms import as_text
    from .data_audit_tables import data_audit_tables
    from .progress import progress

    if out is not None and not out.parent.is_dir():
        raise UsageError("the audit cannot be written: there is no such folder", out, "make it, or name another file")
    datasets = _load(sources, videos)
    with progress("auditing", "steps") as update:
        found = audit_datasets(datasets, update)
    whole = json.dumps(found.model_dump(mode="json"), ensure_ascii=False, indent=1) + "\n"
    if as_json:
        say_json(whole.rstrip())
    else:
        say_lines("\n".join(map(as_text, data_audit_tables(found))))
        if not found.findings:
            say("No finding.")
    if out is not None:  # after what is printed: a long audit is not lost where the file cannot be written
        _write(out, whole)
    if strict and not found.ok:
        raise typer.Exit(1)


def _load(sources: list[str], videos: list[Path] | None) -> list[Dataset]:
    from ..data import load_dataset
    from .progress import progress

    folders: list[Path | None] = list(videos) if videos else [None]
    if len(folders) == 1:
        folders *= len(sources)
    if len(folders) != len(sources):
        what = f"{counted(len(folders), 'folder')} of videos for {counted(len(sources), 'data set')}"
        raise UsageError(what, remedy="give --videos once, or once for each data set, in their order")
    datasets = [load_dataset(source, videos=folder) for source, folder in zip(sources, folders, strict=True)]
    with progress("rendering", "clips") as update:
        for dataset in datasets:
            dataset.ensure_videos(update)
    return datasets


def _write(out: Path, text: str) -> None:
    from ..writing import write_whole

    try:
        write_whole(out, text)
    except OSError as error:
        raise UsageError("the audit cannot be written", out, f"name another file ({error.strerror})") from None
