"""The rooms of the package and which of them import which, read from the source: nothing is imported.

A room is a module or a folder of `ecva_bench`, and `adapters` beside it. `python -m tests.imports` draws the
architecture page's picture anew.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "design" / "architecture.md"
BEGIN = "<!-- drawn by `python -m tests.imports` -->\n"
END = "<!-- end of the drawing -->\n"

# Every room may raise our errors, word messages, write files, look names up, say our version, see to it that
# torchvision can be imported, and that libraries are quiet.
EVERYWHERE = frozenset({
    "errors", "hub_ids", "libraries", "registry", "torchvision", "untrusted", "version", "wording", "writing",
})  # fmt: skip

Arrows = Mapping[str, frozenset[str]]  # room -> rooms it imports


def rooms() -> list[str]:
    """Return the names of all rooms, sorted."""
    package = ROOT / "ecva_bench"
    there = {path.stem for path in package.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    return sorted(there - {"__init__", "__main__"} | {"adapters"})


def modules(room: str) -> list[tuple[Path, list[str]]]:
    """Return the files of a room, each with the names of the package it lies in."""
    base = _folder(room)
    if base.is_dir():
        return [
            (path, ["ecva_bench", room, *path.relative_to(base).parent.parts]) for path in sorted(base.rglob("*.py"))
        ]
    return [(base.with_suffix(".py"), ["ecva_bench"])]


def imported_rooms(source: str, package: list[str]) -> set[str]:
    """Return the rooms that a module's source imports anywhere: also within functions, and for types alone."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            names = [*base, *(node.module.split(".") if node.module else [])]
            paths = [[*names, alias.name] for alias in node.names] if len(names) == 1 else [names]
        elif isinstance(node, ast.Import):
            paths = [alias.name.split(".") for alias in node.names]
        else:
            continue
        found |= {parts[1] for parts in paths if parts[0] == "ecva_bench" and len(parts) > 1}
    return found


@cache
def arrows() -> Arrows:
    """Return which other rooms each room imports, but for those that every room may import."""
    there = set(rooms())
    return {
        room: frozenset(
            set().union(*(imported_rooms(path.read_text(encoding="utf-8"), package) for path, package in modules(room)))
            & there - EVERYWHERE - {room}
        )
        for room in there - EVERYWHERE
    }


def reachable(graph: Arrows, room: str) -> set[str]:
    """Return all rooms that a room imports, itself or through others. A circle contains its own rooms."""
    found: set[str] = set()
    waiting = list(graph[room])
    while waiting:
        if (each := waiting.pop()) not in found:
            found.add(each)
            waiting.extend(graph[each])
    return found


def reduced(graph: Arrows) -> Arrows:
    """Return the fewest arrows from which the same rooms can be reached; `graph` has no circle."""
    return {
        room: frozenset(direct - set().union(*(reachable(graph, each) for each in direct)))
        for room, direct in graph.items()
    }


def drawing() -> str:
    """Return the picture as a Mermaid diagram, and below it every room with what it imports directly."""
    graph = arrows()
    picture = [f"    {room} --> {each}" for room, direct in sorted(reduced(graph).items()) for each in sorted(direct)]
    rows = [
        f"| `{room}` | {_purpose(room)} | {', '.join(sorted(graph[room])) if graph.get(room) else '–'} |"
        for room in sorted(rooms())
    ]
    table = ["| room | what it is | imports |", "| --- | --- | --- |", *rows]
    return "\n".join(["", "```mermaid", "graph TD", *picture, "```", "", *table, "", ""])


def redrawn(page: str) -> str:
    """Return the page with today's drawing between its two marks."""
    head, _, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    assert end, f"{PAGE} has lost the marks around its drawing"
    return head + BEGIN + drawing() + END + tail


def _folder(room: str) -> Path:
    return ROOT / "adapters" if room == "adapters" else ROOT / "ecva_bench" / room


def _purpose(room: str) -> str:
    """Return the first sentence of a room's docstring."""
    base = _folder(room)
    path = base / "__init__.py" if base.is_dir() else base.with_suffix(".py")
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return " ".join(docstring.partition("\n\n")[0].split()).replace("|", r"\|")


if __name__ == "__main__":
    PAGE.write_text(redrawn(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
