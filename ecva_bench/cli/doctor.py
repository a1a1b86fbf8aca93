"""`ecva-bench doctor`: what there is to run with, and which command to type next."""

from __future__ import annotations

from typing import Annotated

import typer

from ..untrusted import say
from . import options


def doctor_command(
    data: Annotated[
        str | None,
        typer.Option(help="Data set: mini, mini-twins, an annotation file, name:file.", show_default=False),
    ] = None,
    videos: options.Videos = None,
    model: Annotated[str | None, typer.Option(help="Model that is to be run.", show_default=False)] = None,
    model_path: options.ModelPath = None,
) -> None:
    """Say in seconds what is installed and found, which videos are there, and what to type next.

    Of keys it is said whether they are set, never what they are. No video is
    decoded and nothing is downloaded. Exit code 1 where a run could not begin.

    Example: ecva-bench doctor --data annotations.xlsx --videos videos/ --model videollama2
    """
    from ..doctor.examining import examine

    found = examine(data, videos, model, model_path)
    width = max(len(line.subject) for line in found.lines)
    for line in found.lines:
        say(f"{' ' if line.good else '!'} {line.subject:<{width}}  {line.text}")
    say(f"next: {found.next}")
    if not found.ready:
        raise typer.Exit(1)
