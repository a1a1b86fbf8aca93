"""Models that make trouble, and runs of them, by name: workers in other processes must be able to import them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from ecva_bench.answering import Adapter, Question
from ecva_bench.answering.inference import Settings
from ecva_bench.answering.plan import Selection, make_plan
from ecva_bench.answering.runner import Runner
from ecva_bench.errors import AdapterError
from ecva_bench.journal.writer import now
from ecva_bench.records.answers import Manifest
from ecva_bench.tasks import find_tasks, prompt_for
from ecva_bench.video import Video
from tests.clips import Clips

TASKS = ["cause", "effect"]
VIEWS = ("full", "anomaly")


class Troubled(Adapter):
    """Answers with what it saw. Trouble is a file in the folder, and over once the file is gone:

    `die-ask-3-…` and `die-decode-3-…` kill the process at the effect question about video 3, or as it is decoded;
    `die-load-…` as the model is loaded: these take the file away. `refuse` has the model refuse to load, and `hold` has
    it wait before its second answer.
    """

    def __init__(self, trouble: Path, pause: float) -> None:
        self.trouble, self.pause = trouble, pause
        self.answers = 0

    def load(self) -> None:
        if (self.trouble / "refuse").exists():
            raise AdapterError("the weights do not fit", "model.bin", "take others")
        self._die("load")

    def frame_indices(self, video: Video) -> Sequence[int]:
        self._die(f"decode-{video.path.stem}")
        return range(0, video.n_frames, 5)

    def answer(self, video: Video, question: Question) -> str:
        assert question.task == ("effect" if "led to" in question else "cause")  # in whatever process this is
        if "led to" in question:
            self._die(f"ask-{video.path.stem}")
        while self.answers and (self.trouble / "hold").exists():
            time.sleep(0.01)
        self.answers += 1
        time.sleep(self.pause)
        with (self.trouble / "asked.txt").open("a") as log:
            log.write(f"{video.path.stem} {'led to' in question} {video.removed != ()}\n")
        return f"{len(video.frames_at(self.frame_indices(video)).pixels)} of {video.n_frames}"

    def _die(self, where: str) -> None:
        for file in sorted(self.trouble.glob(f"die-{where}-*")):
            with suppress(FileNotFoundError):  # another has taken it
                file.unlink()
                os.kill(os.getpid(), signal.SIGKILL)


def prepare_one(folder: Path, trouble: Path, workers: int) -> Runner:
    """Return the same run for each of two workers."""
    assert workers == 2
    return prepare(folder, trouble)


def prepare(folder: Path, trouble: Path, decoders: int = 1, pause: float = 0.0, description: str = "") -> Runner:
    """Return a run of two questions and two views about each clip of a folder."""
    prompts = {task: prompt_for(task) for task in find_tasks(TASKS)}
    plan = make_plan(Clips(folder), prompts, Selection(), VIEWS)  # type: ignore[arg-type]
    spec = {"model": "troubled", "description": {"n": description}, "decoder": "d", "mode": "exact"}
    manifest = Manifest(run="r", spec=spec, expects=plan.expects, t=now())
    return Runner(Troubled(trouble, pause), plan, manifest, Settings(decoders=decoders))
