"""BLEU against nltk: no difference at all, in both orders of the arguments."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu

from ecva_bench.scoring import get_protocol
from ecva_bench.scoring.bleu import Bleu, bleu

from .build import item

WORDS = st.lists(st.sampled_from(["a", "b", "the", "car", "Car", "é", "车", "\0", "the,"]), max_size=30).map(" ".join)


def by_nltk(*, reference: str, candidate: str) -> float:
    smoothing = SmoothingFunction().method1
    return sentence_bleu([reference.split()], candidate.split(), smoothing_function=smoothing)


@given(WORDS, WORDS)
def test_equals_nltk_on_few_words_repeated(reference, candidate):
    assert bleu(reference=reference, candidate=candidate) == by_nltk(reference=reference, candidate=candidate)


@given(st.text(max_size=80), st.text(max_size=80))
def test_equals_nltk_on_any_text(reference, candidate):
    assert bleu(reference=reference, candidate=candidate) == by_nltk(reference=reference, candidate=candidate)


@pytest.mark.parametrize(
    "text", ["", " ", "one", "one two", "one two three", "a a a a a a", "a\u00a0b\u2028c", "车 祸 车 祸"]
)
@pytest.mark.parametrize("other", ["", "one", "a a a", "a b c d e", "车 祸 车 祸", "one two three four five"])
def test_equals_nltk_at_the_edges(text, other):
    assert bleu(reference=text, candidate=other) == by_nltk(reference=text, candidate=other)
    assert bleu(reference=other, candidate=text) == by_nltk(reference=other, candidate=text)


def test_equals_nltk_on_real_answers(real_pairs):
    assert len(real_pairs) == 1960
    for reference, candidate in real_pairs[::2]:
        assert bleu(reference=reference, candidate=candidate) == by_nltk(reference=reference, candidate=candidate)
        assert bleu(reference=candidate, candidate=reference) == by_nltk(reference=candidate, candidate=reference)


def test_identical_short_texts_are_not_perfect_under_method_1():
    assert bleu(reference="fire", candidate="fire") == pytest.approx(0.178, abs=5e-4)
    assert bleu(reference="a big fire", candidate="a big fire") == pytest.approx(0.562, abs=5e-4)
    assert bleu(reference="a very big fire", candidate="a very big fire") == 1.0


def test_the_published_protocol_swaps_the_arguments():
    answer = item("a car hits a wall and stops there", "a car hits a tree")
    swapped = Bleu(get_protocol("ecva-2024")).score([answer])[0]["bleu"]
    assert swapped == by_nltk(reference=answer.candidate, candidate=answer.reference)
    assert swapped != Bleu(get_protocol("standard")).score([answer])[0]["bleu"]
