"""Scoring: answers in, numbers out, each with coverage, interval, floor and signature.

Start at `score_results`. A metric is a `Scorer` in a module of its own, reached by name through the entry-point
group `ecva_bench.scorers`; importing this room imports none of them.
"""

from .files import check_target, read_scores, read_scores_of, scores_path, write_scores
from .protocol import (
    ANOMEVAL,
    PROTOCOLS,
    AnomEvalSettings,
    ModelSettings,
    Protocol,
    get_anomeval,
    get_protocol,
)
from .score import score_results, unit_asked_for
from .scorer import Column, Gap, Scorable, Scorer, ScorerSource, available, get_scorer

__all__ = [
    "ANOMEVAL",
    "PROTOCOLS",
    "AnomEvalSettings",
    "Column",
    "Gap",
    "ModelSettings",
    "Protocol",
    "Scorable",
    "Scorer",
    "ScorerSource",
    "available",
    "check_target",
    "get_anomeval",
    "get_protocol",
    "get_scorer",
    "read_scores",
    "read_scores_of",
    "score_results",
    "scores_path",
    "unit_asked_for",
    "write_scores",
]
