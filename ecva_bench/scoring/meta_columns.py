"""The columns of scorers on ranked answers: on the answers, and on two controls of which the right order is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ..reading.text import final_answer, join_descriptions
from .floor import rotate_references
from .rankings import RankedTriple
from .scorer import Scorable, Scorer

Scores = dict[str, list[float]]  # of the answers of each triple, by its id; higher is better


@dataclass(frozen=True)
class ColumnScores:
    """What one column of a scorer gives to the triples that it could score.

    `shuffled` are the scores against the reference of another video. `copied` are those of the reference taken as an
    answer, before the answers'. Both are empty where there is no reference, and where the scorer has no floor, or a
    judge, which would be asked twice.
    """

    scorer: Scorer
    name: str
    scores: Scores
    shuffled: Scores
    copied: Scores


def score_columns(scorer: Scorer, triples: Sequence[RankedTriple], *, seed: int) -> list[ColumnScores]:
    """Return the columns of a scorer on the triples of its tasks; none where there is no such triple."""
    items = {triple.triple_id: _items(triple, scorer) for triple in triples if triple.task in scorer.tasks}
    found = _by_column(scorer, items)
    has_controls = scorer.has_floor and not scorer.needs_judge
    controlled = {key: one for key, one in items.items() if has_controls and one[0].reference.strip()}
    shuffled = _by_column(scorer, _shuffled(controlled, scorer, seed))
    copies = _by_column(scorer, {key: [_copied(of_triple[0])] for key, of_triple in controlled.items()})
    return [
        ColumnScores(
            scorer,
            name,
            scores,
            shuffled.get(name, {}),
            {key: [*copy, *scores[key]] for key, copy in copies.get(name, {}).items() if key in scores},
        )
        for name, scores in found.items()
    ]


def obstacle_to_all(scorer: Scorer, triples: Sequence[RankedTriple]) -> str:
    """Return why a scorer can score no answer at all, such as `no reference`; empty where it can score one."""
    obstacles = {
        scorer.obstacle(item) for triple in triples if triple.task in scorer.tasks for item in _items(triple, scorer)
    }
    return "" if None in obstacles else "; ".join(sorted(filter(None, obstacles)))


def _by_column(scorer: Scorer, items: Mapping[str, Sequence[Scorable]]) -> dict[str, Scores]:
    """Return the scores of each triple whose items could all be scored, by column; of no items, no column."""
    if not items:
        return {}
    usable = [item for of_triple in items.values() for item in of_triple if scorer.obstacle(item) is None]
    values = dict(zip((item.id for item in usable), scorer.score(usable), strict=True))
    found: dict[str, Scores] = {}
    for column in scorer.columns:
        of_triples = {}
        for key, of_triple in items.items():
            scores = [values.get(item.id, {}).get(column.name) for item in of_triple]
            known = [score if column.higher_is_better else -score for score in scores if score is not None]
            if len(known) == len(scores):
                of_triples[key] = known
        if of_triples or not column.optional:
            found[column.name] = of_triples
    return found


def _shuffled(items: Mapping[str, Sequence[Scorable]], scorer: Scorer, seed: int) -> dict[str, list[Scorable]]:
    """Return the items of each triple with the reference of another; not those that would keep their own."""
    first = {key: of_triple[0] for key, of_triple in items.items()}
    found = {}
    for task in sorted({item.task for item in first.values()}):
        keys = [key for key, item in first.items() if item.task == task]
        batch = [first[key] for key in keys]
        stretch = scorer.stretches and all(item.duration for item in batch)
        for key, rotated in zip(keys, rotate_references(batch, seed=seed, stretch=stretch), strict=True):
            if rotated != first[key]:
                found[key] = [replace(rotated, key=one.key, id=one.id, candidate=one.candidate) for one in items[key]]
    return found


def _copied(item: Scorable) -> Scorable:
    name = f"{item.id}/copied"
    return replace(item, key=name, id=name, candidate=item.reference)


def _items(triple: RankedTriple, scorer: Scorer) -> list[Scorable]:
    strips = scorer.protocol.strip_special_tokens
    clean = final_answer if strips else str
    joined = join_descriptions if strips and triple.task == "description" else str
    return [
        Scorable(
            key=f"{triple.triple_id}/{name}",
            id=f"{triple.triple_id}/{name}",
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
