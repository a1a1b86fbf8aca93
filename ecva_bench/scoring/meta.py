"""How well metrics order answers the way people do: the human consistency of the paper's Sec. VI-B, Table II.

Every metric scores the answers of a triple, and the order of its scores is compared with the order people gave.
The main measure is pairwise accuracy, the second is tau-b. A yes/no metric ties two of three answers even when it is
always right, so it never reaches an exact match, and at most a pairwise accuracy of 5/6. The annotators are compared
with each other by the same measures, and so are rules that read no text: people often prefer the longer answer, and a
metric that agrees with them no better than that has not shown that it reads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from statistics import fmean

from ..errors import UsageError
from ..statistics.agreement import krippendorff_alpha
from ..statistics.comparisons import holm, paired_difference
from ..statistics.intervals import Estimate, estimate
from ..statistics.ranks import kendall_w
from .meta_columns import ColumnScores, Scores, obstacle_to_all, score_columns
from .meta_records import Annotators, Consistency, MetaEvaluation, MetricComparison, PairConsistency
from .orders import OrderAgreement, order_agreement, pair_credits
from .rankings import RankedTriple, Rankings
from .scorer import Scorer

RANKING_DRAWS = 10_000
ALL_TASKS = "all"
RULE = "rule"
LONGER, FIRST, SHUFFLED, COPIED = "longer", "first", "shuffled", "copied"


def meta_evaluate(
    rankings: Rankings, scorers: Sequence[Scorer], *, seed: int = 0, draws: int = RANKING_DRAWS
) -> MetaEvaluation:
    """Return how each column of each scorer agrees with the people of `rankings`, over all tasks and by task.

    Raises `UsageError` where none of the scorers is for any of the tasks.
    """
    triples = rankings.triples
    evaluation = _Evaluation(rankings, seed, draws)
    left_out = {scorer.name: why for scorer in scorers if (why := obstacle_to_all(scorer, triples))}
    used = [scorer for scorer in scorers if scorer.name not in left_out]
    columns = [column for scorer in used for column in score_columns(scorer, triples, seed=seed)]
    if not columns and not left_out:
        names = ", ".join(scorer.name for scorer in scorers)
        raise UsageError(f"no triple is of a task for {names}", rankings.source, "choose other scorers")
    orders = {f"{one.scorer.name}:{one.name}": evaluation.orders(one.scores) for one in columns}
    return MetaEvaluation(
        rankings=rankings.source,
        triples=len(triples),
        videos=len({triple.video_id for triple in triples}),
        problems=rankings.problems,
        seed=seed,
        draws=draws,
        signatures={scorer.name: scorer.signature() for scorer in used},
        annotators=tuple(evaluation.annotators(task) for task in evaluation.tasks),
        scorers=tuple(
            evaluation.consistency(one.scorer.name, one.name, task, found)
            for task in evaluation.tasks
            for one, found in zip(columns, orders.values(), strict=True)
            if task == ALL_TASKS or task in one.scorer.tasks
        ),
        comparisons=evaluation.comparisons(orders),
        pairs=tuple(pair for one in columns for pair in evaluation.pairs(one.scorer.name, one.name, one.scores)),
        fixed=tuple(row for task in evaluation.tasks for row in evaluation.fixed(task, columns)),
        left_out=left_out,
        notes=rankings.notes,
    )


class _Evaluation:
    """The triples by task, and the measures over them."""

    def __init__(self, rankings: Rankings, seed: int, draws: int) -> None:
        self.triples = {triple.triple_id: triple for triple in rankings.triples}
        self.lengths = {key: _lengths(triple) for key, triple in self.triples.items()}
        self.seed, self.draws = seed, draws
        tasks = sorted({triple.task for triple in rankings.triples})
        self.tasks = [ALL_TASKS, *tasks] if len(tasks) > 1 else tasks
        self.rules = {LONGER: self.orders({key: list(map(float, one)) for key, one in self.lengths.items()})}
        if rankings.ordered:
            self.rules[FIRST] = self.orders({key: _first_is_best(one) for key, one in self.triples.items()})

    def orders(self, scores: Mapping[str, Sequence[float]]) -> dict[str, OrderAgreement]:
        """Return how the scores of a column order each triple that has some."""
        return {
            key: order_agreement(gold=self.triples[key].gold(), scores=one, lengths=self.lengths[key])
            for key, one in scores.items()
        }

    def fixed(self, task: str, columns: Sequence[ColumnScores]) -> list[Consistency]:
        """Return the rules that read no text, and how each column orders triples whose order is known."""
        rows = [self.consistency(RULE, name, task, orders) for name, orders in self.rules.items()]
        for one in columns:
            controls = {SHUFFLED: self.orders(one.shuffled), COPIED: _copied_first(one.copied)}
            rows += [
                self.consistency(one.scorer.name, f"{one.name}, {name}", task, orders)
                for name, orders in controls.items()
                if any(key in orders for key in (triple.triple_id for triple in self._of(task)))
            ]
        return rows

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
        one_out = {
            triple.triple_id: order
            for triple in triples
            if (order := _one_out(triple, self.lengths[triple.triple_id])) is not None
        }
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
        longer = [order.longer for order, _ in found if order.longer is not None]

        def over_triples(values: Sequence[float]) -> Estimate:
            return estimate(values, videos, seed=self.seed, draws=self.draws)

        return Consistency(
            scorer=scorer,
            column=column,
            task=task,
            unscored=len(triples) - len(found),
            pairwise=over_triples([order.pairwise for order, _ in found]),
            tau=over_triples([order.tau for order, _ in found]),
            exact=over_triples([order.exact for order, _ in found]),
            top=over_triples([order.top for order, _ in found]),
            ties=fmean(order.ties for order, _ in found) if found else None,
            longer=fmean(longer) if longer else None,
            over_length=None if scorer == RULE else over_triples(self._over_length(triples, orders)),
        )

    def _over_length(self, triples: Sequence[RankedTriple], orders: Mapping[str, OrderAgreement]) -> list[float]:
        """Return by how much each order agrees better with people than the better of the two length rules."""
        rule = {triple.triple_id: self.rules[LONGER][triple.triple_id].pairwise for triple in triples}
        if fmean(rule.values()) < 0.5:  # people prefer the shorter
            rule = {key: 1 - agreement for key, agreement in rule.items()}
        return [orders[key].pairwise - agreement for key, agreement in rule.items() if key in orders]

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


def _lengths(triple: RankedTriple) -> list[int]:
    """Return how many words each answer has."""
    return [len(answer.split()) for answer in triple.answers.values()]


def _first_is_best(triple: RankedTriple) -> list[float]:
    return [-float(place) for place, _ in enumerate(triple.answers)]


def _copied_first(scores: Scores) -> dict[str, OrderAgreement]:
    """Return whether the first of the scores stands above the others, which nobody orders among themselves."""
    return {key: order_agreement(gold=[0.0, *(1.0 for _ in one[1:])], scores=one) for key, one in scores.items()}


def _one_out(triple: RankedTriple, lengths: Sequence[int]) -> OrderAgreement | None:
    """Return the agreement of each annotator with the others, as a mean; None where it cannot be computed."""
    orders = [
        order_agreement(gold=others, scores=[-rank for rank in ranks], lengths=lengths)
        for annotator, ranks in triple.ranks().items()
        if len(triple.human_ranks) > 1 and len(set(others := triple.gold(without=annotator))) > 1
    ]
    if not orders:
        return None
    longer = [order.longer for order in orders if order.longer is not None]
    return OrderAgreement(
        pairwise=fmean(order.pairwise for order in orders),
        tau=fmean(order.tau for order in orders),
        exact=fmean(order.exact for order in orders),
        top=fmean(order.top for order in orders),
        ties=fmean(order.ties for order in orders),
        longer=fmean(longer) if longer else None,
    )
