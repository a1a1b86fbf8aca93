"""ROUGE against rouge_score with its stemmer: no difference at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer

from ecva_bench.scoring import get_protocol
from ecva_bench.scoring.rouge import Rouge, rouge
from ecva_bench.scoring.score import score_results

from .build import answer, item, results

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


SCRIPTS = ["车祸发生在路口", "2名男子在街上打架。", "Авария на перекрёстке", "事故", "حادث سير", "é", "12分钟"]


@pytest.mark.parametrize("text", SCRIPTS)
def test_a_reference_in_another_script_is_nobodys_fault(text):
    scorer = Rouge(get_protocol("standard"))
    for candidate in ("a car", text, ""):
        assert "no Latin letter" in (scorer.obstacle(item(candidate, text)) or "")


@pytest.mark.parametrize("text", ["", "  "])
def test_no_reference_is_no_reference(text):
    assert Rouge(get_protocol("standard")).obstacle(item("a", text)) == "no reference"


@pytest.mark.parametrize("text", ["a", "12", "/", "É car", "车 car", "ＡＢＣ x", "\u212a"])  # Kelvin's sign is a k
def test_a_reference_with_a_latin_letter_or_without_letters_is_scored(text):
    assert Rouge(get_protocol("standard")).obstacle(item("a", text)) is None


@pytest.mark.parametrize("text", SCRIPTS)
def test_an_answer_in_another_script_is_unscored_and_counts_as_missing(text):
    run = results([answer("a", text, reference="2 men fight"), answer("b", "two men", reference="two men")])
    scores = score_results(run, scorers=["rouge"], draws=10)
    first, second = scores.scores
    assert (first.status, first.reason, first.values) == (
        "unscored", "the answer has no Latin letter, and ROUGE counts no other", {},
    )  # fmt: skip
    assert second.values["rouge1"] == 1.0
    for summary in scores.summaries:
        assert (summary.n, summary.unscored, summary.unscorable, summary.expected) == (1, 1, 0, 2)
        assert (summary.mean, summary.zero_filled) == (1.0, 0.5)
        assert summary.gaps == {first.reason: 1}


@pytest.mark.parametrize("text", ["", " ", "!?", "5", "[0, 12]", "🚗", "a 车"])
def test_an_answer_without_letters_is_an_answer(text):
    run = results([answer("a", text, reference="two men"), answer("b", "two men", reference="two men")])
    for summary in score_results(run, scorers=["rouge"], draws=10).summaries:
        assert (summary.n, summary.mean) == (2, 0.5)


def test_a_reference_in_another_script_leaves_the_count_of_what_is_expected():
    run = results([answer("a", "a car", reference="车祸"), answer("b", "two men", reference="two men")])
    for summary in score_results(run, scorers=["rouge"], draws=10).summaries:
        assert (summary.n, summary.expected, summary.unscorable, summary.zero_filled) == (1, 1, 1, 1.0)
        assert list(summary.reasons) == ["the reference has no Latin letter, and ROUGE counts no other"]
