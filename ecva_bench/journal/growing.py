"""A file that grows at its end: locked by its one writer, watched, and synced in groups.

Knows bytes; no record.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Callable
from pathlib import Path

from ..errors import ResultsBusy, ResultsError

SYNC_EVERY = 0.1  # seconds between two syncs at least; how long what is written may wait for one
_MAKE_ROOM = "make room and run the same command again: it goes on from what is written"
_CHUNK = 1 << 20  # bytes of a file that are copied at once


class GrowingFile:
    """An open file to which one process appends. What is appended has left the process when `append` returns.

    So no kill of the process costs any of it. A sync to the disk, which outlives the machine's power too, follows in
    the background: all that was appended while one sync ran is synced by the next, a tenth of a second later at most.
    """

    def __init__(self, path: Path, kind: str, otherwise: str | None = None) -> None:
        """Open or create a file. Raises `OSError`, and `BlockingIOError` where another process writes it.

        `kind` is what messages call it, and `otherwise` what the user may do besides where it cannot be gone on with.
        """
        self.path, self._kind, self._otherwise = path, kind, otherwise
        self._file = _open_locked(path, os.O_CREAT)
        self._size = os.fstat(self._file).st_size
        self._state = threading.Condition()  # of what follows
        self._unsynced = self._closed = False
        self._failure: OSError | None = None
        self._syncing = threading.Lock()  # held while the file is synced or becomes another
        self._thread: threading.Thread | None = None

    def append(self, content: bytes) -> None:
        """Write bytes to the end, whole.

        Raises `ResultsError` where the disk does not take them, and where the file is not the one any more that this
        process wrote. What the file held and `content` are then in `<file>.rescued` if it was removed, and in the file
        under its new name if it was renamed; nothing is written if it was cut.
        """
        with self._state:
            self._check_failure()
            self._check_there(content)
            self._write(content)
            if self._thread is None:
                self._thread = threading.Thread(target=self._sync_repeatedly, name=self._kind, daemon=True)
                self._thread.start()
            self._state.notify_all()

    def sync(self) -> None:
        """Wait until all is on disk."""
        with self._state:
            self._unsynced = False
        self._sync()
        self._check_failure()

    def cut(self, size: int) -> None:
        """Drop what follows the first `size` bytes."""
        os.ftruncate(self._file, size)
        self._size = size

    def replace(self, content: bytes) -> None:
        """Put other content in the file's place, whole or not at all: what it held stays where the disk is full."""
        with self._state, self._syncing:
            self._check_there(b"")
            part = self.path.with_name(f"{self.path.name}.part")
            part.unlink(missing_ok=True)
            old, old_size = self._file, self._size
            self._file, self._size = _open_locked(part, os.O_CREAT | os.O_EXCL), 0
            try:
                self._write(content)
                os.fsync(self._file)
                part.rename(self.path)
            except BaseException as error:
                os.close(self._file)
                self._file, self._size = old, old_size
                part.unlink(missing_ok=True)
                if isinstance(error, OSError):
                    raise self._refusal(error) from error
                raise
            os.close(old)
            sync_folder(self.path.parent)

    def close(self) -> None:
        """Sync, and release the file. Raises `ResultsError` where something could not be synced."""
        with self._state:
            self._closed = True
            self._state.notify_all()
        if self._thread:
            self._thread.join()
        if self._unsynced:
            self._sync()
        os.close(self._file)
        self._check_failure()

    def _write(self, content: bytes) -> None:
        try:
            written = os.write(self._file, content)
        except OSError as error:
            raise self._refusal(error) from error
        self._size += written
        self._unsynced = True
        if written < len(content):
            raise ResultsError(f"a record of the {self._kind} was written in part", self.path, _MAKE_ROOM)

    def _sync_repeatedly(self) -> None:
        while True:
            with self._state:
                self._state.wait_for(lambda: self._unsynced or self._closed)
                if self._closed or self._failure:
                    return
                self._unsynced = False
            self._sync()
            with self._state:
                self._state.wait_for(lambda: self._closed, SYNC_EVERY)

    def _sync(self) -> None:
        """Sync; a failure is kept, since the system tells it only once."""
        with self._syncing:
            try:
                os.fsync(self._file)
            except OSError as error:
                self._failure = error

    def _refusal(self, error: OSError) -> ResultsError:
        return ResultsError(f"a record of the {self._kind} cannot be written ({error.strerror})", self.path, _MAKE_ROOM)

    def _check_failure(self) -> None:
        if self._failure:
            raise self._refusal(self._failure) from self._failure

    def _check_there(self, content: bytes) -> None:
        """Raise `ResultsError` where the file was removed, renamed or changed by somebody else, `content` kept."""
        ours = os.fstat(self._file)
        if ours.st_size != self._size:
            done = "emptied" if ours.st_size == 0 else "cut" if ours.st_size < self._size else "written to"
            what = f"the {self._kind} was {done} by another program while it was written, which stops here"
            raise ResultsError(what, self.path, ", or ".join(filter(None, ("restore it from a copy", self._otherwise))))
        try:
            there = self.path.stat()
        except OSError:
            there = None
        if there and os.path.samestat(there, ours):
            return
        if ours.st_nlink:
            self._write(content)
            new = _name_of(self._file)
            what = f"the {self._kind} was renamed{f' to {new}' if new else ''} while it was written, which stops here"
            named = ", or name it with --out," if self._otherwise else ""
            raise ResultsError(what, self.path, f"give it its name back{named} to go on")
        rescued = self._rescue(content)
        what = f"the {self._kind} was {'replaced' if there else 'removed'} while it was written, which stops here"
        raise ResultsError(what, self.path, f"rename {rescued}, which has all its records, to go on from there")

    def _rescue(self, content: bytes) -> Path:
        """Write what the removed file held, and `content`, to a file of its own."""
        target = self.path.with_name(f"{self.path.name}.rescued")
        try:
            with target.open("wb") as out:
                for start in range(0, self._size, _CHUNK):
                    out.write(os.pread(self._file, _CHUNK, start))
                out.write(content)
        except OSError as error:
            raise self._refusal(error) from error
        return target


