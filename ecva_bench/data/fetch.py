"""Getting the real datasets: through the hubs' own clients, which resume, and unpacking what they bring.

An archive is unpacked into a folder of its own beside it, whole or not at all. Only plain files and folders
inside that folder are accepted: a path that leads out, a link or a device refuses the archive.
"""

from __future__ import annotations

import lzma
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from ..errors import DataError, UsageError

REPOSITORIES = {"ecva": "gouchenyi/ECVA", "cuva": "fesvhtr/CUVA"}
SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")

# What the readers of archives raise for damaged and locked ones, and the file system for lack of space.
UNPACKING_ERRORS = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, RuntimeError, ValueError, OSError,
)  # fmt: skip

# (name, whether it is a folder, a function that opens the file's content)
Member = tuple[str, bool, Callable[[], IO[bytes] | None]]


@dataclass(frozen=True)
class Fetched:
    """What is there after a fetch: annotation files, folders unpacked now, folders that were there before."""

    folder: Path
    annotations: tuple[Path, ...]
    unpacked: tuple[Path, ...]
    kept: tuple[Path, ...]


def fetch_dataset(name: str, to: Path, download: Callable[[str, Path], None] | None = None) -> Fetched:
    """Download a dataset (`ecva` or `cuva`) into a folder and unpack its archives; both can be resumed.

    `download` stands in for the hub's client. `UsageError` for an unknown name or a missing client package,
    `DataError` where the hub cannot be reached or an archive is refused.
    """
    if name not in REPOSITORIES:
        raise UsageError(f"no dataset called {name!r} can be fetched", remedy=f"available: {', '.join(REPOSITORIES)}")
    to.mkdir(parents=True, exist_ok=True)
    (download or CLIENTS[name])(REPOSITORIES[name], to)
    unpacked, kept = [], []
    for archive in _archives(to):
        folder = target_of(archive)
        if folder.exists():
            kept.append(folder)
        else:
            unpack(archive, folder)
            unpacked.append(folder)
    annotations = sorted(path for path in _files(to) if path.suffix in (".xlsx", ".json"))
    return Fetched(to, tuple(annotations), tuple(unpacked), tuple(kept))


def _files(folder: Path) -> list[Path]:
    """Return the files under a folder but for those the hubs' clients hide there."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path for path in found if not any(part[0] == "." for part in path.relative_to(folder).parts))


def _archives(folder: Path) -> list[Path]:
    """Return the archives that were downloaded, not those that came out of another one."""
    archives = [path for path in _files(folder) if path.name.endswith(SUFFIXES)]
    targets = {target_of(archive) for archive in archives}
    return [archive for archive in archives if targets.isdisjoint(archive.parents)]


def from_modelscope(repository: str, to: Path) -> None:
    """Download a dataset repository of ModelScope."""
    try:
        from modelscope import dataset_snapshot_download
    except ImportError as error:
        raise _no_client("modelscope") from error
    with _hub_errors(repository, "modelscope.cn"):
        dataset_snapshot_download(repository, local_dir=str(to))


def from_huggingface(repository: str, to: Path) -> None:
    """Download a dataset repository of the Hugging Face hub."""
    try:
        from huggingface_hub import snapshot_download
    except ImportError as error:
        raise _no_client("huggingface_hub") from error
    with _hub_errors(repository, "huggingface.co"):
        snapshot_download(repository, repo_type="dataset", local_dir=str(to))


CLIENTS: dict[str, Callable[[str, Path], None]] = {"ecva": from_modelscope, "cuva": from_huggingface}


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


def target_of(archive: Path) -> Path:
    """Return the folder an archive is unpacked into: its name without the suffix, beside it."""
    suffix = max((suffix for suffix in SUFFIXES if archive.name.endswith(suffix)), key=len)
    return archive.with_name(archive.name.removesuffix(suffix))


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a zip or tar archive into a new folder, whole or not at all.

    `DataError` for a damaged archive and for one with a member that is no plain file or folder inside it.
    """
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        with _members(archive) as members:
            for name, is_folder, open_content in members:
                _write(partial, archive, name, is_folder, open_content)
        partial.rename(folder)
    except UNPACKING_ERRORS as error:
        raise DataError(f"the archive cannot be unpacked ({error})", archive, "delete it and fetch again") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _write(
    partial: Path, archive: Path, name: str, is_folder: bool, open_content: Callable[[], IO[bytes] | None]
) -> None:
    parts = PurePosixPath(name).parts
    if name.startswith("/") or ".." in parts or any(sign in name for sign in "\\:\0"):
        raise _refused(archive, f"the path {name!r} leads out of its folder")
    target = partial.joinpath(*parts)
    if is_folder:
        target.mkdir(parents=True, exist_ok=True)
        return
    content = open_content()
    if content is None:
        raise _refused(archive, f"{name!r} is a link or device")
    target.parent.mkdir(parents=True, exist_ok=True)
    with content, target.open("wb") as out:
        shutil.copyfileobj(content, out, 1 << 20)


def _refused(archive: Path, what: str) -> DataError:
    return DataError(f"the archive is refused, {what}", archive, "do not use it; tell its publisher")


@contextmanager
def _members(archive: Path) -> Iterator[Iterator[Member]]:
    if archive.name.endswith(".zip"):
        with zipfile.ZipFile(archive) as opened:
            yield (_zip_member(opened, info) for info in opened.infolist())
    else:
        with tarfile.open(archive) as stream:
            yield (_tar_member(stream, info) for info in stream)


def _zip_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Member:
    kind = stat.S_IFMT(info.external_attr >> 16)
    plain = kind in (0, stat.S_IFREG, stat.S_IFDIR)
    return info.filename, plain and info.is_dir(), lambda: archive.open(info) if plain else None


def _tar_member(archive: tarfile.TarFile, info: tarfile.TarInfo) -> Member:
    return info.name, info.isdir(), lambda: archive.extractfile(info) if info.isreg() else None
