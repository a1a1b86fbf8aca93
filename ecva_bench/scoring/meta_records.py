"""What a meta-evaluation says: the records that `meta-eval` prints, as tables or as JSON."""

from __future__ import annotations

from operator import not_

from pydantic import Field

from ..records.base import Record
from ..statistics.intervals import Estimate
from .rankings import RankingProblem


class Consistency(Record):
    """How one column of a scorer, or the annotators, agree with people on the triples of a task, or of all.

    Means over triples, intervals over videos. `unscored` triples have an answer without a value, or a task that is
    not the scorer's; for annotators, no second annotator.
    """

    scorer: str
    column: str
    task: str
    unscored: int
    pairwise: Estimate
    tau: Estimate
    exact: Estimate
    top: Estimate
    ties: float | None
    longer: float | None
    over_length: Estimate | None = None


class PairConsistency(Record):
    """How often one column orders a pair of answers of two kinds as people do, over pairs that people do not tie.

    Half where the column ties them. The interval is over videos; `n` of the estimate are pairs.
    """

    scorer: str
    column: str
    kinds: tuple[str, str]
    pairwise: Estimate


class MetricComparison(Record):
    """The difference in pairwise accuracy of two columns, `first` less `second`, over triples both scored.

    `p` is two-sided, by approximate randomisation over videos; `p_holm` is corrected for all the comparisons made.
    """

    first: str
    second: str
    n: int
    difference: float
    interval: tuple[float, float] | None
    p: float
    p_holm: float


class Annotators(Record):
    """How far people agree among themselves on the triples of a task, or of all.

    `alpha`: Krippendorff's, ordinal, over the ranks of single answers. `w`: Kendall's W, the mean over triples of two
    annotators or more. `one_out`: each annotator held against the mean rank of the others, the ceiling of a metric;
    a metric itself is held against one annotator more.
    """

    task: str
    annotators: int
    triples: int
    alpha: float | None
    w: float | None
    one_out: Consistency


class MetaEvaluation(Record):
    """What a rankings file says of metrics; `problems` are the lines left out.

    `fixed` are rows that are the same for every file: rules that read no text, each column against the references of
    other videos (`shuffled`), and the reference as one more answer that stands above the others (`copied`).
    `left_out` says by scorer why it gives nothing, `notes` how the judgements were read.
    """

    rankings: str
    triples: int
    videos: int
    problems: tuple[RankingProblem, ...]
    seed: int
    draws: int
    signatures: dict[str, str]
    annotators: tuple[Annotators, ...]
    scorers: tuple[Consistency, ...]
    comparisons: tuple[MetricComparison, ...]
    pairs: tuple[PairConsistency, ...] = Field(default=(), exclude_if=not_)
    fixed: tuple[Consistency, ...] = ()
    left_out: dict[str, str] = Field(default_factory=dict, exclude_if=not_)
    notes: tuple[str, ...] = Field(default=(), exclude_if=not_)
