"""Code that a checkpoint brings: where its settings say that it lies. Reads settings only, and runs nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..errors import CheckpointError
from .files import read_json_object

_SETTINGS = ("config", "tokenizer_config", "processor_config", "preprocessor_config", "video_preprocessor_config")


def check_code_is_here(folder: Path) -> None:
    """Raise `CheckpointError` where a checkpoint's settings name code of another repository (`REPOSITORY--FILE.CLASS`).

    It would be the newest of the day, while a checkpoint's revision is that of what lies in its folder.
    """
    for file, named in _code_of(folder):
        repository, apart, rest = named.partition("--")
        if apart:
            what = f"its code lies in another repository, {repository}, of which no revision is named"
            remedy = f"put that code beside the weights, and write {rest} there in place of {named}"
            raise CheckpointError(what, file, remedy)


def code_files(folder: Path) -> list[str]:
    """Return the files of code that a checkpoint's settings name, `file.py`, or `REPOSITORY: file.py` of another."""
    found = []
    for _, named in _code_of(folder):
        repository, apart, name = named.rpartition("--")
        found.append(f"{repository}{': ' if apart else ''}{name.partition('.')[0]}.py")
    return list(dict.fromkeys(found))


def _code_of(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield the classes that a checkpoint's settings name, each with the file that names it."""
    for file in (folder / f"{name}.json" for name in _SETTINGS):
        for named in _named(read_json_object(file, optional=True).get("auto_map")):
            yield file, named


def _named(auto_map: object) -> Iterator[str]:
    """Yield the classes that `auto_map` names: a text, or lists and objects of such."""
    if isinstance(auto_map, str):
        yield auto_map
    elif isinstance(auto_map, dict | list):
        for one in auto_map.values() if isinstance(auto_map, dict) else auto_map:
            yield from _named(one)
