"""The client against a server others wrote: `transformers serve` with a tiny model that always answers 4."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from ecva_bench.judging.judge import open_judge

from .build import grade, same

START_S = 180.0
# Its own command, without torchvision: beside a torch that its compiled part does not fit, much of transformers cannot
# be imported, and no picture be decoded (Pillow does that here).
SERVE = "import sys; sys.modules['torchvision'] = None; from transformers.cli.transformers import main; main()"

pytestmark = pytest.mark.skipif(
    not all(map(find_spec, ("torch", "transformers", "fastapi", "uvicorn"))),
    reason="needs `pip install 'transformers[serving]' torch`",
)


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """A running server's address and its model's name."""
    from .tiny import save_tiny_model

    model = save_tiny_model(tmp_path_factory.mktemp("model"), always="4")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-c", SERVE, "serve", str(model), "--port", str(port), "--device", "cpu"]
    log = (tmp_path_factory.mktemp("log") / "serve.log").open("w+b")
    server = subprocess.Popen(command, env={**os.environ, "HF_HUB_OFFLINE": "1"}, stdout=log, stderr=subprocess.STDOUT)
    try:
        wait_for(f"http://127.0.0.1:{port}/health", server)
        yield f"http://127.0.0.1:{port}/v1", str(model)
    finally:
        server.terminate()
        server.wait(30)
        log.close()


def wait_for(url: str, server: subprocess.Popen[bytes], seconds: float = START_S) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert server.poll() is None, "the server ended"
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.25)
    pytest.fail(f"no server after {START_S:g} s")


def test_verdicts_come_from_a_real_server(endpoint: tuple[str, str], tmp_path: Path) -> None:
    url, model = endpoint
    options = {"base_url": url, "store": tmp_path / "s.sqlite", "concurrency": 2}
    with open_judge(model, **options) as judge:  # type: ignore[arg-type]
        graded, agreed = judge.ask([grade("a van brakes"), same("a van brakes")])
        assert graded.value == 4
        assert (agreed.values, agreed.reason) == (None, "unparsable: '4'")  # 4 is no answer to yes or no
        assert judge.usage.asked == 2
        assert judge.usage.tokens_in > 500
        assert judge.usage.tokens_out >= 2
    with open_judge(model, **options) as judge:  # type: ignore[arg-type]
        assert judge.ask([grade("a van brakes")])[0] == graded
        assert judge.usage.asked == 0
