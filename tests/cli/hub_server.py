"""A stand-in for the Hugging Face Hub: as much of its HTTP as the client needs to make a repository and to commit.

Written after the requests that `huggingface_hub` sends. It keeps what was committed, and what it was asked.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Hub:
    """What the hub has: its address, repositories with their files, and the tokens and paths of all requests.

    Commits whose message is in `refused` get a 503.
    """

    def __init__(self) -> None:
        self.url = ""
        self.private: dict[str, bool] = {}
        self.made: list[dict[str, Any]] = []
        self.files: dict[str, bytes] = {}
        self.commits: list[str] = []
        self.tokens: set[str] = set()
        self.refused: set[str] = set()

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        """Return status and JSON of a reply."""
        parts = path.partition("?")[0].strip("/").split("/")
        if path == "/api/repos/create":
            asked = json.loads(body)
            name = f"{asked.get('type', 'model')}s/{asked.get('organization') or 'me'}/{asked['name']}"
            self.private[name] = bool(asked.get("private")) or asked.get("visibility") == "private"
            self.made.append(asked)
            return 200, {"url": f"{self.url}/{name}", "name": name}
        if path == "/api/validate-yaml":
            return 200, {"errors": [], "warnings": []}
        if "resolve" in parts:
            name = "/".join(parts[parts.index("main") + 1 :])
            return (200, {}) if name in self.files else (404, {})
        name = "/".join(parts[1:4])
        if name not in self.private:
            return 404, {"error": "Repository not found"}
        if "preupload" in parts:
            found = []
            for one in json.loads(body)["files"]:
                held = self.files.get(one["path"])
                oid = None if held is None else hashlib.sha1(b"blob %d\0" % len(held) + held).hexdigest()  # noqa: S324
                found.append({"path": one["path"], "uploadMode": "regular", "shouldIgnore": False, "oid": oid})
            return 200, {"files": found}
        if "commit" in parts:
            return self._commit(name, [json.loads(line) for line in body.splitlines()])
        return 200, {"id": "/".join(parts[2:4]), "private": self.private[name], "sha": "1" * 40, "siblings": []}

    def _commit(self, name: str, lines: list[dict[str, Any]]) -> tuple[int, Any]:
        message = next(one["value"]["summary"] for one in lines if one["key"] == "header")
        if message in self.refused:
            return 400, {"error": "no room"}
        self.commits.append(message)
        for one in lines:
            if one["key"] == "file":
                self.files[one["value"]["path"]] = base64.b64decode(one["value"]["content"])
        return 200, {"commitUrl": f"{self.url}/{name}/commit/{'1' * 40}", "commitOid": "1" * 40}


@contextmanager
def serving() -> Iterator[Hub]:
    """Serve a hub on a free port of this machine."""
    hub = Hub()

    class Handler(BaseHTTPRequestHandler):
        def _reply(self) -> None:
            hub.tokens.add(self.headers.get("authorization", ""))
            length = int(self.headers.get("content-length") or 0)
            status, value = hub.answer(self.command, self.path, self.rfile.read(length))
            content = json.dumps(value).encode()
            self.send_response(status)
            if status == 404:
                self.send_header("X-Error-Code", "EntryNotFound" if "resolve" in self.path else "RepoNotFound")
            if "resolve" in self.path and status == 200:
                self.send_header("ETag", '"1"')
                self.send_header("X-Repo-Commit", "1" * 40)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_GET = do_POST = do_HEAD = _reply  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
