"""Importance curves: CPU seconds a minute of video for decoding, CLIP and the rest, ours and the released code's way.

Run: python -m benchmarks.curves [--rounds 2] [--seconds 60]

The released way: every frame is decoded by OpenCV, every 30th is written as a JPEG and read back, and CLIP looks at one
picture at a time. Ours decodes what is wanted and hands it over in memory, in parts. Both see the same frames of the
same generated clip, then ours the frames that it takes by itself. CLIP is ViT-B/32 with random weights, on one thread.
Figures are medians over rounds. Without OpenCV, PyAV stands in for it: every frame is decoded and converted.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import numpy as np

from benchmarks.clips import long_clip
from ecva_bench.cache import cache_dir
from ecva_bench.severity import curve, cuva_2024, frames
from ecva_bench.severity.openclip import OpenClip
from ecva_bench.video import Video

MODEL = "ViT-B-32-quickgelu"
SENTENCES = ["a car brakes", "a car hits a wall", "smoke rises", "people run"]
SCORES = [0.5, 0.4, 0.3, 0.2]
GOAL = 3.0  # times less CPU outside CLIP
PHASES = ("decode", "jpeg", "prepare", "clip", "rest")


class Clock:
    """CPU seconds by phase."""

    def __init__(self) -> None:
        self.spent = Counter[str]()

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        start = time.process_time()
        yield
        self.spent[name] += time.process_time() - start


def model() -> OpenClip:
    """Return ViT-B/32 with random weights, which are made once into the cache."""
    folder = cache_dir() / "benchmarks" / MODEL
    if not (folder / "open_clip_config.json").exists():
        from ecva_bench.torchvision import ensure_torchvision

        ensure_torchvision()
        import open_clip
        from safetensors.torch import save_file

        folder.mkdir(parents=True, exist_ok=True)
        sizes = open_clip.get_model_config(MODEL)
        save_file(open_clip.CLIP(**sizes).half().state_dict(), folder / "model.safetensors")
        (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": sizes}))
    return OpenClip(f"open_clip:{folder}")


def read_all(path: Path) -> Iterator[Any]:
    """Yield every frame as OpenCV has it, BGR; PyAV's where OpenCV is not installed."""
    try:
        import cv2
    except ImportError:
        with av.open(str(path)) as container:
            for frame in container.decode(video=0):
                yield frame.to_ndarray(format="bgr24")
        return
    cv2.setNumThreads(1)
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    while True:
        read, picture = capture.read()
        if not read:
            return
        yield picture


def released(path: Path, clip: OpenClip) -> Clock:
    """The released way; its values are thrown away."""
    import torch
    from PIL import Image

    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        files = []
        pictures = read_all(path)
        for number in range(1 << 30):
            with clock.phase("decode"):
                picture = next(pictures, None)
            if picture is None:
                break
            if number and number % cuva_2024.EVERY == 0:
                with clock.phase("jpeg"):
                    files.append(Path(folder) / f"{number}.jpg")
                    Image.fromarray(picture[:, :, ::-1]).save(files[-1], quality=95)
        found = []
        for file in files:
            with clock.phase("jpeg"), Image.open(file) as opened:
                pixels = np.asarray(opened.convert("RGB"))
            with clock.phase("prepare"):
                prepared = clip.prepared(pixels[None])
            with clock.phase("clip"), torch.inference_mode():
                found.append(clip.encoded(prepared))
    with clock.phase("clip"):
        texts = clip.text_features(SENTENCES)
    with clock.phase("rest"):
        cuva_2024.cosine_curve(curve.cosines(texts, np.concatenate(found)), SCORES)
    return clock


def ours(path: Path, clip: OpenClip, *, same: bool) -> Clock:
    """Our way: the released frames where they are to be the `same`, else our own."""
    clock = Clock()

    def features_of(pixels: frames.Pixels) -> frames.Features:
        with clock.phase("prepare"):
            prepared = clip.prepared(pixels)
        with clock.phase("clip"):
            return clip.encoded(prepared)

    start = time.process_time()
    with Video(path, deadline=600) as video:
        looked = frames.Looked(video, features_of)
        if same:
            indices = np.array(cuva_2024.coarse_frames(video.n_frames))
        else:
            indices = video.indices_at(frames.instants(video.duration))
        images = looked.features(indices)
    clock.spent["decode"] = time.process_time() - start - clock.spent["prepare"] - clock.spent["clip"]
    with clock.phase("clip"):
        texts = clip.text_features(SENTENCES)
    with clock.phase("rest"):
        curve.as_importance(np.array(SCORES) @ curve.cosines(texts, images))
    return clock


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seconds", type=int, default=60)
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    import torch

    torch.set_num_threads(1)
    clip = model()
    clip.image_features(np.zeros((1, 224, 224, 3), np.uint8))  # loaded before the clock runs
    for gop in (250, 30):
        path = long_clip(gop, seconds=options.seconds)
        ways: dict[str, Callable[[], Clock]] = {
            "released way": lambda path=path: released(path, clip),
            "ours, same frames": lambda path=path: ours(path, clip, same=True),
            "ours": lambda path=path: ours(path, clip, same=False),
        }
        rounds: dict[str, list[Clock]] = {name: [] for name in ways}
        for _ in range(options.rounds):
            for name, way in ways.items():
                rounds[name].append(way())
        show(gop, rounds, 60 / options.seconds)


def show(gop: int, rounds: dict[str, list[Clock]], scale: float) -> None:
    """Print CPU seconds a minute of video, and how many times less the rest outside CLIP takes."""
    print(f"\n720p, 60 fps, GOP {gop}: CPU seconds a minute of video")
    print(f"{'':20}" + "".join(f"{phase:>9}" for phase in PHASES) + f"{'outside CLIP':>14}")
    outside = {}
    for name, clocks in rounds.items():
        spent = {phase: scale * statistics.median(clock.spent[phase] for clock in clocks) for phase in PHASES}
        outside[name] = sum(spent.values()) - spent["clip"]
        print(f"{name:20}" + "".join(f"{spent[phase]:9.2f}" for phase in PHASES) + f"{outside[name]:14.2f}")
    for name in list(rounds)[1:]:
        share = outside["released way"] / outside[name]
        print(f"{name}: {share:.1f} times less outside CLIP (goal {GOAL:g}: {'met' if share >= GOAL else 'missed'})")


if __name__ == "__main__":
    main()
