"""Authors' weight files as mappings from names to tensors, and networks filled from them without a name left over.

Knows the files that torch, transformers and their trainers write: safetensors and pickles, single and sharded. A pickle
is read as weights only, never as a program. Tensors are read when they are asked for and not kept, so that taking a
connector out of a model of 16 GB costs the connector. Knows no model.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from ecva_bench.answering.checkpoint_check import PartCheck
from ecva_bench.errors import AdapterError

from .files import first_line, read_json_object
from .inspection import inspected, without_numbers

Tensors = Mapping[str, torch.Tensor]

_WHOLE = ("model.safetensors.index.json", "model.safetensors", "pytorch_model.bin.index.json", "pytorch_model.bin")
_WRAPPERS = ("model", "module", "state_dict")
_SHOWN = 20


class _Unread(Mapping[str, torch.Tensor]):
    """Tensors whose names are known; each is read when it is asked for, and not to learn that it is there."""

    _names: Collection[str]

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class _Shards(_Unread):
    """The tensors of the shards that an index names: name -> file, each opened when it is needed first."""

    def __init__(self, places: dict[str, Path]) -> None:
        self._names = self._places = places
        self._shards: dict[Path, Tensors] = {}

    def __getitem__(self, name: str) -> torch.Tensor:
        path = self._places[name]
        if path not in self._shards:
            self._shards[path] = _opened(path)
        try:
            return self._shards[path][name]
        except KeyError:
            raise AdapterError(f"the index names {name!r}, which is not there", path, "download it again") from None


class _Renamed(_Unread):
    """Some tensors of a mapping under other names: new name -> old name."""

    def __init__(self, tensors: Tensors, old: dict[str, str]) -> None:
        self._names = self._old = old
        self._tensors = tensors

    def __getitem__(self, name: str) -> torch.Tensor:
        return self._tensors[self._old[name]]


class _Safetensors(_Unread):
    """One safetensors file."""

    def __init__(self, path: Path) -> None:
        from safetensors import SafetensorError, safe_open

        opened: Any = safe_open  # it has no types
        try:
            self._file = opened(path, "pt")
        except (SafetensorError, OSError) as error:
            raise AdapterError(f"the file cannot be read ({first_line(error)})", path, "download it again") from None
        self._names = dict.fromkeys(self._file.keys())

    def __getitem__(self, name: str) -> torch.Tensor:
        if name not in self._names:
            raise KeyError(name)
        if inspected() is not None:
            return torch.empty(self._file.get_slice(name).get_shape(), device="meta")
        found: torch.Tensor = self._file.get_tensor(name)
        return found


class _Layered(_Unread):
    """Several mappings as one: name -> the mapping it is taken from."""

    def __init__(self, sources: tuple[Tensors, ...]) -> None:
        self._names = self._owner = {name: source for source in reversed(sources) for name in source}

    def __getitem__(self, name: str) -> torch.Tensor:
        return self._owner[name][name]


def open_weights(path: Path) -> Tensors:
    """Return the tensors of a file, or of a folder as transformers would choose them, safetensors first.

    Of a pickle, what lies in `model`, `module` or `state_dict` is taken, and a `module.` that all names begin with is
    dropped. Raises `AdapterError` where there is no such file, or it is not weights only.
    """
    if path.is_dir():
        there = [path / name for name in _WHOLE if (path / name).is_file()]
        if not there:
            raise AdapterError("the folder holds no whole model", path, f"put one of {', '.join(_WHOLE)} there")
        path = there[0]
    if path.name.endswith(".index.json"):
        index = read_json_object(path).get("weight_map")
        if not isinstance(index, dict):
            raise AdapterError("the index names no files", path, "download it again")
        return _Shards({name: path.parent / str(file) for name, file in index.items()})
    return _opened(path)


def layered(*sources: Tensors) -> Tensors:
    """Return several mappings as one; where two have a name, the earlier one gives the tensor."""
    return _Layered(sources)


def renamed(tensors: Tensors, rename: Callable[[str], str | None]) -> Tensors:
    """Return tensors under the names that `rename` gives, without those it gives None.

    Raises `AdapterError` where two names become one.
    """
    names: dict[str, str] = {}
    for old in tensors:
        new = rename(old)
        if new is None:
            continue
        if new in names:
            raise AdapterError(f"two tensors are called {new!r}", f"{names[new]}, {old}", "the key map is wrong")
        names[new] = old
    return _Renamed(tensors, names)


def under(tensors: Tensors, prefix: str) -> Tensors:
    """Return the tensors whose names begin with a prefix, without it."""
    return renamed(tensors, lambda name: name.removeprefix(prefix) if name.startswith(prefix) else None)


def after_last(tensors: Tensors, mark: str) -> Tensors:
    """Return the tensors whose names hold a mark such as `mm_projector.`, under what follows its last occurrence."""
    return renamed(tensors, lambda name: name.rpartition(mark)[2] if mark in name else None)


def parted(tensors: Tensors, names: Iterable[str], what: str, where: object) -> dict[str, Tensors]:
    """Return by each prefix, one of `names` that ends in a dot, the tensors whose names begin with it, without it.

    The others of `names` are whole names. Raises `AdapterError` that names all tensors that have no place there; `what`
    and `where` are the model and its file.
    """
    known = set(names)
    prefixes = tuple(name for name in known if name.endswith("."))
    strange = sorted(name for name in tensors if name not in known and not name.startswith(prefixes))
    check({"unexpected": strange}, what, where)
    return {prefix: under(tensors, prefix) for prefix in prefixes}


def fill(module: torch.nn.Module, tensors: Tensors, where: object) -> None:
    """Copy tensors into a module, in the module's dtype and on its device; the names must be its own, all of them.

    Raises one `AdapterError` that lists what is missing and unexpected, or of another shape; `where` is the file or
    folder it names.
    """
    what, targets = type(module).__name__, module.state_dict()
    problems, shapes = named(targets, tensors, what, where), []
    with torch.no_grad():
        for name in (name for name in targets if name in tensors):
            tensor, target = tensors[name], targets[name]
            if tensor.shape != target.shape:
                shapes.append(f"{name} {told(tensor.shape)} for {told(target.shape)}")
            else:
                target.copy_(tensor)
    check({**problems, "of another shape": shapes}, what, where, len(targets))


def named(expected: Collection[str], given: Collection[str], what: str, where: object) -> dict[str, list[str]]:
    """Return which names are missing and unexpected: none, but in an inspection.

    Elsewhere raises the `AdapterError` of `check`, so that nothing is read in vain.
    """
    problems = {"missing": sorted({*expected} - {*given}), "unexpected": sorted({*given} - {*expected})}
    if inspected() is None:
        check(problems, what, where)
    return problems


def check(problems: Mapping[str, list[str]], what: str, where: object, tensors: int = 0) -> None:
    """Raise one `AdapterError` that lists the names of each problem, at most 20; return where there are none.

    In an inspection, note them and the number of `tensors` compared, and return in any case.
    """
    found = inspected()
    if found is None:
        if any(problems.values()):
            raise misfit(problems, what, where)
    elif tensors or any(problems.values()):
        found.append(
            PartCheck(what, str(where), tensors, {problem: names for problem, names in problems.items() if names})
        )


def misfit(problems: Mapping[str, list[str]], what: str, where: object) -> AdapterError:
    """Return the error that lists the names of each problem, at most 20."""
    listed = [
        f"{len(names)} {problem}: {', '.join(names[:_SHOWN])}{', …' if len(names) > _SHOWN else ''}"
        for problem, names in problems.items()
        if names
    ]
    remedy = "name the checkpoint this model was made for, in its authors' layout"
    return AdapterError(f"the weights do not fit {what} ({'; '.join(listed)})", where, remedy)


def told(shape: torch.Size) -> str:
    """Return a shape as errors tell it: `2x3`."""
    return "x".join(map(str, shape)) or "scalar"


def _opened(path: Path) -> Tensors:
    """Return the tensors of one file; they stay on disk until they are read."""
    if not path.is_file():
        raise AdapterError("there is no such file", path, "take the whole release, or download it again")
    return _Safetensors(path) if path.suffix == ".safetensors" else without_numbers(_unwrapped(_unpickled(path)))


def _unpickled(path: Path) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except UnpicklingError:
        remedy = "download it again, or where you trust it save its tensors as safetensors: no program in it is run"
        raise AdapterError("the file is damaged, or holds more than weights", path, remedy) from None
    except (RuntimeError, EOFError, OSError) as error:
        raise AdapterError(f"the file cannot be read ({first_line(error)})", path, "download it again") from None


def _unwrapped(content: Any) -> Tensors:
    """Return the tensors of what a pickle held, without the dictionaries and the prefix trainers wrap them in."""
    while isinstance(content, dict):
        inner = next((content[name] for name in _WRAPPERS if isinstance(content.get(name), dict)), None)
        if inner is None:
            break
        content = inner
    tensors = {name: value for name, value in dict(content).items() if isinstance(value, torch.Tensor)}
    if tensors and all(name.startswith("module.") for name in tensors):
        return {name.removeprefix("module."): tensor for name, tensor in tensors.items()}
    return tensors