def open_growing(
    path: Path,
    kind: str,
    *,
    holder: Callable[[], str] = lambda: "another process",
    otherwise: str | None = "name another file with --out",
) -> GrowingFile:
    """Open or create a file to append to, in a folder that is made; `kind` is what messages call it.

    Raises `ResultsBusy` where `holder` writes it, and `ResultsError` where it cannot be written; `otherwise` is what
    the user may do about either, if anything.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return GrowingFile(path, kind, otherwise)
    except BlockingIOError:
        remedy = ", or ".join(filter(None, ("wait for it", otherwise)))
        raise ResultsBusy(f"{holder()} is writing this {kind}", path, remedy) from None
    except OSError as error:
        raise ResultsError(f"the {kind} cannot be written ({error.strerror})", path, otherwise) from error


def set_aside_torn_tail(file: GrowingFile) -> int:
    """Move what follows the last line break to `<file>.torn`; return its length in bytes."""
    path = file.path
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    tail = content[whole:]
    if tail:
        torn = path.with_name(path.name + ".torn")
        try:
            with torn.open("ab") as aside:
                aside.write(tail + b"\n")
        except OSError as error:
            what = f"an incomplete record cannot be set aside ({error.strerror})"
            raise ResultsError(what, torn, "make room, and run the same command again") from error
        file.cut(whole)
    return len(tail)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on disk: a file that was renamed may else have its old name after a power cut."""
    place = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(place)
    except OSError:  # some file systems sync no folders; the content of the file is on disk all the same
        pass
    finally:
        os.close(place)


def _open_locked(path: Path, create: int) -> int:
    file = os.open(path, os.O_RDWR | os.O_APPEND | create, 0o644)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(file)
        raise
    return file


def _name_of(file: int) -> str:
    """Return the present name of an open file; nothing where the system does not tell."""
    try:
        return str(Path(f"/proc/self/fd/{file}").readlink())
    except OSError:
        return ""
