"""A page as a newcomer follows it: its files are written, its Python is run, its commands are typed, all in order.

Blocks are fenced. `sh` are commands, one a line. Of the others, one that follows a line which ends in "`NAME`:" is the
file NAME; `python` without a name is run. A command is to end with code 0, unless a comment behind it says
"exit code N".
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.imports import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs" / "guides").glob("*.md"))]
_FENCED = re.compile(r"^```(?P<kind>\w*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
_NAMED = re.compile(r"`([^`\n]+)`[^`\n]*:\s*\Z")
_ASSIGNED = re.compile(r"[A-Z_]+=\S*")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and the file that it is, if it is one."""

    kind: str
    text: str
    file: str | None


@dataclass(frozen=True)
class Command:
    """A line of the shell. `words` are its program and arguments, `code` is what it is to end with."""

    line: str
    words: tuple[str, ...]
    environment: Mapping[str, str]
    code: int


def blocks(page: str) -> Iterator[Block]:
    for found in _FENCED.finditer(page):
        named = _NAMED.search(page[: found.start()])
        yield Block(found["kind"], found["text"], named[1] if named and found["kind"] != "sh" else None)


def commands(text: str) -> Iterator[Command]:
    """Yield the commands of a block, with variables and patterns as the shell would have them when their turn comes."""
    for line in text.replace("\\\n", " ").splitlines():
        for part in line.split(" && "):
            words = shlex.split(os.path.expandvars(part), comments=True)
            environment = {}
            while words and _ASSIGNED.fullmatch(words[0]):
                name, _, value = words.pop(0).partition("=")
                environment[name] = value
            if words:
                expected = re.search(r"# exit code (\d+)", line)
                code = int(expected[1]) if expected else 0
                yield Command(line, tuple(_globbed(words)), environment, code)


def follow(page: str, run: Callable[[Command], int], run_python: Callable[[str], None]) -> int:
    """Follow a page in the present folder, and return of how many blocks it is.

    `run` gets each command and returns what it ended with, which is to be what the page says.
    """
    followed = 0
    for block in blocks(page):
        if block.file:
            Path(block.file).parent.mkdir(parents=True, exist_ok=True)
            Path(block.file).write_text(block.text, encoding="utf-8")
        elif block.kind == "python":
            run_python(block.text)
        else:
            assert block.kind == "sh", f"a block is neither a file nor commands nor Python: {block.text}"
            for command in commands(block.text):
                assert run(command) == command.code, command.line
        followed += 1
    return followed


def _globbed(words: list[str]) -> Iterator[str]:
    for word in words:
        yield from (sorted(map(str, Path().glob(word))) or [word]) if "*" in word else [word]
