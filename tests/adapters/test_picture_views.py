"""Views of other pictures as models get them: all see a view through `Video`, in whatever way they are sent frames."""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ecva_bench.records.answers import Results
from ecva_bench.records.base import View
from ecva_bench.video import Video
from tests.imports import ROOT
from tests.video.make import write

from .model_server import ModelServer, ask_all, pictures_in

VIEWS: tuple[View, ...] = ("full", "still", "shuffled", "blank")
FRAMES = 8

# Tells what it finds in the file of frames: each picture as its mean, and the times.
PROGRAM = """
import json, sys
import numpy as np

def say(**said):
    print(json.dumps(said), flush=True)

say(protocol=1, describe={}, frames={"rule": "linspace", "count": 8})
sys.stdin.readline() or sys.exit()
say(loaded=True)
for request in map(json.loads, sys.stdin):
    frames = np.load(request["frames"])
    seen = {"pictures": [frame.tobytes().hex()[:20000] for frame in frames], "times": request["timestamps"]}
    say(id=request["id"], answers=[json.dumps(seen)] * len(request["questions"]))
"""


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A folder with a clip of which no two frames are alike."""
    (tmp_path / "clips").mkdir()
    return write(tmp_path / "clips" / "1.mp4", count=40).parent


def answers_of(results: Results) -> dict[View, list[str]]:
    assert not results.failures
    return {view: [answer.answer for answer in results.answers if answer.view == view] for view in VIEWS}


def test_a_program_in_another_environment_finds_the_view_in_its_file(clip: Path, tmp_path: Path) -> None:
    script = tmp_path / "seen.py"
    script.write_text(PROGRAM)
    results = ask_all(f"command:'{sys.executable}' '{script}'", {}, clip, tmp_path / "r.jsonl", VIEWS)
    seen: dict[View, Any] = {view: json.loads(texts[0]) for view, texts in answers_of(results).items()}
    full = seen["full"]["pictures"]
    assert len(set(full)) == FRAMES
    assert all(seen[view]["times"] == seen["full"]["times"] for view in VIEWS)
    assert sorted(seen["shuffled"]["pictures"]) == sorted(full) != seen["shuffled"]["pictures"]
    assert len(set(seen["still"]["pictures"])) == 1
    assert set("".join(seen["blank"]["pictures"])) == {"0"}


@pytest.mark.parametrize("sent_as", ["images", "video"])
def test_an_endpoint_is_sent_the_pictures_of_the_view(
    sent_as: str, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    form = "png" if sent_as == "images" else "jpeg"
    with ModelServer() as server:
        options = {"base_url": server.url, "frames": str(FRAMES), "image": form, "frames_as": sent_as}
        answers_of(ask_all("openai:m", options, clip, tmp_path / "r.jsonl", VIEWS, decoders=1))
        asked = [request.body["messages"][0]["content"] for request in server.requests]
    found: dict[View, list[np.ndarray]] = {}
    words: dict[View, list[str]] = {}
    for view, parts in zip(VIEWS, asked[:: len(asked) // len(VIEWS)], strict=True):
        urls = [part[part["type"]]["url"] for part in parts if part["type"] != "text"]
        found[view] = [picture for url in urls for picture in pictures_in(url)]
        words[view] = [part["text"] for part in parts[:-1] if part["type"] == "text"]
    assert all(words[view] == words["full"] for view in VIEWS)
    full, shuffled = ([picture.tobytes() for picture in found[view]] for view in ("full", "shuffled"))
    assert sorted(full) == sorted(shuffled)
    assert full != shuffled
    assert len(full) == FRAMES
    assert len({picture.tobytes() for picture in found["still"]}) == 1
    assert not any(picture.any() for picture in found["blank"])


def test_no_adapter_reaches_a_video_but_through_what_it_shows() -> None:
    """A model that opened the file itself, or what lies behind a `Video`, would see it whatever the view."""
    readers = {"cv2", "decord", "imageio", "torchcodec", "moviepy"}
    for path in sorted((ROOT / "adapters").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                assert not readers & {alias.name.partition(".")[0] for alias in node.names}, path
            elif isinstance(node, ast.ImportFrom):
                assert (node.module or "").partition(".")[0] not in readers, path
                assert not (node.module or "").startswith("ecva_bench.video."), path
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                assert (node.value.id, node.attr) != ("av", "open"), path
                assert not (node.value.id == "video" and node.attr.startswith("_")), path


def test_a_video_says_what_it_shows_so_that_what_was_seen_of_another_view_is_not_taken(clip: Path) -> None:
    from ecva_bench.video.pictures import PictureView

    video = Video(clip / "1.mp4")
    assert video.pictures is None
    assert PictureView(video, "blank").pictures == "blank"
    assert PictureView(video, "still").without(()).pictures == "still"
