"""From a description and annotation files to a `Dataset`: the sets that are published with the package, and yours."""

from __future__ import annotations

import fnmatch
import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import compress, islice
from operator import itemgetter, not_
from pathlib import Path

from ...errors import DataError, UsageError
from ...names import first_few
from ...records.base import sha256_of, sha256_of_file
from ...taxonomy import AnomalyClass, Taxonomy
from ...untrusted import parse_json
from ..cells import Note
from ..dataset import Dataset
from .assembling import Assembly, RowRead, remark, require_columns
from .description import LARGEST, Description, RowsKeys, parse_description
from .mapping import RowReader
from .tables import NumberedRow, read_table

SUFFIX = ".toml"
ROWS_AT_ONCE = 1000  # few enough that those of a large file are never in memory together


@dataclass(frozen=True)
class Shipped:
    """A data set whose description is published with the package, as a function of (path, videos)."""

    name: str

    @property
    def description(self) -> Description:
        """The description."""
        return _shipped(self.name)

    def __call__(self, path: Path | None, videos: Path | None = None) -> Dataset:
        """Return the data set of an annotation file, or of a split: `FOLDER`, or `FOLDER/SPLIT`."""
        if path is None:
            about = self.description
            remedy = f"write {self.name}:FILE, {self.name}:FOLDER or {self.name}:FOLDER/SPLIT; get it from {about.get}"
            raise UsageError(f"{self.name} needs its annotation file", remedy=remedy)
        folder, split = path, None
        if not path.exists() and path.parent.is_dir() and path.name in self.description.splits:
            folder, split = path.parent, path.name
        if folder.is_dir():
            return _load(self.description, *_split_files(self.description, folder, split), videos, str(path))
        return _load(self.description, [path], [], videos, str(path))


@cache
def _shipped(name: str) -> Description:
    file = resources.files(__package__).joinpath("sets", f"{name}{SUFFIX}")
    return parse_description(file.read_bytes(), Path(str(file)))


def is_description(path: Path) -> bool:
    """Say whether a file is a description of a data set: TOML, or a JSON object with a name and columns."""
    if path.suffix.lower() == SUFFIX:
        return True
    if path.suffix.lower() != ".json":
        return False
    try:
        with path.open("rb") as file:
            begin = file.read(LARGEST + 1)
        written = parse_json(begin.decode("utf-8-sig")) if len(begin) <= LARGEST else None
    except (OSError, ValueError):
        return False
    return isinstance(written, dict) and isinstance(written.get("name"), str) and bool({"id", "rows"} & written.keys())


def load_described_file(path: Path, split: str | None = None, videos: Path | None = None) -> Dataset:
    """Return the data set that a description of the user's describes; its files lie in the description's folder.

    `split` is one of its splits, the first one unless named. `DataError` for a description that cannot be used.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"the description cannot be read ({error.strerror})", path, "check the path") from error
    description = parse_description(content, path)
    if not description.splits:
        remedy = 'name its files: [splits] and test = ["FILE"]'
        raise DataError("the description names no annotation file", path, remedy)
    files, others = _split_files(description, path.parent, split)
    return _load(description, files, others, videos, str(path))


def _split_files(description: Description, folder: Path, split: str | None) -> tuple[list[Path], list[Path]]:
    """Return the files of a split that are there, and those of other splits."""
    split = split or next(iter(description.splits), None)
    if split is None or split not in description.splits:
        known = ", ".join(description.splits) or "none"
        raise UsageError(f"{description.name} has no split {split!r}", remedy=f"its splits are {known}")
    files = [folder / file for file in description.splits[split]]
    there = [file for file in files if file.is_file()]
    if not there:
        what = f"no file of the split {split!r} is there: {', '.join(description.splits[split])}"
        raise DataError(what, folder, "name the annotation file, or the folder that it lies in")
    others = [folder / file for name, some in description.splits.items() if name != split for file in some]
    absent = [file.name for file in files if file not in there]
    if absent:
        raise DataError(
            f"a part of the split {split!r} is not there: {', '.join(absent)}", folder, "get it, or name a file"
        )
    return there, [file for file in others if file.is_file() and file not in there]


def _load(description: Description, files: list[Path], others: list[Path], videos: Path | None, source: str) -> Dataset:
    if videos is not None and not videos.is_dir():
        raise DataError("there is no such folder of videos", videos, "check the path")
    with _no_cycles():
        return _assembled(description, files, others, videos, source)


def _assembled(
    description: Description, files: list[Path], others: list[Path], videos: Path | None, source: str
) -> Dataset:
    taxonomy = _taxonomy(description)
    codes = {entry.name: entry.code for entry in taxonomy.classes}
    assembly = Assembly()
    for file in files:
        _read(description, file, codes, assembly)
    for name, file in _shared(description, others, codes, set(assembly.entries)):
        assembly.note(name, "row", Note("in-other-split", "kept", file.name))
    usable, empty, findings = assembly.annotations(files[0])
    if not (usable or empty):
        first = next((f": {video}: {note.before}" for video, _, note in assembly.noted), "")
        raise DataError(f"no row can be used{first:.300}", source, "check the file, and what the description says")
    hashes = [sha256_of_file(file) for file in files]
    return Dataset(
        name=description.name,
        source=source,
        sha256=sha256_of([description.meaning, *hashes]),
        taxonomy=taxonomy,
        annotations=tuple(usable),
        excluded=tuple(empty),
        findings=tuple(findings),
        videos=videos,
    )


@contextmanager
def _no_cycles() -> Iterator[None]:
    """Keep the collector of cycles from going through all records again and again while they are made: they make none.

    They are among the old objects then, which it goes through seldom. Nothing stays frozen: that would keep for ever
    whatever else of the process lies in a cycle, such as a model.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if not gc.get_freeze_count():  # else they are the caller's
            gc.freeze()
            gc.unfreeze()
        if collects:
            gc.enable()


