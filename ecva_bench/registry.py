"""Names to objects through entry points, so that a third party's package plugs in exactly as ours does.

Knows nothing of models, scorers or datasets, and imports a target only when it is asked for.
"""

from __future__ import annotations

import ast
import difflib
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .errors import UsageError


def names(group: str) -> list[str]:
    """Return the registered names of an entry-point group, sorted."""
    return sorted({entry.name for entry in entry_points(group=group)})


def load(group: str, name: str) -> Any:
    """Import and return the object registered as `name`; `UsageError` with the nearest names if there is none."""
    return find(group, name).load()


def find(group: str, name: str) -> EntryPoint:
    """Return the entry point registered as `name` without importing it; `UsageError` if there is none."""
    found = entry_points(group=group, name=name)
    if not found:
        raise UsageError(f"no {_noun(group)} is called {name!r}", remedy=_suggestion(name, names(group)))
    return next(iter(found))


def summary(entry: EntryPoint) -> str:
    """Return the first docstring line of an entry point's module, read from its source: nothing heavy is imported."""
    spec = find_spec(entry.module)
    if spec is None or not spec.origin:
        return ""
    docstring = ast.get_docstring(ast.parse(Path(spec.origin).read_text(encoding="utf-8"))) or ""
    return docstring.partition("\n")[0]


def _noun(group: str) -> str:
    return {"ecva_bench.adapters": "model"}.get(group, group.rpartition(".")[2].rstrip("s"))


def _suggestion(name: str, available: list[str]) -> str:
    near = difflib.get_close_matches(name, available, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"{hint}available: {', '.join(available) or 'none'}"
