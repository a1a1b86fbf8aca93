"""Scored runs made by hand, for tests of comparisons and gates."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ecva_bench.leaderboard.compare import Comparison, compare_runs
from ecva_bench.records.base import sha256_of
from ecva_bench.records.scores import Coverage, Score, Scores, ScoresHeader, Summary

Values = Mapping[str, Mapping[str, float | None]]


def scored(
    tasks: Values,
    *,
    column: str = "gated",
    scorer: str = "anomeval",
    signature: str = "anomeval|judge:x|v:1",
    unscored: tuple[str, ...] = (),
    empty: int = 0,
    cut_off: int = 0,
    **header: Any,
) -> Scores:
    """Scores of one column by task and sample; a value of None is a sample without an answer.

    A sample is named `video` or `video#n`; `unscored` are samples the scorer gave no value. So many answers to each
    task are `empty`, and were `cut_off`.
    """
    coverage, summaries, scores = [], [], []
    for task, values in tasks.items():
        given = {sample: value for sample, value in values.items() if value is not None and sample not in unscored}
        absent = tuple(f"{sample}/{task}" for sample, value in values.items() if value is None)
        coverage.append(
            Coverage(
                task=task,
                view="full",
                samples=len(values),
                samples_sha256=sha256_of(sorted(values)),
                owed=len(values),
                answered=len(values) - len(absent),
                failed=0,
                missing=len(absent),
                empty=empty,
                cut_off=cut_off,
                absent=absent,
            )
        )
        filled = [*given.values(), *[0.0] * len(absent)]
        summaries.append(
            Summary(
                task=task,
                view="full",
                scorer=scorer,
                column=column,
                signature=signature,
                n=len(given),
                expected=len(filled),
                mean=math.fsum(given.values()) / len(given),
                zero_filled=math.fsum(filled) / len(filled),
            )
        )
        scores += [_score(sample, task, scorer, {column: value}) for sample, value in given.items()]
        scores += [_score(sample, task, scorer, {}) for sample in unscored if sample in values]
    named = {"name": "run", "model": "model", "results": "run.jsonl", "results_sha256": "0" * 64, **header}
    named = {"prompts": dict.fromkeys(tasks, ("p" * 64,)), **named}
    settings = {"protocol": "standard", "settings": {}, "seed": 0, "draws": 100, "version": "1"}
    return Scores(
        header=ScoresHeader(**{**settings, **named}),
        coverage=tuple(coverage),
        summaries=tuple(summaries),
        aggregates=(),
        scores=tuple(scores),
    )


def _score(sample: str, task: str, scorer: str, values: dict[str, float]) -> Score:
    return Score(
        key=sample,
        id=f"{sample}/{task}",
        video=sample.partition("#")[0],
        task=task,
        view="full",
        scorer=scorer,
        status="ok" if values else "unscored",
        values=values,
    )


def compare_scores(*, base: Scores, new: Scores, **options: Any) -> Comparison:
    """How `new` differs from `base`, as `compare_runs` says it of two runs alone."""
    (found,) = compare_runs([base, new], **options)
    return found
