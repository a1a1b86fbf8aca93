"""The fixed rows of a meta-evaluation: rules that read no text, and controls of which the right order is known."""

from __future__ import annotations

import random

import pytest

from ecva_bench.cli.meta_eval_tables import meta_eval_tables
from ecva_bench.scoring import get_scorer
from ecva_bench.scoring.meta import meta_evaluate
from ecva_bench.scoring.protocol import PROTOCOLS
from ecva_bench.scoring.rankings import RankedTriple, Rankings
from ecva_bench.scoring.scorer import Column, Scorer

STANDARD = PROTOCOLS["standard"]


class Words(Scorer):
    """The length itself, which needs no reference."""

    name = "words"
    tasks = ("description",)
    columns = (Column("words", "how many words", unit="points", high=1000.0),)

    def obstacle(self, item):
        return None

    def score(self, batch):
        return [{"words": float(len(item.candidate.split()))} for item in batch]


def triple(number, answers, ranks, reference="", video=""):
    names = "abcd"[: len(answers)]
    return RankedTriple(
        triple_id=f"t{number}",
        video_id=video or f"v{number}",
        task="description",
        question="",
        reference=reference,
        answers=dict(zip(names, answers, strict=True)),
        human_ranks=({"annotator": "x", "ranks": dict(zip(names, ranks, strict=True))},),
    )


def rankings(triples, **fields):
    return Rankings(source="people.jsonl", triples=tuple(triples), problems=(), **fields)


def pairs(longer_first, count=40):
    """Pairs of which people prefer the longer in `longer_first`; the second answer is always the longer one."""
    return [triple(n, ("a b", "a b c"), (2, 1) if n < longer_first else (1, 2)) for n in range(count)]


def notes(found):
    return "\n".join(note for table in meta_eval_tables(found) for note in table.notes)


def rows(found):
    return {f"{one.scorer}: {one.column}": one for one in (*found.scorers, *found.fixed)}


def test_the_rules_are_what_they_say():
    found = meta_evaluate(rankings(pairs(30)), [Words(STANDARD)], draws=200)
    by_name = rows(found)
    assert by_name["rule: longer"].pairwise.mean == by_name["words: words"].pairwise.mean == 0.75
    assert by_name["rule: first"].pairwise.mean == 0.25
    assert (by_name["rule: longer"].longer, by_name["rule: first"].longer, by_name["words: words"].longer) == (1, 0, 1)
    assert by_name["words: words"].over_length.mean == 0
    assert "words: words agrees with people no better than the length rule (the longer is the better: 75.0 %)" in notes(
        found
    )
    assert not any("copied" in name for name in by_name)
    assert "words: no shuffled or copied rows" in notes(found)


def test_the_length_rule_may_be_that_the_shorter_is_better():
    found = meta_evaluate(rankings(pairs(10)), [Words(STANDARD)], draws=200)
    assert rows(found)["rule: longer"].pairwise.mean == 0.25
    assert rows(found)["words: words"].over_length.mean == -0.5
    assert "no better than the length rule (the shorter is the better: 75.0 %): difference -50.0" in notes(found)


def test_an_order_that_nobody_told_is_no_rule():
    found = meta_evaluate(rankings(pairs(30), ordered=False), [Words(STANDARD)], draws=50)
    assert list(rows(found)) == ["words: words", "rule: longer"]
    assert "rule: first: left out" in notes(found)


def test_a_scorer_that_compares_with_a_reference_is_left_out_where_there_is_none():
    found = meta_evaluate(rankings(pairs(30)), [get_scorer("rouge", STANDARD), Words(STANDARD)], draws=50)
    assert found.left_out == {"rouge": "no reference"}
    assert set(found.signatures) == {"words"}
    assert {one.scorer for one in found.scorers} == {"words"}
    assert "rouge: left out: no reference" in notes(found)
    alone = meta_evaluate(rankings(pairs(30)), [get_scorer("rouge", STANDARD)], draws=50)
    assert list(rows(alone)) == ["rule: longer", "rule: first"]
    assert "people.jsonl: 40 triples about 40 videos" in notes(alone)


def test_a_metric_that_reads_loses_its_agreement_against_other_references():
    """Answers share 3, 2 or 1 of 4 words with their own reference, and none with another's; all are as long."""
    generator = random.Random(1)
    triples = []
    for n in range(60):
        words = [f"w{n}x{i}" for i in range(4)]
        shared = generator.sample([1, 2, 3], 3)
        answers = [" ".join(words[:count] + [f"o{n}x{i}" for i in range(4 - count)]) for count in shared]
        triples.append(triple(n, answers, [4 - count for count in shared], reference=" ".join(words)))
    found = meta_evaluate(rankings(triples), [get_scorer("rouge", STANDARD)], draws=200)
    by_name = rows(found)
    assert by_name["rouge: rouge1"].pairwise.mean == 1
    assert by_name["rouge: rouge1"].longer is None  # no two answers differ in length
    assert by_name["rouge: rouge1, shuffled"].pairwise.mean == by_name["rouge: rouge1, shuffled"].ties / 2 == 0.5
    assert by_name["rouge: rouge1, copied"].pairwise.mean == by_name["rouge: rouge1, copied"].top.mean == 1
    assert by_name["rule: longer"].pairwise.mean == 0.5
    assert "each column agrees with people better than the length rule" in notes(found)


def test_the_reference_of_another_video_is_another_one():
    """Two triples about one video have one reference: exchanged between them it would still be their own."""
    triples = [triple(n, ("a red car", "b"), (1, 2), reference="a red car brakes", video="v") for n in range(4)]
    found = meta_evaluate(rankings(triples), [get_scorer("rouge", STANDARD)], draws=50)
    assert not any("shuffled" in name for name in rows(found))
    assert rows(found)["rouge: rouge1, copied"].pairwise.mean == 1
    apart = [*triples, triple(5, ("birds sing", "x"), (1, 2), reference="birds sing loud")]
    shuffled = rows(meta_evaluate(rankings(apart), [get_scorer("rouge", STANDARD)], draws=50))[
        "rouge: rouge1, shuffled"
    ]
    assert (shuffled.pairwise.n, shuffled.unscored, shuffled.pairwise.mean) == (2, 3, pytest.approx(0.5))
