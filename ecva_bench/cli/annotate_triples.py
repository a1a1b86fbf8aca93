"""`ecva-bench annotate triples` and `annotate rankings`: answers that people put in order, for `meta-eval`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from ..untrusted import say


def annotate_triples_command(
    results: Annotated[list[Path], typer.Argument(help="Results files, a model's each.", show_default=False)],
    task: Annotated[str, typer.Option(help="Task whose answers are ranked.")],
    out: Annotated[Path, typer.Option(help="Folder for triples.jsonl and the files for people.")],
    annotations: Annotated[
        Path | None, typer.Option(help="What people said of the same videos: annotations.jsonl, or a data set's file.")
    ] = None,
    to: Annotated[
        Literal["csv", "label-studio"], typer.Option(help="csv, a table to fill in, or label-studio.")
    ] = "csv",
    criteria: Annotated[
        str, typer.Option(help="Criteria to rank by as well, separated by commas: correctness,completeness")
    ] = "",
    subset: Annotated[int | None, typer.Option(min=1, help="Only N questions, drawn at random.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of letters, order and what is drawn.")] = 0,
) -> None:
    """Write answers to one question about one video side by side, for people to rank, without their names.

    The reference is held back: scorers compare with it, and an answer that says the
    same is left out. triples.jsonl says whose each answer is, and is not for those
    who rank; `annotate rankings` reads their ranks.

    Example: ecva-bench annotate triples motion-mini.jsonl constant-mini.jsonl --task cause --out triples
    """
    from ..annotation.acts import read_acts
    from ..annotation.formats.ranks import write_ranker, write_table
    from ..annotation.triples import build_triples, write_triples
    from ..journal.results import read_results
    from ..wording import counted
    from ..writing import write_whole

    acts = read_acts(annotations) if annotations else []
    built = build_triples([read_results(path) for path in results], task, acts, seed=seed, subset=subset)
    for why, count in built.left_out.most_common():
        say(f"left out: {why}: {count:,}", error=True)
    write_triples(out, built.triples)
    named = [name.strip() for name in criteria.split(",") if name.strip()]
    files = (write_table if to == "csv" else write_ranker)(built.triples, named)
    for name, content in files.items():
        write_whole(out / name, content)
    say(f"{out}: {counted(len(built.triples), 'triple')} to rank in {', '.join(files)}")


def annotate_rankings_command(
    triples: Annotated[Path, typer.Argument(help="triples.jsonl of `annotate triples`.", show_default=False)],
    ranks: Annotated[
        list[Path], typer.Argument(help="Tables that people filled in, or exports of Label Studio.", show_default=False)
    ],
    out: Annotated[Path, typer.Option(help="File of ranked triples, written whole, for `meta-eval`.")],
    annotator: Annotated[
        str | None, typer.Option(help="Who ranked. Default: a table's file name; whom Label Studio names.")
    ] = None,
) -> None:
    """Join triples with the ranks that people gave, as `meta-eval` reads them.

    1 is the best rank, and equal ranks are ties. What is not ranked yet is left out,
    and so is what is ranked in part, which is said.

    Example: ecva-bench annotate rankings triples/triples.jsonl ann.csv ben.csv --out rankings.jsonl
    """
    from ..annotation.formats.ranks import read_ranks
    from ..annotation.triples import join_ranks, rankings_text, read_triples
    from ..errors import DataError
    from ..wording import counted
    from ..writing import write_whole

    there = read_triples(triples)
    files = {path: read_ranks(path, annotator) for path in ranks}
    for path, file in files.items():
        for problem in file.problems:
            say(f"{path}, {problem}; left out", error=True)
    found = join_ranks(there, files)
    if not found:
        raise DataError("nobody ranked anything", ", ".join(map(str, ranks)), "fill in the column rank: 1 is the best")
    write_whole(out, rankings_text(there, found))
    people = {name for by in found.values() for name in by}
    say(
        f"{out}: {counted(len(found), 'triple')} of {len(there):,} ranked by {counted(len(people), 'annotator')}: "
        f"{', '.join(sorted(people))}"
    )
