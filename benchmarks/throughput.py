"""Three tasks about two views of each video: one by one as other harnesses ask, and our exact and fast modes.

Run: python -m benchmarks.throughput [--videos 3] [--rounds 2] [--gpu]

Wall time of the same questions about the same frames (16 a view) of clips as long as ECVA's (141 s, 60 fps, 640x360,
key frames at most 250 frames apart), asked of the same random weights. `one by one` is a plain loop that decodes,
encodes and generates for every question and writes nothing down: with a sequential decode up to the last frame (what
lmms-eval's default reader does), with decord where it is installed, and with our own reader. `exact` and `fast` are
real runs, results file included. torch has one thread. Each model in turn: one that only touches its frames, so that
nothing hides the decoding, and a small video language model; with --gpu, one of real size (7B) instead.

What the harness costs around a model is measured with one that sleeps a second a question: the share of the wall time
that is neither its own nor the preparation of the first video, which nothing can hide.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch

from benchmarks.clips import long_clip
from benchmarks.video import decord
from ecva_bench.adapters.parts.families.composed import Composed
from ecva_bench.adapters.parts.language.networks import Networks
from ecva_bench.adapters.parts.language.policy import Policy
from ecva_bench.adapters.parts.placement import place
from ecva_bench.adapters.parts.prompts import Template
from ecva_bench.answering import Adapter
from ecva_bench.answering.inference import Mode, Settings
from ecva_bench.answering.plan import Plan, VideoQuestions
from ecva_bench.answering.runner import Runner
from ecva_bench.journal.results import read_results
from ecva_bench.journal.writer import Journal
from ecva_bench.records import Moment, Sample
from ecva_bench.records.answers import Manifest
from ecva_bench.tasks import TASKS, prompt_for
from ecva_bench.torchvision import ensure_torchvision
from ecva_bench.video import Video, samplers
from ecva_bench.video.video import decoder_version

FRAMES = 16
ASKED = ("description", "cause", "effect")
MOMENT = Moment(start=60.0, end=80.0)
Reader = Callable[[Path, list[int]], np.ndarray]


class Looker(Adapter):
    """Touches every frame it is shown and does nothing else."""

    def frame_indices(self, video: Video) -> Sequence[int]:
        return samplers.linspace(video.n_frames, FRAMES).tolist()

    def answer(self, video: Video, question: str) -> str:
        return self.say(video.frames_at(self.frame_indices(video)).pixels, question)

    def say(self, pixels: np.ndarray, question: str) -> str:
        return str(int(pixels[:, ::64, ::64].sum()))


class Sleeper(Looker):
    """Takes a second for a question, as a model on a GPU does: without the processor."""

    slept = 0.0

    def answer(self, video: Video, question: str) -> str:
        start = time.perf_counter()
        text = super().answer(video, question)
        time.sleep(1.0)
        self.slept += time.perf_counter() - start
        return text


class Bytes:
    """A tokenizer of bytes."""

    bos, size = 1, 259

    def encode(self, text: str) -> list[int]:
        return [3 + byte for byte in text.encode()]

    def decode(self, ids: Sequence[int]) -> str:
        return bytes(i - 3 for i in ids if i >= 3).decode(errors="replace")

    def id_of(self, token: str) -> int:
        return int(token)


class Tower(torch.nn.Module):
    """A vision transformer of random weights: uint8 [T, H, W, 3] to [T * patches, width]."""

    def __init__(self, side: int, patch: int, width: int, layers: int) -> None:
        super().__init__()
        self.side = side
        self.patches = torch.nn.Conv2d(3, width, patch, patch)
        layer = torch.nn.TransformerEncoderLayer(width, 8, 4 * width, batch_first=True, norm_first=True)
        self.layers = torch.nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)

    def forward(self, pixels: np.ndarray) -> torch.Tensor:
        weight = self.patches.weight
        pictures = torch.from_numpy(np.ascontiguousarray(pixels)).to(weight.device).permute(0, 3, 1, 2).to(weight.dtype)
        small = torch.nn.functional.interpolate(pictures / 255, (self.side, self.side), mode="bilinear")
        return self.layers(self.patches(small).flatten(2).transpose(1, 2)).flatten(0, 1)


class Talker(Composed):
    """A video language model of random weights. It always says as much as its policy allows."""

    vision: ClassVar = {"side": 112, "patch": 14, "width": 192, "layers": 4}
    words: ClassVar = {"hidden_size": 256, "intermediate_size": 688, "num_hidden_layers": 4, "num_attention_heads": 8}
    policies: ClassVar = {"greedy": Policy(max_new_tokens=32, eos=(2,), pad=2, suppressed=(0, 1, 2))}
    template = Template("benchmark", 1, "{video}\n{question}")
    device = "cpu"

    def frame_rule(self) -> dict[str, Any]:
        return {"rule": "linspace", "count": FRAMES}

    @cached_property
    def networks(self) -> Networks:
        return self.build()

    def build(self) -> Networks:
        ensure_torchvision()
        from transformers import MistralConfig, MistralForCausalLM

        where = place(self.device, "auto", "")
        torch.manual_seed(0)
        config = MistralConfig(vocab_size=260, num_key_value_heads=8, sliding_window=None, **self.words)
        return Networks(
            Bytes(),
            where.make(lambda: Tower(**self.vision)),
            where.make(lambda: torch.nn.Linear(self.vision["width"], self.words["hidden_size"])),
            where.make(lambda: MistralForCausalLM(config)),
        )

    def describe(self) -> dict[str, Any]:
        return {}


class RealTalker(Talker):
    """One of real size: CLIP-L's tower and Mistral 7B's language model, 16 frames of 256 tokens, 120 new tokens."""

    vision: ClassVar = {"side": 224, "patch": 14, "width": 1024, "layers": 23}
    words: ClassVar = {
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
    }
    policies: ClassVar = {"greedy": Policy(max_new_tokens=120, eos=(2,), pad=2, suppressed=(0, 1, 2))}
    device = "cuda"


def make_plan(path: Path, videos: int) -> Plan:
    """Return three questions about two views of so many videos, all of the same file."""
    groups = tuple(
        VideoQuestions(f"{n:05}", path, tuple(_sample(f"{n:05}", task) for task in ASKED)) for n in range(videos)
    )
    ids = tuple(sample.id for group in groups for sample in group.samples)
    return Plan(groups, ("full", "anomaly"), {}, {"full": ids, "anomaly": ids}, {})


def _sample(video: str, task: str) -> Sample:
    question = prompt_for(TASKS[task]).text
    return Sample(
        id=f"{video}/{task}",
        video=video,
        media="",
        task=task,
        question=question,
        prompt=task,
        prompt_sha256="",
        reference="reference",
        moments=(MOMENT,),
    )


def run(adapter: Adapter, plan: Plan, mode: Mode) -> tuple[float, float, dict[tuple[str, str], str]]:
    """Return the seconds of a real run, those before its first video was ready, and the answers."""
    spec = {"model": "benchmark", "description": {}, "decoder": decoder_version(), "mode": mode}
    manifest = Manifest(run="benchmark", spec=spec, expects=plan.expects)
    runner = Runner(adapter, plan, manifest, Settings(mode=mode))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "results.jsonl"
        with Journal(path, manifest) as journal:
            first, prepare = [], runner.asker.prepare
            start = time.perf_counter()

            def watched(job: Any, reserve: Any) -> Any:
                found = prepare(job, reserve)
                first.append(time.perf_counter() - start)
                return found

            runner.asker.prepare = watched  # type: ignore[method-assign]
            end = runner.run(journal)
            seconds = time.perf_counter() - start
        found = {(answer.id, answer.view): answer.answer for answer in read_results(path).answers}
    assert end.status == "complete", end
    return seconds, first[0], found


def one_by_one(adapter: Any, plan: Plan, reader: Reader) -> tuple[float, dict[tuple[str, str], str]]:
    """Return the seconds of a plain loop in the order of other harnesses, task by task, and the answers."""
    path = plan.groups[0].media
    whole = Video(path)
    views = {"full": whole, "anomaly": whole.without([MOMENT])}
    wanted = {view: video.source_indices(adapter.frame_indices(video)).tolist() for view, video in views.items()}
    found = {}
    start = time.perf_counter()
    for task in ASKED:
        for view in views:
            for group in plan.groups:
                pixels = reader(path, wanted[view])
                sample = next(sample for sample in group.samples if sample.task == task)
                found[sample.id, view] = answer(adapter, pixels, sample.question)
    return time.perf_counter() - start, found


def answer(adapter: Any, pixels: np.ndarray, question: str) -> str:
    """Return a model's answer to one question about frames, with nothing kept from the one before."""
    if isinstance(adapter, Looker):
        return adapter.say(pixels, question)
    from ecva_bench.adapters.parts.families.composed import Seen
    from ecva_bench.video import Frames

    times = np.zeros(len(pixels))
    frames = Frames(pixels, times, times, np.arange(len(pixels)), {}, ())
    with torch.inference_mode():
        features = adapter.see(frames)
    return adapter.ask([(Seen(features, times, times, ""), question)])[0]


