"""ROUGE against rouge_score with its stemmer: no difference at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer

from ecva_bench.scoring.rouge import rouge

ORIGINAL = RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=True)
WORDS = st.lists(
    st.sampled_from(["a", "the", "cars", "car", "running", "runs", "flies", "happily", "9", "CAR,", "-", "İ", "K"]),
    max_size=30,
).map(" ".join)


def by_rouge_score(*, reference: str, candidate: str) -> tuple[float, ...]:
    scores = ORIGINAL.score(reference, candidate)
    return tuple(scores[name].fmeasure for name in ("rouge1", "rouge2", "rougeL"))


@given(WORDS, WORDS)
def test_equals_rouge_score_on_few_words_repeated(reference, candidate):
    assert rouge(reference=reference, candidate=candidate) == by_rouge_score(reference=reference, candidate=candidate)


@given(st.text(max_size=80), st.text(max_size=80))
def test_equals_rouge_score_on_any_text(reference, candidate):
    assert rouge(reference=reference, candidate=candidate) == by_rouge_score(reference=reference, candidate=candidate)


@given(st.lists(st.from_regex("[a-z]{1,12}", fullmatch=True), max_size=6).map(" ".join))
def test_equals_rouge_score_on_made_up_words(text):
    assert rouge(reference=text, candidate=text) == by_rouge_score(reference=text, candidate=text)


@pytest.mark.parametrize("text", ["", " ", "!?", "one", "one two", "a a a a", "车祸", "don't", "x" * 5000])
def test_equals_rouge_score_at_the_edges(text):
    for other in ("", "one", "a a a", "two one two"):
        assert rouge(reference=text, candidate=other) == by_rouge_score(reference=text, candidate=other)
        assert rouge(reference=other, candidate=text) == by_rouge_score(reference=other, candidate=text)


def test_equals_rouge_score_on_real_answers(real_pairs):
    for reference, candidate in real_pairs[::13]:
        assert rouge(reference=reference, candidate=candidate) == by_rouge_score(
            reference=reference, candidate=candidate
        )
        assert rouge(reference=candidate, candidate=reference) == by_rouge_score(
            reference=candidate, candidate=reference
        )


def test_a_text_equals_itself():
    assert rouge(reference="the car hit a wall", candidate="The car, hit: a wall!") == (1.0, 1.0, 1.0)
