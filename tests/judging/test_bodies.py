"""A reply without an end is given up, and so is a batch's file, long before the memory is full."""

from __future__ import annotations

import contextlib
import socket
import threading
from pathlib import Path

import pytest

from ecva_bench.errors import JudgeError
from ecva_bench.judging import bodies
from ecva_bench.judging.judge import open_judge
from ecva_bench.judging.transport import BatchTransport

from .build import grade
from .conftest import KEY

MIB = 1 << 20
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"


class Endless:
    """An endpoint whose replies do not end before they are `most` bytes long; `sent` counts them."""

    def __init__(self, most: int) -> None:
        self.most, self.sent = most, 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}/v1"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            with contextlib.suppress(OSError):
                connection, _ = self._listening.accept()
                threading.Thread(target=self._reply, args=(connection,), daemon=True).start()

    def _reply(self, connection: socket.socket) -> None:
        piece = b" " * 65536
        with contextlib.suppress(OSError), connection:
            connection.recv(1 << 16)
            connection.sendall(HEAD)
            while self.sent < self.most:
                connection.sendall(b"10000\r\n" + piece + b"\r\n")
                self.sent += len(piece)
            connection.sendall(b"0\r\n\r\n")


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch) -> Endless:
    monkeypatch.setattr(bodies, "LONGEST_BODY", MIB)
    monkeypatch.setattr(bodies, "LONGEST_RESULTS", MIB)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    return Endless(200 * MIB)


def test_a_reply_without_an_end_is_an_error_of_its_item(endless: Endless, tmp_path: Path) -> None:
    with open_judge("m", base_url=endless.url, retries=3, timeout=60, store=tmp_path / "judge.sqlite") as judge:
        verdict = judge.ask([grade()])[0]
    assert "longer than 1 MiB" in verdict.reason
    assert endless.sent < 30 * MIB  # what the system keeps between the two; and it is asked once


def test_a_batch_file_without_an_end_is_an_error(endless: Endless) -> None:
    batches = BatchTransport(endless.url, timeout=60, retries=0, setting="base-url")
    with pytest.raises(JudgeError, match="longer than 1 MiB"):
        batches.read("file-1")
    batches.close()
    assert endless.sent < 30 * MIB
