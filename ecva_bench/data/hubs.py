"""The hubs that real data sets lie on, through their own clients, which resume: what files there are, and getting them.

Both clients are of the extra `data`, and are imported when a hub is asked.
"""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, Protocol

from ..errors import DataError, UsageError

_PAGE = 100  # files that ModelScope is asked to list at once


class RemoteFile(NamedTuple):
    """A file of a repository: its path there and its size in bytes."""

    path: str
    size: int


class Hub(Protocol):
    """A place that data sets are downloaded from. `host` is its address."""

    host: str

    def files(self, repository: str) -> list[RemoteFile]:
        """Return the files of a data set; `DataError` where the hub does not say."""

    def download(self, repository: str, to: Path, paths: Sequence[str], revision: str | None = None) -> None:
        """Download files of a data set into a folder, under their paths; `DataError` where that fails."""


class HuggingFace:
    """huggingface.co."""

    host = "huggingface.co"

    def files(self, repository: str) -> list[RemoteFile]:
        """Return the files of a data set."""
        try:
            from huggingface_hub import HfApi
        except ImportError as error:
            raise _no_client("huggingface_hub") from error
        with _hub_errors(repository, self.host):
            found = HfApi().list_repo_tree(repository, recursive=True, repo_type="dataset")
            return [RemoteFile(one.path, one.size) for one in found if hasattr(one, "size")]

    def download(self, repository: str, to: Path, paths: Sequence[str], revision: str | None = None) -> None:
        """Download files of a data set into a folder."""
        from huggingface_hub import snapshot_download

        patterns = [glob.escape(path) for path in paths]
        with _hub_errors(repository, self.host):
            snapshot_download(
                repository, repo_type="dataset", local_dir=str(to), allow_patterns=patterns, revision=revision
            )


class ModelScope:
    """modelscope.cn."""

    host = "modelscope.cn"

    def files(self, repository: str) -> list[RemoteFile]:
        """Return the files of a data set."""
        try:
            from modelscope import HubApi
        except ImportError as error:
            raise _no_client("modelscope") from error
        found: list[RemoteFile] = []
        with _hub_errors(repository, self.host):
            for page in range(1, 10_000):
                some = HubApi().get_dataset_files(repository, recursive=True, page_number=page, page_size=_PAGE)
                found += [RemoteFile(one["Path"], int(one["Size"])) for one in some if one["Type"] != "tree"]
                if len(some) < _PAGE:
                    break
        return found

    def download(self, repository: str, to: Path, paths: Sequence[str], revision: str | None = None) -> None:
        """Download files of a data set into a folder."""
        from modelscope import dataset_snapshot_download

        patterns = [glob.escape(path) for path in paths]
        with _hub_errors(repository, self.host):
            dataset_snapshot_download(repository, revision=revision, local_dir=str(to), allow_patterns=patterns)


def _no_client(package: str) -> UsageError:
    return UsageError(f"the package {package} is not installed", remedy="pip install 'ecva-bench[data]'")


@contextmanager
def _hub_errors(repository: str, host: str) -> Iterator[None]:
    """Name the hub in whatever its client raises: the clients share no base class of errors."""
    try:
        yield
    except Exception as error:
        what = f"the hub's client gave up ({type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''})"
        raise DataError(what, f"{host}/{repository}", "check the network and run it again; it resumes") from error
