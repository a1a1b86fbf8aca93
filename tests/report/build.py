"""Runs made by hand, for tests of the page and the plots."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from math import fsum
from pathlib import Path
from typing import Any

from ecva_bench.judging import Call, Verdict
from ecva_bench.records import Annotation, Label
from ecva_bench.records.answers import Answer, Results, SeenFrames
from ecva_bench.records.scores import Score, Scores, Summary
from ecva_bench.report.run import Run
from ecva_bench.scoring.score import score_results
from tests.scoring.build import answer, failure, moments, results
from tests.scoring.judges import RuleJudge

# ECVA has so many videos; with so many models a page has 200,000 answers.
VIDEOS, MODELS = 2240, 18
TASKS = ("description", "cause", "effect", "classification", "timestamp")
HOSTILE = "<script>document.title = 'owned'</script><b>\"><img src=x onerror=\"document.title='owned'\">\u2028</b>"
KEYS = ("a car turns late", "nobody gives way", "so nobody was late")
SPANS = ((1.0, 1.6), (2.8, 3.2))
STEPS = {
    "hard_prompt": {
        "segments": [{"start": 0.0, "end": 2.0, "caption": "a street"}, {"start": 2.0, "end": 4.0, "caption": HOSTILE}],
        "order": [2, 1],
        "fallback": "",
        "frames": [0.5, 2.666667],
    }
}
REASON = "</dd><script>document.title = 'judged'</script>the judge's reason"


class ReasoningJudge(RuleJudge):
    """The rule, with a reason that tries to leave its place."""

    def ask(self, calls: Sequence[Call]) -> list[Verdict]:
        return [replace(verdict, rationale=REASON) for verdict in super().ask(calls)]


def small_run(model: str, *, text: str, spans: str, judged: bool = False, steps: dict[str, Any] | None = None) -> Run:
    """Three videos of two causes and a time each; of v2 the cause failed, and its time is missing."""
    common: dict[str, Any] = {
        "key_sentences": KEYS,
        "moments": moments(*SPANS),
        "duration": 4.0,
        "label": Label(major=5, sub=1, severity=4),
        "frames": SeenFrames(n=4, timestamps=(0.0, 1.0, 2.0, 3.0)),
        "steps": steps,
    }
    left = SeenFrames(n=2, timestamps=(0.0, 2.0))
    cut = {"view": "anomaly", "removed": moments(*SPANS), "frames": left}
    answers = []
    for video in ("v0", "v1"):
        answers += [
            answer(video, text, reference="a car turns late and nobody gives way", **common),
            answer(video, f"{text} or not", reference="a car turns late and nobody gives way", **{**common, **cut}),
            answer(video, spans, task="timestamp", reference="[1, 1.6] [2.8, 3.2]", **common),
        ]
    expects = {
        "full": tuple(f"v{n}/{task}" for n in range(3) for task in ("cause", "timestamp")),
        "anomaly": ("v0/cause", "v1/cause"),
    }
    spec = {"model": model, "prompts": {"timestamp": {"id": "ours/timestamp.v1"}}}
    made = results(answers, expects=expects, failures=(failure("v2"),), name=model, model=model, spec=spec)
    made = made.model_copy(update={"sha256": f"{model:0<64}"})
    judge = ReasoningJudge() if judged else None
    return Run(made, (score_results(made, judge=judge, draws=20),))


@cache
def story() -> tuple[Run, Run]:
    """Two models: one that a judge has read, and one that would like to be read by the browser."""
    honest = small_run("honest", text="a car turns late, so nobody gives way", spans="[1, 2]", judged=True)
    return honest, small_run("hostile", text=HOSTILE, spans="[0, 4]", steps=STEPS)


def annotations() -> dict[str, Annotation]:
    """Of v0 only: its severity, and the name of its file."""
    curve = ((0.0, 0.0), (1.0, 1.0), (4.0, 0.2))
    label = Label(major=5, sub=1, severity=4)
    return {"v0": Annotation(video="v0", media="v0.mp4", label=label, moments=moments(*SPANS), severity_curve=curve)}


def big_run(number: int, *, videos: int = VIDEOS) -> Run:
    """One of the models of a run of ECVA's size, or of so many videos.

    All give the same answers, for what counts is their size.
    """
    answers, scores = (records[: videos * len(TASKS)] for records in _big_records())
    name = f"model-{number}"
    expects = {"full": tuple(one.id for one in answers)}
    made = Results(name=name, source=name, sha256=f"{number:064d}", model=name, expects=expects, answers=answers)
    header = small_run("x", text="x", spans="x").scores[0].header
    mean = fsum(score.values["value"] for score in scores) / len(scores)  # that of each task
    number_of = {"signature": "s", "n": videos, "expected": videos, "mean": mean, "zero_filled": mean}
    summaries = tuple(Summary(task=task, view="full", scorer="some", column="value", **number_of) for task in TASKS)
    return Run(made, (Scores(header=header, coverage=(), summaries=summaries, aggregates=(), scores=scores),))


@cache
def _big_records() -> tuple[tuple[Answer, ...], tuple[Score, ...]]:
    """An answer of some fifty words to each question, and its score; by direct construction, for they are many."""
    shared = {
        "reference": "Two cars collide because one of them does not give way.",
        "moments": moments((3, 12)),
        "duration": 120.0,
        "frames": SeenFrames(n=16, timestamps=tuple(7.5 * i for i in range(16))),
        "key_sentences": ("two cars collide", "one does not give way", "the road is wet"),
    }
    answers, scores = [], []
    for video in range(VIDEOS):
        label = Label(major=1 + video % 10)
        for task in TASKS:
            said = (
                "[3, 9]" if task == "timestamp" else f"of video {video}: " + "a car hits a second one and stops. " * 7
            )
            place = {"key": f"{video}/{task}", "id": f"{video:05d}/{task}", "video": f"{video:05d}", "task": task}
            answers.append(Answer.model_construct(**place, **shared, answer=said, label=label))
            value = {"value": video * 7 % 101 / 100}
            scores.append(Score.model_construct(**place, view="full", scorer="some", values=value))
    return tuple(answers), tuple(scores)


def taken(folder: Path, name: str) -> Any:
    """The value a data script hands over, read without running it."""
    text = (folder / "data" / f"{name}.js").read_text(encoding="utf-8")
    start = f'Ecva.take("{name}",'
    assert text.startswith(start)
    return json.loads(text.removeprefix(start).removesuffix(");\n"))
