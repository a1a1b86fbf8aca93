"""A user's Python files: imported by their path, and known by their content, so that an edited file is another one.

Knows files and modules, and not what is in them.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import sys
import sysconfig
import traceback
import warnings
from collections.abc import Collection, Mapping
from functools import partial
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from ..errors import EcvaError, UsageError
from .process_end import RIGHT_ENDS, kept_alive

_PRIVATE = "_ecva_bench_file_"
_OURS = __name__.partition(".")[0]
_DIGITS = 16  # of a hash: enough to tell versions of a file apart
_PLAIN = (str, int, float, bool, type(None))


def import_file(path: Path) -> ModuleType:
    """Import a Python file and return its module; a file that was imported before is imported again if it changed.

    A file of a package is imported as part of it. Any other is imported under a private name, and can import modules
    beside it. Raises `UsageError` where the file cannot be read or imported, or where another module has the name of
    one beside it.
    """
    path = path.expanduser()
    if not path.is_file():
        raise UsageError("there is no such file", path, "check the path")
    file = path.resolve()
    root = _root(file)
    name = f"{_PRIVATE}{file.stem}_{hashlib.sha256(f'{file}:{digest(file)}'.encode()).hexdigest()[:_DIGITS]}"
    if name in sys.modules:
        return sys.modules[name]
    if str(root) not in sys.path:
        sys.path.append(str(root))
    _check_beside(file)
    try:
        with kept_alive():
            if root != file.parent:
                return import_module(".".join(file.relative_to(root).with_suffix("").parts))
            return _import_as(name, file)
    except (EcvaError, *RIGHT_ENDS):
        raise
    except BaseException as error:
        raise UsageError(f"the file cannot be imported ({error_line(error)})", path, "mend it") from error


def is_private(module: str) -> bool:
    """Return whether a module's name is one that `import_file` gave, which other processes do not know."""
    return module.startswith(_PRIVATE)


def own_names(module: ModuleType) -> list[str]:
    """Return the public names of the classes and functions that a module defines."""
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
    ]


def digest(path: Path) -> str:
    """Return a hash of a file and of all the files beside it that it imports, now or later."""
    contents = _sources(path.expanduser().resolve())
    return _hash(*(contents[file] for file in sorted(contents)))


def defined(source: object) -> Any:
    """Return what has a definition in some source: a class or a function itself, of any other object its class."""
    if isinstance(source, partial):
        return defined(source.func)
    return source if isinstance(source, type) or inspect.isroutine(source) else type(source)


def code_of(source: object) -> str:
    """Return which code an object is, as `file.py:HASH` or `Name:HASH`.

    The hash is over the file of its module, as `digest` has it. Of what a script or a notebook defines, it is over the
    definition and the functions, classes and plain values that it reads there, so that the rest may be edited. What a
    function was made with counts too where it is plain. So the hash of a class is the same, whether it is given or
    named as `./file.py:Name`.
    """
    kind = defined(source)
    values = _made_with(source)
    file = _file_of(kind)
    if not file:
        read = repr(_read(kind, {id(kind)})).encode()
        return f"{kind.__qualname__}:{_hash(_definition(kind), repr(values).encode(), read)}"
    code = digest(Path(file))
    return f"{Path(file).name}:{_hash(code.encode(), repr(values).encode()) if values else code}"


def attributes(instance: object, *, but: Collection[str] = ()) -> dict[str, Any]:
    """Return the attributes of an object, without some, where all are plain: texts, numbers, and lists of them.

    Raises `TypeError`, which names the first that is not.
    """
    found = {name: value for name, value in getattr(instance, "__dict__", {}).items() if name not in but}
    for name, value in found.items():
        if not _is_plain(value):
            raise TypeError(f"its {name} is of the type {type(value).__name__}")
    return found


def state_of(source: object) -> dict[str, Any]:
    """Return the plain attributes of an object that is called, or whose method is; of a function and a class nothing.

    Warns of those that are not plain, for two such objects cannot be told apart by them.
    """
    if isinstance(source, partial):
        return state_of(source.func)
    owner = getattr(source, "__self__", None) if inspect.isroutine(source) else source
    if owner is None or isinstance(owner, type | ModuleType):
        return {}
    attributes = getattr(owner, "__dict__", {})
    if unknown := sorted(name for name, value in attributes.items() if not _is_plain(value)):
        what = f"{type(owner).__qualname__} holds {', '.join(unknown)}, which cannot be compared with those of another"
        warnings.warn(f"{what}: use another results file when it changes", stacklevel=2)
    return {name: value for name, value in attributes.items() if _is_plain(value)}


def error_line(error: BaseException) -> str:
    """Return an exception in one line, with the line of a user's file: `ValueError: no such size, my.py line 7`."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{type(error).__name__}: {error.msg}, {Path(error.filename).name} line {error.lineno}"
    return f"{type(error).__name__}: {' '.join(_message(error).split())}{error_place(error)}"


def error_place(error: BaseException) -> str:
    """Return the line of a user's file at which an exception was raised, as `, my.py line 7`; else nothing."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_users(frame.filename)]
    return f", {Path(frames[-1].filename).name} line {frames[-1].lineno}" if frames else ""


def _message(error: BaseException) -> str:
    """Return an exception's text; of a record that pydantic refuses, what is wrong with which field."""
    from pydantic import ValidationError

    if not isinstance(error, ValidationError):
        return str(error)
    found = [(".".join(map(str, one["loc"])), one["msg"].removeprefix("Value error, ")) for one in error.errors()]
    return f"{error.title}: " + "; ".join(": ".join(filter(None, one)) for one in found)


