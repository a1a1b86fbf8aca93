"""Prompt files: texts with front matter, named `<folder>/<name>.v<version>.md`.

The text of a version never changes once published (`prompts/LOCK`), so a name and a version say which words were used.
Knows no task and no judge.
"""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

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


def read_own(folder: Path, name: str) -> tuple[int, str]:
    """Return the version and the text of a prompt in a user's folder, the newest version.

    The file is `<name>.v<version>.md`, or `<name>.md`, which is version 1; front matter may be left out. Raises
    `UsageError` where there is none, or where it is no text.
    """
    pattern = re.compile(rf"{re.escape(name)}(?:\.v(\d+))?\.md")
    there = {int(match[1] or 1): file for file in folder.iterdir() if (match := pattern.fullmatch(file.name))}
    if not there:
        held = ", ".join(sorted(file.name for file in folder.glob("*.md"))) or "no *.md file"
        raise UsageError(f"the folder has no prompt for {name}", folder, f"write {name}.md; it has {held}")
    version = max(there)
    try:
        content = there[version].read_text(encoding="utf-8")
        text = parse_prompt(content)[1] if content.startswith("---\n") else content.strip("\n")
    except ValueError as error:
        raise UsageError(
            f"this is no prompt file ({error})", there[version], "write UTF-8 text, or end its front matter"
        ) from None
    if not text.strip():
        raise UsageError("the prompt is empty", there[version], "write what to ask")
    return version, text


def list_prompts(folder: str) -> list[str]:
    """Return what the prompts of a folder are called, sorted, without their versions."""
    place = files("ecva_bench.prompts") / folder
    return sorted({file.name.partition(".v")[0] for file in place.iterdir() if file.name.endswith(".md")})


def parse_prompt(content: str) -> tuple[dict[str, str], str]:
    """Return the front matter and the text of a prompt file's content; ValueError where it is none."""
    before, *rest = content.split("---\n", 2)
    if before.strip() or len(rest) != 2:
        raise ValueError("it does not begin with --- and lines of NAME: VALUE up to the next ---")
    front, body = rest
    fields = dict(line.split(": ", 1) for line in front.strip().splitlines())
    return fields, body.strip("\n")
