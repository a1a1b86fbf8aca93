"""`ecva-bench repair`: what was changed in a file since it was written, and the file without it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..untrusted import say
from ..wording import counted


def repair_command(
    file: Annotated[Path, typer.Argument(help="Results file, scores file or submission.", show_default=False)],
    quarantine: Annotated[
        bool, typer.Option("--quarantine", help="Move what was changed to FILE.quarantined, and keep the rest.")
    ] = False,
    manifest: Annotated[
        Path | None,
        typer.Option(help="Results file of the same run, where FILE's own first line was changed.", show_default=False),
    ] = None,
) -> None:
    """Show which lines of a file were changed since they were written: damaged, edited, removed or added.

    Every line of a results or scores file has a seal, a checksum of itself and
    of the line before, and a submission has one. Nothing is written, and the
    code is 1 where something is wrong.

    With --quarantine, bad lines of a results file are moved to FILE.quarantined
    and the rest is sealed anew; an event in it says so, and sheets, boards and
    gates tell it. Their questions are owed again: the run's own command asks
    them. A scores file or a submission that was changed is moved whole, for
    score and submit write it again, and the judge's replies are in its store.

    Examples:

      ecva-bench repair motion-mini.jsonl

      ecva-bench repair motion-mini.jsonl --quarantine
    """
    from ..journal.lines import absent, is_results

    if not file.is_file():
        raise absent(file)
    if is_results(file):
        _results(file, quarantine, manifest)
    else:
        _derived(file, quarantine)


def _results(file: Path, away: bool, manifest: Path | None) -> None:
    from ..journal.repairing import damages, quarantine

    found = damages(file)
    for damage in found:
        say(f"{damage.what}: {damage.reads}")
    if not found:
        say(f"{file}: nothing is wrong")
    elif not away:
        say(f"{file}: {counted(len(found), 'fault')}; --quarantine moves the bad lines to {file}.quarantined")
        raise typer.Exit(1)
    else:
        moved = quarantine(file, manifest)
        if not moved:
            say(f"{file}: no line is bad itself, so none was moved; the file is sealed anew")
            return
        say(f"{file}: {counted(moved, 'line')} moved to {file}.quarantined; what they answered is owed again")


def _derived(file: Path, away: bool) -> None:
    from ..verification.rewritable import damage_of, set_aside

    damage = damage_of(file)
    if damage is None:
        say(f"{file}: nothing is wrong")
        return
    say(f"{file}: {damage}")
    if not away:
        say(f"--quarantine moves it to {file}.quarantined; `score` or `submit` then writes it again")
        raise typer.Exit(1)
    say(f"moved to {set_aside(file)}; `score` or `submit` writes it again")
