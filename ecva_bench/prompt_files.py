"""Prompt files: the packaged texts with front matter, named `<folder>/<name>.v<version>.md`.

The text of a version never changes once published (`prompts/LOCK`), so a name and a version say which words were used.
Knows no task and no judge.
"""

from __future__ import annotations

import re
from importlib.resources import files

from .errors import UsageError


def read_prompt(folder: str, name: str, version: int | None = None) -> tuple[dict[str, str], str]:
    """Return the front matter and the text of a prompt, the newest version unless one is named.

    Raises `UsageError` where there is no such prompt or version.
    """
    place = files("ecva_bench.prompts") / folder
    pattern = re.compile(rf"{re.escape(name)}\.v(\d+)\.md")
    there = {int(match[1]): file for file in place.iterdir() if (match := pattern.fullmatch(file.name))}
    wanted = max(there, default=0) if version is None else version
    if wanted not in there:
        known = ", ".join(f"v{number}" for number in sorted(there)) or "no version of it"
        raise UsageError(f"no prompt is called {folder}/{name}.v{wanted}", remedy=f"available: {known}")
    return parse_prompt(there[wanted].read_text(encoding="utf-8"))


def list_prompts(folder: str) -> list[str]:
    """Return what the prompts of a folder are called, sorted, without their versions."""
    place = files("ecva_bench.prompts") / folder
    return sorted({file.name.partition(".v")[0] for file in place.iterdir() if file.name.endswith(".md")})


def parse_prompt(content: str) -> tuple[dict[str, str], str]:
    """Return the front matter and the text of a prompt file's content; ValueError where it is none."""
    _, front, body = content.split("---\n", 2)
    fields = dict(line.split(": ", 1) for line in front.strip().splitlines())
    return fields, body.strip("\n")
