"""Getting the real data sets from their hubs: what it costs is said first, and what came is looked through.

Videos stay in the zip and parquet files that they come in (`archives`); tar archives are unpacked.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..errors import DataError, EcvaError, UsageError
from ..files.folders import list_folder
from ..wording import counted, size
from .hubs import Hub, HuggingFace, ModelScope, RemoteFile
from .loading import load_dataset
from .unpacking import SUFFIXES, target_of, unpack

REPOSITORIES: dict[str, tuple[Hub, str]] = {
    "ecva": (ModelScope(), "gouchenyi/ECVA"),
    "cuva": (HuggingFace(), "fesvhtr/CUVA"),
}

# The votes on moments, which A-Guardian reads. They are no longer on the main branch (CUVA's issue 2, data card).
MOMENTS = "Voting_new.json"
EARLIER_FILES = {"cuva": {MOMENTS: "f2a8ab6b182183d4df1a97fae03c751c7ba0effb"}}

_SMALL = (".csv", ".json", ".jsonl", ".md", ".parquet", ".tsv", ".txt", ".xlsx")  # what annotations are written in
_TRIED = (".csv", ".json", ".jsonl", ".parquet", ".tsv", ".xlsx")
_NOT_READ = (".7z", ".rar", ".z01", ".zip.001")
_SPARE = 1 << 30  # bytes to be left free


@dataclass(frozen=True)
class Offer:
    """What a fetch will bring: files of a repository that are not in the folder yet, and the bytes free there."""

    name: str
    to: Path
    hub: Hub
    repository: str
    files: tuple[RemoteFile, ...]
    there: int
    free: int

    @property
    def size(self) -> int:
        """Bytes to download."""
        return sum(file.size for file in self.files)

    def __str__(self) -> str:
        kept = f" ({self.there} are there already)" if self.there else ""
        source = f"{self.hub.host}/{self.repository}"
        files = counted(len(self.files), "file")
        return f"{files}, {size(self.size)}, from {source}{kept}; {size(self.free)} are free in {self.to}"


@dataclass(frozen=True)
class Fetched:
    """What is there after a fetch.

    `annotations` are the files that can be read, with the number of usable videos; `not_annotations` are others that
    might have been, with the reason. `archived` are annotation files within archives, `not_read` archives of a kind
    that is not read. `notes` say what could not be had.
    """

    folder: Path
    annotations: tuple[tuple[Path, int], ...]
    not_annotations: tuple[tuple[Path, str], ...]
    moments: Path | None
    unpacked: tuple[Path, ...]
    archived: tuple[str, ...]
    not_read: tuple[str, ...]
    notes: tuple[str, ...]


def offer_dataset(name: str, to: Path, *, annotations_only: bool = False, hub: Hub | None = None) -> Offer:
    """Return what fetching a data set (`ecva` or `cuva`) into a folder will bring; nothing is downloaded.

    `hub` stands in for the data set's own. `UsageError` for an unknown name or a missing client package, `DataError`
    where the hub cannot be reached or the room does not suffice.
    """
    if name not in REPOSITORIES:
        raise UsageError(f"no dataset called {name!r} can be fetched", remedy=f"available: {', '.join(REPOSITORIES)}")
    own, repository = REPOSITORIES[name]
    hub = hub or own
    wanted = [
        file
        for file in hub.files(repository)
        if not annotations_only or PurePosixPath(file.path).suffix.lower() in _SMALL
    ]
    open_ = [file for file in wanted if not _is_whole(to / file.path, file.size)]
    above = next(place for place in (to.absolute(), *to.absolute().parents) if place.exists())
    offer = Offer(name, to, hub, repository, tuple(open_), len(wanted) - len(open_), shutil.disk_usage(above).free)
    if offer.size + _SPARE > offer.free and offer.files:
        remedy = "name another folder with --to, or fetch the annotations alone with --annotations"
        raise DataError(f"there is no room: {offer}", to, remedy)
    return offer


def fetch_dataset(offer: Offer) -> Fetched:
    """Download what is offered, unpack its tar archives and look through what is there; it can be resumed.

    `DataError` where the hub cannot be reached or an archive is refused.
    """
    to, notes = offer.to, []
    to.mkdir(parents=True, exist_ok=True)
    if offer.files:
        offer.hub.download(offer.repository, to, [file.path for file in offer.files])
    for path, revision in EARLIER_FILES.get(offer.name, {}).items():
        if not (to / path).exists():
            try:
                offer.hub.download(offer.repository, to, [path], revision)
            except DataError as error:  # the data set can be used without it
                notes.append(f"{path} of revision {revision[:8]} could not be had: {error}")
    unpacked = [unpacked for archive in _tar_archives(to) if (unpacked := _unpacked(archive))]
    found = list_folder(to)
    annotations, others = [], []
    for file in found.files:
        if PurePosixPath(file).suffix.lower() in _TRIED and PurePosixPath(file).name != MOMENTS:
            try:
                dataset = load_dataset(offer.name, to / file)
                annotations.append((to / file, len(dataset.annotations)))
                notes += [f"{file} is not {one.before}, but {one.after}" for one in dataset.found_by("other-data-set")]
            except EcvaError as error:
                others.append((to / file, error.what + (f": {error.remedy}" if "pip" in str(error.remedy) else "")))
    return Fetched(
        folder=to,
        annotations=tuple(annotations),
        not_annotations=tuple(others),
        moments=next((to / file for file in found.files if PurePosixPath(file).name == MOMENTS), None),
        unpacked=tuple(unpacked),
        archived=tuple(file for file in found.archived if PurePosixPath(file).suffix.lower() in _TRIED),
        not_read=tuple(file for file in found.files if file.lower().endswith(_NOT_READ)),
        notes=(*notes, *(f"{place}: {why}" for place, why in found.unread.items())),
    )


def _tar_archives(folder: Path) -> list[Path]:
    """Return the tar archives that were downloaded, not those that came out of another one."""
    found = [folder / file for file in list_folder(folder).files if file.endswith(SUFFIXES)]
    targets = {target_of(archive) for archive in found}
    return [archive for archive in found if targets.isdisjoint(archive.parents)]


def _unpacked(archive: Path) -> Path | None:
    """Return the folder that an archive was unpacked into now; None where that was done before."""
    folder = target_of(archive)
    if folder.exists():
        return None
    unpack(archive, folder)
    return folder


def _is_whole(path: Path, size: int) -> bool:
    return path.is_file() and path.stat().st_size == size