def _is_plain(value: object) -> bool:
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and _is_plain(each) for key, each in value.items())
    return isinstance(value, _PLAIN) or (isinstance(value, list | tuple) and all(map(_is_plain, value)))


def _is_users(file: str) -> bool:
    """Return whether a file is neither Python's, nor an installed package's, nor this project's."""
    package = Path(__file__).parent.parent
    others = (Path(sysconfig.get_path("stdlib")), package, package.parent / "adapters")
    return (
        not file.startswith("<frozen")
        and "site-packages" not in file
        and not any(map(Path(file).is_relative_to, others))
    )


def _import_as(name: str, file: Path) -> ModuleType:
    spec = spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file.name} is no Python file")
    module = sys.modules[name] = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _root(file: Path) -> Path:
    """Return the folder that Python must search to import a file: that above its package, or its own."""
    folder = file.parent
    while (folder / "__init__.py").is_file():
        folder = folder.parent
    return folder


def _sources(file: Path) -> dict[Path, bytes]:
    """Return the content of a file and of those beside it that it imports; of a package, of all its files."""
    root = _root(file)
    if root != file.parent:
        package = root / file.relative_to(root).parts[0]
        return {each: each.read_bytes() for each in package.rglob("*.py")}
    found: dict[Path, bytes] = {}
    waiting = [file]
    while waiting:
        each = waiting.pop()
        if each not in found:
            found[each] = each.read_bytes()
            waiting += [other for name in _imports(found[each]) for other in _beside(root, name)]
    return found


def _imports(content: bytes) -> set[str]:
    """Return the first names of the modules that a source imports anywhere; none of one that is no Python."""
    try:
        nodes = list(ast.walk(ast.parse(content)))
    except (SyntaxError, ValueError):
        return set()
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    of = {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module and not node.level}
    return {name.partition(".")[0] for name in plain | of} - {_OURS}


def _beside(root: Path, name: str) -> list[Path]:
    """Return the files of a module or package of a folder."""
    files = [root / f"{name}.py", *(root / name).rglob("*.py")]
    return [each for each in files if each.is_file()]


def _check_beside(file: Path) -> None:
    """Refuse a file that would be given another module than the one beside it."""
    for name in _imports(file.read_bytes()):
        there = getattr(sys.modules.get(name), "__file__", None)
        mine = _beside(file.parent, name)
        if there and mine and Path(there).resolve() not in mine:
            raise UsageError(f"another module is called {name}", mine[0], f"rename it: {there} was imported before")


def _file_of(kind: Any) -> str:
    """Return the file of the module that defines a class or function; nothing for what a script or notebook defines."""
    module = getattr(kind, "__module__", None) or "__main__"  # None where it was made by `exec`
    return "" if module == "__main__" else getattr(sys.modules.get(module), "__file__", None) or ""


def _read(kind: Any, seen: set[int]) -> list[tuple[str, object]]:
    """Return what a class or function of a notebook or script reads of its module; `seen` are not told again."""
    members = vars(kind).values() if isinstance(kind, type) else (kind,)
    found: dict[str, object] = {}
    for member in filter(inspect.isfunction, members):
        for name in _names(member.__code__) & member.__globals__.keys():
            found[name] = _told(member.__globals__[name], seen)
    return sorted(found.items(), key=lambda each: each[0])


def _told(value: object, seen: set[int]) -> object:
    """Return what tells a value from another: itself where it is plain, the code of what has one, else its type."""
    if _is_plain(value):
        return value
    if isinstance(value, type) or inspect.isfunction(value):
        if id(value) in seen or _file_of(value):
            return value.__qualname__
        seen.add(id(value))
        return value.__qualname__, _definition(value), _read(value, seen)
    return value.__name__ if isinstance(value, ModuleType) else type(value).__qualname__


def _names(code: CodeType) -> set[str]:
    inner = [_names(const) for const in code.co_consts if isinstance(const, CodeType)]
    return set(code.co_names).union(*inner)


def _definition(kind: Any) -> bytes:
    """Return the source of a class or function; of one that was typed in and has none, what Python made of it."""
    parts = [each for each in getattr(kind, "__mro__", (kind,)) if each.__module__ == kind.__module__]
    try:
        return "".join(map(inspect.getsource, parts)).encode()
    except (OSError, TypeError):
        members = [member for part in parts for member in (vars(part).values() if isinstance(part, type) else (part,))]
        return b"".join(_compiled(member.__code__) for member in members if hasattr(member, "__code__"))


def _compiled(code: CodeType) -> bytes:
    """Return what a function does, without the lines it stands in."""
    inner = b"".join(_compiled(const) for const in code.co_consts if isinstance(const, CodeType))
    plain = [const for const in code.co_consts if not isinstance(const, CodeType)]
    return code.co_code + repr((code.co_names, plain)).encode() + inner


def _made_with(source: object) -> list[object]:
    """Return the plain values that a function was made with: those it closes over, defaults, arguments of a partial."""
    if isinstance(source, partial):
        return [repr(source.args), repr(sorted(source.keywords.items())), *_made_with(source.func)]
    cells = [cell.cell_contents for cell in getattr(source, "__closure__", None) or ()]
    defaults = list(getattr(source, "__defaults__", None) or ())
    return [value for value in (*cells, *defaults) if _is_plain(value)]


def _hash(*contents: bytes) -> str:
    found = hashlib.sha256()
    for content in contents:
        found.update(hashlib.sha256(content).digest())
    return found.hexdigest()[:_DIGITS]
