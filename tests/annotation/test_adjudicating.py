"""Equal is taken, alike moments are averaged, a third person decides the rest; the outcome says which."""

from __future__ import annotations

import pytest

from ecva_bench.annotation.adjudicating import adjudicate, reviewed_alone
from ecva_bench.records.acts import AnnotationAct

from .acts import act


def settled(*acts: AnnotationAct) -> AnnotationAct | None:
    found, open_ = adjudicate(acts, third="third")
    assert len(found) + len(open_) == 1
    return found[0] if found else None


def test_what_is_equal_is_taken_and_alike_moments_are_averaged() -> None:
    one = settled(act("v", "ann", [(0, 10)], "5-1,4", cause="c"), act("v", "ben", [(0.4, 10.2)], "5-1,4", cause="c"))
    assert one is not None
    assert (one.by["label"], one.by["moments"], one.by["cause"]) == ("equal", "mean", "equal")
    assert [(m.start, m.end) for m in one.moments] == [(pytest.approx(0.2), pytest.approx(10.1))]
    assert (one.from_, one.annotator, one.label and one.label.severity) == (("ann", "ben"), "adjudicated", 4)


@pytest.mark.parametrize(
    "other",
    [
        act("v", "ben", [(0, 8.9)], "5-1,4"),  # IoU 0.89
        act("v", "ben", [(0, 10)], "5-1,3"),
        act("v", "ben", [(0, 10)], "5-2,4"),
        act("v", "ben", [], "5-1,4"),
        act("v", "ben", [(0, 5), (5, 10)], "5-1,4"),  # the same time, as two moments
    ],
)
def test_anything_else_is_for_a_third_person_who_sees_no_names(other: AnnotationAct) -> None:
    first = act("v", "ann", [(0, 10)], "5-1,4", duration=20)
    found, [item] = adjudicate([first, other], third="cleo")
    assert found == []
    assert (item.annotator, item.round, item.blind, item.duration) == ("cleo", 2, False, 20)
    assert [one.annotator for one in item.shown] == ["A", "B"]
    assert "ann" not in item.model_dump_json().replace("annotat", "")
    third = act("v", "cleo", [(1, 9)], "5-2,4", round=2, blind=False, saw=("ann", "ben"))
    one = settled(first, other, third)
    assert one is not None
    assert (one.by["moments"], one.by["label"], one.moments[0].start) == ("cleo", "cleo", 1)
    half = third.model_copy(update={"saw": ("ann",)})  # who saw one side alone decides nothing
    assert settled(first, other, half) is None


def test_one_person_alone_is_taken_and_so_is_a_review() -> None:
    first = act("v", "ann", [(0, 10)], "5-1,4", effect="it burns")
    one = settled(first)
    assert one is not None
    assert (one.by["moments"], one.by["cause"]) == ("single", "equal")
    reviewed = settled(first, act("v", "ben", [(0, 8)], round=2, blind=False, saw=("ann",)))
    assert reviewed is not None
    assert (reviewed.by["moments"], reviewed.by["effect"], reviewed.effect) == ("ben", "single", "it burns")


def test_nothing_found_by_both_is_settled() -> None:
    one = settled(act("v", "ann", []), act("v", "ben", []))
    assert one is not None
    assert (one.anomalous, one.by["moments"]) == (False, "equal")


def test_moments_are_compared_one_by_one_for_their_union_may_be_alike_where_they_are_not() -> None:
    ann, ben = [(0.0, 45.0), (46.0, 100.0)], [(0.0, 2.0), (3.0, 100.0)]  # their union has an IoU of 0.98
    assert settled(act("v", "ann", ann, "5-1,4"), act("v", "ben", ben, "5-1,4")) is None
    one = settled(act("v", "ann", ann, "5-1,4"), act("v", "ben", [(0.0, 44.0), (47.0, 100.0)], "5-1,4"))
    assert one is not None
    assert [(m.start, m.end) for m in one.moments] == [(0.0, 44.5), (46.5, 100.0)]


def test_a_review_of_what_is_not_there_settles_nothing_and_is_told() -> None:
    review = act("v", "ben", [(0, 2)], round=2, blind=False, saw=("ann",))
    assert adjudicate([review], third="zoe") == ([], [])
    assert reviewed_alone([review]) == ["v"]
    assert reviewed_alone([act("v", "ann", [(0, 3)]), review]) == []
