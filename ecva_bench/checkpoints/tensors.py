"""Authors' weight files as mappings from names to tensors, and networks filled from them without a name left over.

Knows the files that torch, transformers and their trainers write: safetensors and pickles, single and sharded. A pickle
is read as weights only, never as a program. Tensors are read when they are asked for and not kept, so that taking a
connector out of a model of 16 GB costs the connector. Knows no model.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from ..errors import CheckpointError
from ..wording import counted
from .files import first_line, read_json_object
from .inspection import inspected, without_numbers

Tensors = Mapping[str, torch.Tensor]

# A whole model in one file or in the files of an index, in the order in which transformers looks for them.
_WHOLE = (
    ("model.safetensors", "model.safetensors.index.json"),
    ("pytorch_model.bin", "pytorch_model.bin.index.json"),
)
# Saved by older versions of transformers; today it is computed.
OLD_BUFFER = "rotary_emb.inv_freq"
_WRAPPERS = ("model", "module", "state_dict")


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
            raise CheckpointError(f"the index names {name!r}, which is not there", path, "download it again") from None


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
            raise CheckpointError(f"the file cannot be read ({first_line(error)})", path, "download it again") from None
        self._names = dict.fromkeys(self._file.keys())

    def __getitem__(self, name: str) -> torch.Tensor:
        if name not in self._names:
            raise KeyError(name)
        if inspected() is not None:
            part = self._file.get_slice(name)
            kind = torch.float16 if part.get_dtype().startswith(("F", "BF")) else torch.int64
            return torch.empty(part.get_shape(), dtype=kind, device="meta")
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
    dropped. Raises `CheckpointError` where there is no such file, or it is not weights only.
    """
    if path.is_dir():
        path = weights_file(path)
    if path.name.endswith(".index.json"):
        return _Shards({name: path.parent / file for name, file in _indexed(path).items()})
    return _opened(path)


def weights_file(folder: Path) -> Path:
    """Return the file that holds a folder's whole model, or the index of its files: the one that transformers reads.

    Raises `CheckpointError` where there is none, where files that an index names are not there, and where an index
    names other files than the single one beside it: transformers would read the single one, others the index's.
    """
    for single, index in ((folder / single, folder / index) for single, index in _WHOLE):
        if not index.is_file():
            if single.is_file():
                return single
            continue
        files = {*_indexed(index).values()}
        if single.is_file():
            if files == {single.name}:
                return single
            what = f"the folder holds two sets of weights, {single.name} and the files of {index.name}"
            raise CheckpointError(what, folder, "name a folder with one of them, beside its config.json")
        if missing := sorted(file for file in files if not (folder / file).is_file()):
            what = (
                f"not all that the index names is there: without {counted(len(missing), 'file')} ({', '.join(missing)})"
            )
            raise CheckpointError(what, index, "take the whole release, or download it again")
        return index
    names = ", ".join(name for pair in _WHOLE for name in pair)
    raise CheckpointError("the folder holds no whole model", folder, f"put one of {names} there")


def without_old_buffers(tensors: Tensors) -> Tensors:
    """Return tensors without the buffers that older versions of transformers saved."""
    return renamed(tensors, lambda name: None if name.endswith(OLD_BUFFER) else name)


def layered(*sources: Tensors) -> Tensors:
    """Return several mappings as one; where two have a name, the earlier one gives the tensor."""
    return _Layered(sources)


def renamed(tensors: Tensors, rename: Callable[[str], str | None]) -> Tensors:
    """Return tensors under the names that `rename` gives, without those it gives None.

    Raises `CheckpointError` where two names become one.
    """
    names: dict[str, str] = {}
    for old in tensors:
        new = rename(old)
        if new is None:
            continue
        if new in names:
            raise CheckpointError(f"two tensors are called {new!r}", f"{names[new]}, {old}", "the key map is wrong")
        names[new] = old
    return _Renamed(tensors, names)


def under(tensors: Tensors, prefix: str) -> Tensors:
    """Return the tensors whose names begin with a prefix, without it."""
    return renamed(tensors, lambda name: name.removeprefix(prefix) if name.startswith(prefix) else None)


def after_last(tensors: Tensors, mark: str) -> Tensors:
    """Return the tensors whose names hold a mark such as `mm_projector.`, under what follows its last occurrence."""
    return renamed(tensors, lambda name: name.rpartition(mark)[2] if mark in name else None)


def _indexed(index: Path) -> dict[str, str]:
    """Return the name of the file of each tensor."""
    files = read_json_object(index).get("weight_map")
    if not (isinstance(files, dict) and files and all(isinstance(file, str) for file in files.values())):
        raise CheckpointError("the index names no files", index, "download it again")
    return files


def _opened(path: Path) -> Tensors:
    """Return the tensors of one file; they stay on disk until they are read."""
    if not path.is_file():
        raise CheckpointError("there is no such file", path, "take the whole release, or download it again")
    return _Safetensors(path) if path.suffix == ".safetensors" else without_numbers(_unwrapped(_unpickled(path)))


def _unpickled(path: Path) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except UnpicklingError:
        remedy = "download it again, or where you trust it save its tensors as safetensors: no program in it is run"
        raise CheckpointError("the file is damaged, or holds more than weights", path, remedy) from None
    except (RuntimeError, EOFError, OSError) as error:
        raise CheckpointError(f"the file cannot be read ({first_line(error)})", path, "download it again") from None


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
