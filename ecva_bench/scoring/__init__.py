"""Scoring: answers in, numbers out, each with coverage, interval, floor and signature.

Start at `score.score_results`. A metric is a `Scorer` in a module of its own, reached by name through the entry-point
group `ecva_bench.scorers`; importing this room imports none of them.
"""

from .factory import get_scorer
from .protocol import get_protocol
from .scorer import Column, Gap, Scorable, Scorer, Share

__all__ = ["Column", "Gap", "Scorable", "Scorer", "Share", "get_protocol", "get_scorer"]
