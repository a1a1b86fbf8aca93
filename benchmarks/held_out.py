"""Drawn clips that nothing was trained on, as a data set with videos: for decisions that must not rest on `mini`.

Their scenes are those of the training set `mini`, drawn from another seed, and three clips show each of them.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import av
import numpy as np

from ecva_bench.data import Dataset
from ecva_bench.data.scenes import HEIGHT, SCENES, WIDTH
from ecva_bench.records import Annotation, Label
from ecva_bench.records.base import sha256_of
from ecva_bench.taxonomy import load_taxonomy
from ecva_bench.training.mini.clips import TrainingClip, training_clip
from ecva_bench.training.mini.samples import severity_at

SEED, OF_EACH = 20261130, 3
STEP = 0.1  # seconds between the points of an importance curve


def held_out(folder: Path, of_each: int = OF_EACH) -> Dataset:
    """Return the first clips of the seed that show each scene of `mini`, drawn into a folder where they are needed."""
    chosen: dict[str, TrainingClip] = {}
    counts = dict.fromkeys(SCENES, 0)
    number = 0
    while min(counts.values()) < of_each:
        clip = training_clip(SEED, number)
        number += 1
        if counts.get(clip.kind.name, of_each) < of_each:
            counts[clip.kind.name] += 1
            chosen[f"held{clip.number:04d}"] = clip
    annotations = tuple(_annotation(video, clip) for video, clip in sorted(chosen.items()))
    return Dataset(
        name="held-out",
        source=f"seed {SEED}",
        sha256=sha256_of([one.model_dump(mode="json") for one in annotations]),
        taxonomy=load_taxonomy("cuva"),
        annotations=annotations,
        videos=folder,
        render=partial(_render, chosen),
    )


def _annotation(video: str, clip: TrainingClip) -> Annotation:
    said = {
        name: texts[clip.number % len(texts)].format(**clip.colours)
        for name, texts in (
            ("description", clip.kind.description),
            ("cause", clip.kind.cause),
            ("effect", clip.kind.effect),
        )
    }
    seconds = [round(float(t), 3) for t in np.arange(0, clip.duration, STEP)]
    return Annotation(
        video=video,
        media=f"{video}.mp4",
        label=Label(major=clip.kind.label) if clip.kind.label else None,
        moments=clip.moments,
        severity_curve=tuple((t, severity_at(clip, t) / 10) for t in seconds),
        **said,
    )


def _render(clips: dict[str, TrainingClip], annotation: Annotation, path: Path) -> None:
    """Write a clip whole, as H.264."""
    clip = clips[annotation.video]
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part.mp4")
    with av.open(str(unfinished), "w") as container:
        stream = container.add_stream("libx264", rate=clip.frame_rate, options={"preset": "veryfast", "threads": "1"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for index in range(clip.n_frames):
            frame = av.VideoFrame.from_ndarray(clip.frames([index])[0], format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    unfinished.rename(path)