def sequential(path: Path, indices: list[int]) -> np.ndarray:
    """Decode from the first packet to the last frame wanted, with FFmpeg's own threads."""
    import av

    wanted, found = set(indices), {}
    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = "AUTO"
        for index, frame in enumerate(container.decode(video=0)):
            if index in wanted:
                found[index] = frame.to_ndarray(format="rgb24")
                if len(found) == len(wanted):
                    break
    return np.stack([found[index] for index in indices])


def ours(path: Path, indices: list[int]) -> np.ndarray:
    return Video(path).frames_at(indices).pixels


def compare(name: str, adapter: Any, plan: Plan, rounds: int) -> None:
    """Measure and print one model's rows."""
    readers: dict[str, Reader] = {"sequential decode": sequential, "decord": decord, "our reader": ours}
    if not find_spec("decord"):
        del readers["decord"]
    spent: dict[str, list[float]] = {}
    texts: dict[str, dict[tuple[str, str], str]] = {}
    for _ in range(rounds):
        for reader in readers:
            seconds, texts[reader] = one_by_one(adapter, plan, readers[reader])
            spent.setdefault(f"one by one, {reader}", []).append(seconds)
        for mode in ("exact", "fast"):
            seconds, _, texts[mode] = run(adapter, plan, mode)
            spent.setdefault(mode, []).append(seconds)
    print(f"{name}, seconds a video (median of {rounds}), and how many times as fast as each way one by one")
    rows = {label: statistics.median(seconds) / len(plan.groups) for label, seconds in spent.items()}
    slow = [label for label in rows if label.startswith("one")]
    for label, seconds in rows.items():
        ratios = "" if label in slow else "  " + "  ".join(f"{rows[other] / seconds:6.2f}x" for other in slow)
        print(f"  {label:<30} {seconds:8.3f}{ratios}")
    same = sum(texts["fast"][place] == text for place, text in texts["exact"].items())
    print(
        f"  answers of fast that are those of exact: {same} of {len(texts['exact'])}; one by one and exact agree:",
        all(texts[reader] == texts["exact"] for reader in readers),
    )


def overhead(plan: Plan) -> None:
    """Measure and print what the harness costs around a model."""
    adapter = Sleeper()
    seconds, first, _ = run(adapter, plan, "exact")
    around = seconds - adapter.slept - first
    print(
        f"around a model of 1 s a question, {len(plan.groups)} videos: {seconds:.2f} s, of which the model "
        f"{adapter.slept:.2f}, the first video {first:.2f}, the rest {around:.3f} ({around / seconds:.2%}; goal 2 %)"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--videos", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--gpu", action="store_true")
    options = parser.parse_args()
    plan = make_plan(long_clip(250, size=(640, 360)), options.videos)
    torch.set_num_threads(1)  # a core for the model, and the others for decoding
    models = {"7B of random weights on a GPU": RealTalker} if options.gpu else {"only looking": Looker, "small": Talker}
    for name, make in models.items():
        adapter = make()
        adapter.load()
        run(adapter, make_plan(plan.groups[0].media, 1), "exact")  # warm
        compare(name, adapter, plan, options.rounds)
    overhead(plan)


if __name__ == "__main__":
    main()
