"""Accuracy with what stands beside it, against counts made by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ecva_bench.data.described import Shipped
from ecva_bench.data.described.shipped import SHIPPED
from ecva_bench.errors import ScoringError
from ecva_bench.scoring import get_protocol
from ecva_bench.scoring.classification import Classification

from .build import item, label


def score(protocol, *pairs):
    scorer = Classification(get_protocol(protocol))
    batch = [
        item(text, video=str(n), task="classification", label=label(major)) for n, (text, major) in enumerate(pairs)
    ]
    values = scorer.score(batch)
    return values, scorer.summary(batch, values)


def test_accuracy_recall_and_majority_by_hand():
    values, summary = score("standard", ("[1]", 1), ("[2]", 1), ("a man walks", 1), ("[9]", 9), ("[10]", 10))
    assert [value["accuracy"] for value in values] == [1, 0, 0, 1, 1]
    assert [value["parsed"] for value in values] == [1, 1, 0, 1, 1]
    assert summary["macro_recall"] == pytest.approx((1 / 3 + 1 + 1) / 3)
    assert summary["majority_baseline"] == 3 / 5


def test_unread_answers_are_counted_by_kind_and_accuracy_of_sub_classes_stands_apart():
    values, summary = score("standard", ("[12]", 1), ("[1] or [4]", 1), ("a man walks", 1), ("[1]", 1))
    shares = {name: summary[name] for name in ("unread", "ambiguous", "out_of_range")}
    assert shares == {"unread": 0.25, "ambiguous": 0.25, "out_of_range": 0.25}
    assert "accuracy_sub" not in summary
    scorer = Classification(get_protocol("standard"))
    batch = [
        item(text, video=str(n), task="classification", label=label(5, 1))
        for n, text in enumerate(["[5-1]", "[5-2]", "[6-1]", "[5]"])
    ]
    values = scorer.score(batch)
    assert [value["accuracy"] for value in values] == [1, 1, 0, 1]
    deep = scorer.summary(batch, values)
    assert (deep["accuracy_sub"], deep["sub_named"]) == (1 / 3, 3 / 4)
    assert scorer.reading(batch[0]).labels[0].code == "5-1"


def test_the_published_protocol_reads_one_digit_of_the_annotation():
    pairs = ("[1]", 11), ("[11]", 11), ("[1]", 1)
    assert [value["accuracy"] for value in score("standard", *pairs)[0]] == [0, 1, 1]
    assert [value["accuracy"] for value in score("ecva-2024", *pairs)[0]] == [1, 0, 1]


def test_a_video_without_a_class_is_an_obstacle():
    assert Classification(get_protocol("standard")).obstacle(item("[1]", task="classification")) == "no class annotated"


def test_a_class_that_the_question_does_not_list_is_never_scored_by_its_number():
    with pytest.raises(ScoringError, match="class 18 is none of those"):
        score("standard", ("[5]", 5), ("[11]", 18))


WITH_CLASSES = [one for one in SHIPPED if any(kind.classification for kind in one.description.kinds)]


@pytest.mark.parametrize("shipped", WITH_CLASSES, ids=lambda one: one.name)
def test_every_class_of_every_set_is_read_by_its_own_name_and_number(shipped: Shipped) -> None:
    keys = [kind.classification for kind in shipped.description.kinds if kind.classification]
    names = tuple(dict.fromkeys(name for one in keys for name in one.names.values()))
    for number, name in enumerate(names, start=1):
        forms = (name, name.replace("_", " ").lower(), f"The answer is {name}.", f"[{number}]", f"{number}. {name}")
        batch = [
            replace(item(text, video=str(n), task="classification", label=label(number)), options=names)
            for n, text in enumerate(forms)
        ]
        values = Classification(get_protocol("standard")).score(batch)
        assert [value["accuracy"] for value in values] == [1.0] * len(forms), name
