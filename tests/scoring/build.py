"""Results made by hand, for tests of scoring and leaderboards."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from ecva_bench.records import Label, Moment
from ecva_bench.records.answers import Answer, Failure, Results
from ecva_bench.records.base import View
from ecva_bench.scoring import Scorable


def answer(video: str, text: str, *, task: str = "cause", view: View = "full", **fields: Any) -> Answer:
    sample = f"{video}/{task}"
    given = {"reference": f"the reference of {video}", **fields}
    key = hashlib.sha256(repr((sample, view, text)).encode()).hexdigest()
    return Answer(key=key, id=sample, video=video, task=task, view=view, answer=text, **given)


def failure(video: str, *, task: str = "cause", view: View = "full") -> Failure:
    return Failure(
        key=f"f-{video}",
        id=f"{video}/{task}",
        video=video,
        task=task,
        view=view,
        stage="decode",
        error="E",
        message="m",
    )


def results(
    answers: Sequence[Answer],
    *,
    expects: dict[View, tuple[str, ...]] | None = None,
    **fields: Any,
) -> Results:
    if expects is None:
        expects = {}
        for one in answers:
            expects[one.view] = (*expects.get(one.view, ()), one.id)
    given = {"name": "run", "source": "run.jsonl", "sha256": "0" * 64, "model": "model", **fields}
    return Results(expects=expects, answers=tuple(answers), **given)


def item(candidate: str, reference: str = "", *, video: str = "v", **fields: Any) -> Scorable:
    task = fields.pop("task", "cause")
    return Scorable(
        key=f"k-{video}",
        id=f"{video}/{task}",
        video=video,
        task=task,
        view="full",
        candidate=candidate,
        reference=reference,
        **fields,
    )


def moments(*spans: tuple[float, float]) -> tuple[Moment, ...]:
    return tuple(Moment(start=start, end=end) for start, end in spans)


def label(major: int, sub: int = 1) -> Label:
    return Label(major=major, sub=sub, severity=5)
