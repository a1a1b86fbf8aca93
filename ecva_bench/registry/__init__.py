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
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import Distribution, EntryPoint, EntryPoints, entry_points
from importlib.util import find_spec
from operator import attrgetter
from pathlib import Path
from typing import Any

from ..errors import EcvaError, UsageError
from . import source_files
from .process_end import RIGHT_ENDS, kept_alive
from .source_files import error_line

_IN_FILE = re.compile(r"(?P<file>.+\.py):(?P<name>[^\W\d]\w*)(?::(?P<target>.*))?", re.DOTALL)
_OURS = __name__.partition(".")[0]
_PACKAGE = "ecva-bench"  # which registers what is ours


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


@contextmanager
def no_exit(error: type[EcvaError], label: str) -> Iterator[None]:
    """Raise `error`, which names a plug-in, where its code raises what would end the program, as `sys.exit` does.

    Exceptions are let through, and so are `RIGHT_ENDS`.
    """
    try:
        with kept_alive():
            yield
    except (Exception, *RIGHT_ENDS):
        raise
    except BaseException as end:
        raise error(f"it ends the program ({error_line(end)})", label, "have it raise an error instead") from end


def names(group: str) -> list[str]:
    """Return the registered names of an entry-point group, sorted."""
    return sorted(_registered(group))


def passed_over(group: str) -> list[str]:
    """Return in a line each which names other packages register that are ours, and so are not theirs."""
    there = _registered(group)
    return [
        f"{name} of {_release(other)} is not used: the name is {_PACKAGE}'s"
        for name, entries in sorted(there.items())
        if _is_ours(entries[0])
        for other in entries[1:]
        if not _is_ours(other)
    ]


def load(group: str, name: str) -> Any:
    """Import and return the object registered as `name`; `UsageError` with the nearest names if there is none."""
    return _loaded(group, find(group, name))


def find(group: str, name: str) -> EntryPoint:
    """Return the entry point registered as `name` without importing it.

    Of a name that this project has, it is the project's, whatever else is installed. `UsageError` if there is none, or
    if two other packages have one of the name.
    """
    return _found(group, name, _registered(group))


def is_named(group: str, source: str) -> bool:
    """Return whether a text is a registered name, or one with its target, or a Python file, also `file.py:Name`."""
    file = bool(_IN_FILE.fullmatch(source)) or _without_name(source) is not None
    return file or source.partition(":")[0] in _registered(group)


def resolve(group: str, source: object) -> Plugin:
    """Return what is meant by a registered name, a name with a target (`hf:ID`), `./file.py:Name`, or an object.

    Raises `UsageError` for a name that is not registered, and for a file that cannot be imported or lacks the name.
    """
    if not isinstance(source, str):
        return _given(group, source)
    name, colon, target = source.partition(":")
    registered = _registered(group)
    if name not in registered:
        if match := _IN_FILE.fullmatch(source):
            return _in_file(group, Path(match["file"]), match["name"], match["target"])
        if file := _without_name(source):
            own = ", ".join(source_files.own_names(source_files.import_file(Path(file)))) or "none"
            what = "the file is named, and not what in it"
            raise UsageError(what, file, f"write {file}:NAME; its own names are {own}")
    entry = _found(group, name, registered)
    value = _loaded(group, entry)
    code = "" if _is_ours(entry) else _release(entry)
    return Plugin(group, value, source, f"{name} ({place_of_code(value)})", target if colon else None, code)


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
    return Plugin(group, source, kind.__qualname__.rpartition(".")[2], place_of_code(source), code=code)


def place_of_code(value: object) -> str:
    """Return what an object, or the class of an instance, is called and where it is defined: `Mine in my_module`."""
    kind = source_files.defined(value)
    return f"{kind.__qualname__} in {kind.__module__ or '__main__'}"


def _registered(group: str) -> dict[str, list[EntryPoint]]:
    """Return all entry points of a group by name, this project's own first, from one look through what is installed."""
    found: dict[str, list[EntryPoint]] = {}
    entries = _entries(entry_points, group, tuple(map(_state, sys.path)))
    for entry in sorted(entries, key=lambda one: not _is_ours(one)):
        there = found.setdefault(entry.name, [])
        if _release(entry) not in map(_release, there):  # one package may lie on the path twice
            there.append(entry)
    return found


@lru_cache(maxsize=16)
def _entries(look: Callable[..., EntryPoints], group: str, path: tuple[object, ...]) -> EntryPoints:
    """Return what `look` finds of a group. It looks again only where `path`, the folders on sys.path, has changed."""
    return look(group=group)


def _state(place: str) -> tuple[str, int, int]:
    """Return what changes where a package is installed into a folder, or removed: 0 where there is no folder."""
    try:
        found = Path(place).stat()
    except (OSError, ValueError):
        return place, 0, 0
    return place, found.st_ino, found.st_mtime_ns


def _found(group: str, name: str, registered: Mapping[str, Sequence[EntryPoint]]) -> EntryPoint:
    if not (entries := registered.get(name)):
        raise UsageError(f"no {_noun(group)} is called {name!r}", remedy=_suggestion(name, sorted(registered)))
    packages = sorted({_release(entry) for entry in entries})
    if len(packages) > 1 and not _is_ours(entries[0]):
        what = f"two packages have a {_noun(group)} called {name!r}"
        raise UsageError(what, ", ".join(packages), "uninstall one of them, or name it as ./file.py:Name")
    return entries[0]


def _loaded(group: str, entry: EntryPoint) -> Any:
    """Import an entry point; `UsageError` where its package cannot be, and `ImportError` where that lacks another."""
    label = f"{_noun(group)} {entry.name!r} of {_release(entry) or entry.module}"
    try:
        with kept_alive():
            return entry.load()
    except (EcvaError, ImportError, *RIGHT_ENDS):
        raise
    except BaseException as error:
        raise UsageError(f"it cannot be imported ({error_line(error)})", label, "mend it, or uninstall it") from error


def _is_ours(entry: EntryPoint) -> bool:
    """Return whether this project registers it: by its package, which no name of a module can pretend to be."""
    if entry.dist is None:
        return entry.module.partition(".")[0] == _OURS
    return re.sub("[-_.]+", "-", _name_and_version(entry.dist)[0]).lower() == _PACKAGE


def _release(entry: EntryPoint) -> str:
    """Return which release of which package registers an entry point, as `package:VERSION`."""
    return ":".join(_name_and_version(entry.dist)) if entry.dist is not None else ""


@lru_cache(maxsize=64)
def _name_and_version(package: Distribution) -> tuple[str, str]:
    """Return what a package calls itself. Its metadata is parsed once, not for each of its entry points."""
    metadata = package.metadata
    return metadata["Name"], metadata["Version"]


def _noun(group: str) -> str:
    nouns = {"ecva_bench.adapters": "model", "ecva_bench.datasets": "data set"}
    return nouns.get(group, group.rpartition(".")[2].rstrip("s").replace("_", " "))


def _suggestion(name: str, available: list[str]) -> str:
    near = difflib.get_close_matches(name, available, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"{hint}available: {', '.join(available) or 'none'}; or ./file.py:Name; a package's own after installing it"
