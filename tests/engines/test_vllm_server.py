"""`openai:` against `vllm serve`, both as `serve-hint` prints them, against `hf:` with the same checkpoint."""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from ecva_bench.adapters.openai_endpoint.frames import FrameEncoding
from ecva_bench.adapters.vllm_engine.engine import CHILDREN
from ecva_bench.adapters.vllm_engine.serving import serve_lines
from ecva_bench.answering import create_adapter
from ecva_bench.torchvision import ensure_torchvision
from ecva_bench.video import Video
from tests.adapters.test_openai_real_server import write_clip
from tests.judging.test_real_server import wait_for

if TYPE_CHECKING:
    from ecva_bench.adapters.hf.multimodal import VideoInput

pytestmark = pytest.mark.skipif(find_spec("vllm") is None, reason="vLLM is not installed: make engines")

QUESTIONS = ("Why?", "What does the accident lead to?", "When does it end?", "Who is to blame?")
WITHOUT_GPU = ["--dtype", "float32", "--enforce-eager", "--skip-mm-profiling", "--kv-cache-memory-bytes", "1G"]
MOST = 24
START_S = 400.0  # two processes, each of which imports torch


def model_args(line: str) -> tuple[str, dict[str, str]]:
    """The model and its options in a line of `ecva-bench run`."""
    words = shlex.split(line)
    pairs = [word.partition("=") for before, word in pairwise(words) if before == "--model-arg"]
    return words[words.index("--model") + 1], {name.replace("-", "_"): value for name, _, value in pairs}


def as_sent(shown: VideoInput) -> VideoInput:
    """What a video's frames are behind a server, to which they go as JPEG."""
    sent = [Image.open(BytesIO(b64decode(FrameEncoding("jpeg", 768).encode(frame)))) for frame in shown.pixels]
    return replace(shown, pixels=np.stack([np.asarray(picture) for picture in sent]))


@pytest.fixture(scope="module", params=["qwen2_vl", "llava_onevision"])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Any]]:
    """A running server of a family, asked as `serve-hint` says; and the same checkpoint in this process."""
    from . import tiny

    folder = tiny.write(tmp_path_factory.mktemp("checkpoints") / request.param, request.param)
    serve, run = serve_lines(str(folder))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program, verb, place, *words = shlex.split(serve)
    assert (program, verb) == ("vllm", "serve")
    # What `vllm serve` starts: the program itself wants to know the version of a package that a CPU's build has not.
    command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", place, *words]
    command += ["--port", str(port), *WITHOUT_GPU]
    path = {"PYTHONPATH": CHILDREN} if ensure_torchvision() == "shimmed" else {}
    log = (tmp_path_factory.mktemp("log") / "serve.log").open("w+b")
    environment = {**os.environ, **path, "HF_HUB_OFFLINE": "1", "VLLM_ENABLE_V1_MULTIPROCESSING": "0"}
    server = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        address = f"http://127.0.0.1:{port}"
        wait_for(f"{address}/health", server, START_S)
        model, options = model_args(run)
        options |= {"base_url": f"{address}/v1", "max_new_tokens": str(MOST), "frames": "4"}
        shown = {"frames": "4", "max_new_tokens": str(MOST), "device": "cpu", "dtype": "float32"}
        yield create_adapter(model, options), create_adapter(f"hf:{folder}", shown)
    finally:
        server.terminate()
        server.wait(60)
        log.close()


def test_a_served_model_answers_as_in_this_process(
    served: tuple[Any, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    there, here = served
    with Video(write_clip(tmp_path / "1.mp4")) as video:
        assert np.array_equal(there.frame_indices(video), here.frame_indices(video))
        answers = there.answer_many(video, QUESTIONS)
        expected = here.model.ask(as_sent(here._look(video)), QUESTIONS, MOST)
    for answer, whole in zip(answers, expected, strict=True):
        said = answer.strip()  # an endpoint's text is kept as it came, with blanks around it
        assert whole.startswith(said)
        rest = whole.removeprefix(said)
        assert not rest.replace("\ufffd", "").strip()  # a server keeps an incomplete last character to itself
        assert answer.finish == whole.finish
    assert any(answer.strip("\ufffd") for answer in answers)
    spent = there.usage()
    assert (spent["asked"], spent["failed"], spent["uncounted"]) == (len(QUESTIONS), 0, 0)
    if all(answer.finish == "length" for answer in answers):
        assert spent["tokens_out"] == len(QUESTIONS) * MOST
    there.close()
