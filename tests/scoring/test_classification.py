"""The class parser, and accuracy with what stands beside it, against counts made by hand."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecva_bench.scoring import get_protocol
from ecva_bench.scoring.classification import Classification, parse_class

from .build import item, label

NO_DIGITS = st.text(st.characters(blacklist_characters="0123456789[]"), max_size=20)


@given(NO_DIGITS, st.integers(0, 999), st.text(max_size=20))
def test_the_first_bracketed_number_wins(before, number, after):
    assert parse_class(f"{before}7 or [x] [ {number} ]{after}") == number


@given(NO_DIGITS, st.integers(0, 999), st.text(st.characters(blacklist_characters="0123456789[]"), max_size=20))
def test_without_brackets_the_first_number_counts(before, number, after):
    assert parse_class(f"{before}{number}{after} 12") == number


@given(st.text())
def test_any_text_gives_a_number_that_is_in_it_or_none(text):
    found = parse_class(text)
    runs = [int(run) for run in re.findall("[0-9]+", text) if len(run) <= 4]
    assert (found in runs) if runs else found is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [("[5]", 5), ("[ 10 ] ", 10), ("[2-2,5]", 2), ("Class 3", 3), ("Fire", None), ("", None), ("9" * 5000, None)],
)
def test_forms_seen_in_answers(text, expected):
    assert parse_class(text) == expected


def score(protocol, *pairs):
    scorer = Classification(get_protocol(protocol))
    batch = [
        item(text, video=str(n), task="classification", label=label(major)) for n, (text, major) in enumerate(pairs)
    ]
    values = scorer.score(batch)
    return values, scorer.summary(batch, values)


def test_accuracy_recall_and_majority_by_hand():
    values, summary = score("standard", ("[1]", 1), ("[2]", 1), ("fire", 1), ("[9]", 9), ("[10]", 10))
    assert [value["accuracy"] for value in values] == [1, 0, 0, 1, 1]
    assert [value["parsed"] for value in values] == [1, 1, 0, 1, 1]
    assert summary["macro_recall"] == pytest.approx((1 / 3 + 1 + 1) / 3)
    assert summary["majority_baseline"] == 3 / 5


def test_the_published_protocol_reads_one_digit_of_the_annotation():
    pairs = ("[1]", 11), ("[11]", 11), ("[1]", 1)
    assert [value["accuracy"] for value in score("standard", *pairs)[0]] == [0, 1, 1]
    assert [value["accuracy"] for value in score("ecva-2024", *pairs)[0]] == [1, 0, 1]


def test_a_video_without_a_class_is_an_obstacle():
    assert Classification(get_protocol("standard")).obstacle(item("[1]", task="classification")) == "no class annotated"
