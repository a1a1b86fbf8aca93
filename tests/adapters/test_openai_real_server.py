"""`openai:` against a server others wrote: `transformers serve` with a tiny vision language model."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import av
import numpy as np
import pytest

from ecva_bench.answering import ModelOutput, create_adapter
from ecva_bench.video import Video
from tests.judging.test_real_server import SERVE, wait_for
from tests.video.make import REPEATABLE

QUESTIONS = ["Why?", "What does the accident lead to?"]
SIDE = 28  # pixels, as the model reads them: nothing is left to two libraries' ways to resize

pytestmark = pytest.mark.skipif(
    not all(map(find_spec, ("torch", "transformers", "fastapi", "uvicorn"))),
    reason="needs `pip install 'transformers[serving]' torch`",
)


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A running server's address and its model's folder."""
    import transformers

    from . import tiny_hf as tiny

    folder = tiny.write(tmp_path_factory.mktemp("model") / "tiny", "gemma3")
    # The server generates by the checkpoint's settings: these are plain ones.
    transformers.GenerationConfig(eos_token_id=tiny.token("<|im_end|>"), pad_token_id=0).save_pretrained(folder)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-c", SERVE, "serve", str(folder), "--port", str(port), "--device", "cpu"]
    log = (tmp_path_factory.mktemp("log") / "serve.log").open("w+b")
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    server = subprocess.Popen([*command, "--dtype", "float32"], env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        wait_for(f"http://127.0.0.1:{port}/health", server)
        yield f"http://127.0.0.1:{port}/v1", folder
    finally:
        server.terminate()
        server.wait(30)
        log.close()


def write_clip(path: Path) -> Path:
    """Write a clip of 40 frames in which a square moves."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"crf": "18", **REPEATABLE})
        stream.width = stream.height = SIDE
        for index in range(40):
            picture = np.full((SIDE, SIDE, 3), (20, 90, 160), np.uint8)
            picture[8:16, index // 2 : index // 2 + 8] = (250, 200, 30)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


@pytest.mark.slow
def test_a_real_server_answers_as_the_model_in_this_process(
    endpoint: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, folder = endpoint
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    shown = {"frames": "3", "max_new_tokens": "8"}
    there = create_adapter(f"openai:{folder}", {**shown, "base_url": url, "image": "png", "sampler": "midpoints"})
    here = create_adapter(f"hf:{folder}", {**shown, "input": "images", "device": "cpu"})
    with Video(write_clip(tmp_path / "1.mp4")) as video:
        assert list(there.frame_indices(video)) == list(here.frame_indices(video))
        answers = there.answer_many(video, QUESTIONS)
        assert [a.strip() for a in answers] == here.answer_many(video, QUESTIONS)
    assert all(isinstance(answer, ModelOutput) and answer.finish in ("stop", "length") for answer in answers)
    spent = there.usage()
    assert (spent["asked"], spent["failed"], spent["uncounted"]) == (2, 0, 0)
    assert spent["tokens_in"] > 100
    there.close()
