"""How well metrics order answers the way people do: the human consistency of the paper's Sec. VI-B, Table II.

Every metric scores the answers of a triple, and the order of its scores is compared with the order people gave.
The main measure is pairwise accuracy, the second is tau-b. A yes/no metric ties two of three answers even when it is
always right, so it never reaches an exact match, and at most a pairwise accuracy of 5/6. The annotators are compared
with each other by the same measures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from itertools import combinations
from operator import not_
from statistics import fmean

from pydantic import Field

from ..errors import UsageError
from ..reading.text import final_answer, join_descriptions
from ..records.base import Record
from ..statistics.agreement import krippendorff_alpha
from ..statistics.comparisons import holm, paired_difference
from ..statistics.intervals import Estimate, estimate
from ..statistics.ranks import kendall_w
from .orders import OrderAgreement, order_agreement, pair_credits
from .rankings import RankedTriple, RankingProblem, Rankings
from .scorer import Scorable, Scorer

RANKING_DRAWS = 10_000
ALL_TASKS = "all"


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
    """What a rankings file says of metrics; `problems` are the lines left out."""

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


def meta_evaluate(
    rankings: Rankings, scorers: Sequence[Scorer], *, seed: int = 0, draws: int = RANKING_DRAWS
) -> MetaEvaluation:
    """Return how each column of each scorer agrees with the people of `rankings`, over all tasks and by task.

    Raises `UsageError` where none of the scorers is for any of the tasks.
    """
    evaluation = _Evaluation(rankings, seed, draws)
    scored = [
        (scorer, column, scores)
        for scorer in scorers
        for column, scores in _scores_by_column(scorer, rankings.triples).items()
    ]
    columns = [(scorer, column, evaluation.orders(scores)) for scorer, column, scores in scored]
    if not columns:
        names = ", ".join(scorer.name for scorer in scorers)
        raise UsageError(f"no triple is of a task for {names}", rankings.source, "choose other scorers")
    return MetaEvaluation(
        rankings=rankings.source,
        triples=len(rankings.triples),
        videos=len({triple.video_id for triple in rankings.triples}),
        problems=rankings.problems,
        seed=seed,
        draws=draws,
        signatures={scorer.name: scorer.signature() for scorer in scorers},
        annotators=tuple(evaluation.annotators(task) for task in evaluation.tasks),
        scorers=tuple(
            evaluation.consistency(scorer.name, column, task, orders)
            for task in evaluation.tasks
            for scorer, column, orders in columns
            if task == ALL_TASKS or task in scorer.tasks
        ),
        comparisons=evaluation.comparisons({f"{s.name}:{column}": orders for s, column, orders in columns}),
        pairs=tuple(
            pair for scorer, column, scores in scored for pair in evaluation.pairs(scorer.name, column, scores)
        ),
    )


def _scores_by_column(scorer: Scorer, triples: Sequence[RankedTriple]) -> dict[str, dict[str, list[float]]]:
    """Return the scores of each triple that could be scored, higher is better, by column and triple.

    There is no column without a fitting task.
    """
    usable = [triple for triple in triples if triple.task in scorer.tasks]
    items = [item for triple in usable for item in _items(triple, scorer) if scorer.obstacle(item) is None]
    values = dict(zip((item.id for item in items), scorer.score(items), strict=True))
    found: dict[str, dict[str, list[float]]] = {}
    for column in scorer.columns if usable else ():
        of_triples = {}
        for triple in usable:
            scores = [values.get(_item_id(triple, name), {}).get(column.name) for name in triple.answers]
            known = [score if column.higher_is_better else -score for score in scores if score is not None]
            if len(known) == len(scores):
                of_triples[triple.triple_id] = known
        if of_triples or not column.optional:
            found[column.name] = of_triples
    return found


def _items(triple: RankedTriple, scorer: Scorer) -> list[Scorable]:
    strips = scorer.protocol.strip_special_tokens
    clean = final_answer if strips else str
    joined = join_descriptions if strips and triple.task == "description" else str
    return [
        Scorable(
            key=_item_id(triple, name),
            id=_item_id(triple, name),
            video=triple.video_id,
            task=triple.task,
            view="full",
            candidate=joined(clean(answer)),
            reference=joined(triple.reference),
            key_sentences=triple.key_sentences,
            moments=triple.moments,
            label=triple.label,
            curve=triple.curve,
            duration=triple.duration,
        )
        for name, answer in triple.answers.items()
    ]


def _item_id(triple: RankedTriple, name: str) -> str:
    return f"{triple.triple_id}/{name}"


class _Evaluation:
    """The triples by task, and the measures over them."""

    def __init__(self, rankings: Rankings, seed: int, draws: int) -> None:
        self.triples = {triple.triple_id: triple for triple in rankings.triples}
        self.seed, self.draws = seed, draws
        tasks = sorted({triple.task for triple in rankings.triples})
        self.tasks = [ALL_TASKS, *tasks] if len(tasks) > 1 else tasks

    def orders(self, scores: Mapping[str, Sequence[float]]) -> dict[str, OrderAgreement]:
        """Return how the scores of a column order each triple that has some."""
        return {key: order_agreement(gold=self.triples[key].gold(), scores=one) for key, one in scores.items()}

    def pairs(self, scorer: str, column: str, scores: Mapping[str, Sequence[float]]) -> list[PairConsistency]:
        """Return how a column orders pairs of answers, by the kinds of the two; nothing where no kinds are given."""
        credits: dict[tuple[str, str], list[tuple[float, str]]] = {}
        for key, one in scores.items():
            triple = self.triples[key]
            kinds = [triple.kinds[name] for name in triple.answers] if triple.kinds else []
            for (i, j), credit in pair_credits(gold=triple.gold(), scores=one).items() if kinds else ():
                first, second = sorted((kinds[i], kinds[j]))
                credits.setdefault((first, second), []).append((credit, triple.video_id))
        return [
            PairConsistency(
                scorer=scorer,
                column=column,
                kinds=pair,
                pairwise=estimate(
                    [credit for credit, _ in found], [video for _, video in found], seed=self.seed, draws=self.draws
                ),
            )
            for pair, found in sorted(credits.items())
        ]

    def annotators(self, task: str) -> Annotators:
        """Return how far the annotators agree among themselves."""
        triples = self._of(task)
        ranks = [triple.ranks() for triple in triples]
        names = sorted({name for one in ranks for name in one})
        table = [
            [one[name][place] if name in one else None for name in names]
            for triple, one in zip(triples, ranks, strict=True)
            for place in range(len(triple.answers))
        ]
        concordances = [w for one in ranks if (w := kendall_w(list(one.values()))) is not None]
        one_out = {triple.triple_id: order for triple in triples if (order := _one_out(triple)) is not None}
        return Annotators(
            task=task,
            annotators=len(names),
            triples=len(triples),
            alpha=krippendorff_alpha(table, level="ordinal"),
            w=fmean(concordances) if concordances else None,
            one_out=self.consistency("people", "one against the others", task, one_out),
        )

    def consistency(self, scorer: str, column: str, task: str, orders: Mapping[str, OrderAgreement]) -> Consistency:
        """Return the means of the orders of a task."""
        triples = self._of(task)
        found = [(orders[t.triple_id], t.video_id) for t in triples if t.triple_id in orders]
        videos = [video for _, video in found]

        def over_triples(measure: str) -> Estimate:
            values = [getattr(order, measure) for order, _ in found]
            return estimate(values, videos, seed=self.seed, draws=self.draws)

        return Consistency(
            scorer=scorer,
            column=column,
            task=task,
            unscored=len(triples) - len(found),
            pairwise=over_triples("pairwise"),
            tau=over_triples("tau"),
            exact=over_triples("exact"),
            top=over_triples("top"),
            ties=fmean(order.ties for order, _ in found) if found else None,
        )

    def comparisons(self, columns: Mapping[str, Mapping[str, OrderAgreement]]) -> tuple[MetricComparison, ...]:
        """Return every two columns compared in pairwise accuracy over all tasks."""
        tests = []
        for (first, one), (second, other) in combinations(columns.items(), 2):
            both = [key for key in self.triples if key in one and key in other]
            found = paired_difference(
                base=[other[key].pairwise for key in both],
                new=[one[key].pairwise for key in both],
                clusters=[self.triples[key].video_id for key in both],
                seed=self.seed,
                draws=self.draws,
            )
            if found is not None:
                tests.append((first, second, found))
        corrected = holm([found.p for _, _, found in tests])
        return tuple(
            MetricComparison(
                first=first,
                second=second,
                n=found.n,
                difference=found.mean,
                interval=found.interval,
                p=found.p,
                p_holm=p_holm,
            )
            for (first, second, found), p_holm in zip(tests, corrected, strict=True)
        )

    def _of(self, task: str) -> list[RankedTriple]:
        return [triple for triple in self.triples.values() if task in (ALL_TASKS, triple.task)]


def _one_out(triple: RankedTriple) -> OrderAgreement | None:
    """Return the agreement of each annotator with the others, as a mean; None where it cannot be computed."""
    orders = [
        order_agreement(gold=others, scores=[-rank for rank in ranks])
        for annotator, ranks in triple.ranks().items()
        if len(triple.human_ranks) > 1 and len(set(others := triple.gold(without=annotator))) > 1
    ]
    if not orders:
        return None
    return OrderAgreement(*(fmean(getattr(order, field.name) for order in orders) for field in fields(OrderAgreement)))
