"""Five tasks a video against one: what more questions about a video cost in decoding.

Run: python -m benchmarks.runner [--videos 2] [--rounds 3]

The same 32 frames of the same clips are shown through the real runner and journal to a model that only looks at
them, for one task and for five, in turns. `five runs` is what a harness pays that decodes for every question.
CPU seconds of the whole process, all threads; the ratio is taken round by round and the median printed.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.clips import long_clip
from ecva_bench.answering import Adapter
from ecva_bench.answering.inference import Settings
from ecva_bench.answering.plan import Plan, VideoQuestions
from ecva_bench.answering.runner import Runner
from ecva_bench.journal.writer import Journal
from ecva_bench.records import Sample
from ecva_bench.records.answers import Manifest
from ecva_bench.tasks import TASKS
from ecva_bench.video import Video, samplers
from ecva_bench.video.video import decoder_version

FRAMES = 32


class Looker(Adapter):
    """Touches every frame it is shown, so that none can be left out."""

    def frame_indices(self, video: Video) -> Sequence[int]:
        return samplers.linspace(video.n_frames, FRAMES).tolist()

    def answer(self, video: Video, question: str) -> str:
        return str(int(video.frames_at(self.frame_indices(video)).pixels[:, ::64, ::64].sum()))


def cpu_seconds(videos: Sequence[Path], tasks: Sequence[str]) -> float:
    """Return the CPU seconds of one run that asks `tasks` about each video."""
    groups = tuple(VideoQuestions(path.stem, path, tuple(_sample(path, task) for task in tasks)) for path in videos)
    expects = {"full": tuple(sample.id for group in groups for sample in group.samples)}
    plan = Plan(groups, ("full",), {}, expects, {})
    spec = {"model": "looker", "description": {}, "decoder": decoder_version(), "mode": "exact"}
    manifest = Manifest(run="benchmark", spec=spec, expects=expects)
    with tempfile.TemporaryDirectory() as folder, Journal(Path(folder) / "results.jsonl", manifest) as journal:
        start = time.process_time()
        end = Runner(Looker(), plan, manifest, Settings()).run(journal)
        spent = time.process_time() - start
    assert end.status == "complete", end
    return spent


def _sample(path: Path, task: str) -> Sample:
    return Sample(
        id=f"{path.stem}/{task}",
        video=path.stem,
        media=path.name,
        task=task,
        question=f"{task}?",
        prompt=task,
        prompt_sha256="",
        reference="reference",
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    for name, gop in (("GOP 250", 250), ("GOP 30", 30)):
        videos = [long_clip(gop)]
        cpu_seconds(videos, ["cause"])  # warm the page cache
        one, five, each = [], [], []
        for _ in range(rounds):
            one.append(cpu_seconds(videos, ["cause"]))
            five.append(cpu_seconds(videos, list(TASKS)))
            each.append(sum(cpu_seconds(videos, [task]) for task in TASKS))
        print(f"141 s, 60 fps, 720p, {name}, {FRAMES} frames, CPU seconds (median of {rounds})")
        print(f"  one task a video        {statistics.median(one):6.2f}")
        for label, spent in (("five tasks, one run", five), ("five tasks, five runs", each)):
            ratio = statistics.median(s / o for s, o in zip(spent, one, strict=True))
            print(f"  {label:<22}  {statistics.median(spent):6.2f}  {ratio:.2f}x")


if __name__ == "__main__":
    main()
