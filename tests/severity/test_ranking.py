"""Votes on which sentence is the most severe: every vote over an order of its own, what cannot be read left out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import permutations

import pytest

from ecva_bench.judging import Call, Verdict
from ecva_bench.severity.curve import weights
from ecva_bench.severity.ranking import rank
from ecva_bench.statistics.ranks import kendall_w

SENTENCES = ["a man is shot", "a window breaks", "people run", "a dog barks"]
SEVERITY = {sentence: place for place, sentence in enumerate(SENTENCES, start=1)}


class Scripted:
    """A judge that knows the order, but for the calls of the given numbers, to which it answers something else."""

    def __init__(self, **other: Verdict) -> None:
        self.other = {int(number.lstrip("n")): verdict for number, verdict in other.items()}
        self.calls: list[Call] = []

    def ask(self, calls: Sequence[Call]) -> list[Verdict]:
        self.calls += calls
        return [self.other.get(number, self.told(call)) for number, call in enumerate(calls)]

    def told(self, call: Call) -> Verdict:
        ranks = [float(SEVERITY[item["statement"]]) for item in call.payload["statements"]]
        return Verdict(tuple(ranks), keys=(f"key{len(self.calls)}",))

    def identity(self, keys: Collection[str] = ()) -> dict[str, str]:
        return {"judge": "scripted"}


@pytest.mark.parametrize(("sentences", "votes", "orders"), [(2, 3, 2), (3, 6, 6), (3, 7, 6), (4, 5, 5)])
def test_no_order_is_shown_twice_as_long_as_there_are_others(sentences: int, votes: int, orders: int) -> None:
    for video in ("one", "two", "three"):
        judge = Scripted()
        rank({video: SENTENCES[:sentences]}, judge, votes=votes, seed=0)
        shown = [tuple(item["statement"] for item in call.payload["statements"]) for call in judge.calls]
        assert (len(shown), len(set(shown))) == (votes, orders)


def test_ranks_are_those_of_the_sentences_whatever_the_order_in_which_they_are_shown() -> None:
    judge = Scripted()
    found = rank({"one": SENTENCES, "two": SENTENCES[::-1]}, judge, votes=5, seed=0)
    assert found["one"].ranks == (1, 2, 3, 4)
    assert found["two"].ranks == (4, 3, 2, 1)
    assert found["one"].votes == ((1, 2, 3, 4),) * 5
    assert found["one"].concordance == pytest.approx(1)
    assert len(judge.calls) == 10
    shown = [[item["statement"] for item in call.payload["statements"]] for call in judge.calls]
    assert all(sorted(one) == sorted(SENTENCES) for one in shown)
    assert len({tuple(one) for one in shown}) > 5  # of 24
    letters = [[item["letter"] for item in call.payload["statements"]] for call in judge.calls]
    assert all(one == ["A", "B", "C", "D"] for one in letters)
    assert {(call.prompt.scale.low, call.prompt.scale.high, call.expected) for call in judge.calls} == {(1, 4, 4)}


def test_orders_are_drawn_by_seed_and_no_place_is_preferred() -> None:
    def orders(seed: int) -> list[str]:
        judge = Scripted()
        rank({str(video): SENTENCES for video in range(200)}, judge, votes=1, seed=seed)
        return ["".join(str(SEVERITY[one["statement"]]) for one in call.payload["statements"]) for call in judge.calls]

    assert orders(0) == orders(0) != orders(1)
    assert set(orders(0)) == {"".join(each) for each in permutations("1234")}


def test_votes_are_averaged_ties_shared_and_what_cannot_be_read_left_out() -> None:
    nonsense = Verdict(None, reason="unparsable: 'I cannot rank violence'")
    found = rank({"one": SENTENCES}, Scripted(n1=nonsense, n2=Verdict((2.0, 2.0, 2.0, 2.0))), votes=3, seed=0)["one"]
    assert found.votes == ((1, 2, 3, 4), None, (2.5, 2.5, 2.5, 2.5))
    assert found.ranks == (1.75, 2.25, 2.75, 3.25)
    assert found.concordance == kendall_w([[1, 2, 3, 4], [2.5] * 4])
    assert weights(found.ranks) == pytest.approx([3.25 / 10, 2.75 / 10, 2.25 / 10, 1.75 / 10])
    none = rank({"one": SENTENCES}, Scripted(n0=nonsense, n1=nonsense), votes=2, seed=0)["one"]
    assert (none.ranks, none.votes, none.reason) == (None, (None, None), nonsense.reason)


def test_a_single_sentence_needs_no_judge_and_none_is_no_ranking() -> None:
    judge = Scripted()
    found = rank({"one": SENTENCES[:1], "none": [], "many": [str(n) for n in range(27)]}, judge, votes=3, seed=0)
    assert found["one"].ranks == (1.0,)
    assert found["none"].ranks is None
    assert found["many"].reason == "sentences: 27, and 2 to 26 can be ranked"
    assert judge.calls == []
