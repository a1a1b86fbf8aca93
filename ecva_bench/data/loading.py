"""`load_dataset`: a name, a file or an object to a `Dataset`. Knows where they are registered, not file formats."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from .. import registry
from ..errors import DataError, EcvaError, UsageError
from ..records import Annotation
from ..registry.source_files import error_line
from .dataset import Dataset

DATASET_GROUP = "ecva_bench.datasets"
_TABLES = (".csv", ".tsv", ".json", ".jsonl")  # whose rows tell a described set; any words may fit one of a .txt

# A registered name, an annotation file, both as `name:FILE`, `./file.py:Name`, a function or class of (path, videos),
# or a data set.
DatasetSource = str | Path | Dataset | Callable[[Path | None, Path | None], Dataset]


def load_dataset(source: DatasetSource, path: str | Path | None = None, videos: str | Path | None = None) -> Dataset:
    """Return a dataset.

    `source` is a registered name (`mini`, `mini-twins`; `cuva` and `ecva` with the annotation file as `path`), both in
    one (`cuva:PATH`), or an annotation file alone, which its content tells to be CUVA's or ECVA's; a description of a
    data set (`my.toml`, or `my.toml:SPLIT`); a function of (path, videos) that returns a `Dataset`, or
    `./file.py:NAME` (also with `:PATH` behind it); or a `Dataset`, which is returned, with other `videos` where given.
    `videos` is the folder of the video files. `UsageError` for an unknown name and for what is no data set,
    `DataError` for a file that cannot be read at all.

    >>> import ecva_bench as eb
    >>> eb.load_dataset("mini").name
    'mini'
    """
    place = None if videos is None else Path(videos)
    if isinstance(source, Dataset):
        if path is not None:
            raise UsageError("a data set that is given takes no file", path, "leave the file out")
        return source if place is None else replace(source, videos=place)
    if isinstance(source, Path) or (isinstance(source, str) and not registry.is_named(DATASET_GROUP, source)):
        file, split = _file_and_split(source)
        if path is None and file.suffix != ".py" and (file.suffix or file.exists()):
            from .described import is_description, load_described_file
            from .described.shipped import fitting_set
            from .ecva import load_annotation_file

            if split is not None or is_description(file):
                return load_described_file(file, split, place)
            try:
                return load_annotation_file(file, place)
            except DataError as error:
                if file.suffix.lower() in _TABLES and file.is_file() and (fitting := fitting_set(file)):
                    what = f"this is no annotation file of CUVA or ECVA, and it fits the description of {fitting}"
                    raise DataError(what, file, f"name both: {fitting}:{file}") from error
                raise
        source = str(source)
    found = registry.resolve(DATASET_GROUP, source)
    if path is None:
        path = found.target
    return _loaded(found, None if path is None else Path(path), place)


def _file_and_split(source: str | Path) -> tuple[Path, str | None]:
    """Return a file, and the split of `my.toml:val`."""
    described, colon, split = str(source).rpartition(":")
    if colon and described.endswith((".toml", ".json")) and not Path(source).exists():
        return Path(described), split
    return Path(source), None


def _loaded(found: registry.Plugin, path: Path | None, videos: Path | None) -> Dataset:
    if isinstance(found.value, Dataset):
        return found.value if videos is None else replace(found.value, videos=videos)
    if not callable(found.value):
        raise found.unfit("it is no Dataset, and no function of (path, videos) that returns one")
    found.takes("path", "videos")
    try:
        with registry.no_exit(DataError, found.label):
            dataset = found.value(path, videos)
    except (EcvaError, OSError, ImportError):
        raise
    except Exception as error:
        raise DataError(f"the data set cannot be loaded ({error_line(error)})", found.label, "mend it") from error
    if not isinstance(dataset, Dataset):
        raise found.unfit(f"it returned {type(dataset).__name__}, not a Dataset")
    return _checked(dataset, found.label) if found.code else dataset


def _checked(dataset: Dataset, label: str) -> Dataset:
    """Return a user's data set; `DataError` where a field is of another type, or annotations cannot be told apart."""
    for part in ("annotations", "excluded", "examples"):
        if not all(isinstance(one, Annotation) for one in getattr(dataset, part)):
            raise DataError(f"{part} are no Annotation objects", label, f"give a tuple of Annotation as {part}")
    if not isinstance(dataset.videos, Path | None):
        what = f"the folder of the videos is a {type(dataset.videos).__name__}"
        raise DataError(what, label, "hand on the Path that you were given, or make one")
    if not (isinstance(dataset.sha256, str) and dataset.sha256):
        remedy = "give the hash of the annotation file: other annotations are another data set"
        raise DataError("the sha256 is empty", label, remedy)
    for video, count in Counter(one.video for one in dataset.annotations).items():
        if count > 1:
            raise DataError(f"{count} annotations are of one video, {video!r}", label, "give each video one annotation")
    for one in dataset.annotations:
        if one.label is not None and not dataset.taxonomy.knows(one.label):
            what = f"the class {one.label.code} of {one.video!r} is not in the taxonomy {dataset.taxonomy.name!r}"
            raise DataError(what, label, "mend the class, or leave the label out")
    return dataset
