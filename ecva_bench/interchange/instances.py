"""A run's answers as instances of Every Eval Ever, version 0.3.0: a line for each answer and column.

The lines of a column give its mean: a missing answer has one with the worst value and its error, and an answer that the
metric gave no value for has none. An answer without any value, and one that was not asked for, has a line of no column,
which says so in `error`, so that no text is lost. `owed` in the metadata says whether the run owed the answer: all that
it owed has a line, so that an import owes the same.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

from ..records.annotations import question_of, sample_parts
from ..records.answers import Answer, Failure
from ..records.scores import Score, Summary
from .owed import OWED, owed_word, unanswered
from .scored_runs import ScoredRun, column_id

SCHEMA_VERSION = "0.3.0"

_Place = tuple[str, str]  # a sample and a view


def instance_lines(run: ScoredRun, evaluation: str, model: str) -> Iterator[dict[str, Any]]:
    """Yield a line for each column's each sample, and then those of no column. `evaluation` and `model` are ids."""
    common = {"schema_version": SCHEMA_VERSION, "evaluation_id": evaluation, "model_id": model}
    extra: dict[_Place, Answer | Failure] = {(one.id, one.view): one for one in run.results.extra}
    told_of: tuple[Answer | Failure, ...] = (*run.results.failures, *unanswered(run.results), *run.results.answers)
    owed = {(one.id, one.view): one for one in told_of}
    records = extra | owed
    scores: dict[_Place, dict[str, Score]] = defaultdict(dict)
    for score in run.scores.scores:
        scores[score.id, score.view][score.scorer] = score
    told = set()
    asked = _samples(owed)
    for summary, _ in run.summaries():
        column = column_id(summary)
        for sample, value in _values(run, summary, asked, scores):
            place = (sample, summary.view)
            told.add(place)
            yield {
                **common,
                **_question(run, sample, summary.view, records.get(place), place in owed),
                "evaluation_result_id": column,
                **_given(records.get(place), scores[place].get(summary.scorer)),
                "evaluation": {"score": value, "is_correct": _is_hit(summary) and value == 1},
            }
    remaining = [(one, _why_not(one, scores[place])) for place, one in owed.items() if place not in told]
    not_asked = "not scored: it was not asked for"
    remaining += [(one, not_asked) for one in run.results.extra if (one.id, one.view) not in told]
    for record, why in remaining:
        question = _question(run, record.id, record.view, record, (record.id, record.view) in owed)
        nothing = {"evaluation": {"score": 0.0, "is_correct": False}, "error": why}
        yield {**common, **question, **_given(record, None), **nothing}


def _samples(records: Iterable[_Place]) -> dict[_Place, list[str]]:
    """Return the samples of each question and view: several where it was asked several times."""
    found: dict[_Place, dict[str, None]] = defaultdict(dict)
    for sample, view in records:
        found[question_of(sample), view][sample] = None
    return {place: list(samples) for place, samples in found.items()}


def _values(
    run: ScoredRun,
    summary: Summary,
    asked: Mapping[_Place, Sequence[str]],
    scores: Mapping[_Place, Mapping[str, Score]],
) -> Iterator[tuple[str, float]]:
    """Yield the value of each sample in a column; where a question has several, each its own."""
    for question, mean in run.values.get(column_id(summary), {}).items():
        samples = asked.get((question, summary.view), [question])
        for sample in samples:
            score = scores.get((sample, summary.view), {}).get(summary.scorer)
            if len(samples) == 1:
                yield sample, mean
            elif score is None or summary.column in score.unanswered:
                yield sample, summary.worst
            elif summary.column in score.values:
                yield sample, score.values[summary.column]


def _is_hit(summary: Summary) -> bool:
    return (summary.stability.hits if summary.stability else summary.hits) is not None


def _why_not(record: Answer | Failure, scores: Mapping[str, Score]) -> str:
    if isinstance(record, Failure):
        return record.message or record.error
    reasons = [reason for one in scores.values() for reason in (one.reason, *one.gaps.values()) if reason]
    return f"not scored: {'; '.join(dict.fromkeys(reasons)) or 'no metric was asked'}"


def _question(run: ScoredRun, sample: str, view: str, record: Answer | Failure | None, is_owed: bool) -> dict[str, Any]:
    """Return what a line says of the question; its `sample_hash` is made as the form's guide has it."""
    parts = sample_parts(sample)
    text = str(run.results.spec.get("prompts", {}).get(parts.task, {}).get("text", ""))
    asked: dict[str, Any] = {"raw": text, "reference": [record.reference] if isinstance(record, Answer) else []}
    hashed = json.dumps(asked, sort_keys=True, separators=(",", ":"))
    if isinstance(record, Answer) and record.options:
        asked["choices"] = list(record.options)
    return {
        "evaluation_name": ".".join([run.dataset or "unknown", parts.task, *([] if view == "full" else [view])]),
        "sample_id": sample,
        "sample_hash": sha256(hashed.encode()).hexdigest(),
        "interaction_type": "single_turn",
        "input": asked,
        "metadata": {**_about(parts.video, parts.task, view, record), OWED: owed_word(is_owed)},
    }


def _about(video: str, task: str, view: str, record: Answer | Failure | None) -> dict[str, str]:
    """Return what we know of an answer and the form has no field for, each as a text."""
    found = {"video": video, "task": task, "view": view}
    if isinstance(record, Answer):
        known = record.model_dump(mode="json", include={"key", "finish", "prompt_sha256", "video_sha256", "t"})
        found |= {name: str(held) for name, held in known.items() if held}
        found |= {"served": record.served} if record.served else {}
        shown = record.frames
        found |= {"frames": json.dumps(shown.model_dump(mode="json"), sort_keys=True)} if shown else {}
    return found


def _given(record: Answer | Failure | None, score: Score | None) -> dict[str, Any]:
    """Return what the model gave, what was read out of it, and how long it took."""
    if not isinstance(record, Answer):
        why = "no answer" if record is None else record.message or record.error
        return {"output": {"raw": []}, "answer_attribution": [], "error": why}
    thought = (record.steps or {}).get("thought")
    found: dict[str, Any] = {"output": {"raw": [record.answer]}, "answer_attribution": _read_out(record, score)}
    if isinstance(thought, str):
        found["output"]["reasoning_trace"] = [thought]
    if record.time:
        seconds = {"latency_ms": sum(record.time.values()), "generation_time_ms": record.time.get("answer")}
        found["performance"] = {name: round(1000 * one, 3) for name, one in seconds.items() if one is not None}
    return found


def _read_out(record: Answer, score: Score | None) -> list[dict[str, Any]]:
    reading = score.reading if score else None
    if reading is None or reading.status != "read":
        return []
    words = " ".join(record.answer[start:end] for start, end in reading.places) or record.answer
    place = {"turn_idx": 0, "source": "output.raw", "is_terminal": True}
    return [{**place, "extracted_value": words, "extraction_method": reading.rule or "whole answer"}]
