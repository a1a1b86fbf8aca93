"""A server for one page, on this machine only: read-only, behind a token, with ranges so that seeking in videos works.

What it may send is listed when it starts: the files of the page's folder and the videos linked from its `media`. A path
is looked up in that list and never joined to a folder, so no path leads anywhere else, and folders are not listed. No
other link is followed, nor one that takes a file's place later. The
token is part of the address; `Host` and `Origin` must be the server's own, so that no page of the web can ask through a
reader's browser.
"""

from __future__ import annotations

import mimetypes
import os
import re
import secrets
import sys
from collections.abc import Mapping
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote

from ..errors import UsageError
from .page import INDEX, MEDIA

HOST = "127.0.0.1"
_NAMES = (HOST, "localhost")
_COPIED_AT_ONCE = 256 * 1024
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)  # Windows has no such flag, and lets only administrators make links
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_HEADERS = {
    "Accept-Ranges": "bytes",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Unsatisfiable(ValueError):
    """A range that begins behind the end of a file."""


def byte_range(header: str | None, size: int) -> tuple[int, int] | None:
    """Return the first and last byte a Range header asks for of a file of `size` bytes; None to send it whole.

    As RFC 9110, section 14, allows, a header that asks for several ranges or is malformed is passed over. Raises
    `Unsatisfiable` for a range that holds no byte of the file.
    """
    match = _RANGE.fullmatch(header.replace(" ", "")) if header else None
    if match is None or match[0] == "bytes=-":
        return None
    first, last = match[1], match[2]
    if not first:
        start, end = max(0, size - int(last)), size - 1
        if int(last) == 0:
            raise Unsatisfiable(header)
    else:
        start, end = int(first), min(int(last), size - 1) if last else size - 1
        if last and int(last) < start:
            return None
    if start >= size:
        raise Unsatisfiable(header)
    return start, end


class Server(ThreadingHTTPServer):
    """Serves one page; `url` holds the token. Use as a context manager around `serve_forever`."""

    daemon_threads = True

    def __init__(self, folder: Path, port: int = 0) -> None:
        """Listen on a port of this machine (0: any that is free); `UsageError` where it cannot be used."""
        try:
            super().__init__((HOST, port), _Handler)
        except OSError as error:
            raise UsageError(f"the port cannot be used ({error.strerror})", port, "name another with --port") from None
        self.token = secrets.token_urlsafe(24)
        self.files = _files(folder)
        self.hosts = {f"{name}:{self.server_port}" for name in _NAMES}

    @property
    def url(self) -> str:
        """The address of the page."""
        return f"http://{HOST}:{self.server_port}/{self.token}/{INDEX}"

    def find(self, path: str) -> Path | None:
        """Return the file behind the path of a request; None where the token is wrong or nothing is listed there."""
        _, token, name = [*unquote(path).split("/", 2), "", ""][:3]
        if not secrets.compare_digest(token.encode(), self.token.encode()):
            return None
        return self.files.get(name)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a browser that closes the connection, as it does when seeking in a video; show any other error."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _files(folder: Path) -> Mapping[str, Path]:
    """Return the files by their names in the folder: its own, and those that its `media` links to."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and (not path.is_symlink() or path.parent == folder / MEDIA):
            found[name] = path.resolve() if path.is_symlink() else path
    return found


def _opened(path: str, flags: int) -> int:
    return os.open(path, flags | _NO_LINK)


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "ecva-bench"
    sys_version = ""
    timeout = 60

    def do_GET(self) -> None:
        """Send a file or a part of it."""
        self._answer(with_content=True)

    def do_HEAD(self) -> None:
        """Send what GET would, without the content."""
        self._answer(with_content=False)

    def log_message(self, format: str, *values: object) -> None:
        """Say nothing: the terminal belongs to the command."""

    def _answer(self, *, with_content: bool) -> None:
        path = self.server.find(self.path.partition("?")[0]) if self._is_ours() else None
        if path is None:
            self._refuse(HTTPStatus.FORBIDDEN)
            return
        try:
            file = open(path, "rb", opener=_opened)  # noqa: SIM115 - closed below
        except OSError:
            self._refuse(HTTPStatus.NOT_FOUND)
            return
        with file:
            self._send(path, file, with_content)

    def _is_ours(self) -> bool:
        """Whether the request comes from the page itself, or from its address typed in."""
        origin = self.headers.get("Origin")
        return self.headers.get("Host") in self.server.hosts and (
            origin is None or origin in {f"http://{host}" for host in self.server.hosts}
        )

    def _send(self, path: Path, file: BinaryIO, with_content: bool) -> None:
        size = path.stat().st_size
        # A range under a condition holds only for a version we would know by name, and we name none.
        wanted = None if self.headers.get("If-Range") else self.headers.get("Range")
        try:
            part = byte_range(wanted, size)
        except Unsatisfiable:
            self._refuse(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, {"Content-Range": f"bytes */{size}"})
            return
        start, end = part or (0, size - 1)
        self.send_response(HTTPStatus.PARTIAL_CONTENT if part else HTTPStatus.OK)
        self.send_header("Content-Type", mimetypes.guess_type(path.name)[0] or "application/octet-stream")
        self.send_header("Content-Length", str(end - start + 1))
        self.send_header("Last-Modified", formatdate(path.stat().st_mtime, usegmt=True))
        if part:
            self.send_header("Content-Range", f"bytes {start}-{end}/{size}")
        self._end_headers()
        if with_content:
            file.seek(start)
            self._copy(file, end - start + 1)

    def _copy(self, file: BinaryIO, length: int) -> None:
        while length and (content := file.read(min(length, _COPIED_AT_ONCE))):
            self.wfile.write(content)
            length -= len(content)

    def _refuse(self, status: HTTPStatus, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self._end_headers()

    def _end_headers(self) -> None:
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.end_headers()
