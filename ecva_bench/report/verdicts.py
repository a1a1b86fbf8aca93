"""A judge's verdicts on an answer, under the names and with the numbers of the metrics they are counted in.

A scores file keeps what the judge was asked and replied. A reply may count the other way round: one that two answers
agree is an s3 of 0. So readers are shown the column's value, which is also in the table of metrics, beside the reason.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..records.scores import Score
from ..scoring.anomeval import AnomEval
from ..scoring.gpt import Gpt
from .run import column_label

_COUNTED_IN = {scorer.name: scorer.counted_in for scorer in (AnomEval, Gpt)}


def shown_verdicts(scored: Iterable[tuple[Score, str]]) -> dict[str, dict[str, Any]]:
    """Return {values, why} by `scorer/column` of an answer's scores, each given with its protocol.

    `values` has one number, or one per key sentence; none where the column has no value.
    """
    found = {}
    for score, protocol in scored:
        renamed = _COUNTED_IN.get(score.scorer, {})
        for question, part in score.parts.items():
            column = renamed.get(question, question)
            counted = [score.values[column]] if column in score.values else []
            values = counted if question in renamed else part.values
            found[f"{score.scorer}/{column_label(column, protocol)}"] = {"values": values, "why": part.rationale}
    return found
