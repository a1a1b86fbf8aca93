"""What the headings of boards mean, in a sentence each. Those of metrics are the metrics' own descriptions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..records.scores import Aggregate, Summary

MEANINGS = {
    "rank": "place among the models, with its 95 % interval; baselines take none",
    "tie group": "the videos do not tell models of one group apart",
    "kind": "run, baseline, imported (answered elsewhere) or as printed; and whether its scores were computed again",
    "answered": "questions with an answer, of those that were asked",
    "errors": "questions that ended in an error",
    "parse failures": "answers in which no class or time could be read, or on which the judge gave no verdict",
    "floor": "the same answers, scored against the annotations of other videos",
    "blank": "the same model where it was shown no picture",
    "judge": "the model that judged the answers",
    "frames": "the fewest and the most frames of a video that the model was shown",
    "checkpoint": "the weights that answered, with their revision",
    "s per answer": "decoding and answering, as timed by the run; to be compared on the same hardware only",
    "words per answer": "mean length of an answer",
    "USD": "cost of the run, as its submitter states it",
    "USD of the run": "as the submitter states it, for all tasks and views together",
    "hardware": "what the model ran on, as the submitter states it",
    "submission": "the file that the row is made of",
    "answers": "the answers behind the numbers, beside their videos",
    "paper": "where the model is described",
    "code": "the authors' program",
    "mode": "exact, or fast: decoded with less care",
    "prompts": "set and version of the questions' words",
    "missing": "questions without an answer or an error",
    "protocol": "standard, or the arithmetic of the published figures",
    "version": "of this program",
    "results SHA-256": "the beginning of the results file's hash",
}


def meanings_of(
    headings: Mapping[str, Summary], known: Mapping[str, str], aggregates: Iterable[Aggregate] = ()
) -> dict[str, str]:
    """Return by heading what columns mean, where it is `known` of their scorer and name (`rouge/rouge2`)."""
    told = {f"{one.column} {one.unit}": one.description for one in aggregates}
    return told | {
        heading: known[name]
        for heading, summary in headings.items()
        if (name := f"{summary.scorer}/{summary.column}") in known
    }
