"""`load_dataset`: from a name or a file to a `Dataset`. Knows where datasets are registered, not their file formats."""

from __future__ import annotations

from pathlib import Path

from .. import registry
from .dataset import Dataset

GROUP = "ecva_bench.datasets"


def load_dataset(source: str | Path, path: Path | None = None, videos: Path | None = None) -> Dataset:
    """Return a dataset.

    `source` is a registered name (`mini`; `ecva` and `cuva` with the annotation file as `path`), both in one
    (`ecva:PATH`), or an annotation file alone, whose format is found by its content. `videos` is the folder of
    the video files. `UsageError` for an unknown name, `DataError` for a file that cannot be read at all.
    """
    name, colon, rest = str(source).partition(":")
    known = registry.names(GROUP)
    if path is None and colon and name in known:
        path = Path(rest)
    elif path is None and name not in known:
        path = Path(source)
        if not path.suffix and not path.exists():
            registry.find(GROUP, name)
        from .ecva import form_of

        name = form_of(path)
    dataset: Dataset = registry.load(GROUP, name)(path, videos)
    return dataset
