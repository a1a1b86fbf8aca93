"""From what a user names or gives to the object meant: a registered name, `./file.py:Name`, or the object itself.

Names are found through entry points, so that a third party's package plugs in exactly as ours does. Knows nothing of
models, scorers or data sets, and imports a target only when it is asked for.
"""

from __future__ import annotations

import ast
import difflib
import inspect
import re
import sys
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from operator import attrgetter
from pathlib import Path
from typing import Any

from ..errors import UsageError
from . import source_files

_IN_FILE = re.compile(r"(?P<file>.+\.py):(?P<name>[^\W\d]\w*)(?::(?P<target>.*))?", re.DOTALL)
_OURS = __name__.partition(".")[0]


@dataclass(frozen=True)
class Plugin:
    """What a user named or gave.

    `name` is what results and signatures call it: `motion`, `hf:ID`, `my.py:Mine`, `Mine`. `label` is what messages
    call it, with the place. `target` is what stood behind a name and its colon, None where there was no colon. `code`
    says which code it is, as `my.py:HASH` or `package:VERSION`; it is empty for what is registered by this project.
    """

    group: str
    value: Any
    name: str
    label: str
    target: str | None = None
    code: str = ""

    def unfit(self, lacks: str) -> UsageError:
        """Return the error for an object that is not of its group's kind; `lacks` says what it would need."""
        return UsageError(f"{self.label} is no {_noun(self.group)}", remedy=lacks)

    def takes(self, *arguments: str) -> None:
        """Raise `UsageError`, which names the arguments, where the object cannot be called with so many."""
        try:
            inspect.signature(self.value).bind(*arguments)
        except TypeError:
            raise self.unfit(f"it cannot be called with ({', '.join(arguments)})") from None
        except ValueError:  # a built-in that does not say what it takes
            pass

    def has(self, method: str, *arguments: str, of: object = None) -> None:
        """Raise `UsageError`, which names both, where the object has no such method, or not with such arguments.

        `of` stands in for the object, such as its class. An abstract method is none.
        """
        owner = self.value if of is None else of
        call = f"{method}({', '.join(arguments)})"
        found = getattr(owner, method, None)
        if not callable(found) or getattr(found, "__isabstractmethod__", False):
            raise self.unfit(f"it has no {call}")
        unbound = isinstance(owner, type) and inspect.isfunction(inspect.getattr_static(owner, method))
        try:
            inspect.signature(found).bind(*(("self",) if unbound else ()), *arguments)
        except TypeError:
            what = f"its {method} cannot be called as {call}"
            raise self.unfit(f"{what}: it is {method}{inspect.signature(found)}") from None
        except ValueError:  # a built-in that does not say what it takes
            pass


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


def is_named(group: str, source: str) -> bool:
    """Return whether a text is a registered name, or one with its target, or a Python file, also `file.py:Name`."""
    file = bool(_IN_FILE.fullmatch(source)) or _without_name(source) is not None
    return source.partition(":")[0] in names(group) or file


def resolve(group: str, source: object) -> Plugin:
    """Return what is meant by a registered name, a name with a target (`hf:ID`), `./file.py:Name`, or an object.

    Raises `UsageError` for a name that is not registered, and for a file that cannot be imported or lacks the name.
    """
    if not isinstance(source, str):
        return _given(group, source)
    name, colon, target = source.partition(":")
    if name not in names(group):
        if match := _IN_FILE.fullmatch(source):
            return _in_file(group, Path(match["file"]), match["name"], match["target"])
        if file := _without_name(source):
            own = ", ".join(source_files.own_names(source_files.import_file(Path(file)))) or "none"
            what = "the file is named, and not what in it"
            raise UsageError(what, file, f"write {file}:NAME; its own names are {own}")
    value = load(group, name)
    return Plugin(group, value, source, f"{name} ({_place(value)})", target if colon else None, _release(group, name))


def importable(source: object) -> bool:
    """Return whether another process can find what was given by its name: a text, or a class or function of a module.

    An instance is none, nor is what a function or a notebook defines.
    """
    if isinstance(source, str | Path):
        return True
    if not (isinstance(source, type) or inspect.isfunction(source)):
        return False
    module = sys.modules.get(source.__module__)
    if not getattr(module, "__file__", None) or source_files.is_private(source.__module__):
        return False
    try:
        return attrgetter(source.__qualname__)(module) is source
    except AttributeError:
        return False


def short_name(called: str) -> str:
    """Return what tables and files call what results call so: `Mine` for `my.py:Mine`, all else as it is."""
    found = _IN_FILE.fullmatch(called)
    return ":".join(filter(None, (found["name"], found["target"]))) if found else called


def summary(entry: EntryPoint) -> str:
    """Return the first docstring line of an entry point's module, read from its source: nothing heavy is imported."""
    spec = find_spec(entry.module)
    if spec is None or not spec.origin:
        return ""
    docstring = ast.get_docstring(ast.parse(Path(spec.origin).read_text(encoding="utf-8"))) or ""
    return docstring.partition("\n")[0]


def _without_name(source: str) -> str | None:
    """Return the file of a text that names a Python file and nothing in it."""
    file = source.removesuffix(":")
    return file if file.endswith(".py") else None


def _in_file(group: str, path: Path, name: str, target: str | None) -> Plugin:
    module = source_files.import_file(path)
    if not hasattr(module, name):
        own = ", ".join(source_files.own_names(module)) or "none"
        raise UsageError(f"there is no {name} in the file", path, f"its own names are {own}")
    code = f"{path.name}:{source_files.digest(path)}"
    called = f"{path.name}:{name}" + ("" if target is None else f":{target}")
    return Plugin(group, getattr(module, name), called, f"{name} in {path}", target, code)


def _given(group: str, source: object) -> Plugin:
    kind = source_files.defined(source)
    code = "" if (kind.__module__ or "").partition(".")[0] == _OURS else source_files.code_of(source)
    return Plugin(group, source, kind.__qualname__.rpartition(".")[2], _place(source), code=code)


def _place(value: object) -> str:
    """Return what an object, or the class of an instance, is called and where it is defined: `Mine in my_module`."""
    kind = source_files.defined(value)
    return f"{kind.__qualname__} in {kind.__module__ or '__main__'}"


def _release(group: str, name: str) -> str:
    """Return which release of which package registers a name; nothing for this project's own."""
    for entry in entry_points(group=group, name=name):
        if entry.dist is not None and entry.module.partition(".")[0] != _OURS:
            return f"{entry.dist.name}:{entry.dist.version}"
    return ""


def _noun(group: str) -> str:
    nouns = {"ecva_bench.adapters": "model", "ecva_bench.datasets": "data set"}
    return nouns.get(group, group.rpartition(".")[2].rstrip("s").replace("_", " "))


def _suggestion(name: str, available: list[str]) -> str:
    near = difflib.get_close_matches(name, available, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"{hint}available: {', '.join(available) or 'none'}; or ./file.py:Name; a package's own after installing it"
