"""`ecva-bench view`: look at the answers of runs, on their videos."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..untrusted import say
from ..wording import counted
from .named_files import only_answers

if TYPE_CHECKING:
    from ..data import Dataset
    from ..report.page import Page
    from ..report.run import Run

Files = Annotated[list[Path], typer.Argument(help="Results files, of several models or one.", show_default=False)]
ScoresFiles = Annotated[
    list[Path] | None, typer.Option(help="Scores of these answers; may be repeated. Default: those beside each file.")
]
Data = Annotated[
    str | None,
    typer.Option(help="Annotations, for severity curves and class names. Default: those of mini or its twins."),
]


def view_command(
    files: Files,
    scores: ScoresFiles = None,
    data: Data = None,
    videos: Annotated[Path | None, typer.Option(help="Folder of the video files.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder to write. Default: beside the first results file.")] = None,
    frames: Annotated[
        bool | None,
        typer.Option(help="Draw the frames that were shown. Default: of up to 100 videos."),
    ] = None,
    serve: Annotated[bool, typer.Option(help="Show the page on this machine until interrupted.")] = True,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to show it on; 0: any that is free.")] = 0,
) -> None:
    """Look at answers: video and time axis, models side by side, what changed on edited views, every score.

    Writes one folder of static files that opens without a server too, and shows it on this machine only.

    Examples:

      ecva-bench view motion-mini.jsonl

      ecva-bench view motion-cuva.jsonl constant-cuva.jsonl --data annotations.xlsx --videos videos --no-serve
    """
    files = only_answers(files)
    dataset = open_dataset(files, data, videos)
    page = write_answers(files, out or files[0].with_suffix(".view"), dataset, videos, scores=scores, frames=frames)
    say(
        f"wrote {page.folder / 'index.html'}: {counted(page.answers, 'answer')}, {counted(len(page.videos), 'video')}, "
        f"{len(page.with_file)} of them with a file"
    )
    if page.undrawn and frames is not False:
        text = f"no pictures of the frames of {counted(page.undrawn, 'video')}"
        say(text if page.with_frames or frames else f"{text}: --frames draws them")
    if dataset and (missing := dataset.tell_missing(page.videos)):
        say(missing)
    if serve:
        _serve(page.folder, port)


def write_answers(
    files: list[Path],
    out: Path,
    dataset: Dataset | None,
    videos: Path | None = None,
    *,
    scores: list[Path] | None = None,
    frames: bool | None = None,
) -> Page:
    """Write the page of the answers of results files, whose runs have numbers there in the order of the files."""
    from ..report.page import FRAMES_OF, write_page
    from ..report.videos import Videos
    from .progress import progress

    known = Videos(folder=videos) if videos else Videos()
    if dataset:
        annotations = {each.video: each for each in dataset.annotations}
        known = Videos(annotations, dataset.videos, dataset.taxonomy.describe)
    most = FRAMES_OF if frames is None else sys.maxsize if frames else 0
    runs = read_runs(files, scores, dataset)
    with progress("draw frames of", "videos") as update:
        return write_page(runs, out, known, frames_of=most, progress=update)


def open_dataset(files: list[Path], data: str | None, videos: Path | None) -> Dataset | None:
    """Return the data set named, or the embedded one where the first run was made with it, its clips rendered."""
    from ..data import load_dataset
    from ..data.dataset import EMBEDDED
    from ..report.run import dataset_of

    made_with = dataset_of(files[0])
    source = data or (made_with if made_with in EMBEDDED else None)
    if source is None:
        return None
    from .progress import progress

    dataset = load_dataset(source, videos=videos)
    with progress("render", "clips") as update:
        dataset.ensure_videos(update)
    return dataset


def read_runs(files: list[Path], scores: list[Path] | None, dataset: Dataset | None) -> Iterator[Run]:
    """Yield the runs of results files one after another.

    Print which runs lack answers, and which scores belong to no run.
    """
    from ..report.run import scores_beside, scores_by_results

    paths = scores if scores is not None else [path for file in files for path in scores_beside(file)]
    named = scores_by_results(paths)
    for file in files:
        yield _read_run(file, named, dataset)
    for path in (path for paths in named.values() for path in paths):
        say(f"left out: {path}: the scores are of other answers: score these again", error=True)


def _read_run(file: Path, scores: dict[str, list[Path]], dataset: Dataset | None) -> Run:
    """Return the run of a results file with its scores, which are taken from those given by the hash of the answers."""
    from ..api.reading import read_answer_file
    from ..report.run import run_with_scores, tell_incomplete
    from ..scoring.files import read_scores

    results = read_answer_file(file, dataset)
    for line in tell_incomplete(results):
        say(f"incomplete: {file}: {line}", error=True)
    return run_with_scores(results, map(read_scores, scores.pop(results.sha256, ())))


def _serve(folder: Path, port: int) -> None:
    from ..report.server import Server

    with Server(folder, port) as server:
        say(f"on this machine only, until interrupted: {server.url}")
        with suppress(KeyboardInterrupt):  # the way to end it
            server.serve_forever()