def _taxonomy(description: Description) -> Taxonomy:
    kinds = [kind.classification for kind in description.kinds if kind.classification is not None]
    names = dict.fromkeys(name for keys in kinds for name in keys.names.values())
    classes = tuple(AnomalyClass(code, name, ()) for code, name in enumerate(names, start=1))
    title = description.title or description.name
    return Taxonomy(description.name, title, description.get, (len(classes), 0), classes)


def _read(description: Description, file: Path, codes: dict[str, int], assembly: Assembly) -> None:
    """Take the rows of a file into an assembly; `DataError` where it lacks columns, or has ones that are refused."""
    readers = [RowReader(kind, codes) for kind in _kinds_of(description, file)]
    columns: set[str] = set()
    broken: list[RowRead] = []
    table = read_table(file, readers[0].keys, lambda *found: broken.append(remark(*found)))
    for rows in _in_blocks(table):
        columns.update(*map(itemgetter(1), rows))
        assembly.take([*broken, *_by_kind(readers, rows)])
        broken.clear()
    assembly.take(broken)
    if not columns:
        return
    require_columns({name for reader in readers for name in reader.needed}, columns, file)
    listed = set(readers[0].keys.columns)
    if listed and (unknown := sorted(columns - {name.removesuffix("...") for name in listed})):
        what = f"the file has columns that the description does not know: {first_few(unknown)}"
        raise DataError(what, file, f"known are {', '.join(sorted(listed))}")


def _in_blocks(table: Iterator[NumberedRow]) -> Iterator[list[NumberedRow]]:
    return iter(lambda: list(islice(table, ROWS_AT_ONCE)), [])


def _by_kind(readers: Sequence[RowReader], rows: list[NumberedRow]) -> Iterator[RowRead]:
    """Yield what each row says by the first reader whose kind it is of, in the order of the readers."""
    for reader in readers:
        fits = reader.fitting([row for _, row in rows])
        yield from reader.read(list(compress(rows, fits)))
        rows = list(compress(rows, map(not_, fits)))
    for (number, _), name in zip(rows, readers[0].names([row for _, row in rows]), strict=True):
        yield remark(number, name, Note("row-left-out", "excluded", "no kind of row of the description fits"))


def _kinds_of(description: Description, file: Path) -> list[RowsKeys]:
    """Return the kinds of rows that a file may have by its name; `DataError` where it is none of the description's."""
    kinds = description.kinds
    found = [one for one in kinds if not one.files or any(fnmatch.fnmatch(file.name, name) for name in one.files)]
    if not found:
        names = ", ".join(dict.fromkeys(name for kind in kinds for name in kind.files))
        what = f"the description of {description.name} says nothing of a file of this name; it is for {names}"
        raise DataError(what, file, description.notes or "name one of these")
    return found


def _shared(
    description: Description, files: list[Path], codes: dict[str, int], names: set[str]
) -> Iterator[tuple[str, Path]]:
    """Yield each video of other splits' files that is among `names`, once a file."""
    for file in files:
        readers = [RowReader(kind, codes) for kind in _kinds_of(description, file)]
        table = read_table(file, readers[0].keys, lambda *found: None)
        shared = {name for rows in _in_blocks(table) for name in readers[0].names([row for _, row in rows])} & names
        yield from ((name, file) for name in sorted(filter(None, shared)))
