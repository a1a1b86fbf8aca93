"""How far the order of scores agrees with the order that people gave. Works on plain numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean

from ..statistics.ranks import tau_b


@dataclass(frozen=True)
class OrderAgreement:
    """How far the order of one triple's scores agrees with people's, in [0, 1]; `tau` in [-1, 1].

    `pairwise`: share of the pairs people do not tie that are ordered alike, half of those the scores tie.
    `tau`: Kendall's tau-b, 0 where the scores tie all. `exact`: 1 where the orders are the same, ties included.
    `top`: chance that one of the best-scored answers is one of those people rank first. `ties`: share of pairs
    the scores tie. `longer`: share of the pairs of unequal length of which the longer answer has the higher score,
    half of those the scores tie; None where there is no such pair.
    """

    pairwise: float
    tau: float
    exact: float
    top: float
    ties: float
    longer: float | None = None


def order_agreement(*, gold: Sequence[float], scores: Sequence[float], lengths: Sequence[int] = ()) -> OrderAgreement:
    """Return how scores (higher is better) order some answers, against mean ranks (lower is better), not all tied.

    `lengths` are those of the answers, for `longer`.
    """
    by_length = pair_credits(gold=[-length for length in lengths], scores=scores)
    credits = pair_credits(gold=gold, scores=scores)
    pairs = list(combinations(range(len(gold)), 2))
    best = [place for place, score in enumerate(scores) if score == max(scores)]
    return OrderAgreement(
        pairwise=fmean(credits.values()),
        tau=tau_b([-rank for rank in gold], scores),
        exact=float(all(_sign(gold[j] - gold[i]) == _sign(scores[i] - scores[j]) for i, j in pairs)),
        top=fmean(gold[place] == min(gold) for place in best),
        ties=fmean(scores[i] == scores[j] for i, j in pairs),
        longer=fmean(by_length.values()) if by_length else None,
    )


def pair_credits(*, gold: Sequence[float], scores: Sequence[float]) -> dict[tuple[int, int], float]:
    """Return for each pair of answers that people do not tie 1 where scores order it alike, 0.5 where they tie it."""
    return {
        (i, j): (1 + _sign(gold[j] - gold[i]) * _sign(scores[i] - scores[j])) / 2
        for i, j in combinations(range(len(gold)), 2)
        if gold[i] != gold[j]
    }


def _sign(difference: float) -> int:
    return (difference > 0) - (difference < 0)
