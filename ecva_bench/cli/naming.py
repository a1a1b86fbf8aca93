"""A refusal names the option that carried what it refuses, as it was typed.

Rooms below know values and not options, so the option is found here: one whose value the error's message shows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from typer import Context
from typer.core import TyperCommand

from ..errors import EcvaError


class NamingCommand(TyperCommand):
    """A command whose errors have a note for each option that they are about and do not name."""

    def invoke(self, ctx: Context) -> Any:  # type: ignore[override]
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (EcvaError, OSError) as error:
            refused = f"{error.what}: {error.where}" if isinstance(error, EcvaError) else str(error)  # a remedy is not
            for option, value in _typed(ctx):
                named = re.search(rf"{re.escape(option)}(?![\w-])", str(error))
                if not named and (_is_about(refused, option, value) or _lies_below(value, error)):
                    error.add_note(f"{option} {value}")
            raise


def with_options(error: BaseException, message: str) -> str:
    """Return the message with the options that it is about."""
    notes: Iterable[str] = getattr(error, "__notes__", ())
    return f"{message} ({', '.join(notes)})" if notes else message


def _typed(ctx: Context) -> Iterator[tuple[str, str]]:
    """Yield the options of the command line, each with its value, or with each of its values."""
    for parameter in ctx.command.params:
        source, name = ctx.get_parameter_source(parameter.name or ""), parameter.opts[0]
        if name.startswith("-") and source is not None and source.name == "COMMANDLINE":
            value = ctx.params.get(parameter.name or "")
            for item in value if isinstance(value, list | tuple) else [value]:
                if isinstance(item, str | Path | int | float) and not isinstance(item, bool):
                    yield name, str(item)


def _lies_below(value: str, error: Exception) -> bool:
    """Whether a path was to be made below a file, which the system names alone."""
    file = error.filename if isinstance(error, OSError) else None
    return isinstance(file, str) and Path(file) in Path(value).parents


def _is_about(message: str, option: str, value: str) -> bool:
    """Whether a message shows a value, in quotes or as one of its parts, or speaks of an option of a model.

    A path may be shown in full, or with what lies below it; of name=value, either of the two may be shown.
    """
    parts = [part.strip(" '") for part in re.split(r": |, |\n", message)]
    name, equals, right = value.partition("=")
    shown = {value, str(Path(value).absolute()), *((name, right) if equals else ())} - {""}
    if any(f"'{text}'" in message or part == text for text in shown for part in parts):
        return True
    below = (f"{value}/", f"{value}.")
    own = [option.removeprefix("--"), *([name] if equals else ())]
    ends = tuple(f"option {each.replace('-', '_')}" for each in own)
    return any(part.startswith(below) or part.endswith(ends) for part in parts)
