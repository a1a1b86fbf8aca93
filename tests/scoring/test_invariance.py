"""Texts made of references, by hand; and judges whose weakness is known, which must show in the rate that is of it."""

from __future__ import annotations

import re

import pytest

import ecva_bench as eb
from ecva_bench.judging import Verdict
from ecva_bench.scoring import rewording
from ecva_bench.scoring.judge_audit import audit_judge

from .build import answer, results

TEXT = "The red car hit a man. Then it left."


def test_texts_that_tell_the_same():
    assert rewording.noted(TEXT) == "- red car hit man\n- Then it left"
    assert rewording.reordered(TEXT) == "Then it left. The red car hit a man."
    assert rewording.reordered("One sentence.") is None
    assert rewording.padded(TEXT).startswith(TEXT)
    assert len(rewording.padded(TEXT).split()) >= 2 * len(TEXT.split())


def test_texts_with_one_fact_wrong():
    assert rewording.with_other_word(TEXT) == "The red car hit a woman. Then it left."
    assert rewording.with_other_word("Left of it, a manner of icing.") == "Right of it, a manner of icing."
    assert rewording.with_other_word("A bird sings.") is None
    assert rewording.with_other_sentence(TEXT, "Rain fell. It was late.") == "The red car hit a man. It was late."
    assert rewording.with_other_sentence(TEXT, "Rain fell. Then it left.") is None
    assert rewording.with_other_sentence("One sentence.", TEXT) is None


def test_descriptions_and_causes_of_the_embedded_split_are_translated():
    annotations = eb.load_dataset("mini").annotations
    texts = [text for one in annotations for text in (one.description, one.cause)]
    german = [rewording.translated(text) for text in texts]
    assert len(set(german) - {None}) == len(texts) == 28
    assert all(re.search(r"[äöüß]|\b(?:der|die|das|den|ein|eine|einen)\b", text, re.IGNORECASE) for text in german)


class Judge:
    """Gives a prompt's highest verdict where a rule on (reference, answer) holds, else its lowest; None is silence."""

    def __init__(self, rule):
        self.rule = rule

    def ask(self, calls):
        return [self._verdict(call.prompt.scale, self.rule(**call.payload)) for call in calls]

    def identity(self, keys=()):
        return {"judge": "rule"}

    def _verdict(self, scale, holds):
        return Verdict(None, reason="silent") if holds is None else Verdict(((scale.low, scale.high)[holds],))


def references(count=12):
    kinds = ("man", "car", "fire")
    return [f"The {kinds[n % 3]} number {n} came here. Word{n} followed." for n in range(count)]


def found(rule, texts=None, **options):
    texts = references() if texts is None else texts
    run = results([answer(f"v{n:02}", "an answer", reference=text) for n, text in enumerate(texts)])
    audit = audit_judge(run, Judge(rule), draws=200, invariance=True, **options)
    return {one.name: one for one in audit.invariance if one.prompt == "judge/logic"}


def words(text):
    return re.findall(r"\w+", text.lower())


@pytest.mark.parametrize(
    ("rule", "lower"),
    [
        (lambda question="", *, reference, candidate: set(words(candidate)) >= set(words(reference)), "style"),
        (lambda question="", *, reference, candidate: len(words(candidate)) <= len(words(reference)), "length"),
        (lambda question="", *, reference, candidate: words(candidate)[:2] == words(reference)[:2], "order"),
    ],
    ids=["wants every word", "dislikes length", "reads the beginning"],
)
def test_a_judge_that_is_moved_by_how_facts_are_told_shows_it_there(rule, lower):
    rates = found(rule)
    assert (rates[lower].lower.mean, rates[lower].lower.interval, rates[lower].change.mean) == (1, (1, 1), -1)
    assert all(rates[lower].higher.mean == 0 for lower in rates if rates[lower].higher.n)
    others = {"length", "order", "style"} - {lower} - ({"style"} if lower == "order" else set())
    assert {rates[name].lower.mean for name in others} == {0}


def test_a_judge_that_knows_the_facts_notices_one_that_is_wrong_and_nothing_else():
    def knows(question="", *, reference, candidate):
        key = {word for word in words(reference) if word not in ("the", "a", "an")}
        return key <= set(words(candidate))

    rates = found(knows)
    assert {name: rates[name].lower.mean for name in ("style", "length", "order")} == {
        "style": 0,
        "length": 0,
        "order": 0,
    }
    assert {name: rates[name].lower.mean for name in ("word", "sentence")} == {"word": 1, "sentence": 1}
    assert [one.same_facts for one in rates.values()] == [True] * 4 + [False] * 2


def test_a_judge_that_finds_all_right_notices_nothing():
    rates = found(lambda **told: True)
    assert {one.lower.mean for one in rates.values() if one.lower.n} == {0}


def test_what_cannot_be_made_or_judged_is_counted_and_is_no_rate():
    rates = found(
        lambda question="", *, reference, candidate: None if candidate.startswith("- ") else True,
        ["One sentence.", *references(3)],
    )
    assert (rates["language"].lacking, rates["language"].lower.n, rates["language"].lower.mean) == (4, 0, None)
    assert (rates["order"].lacking, rates["order"].lower.n) == (1, 3)
    assert (rates["style"].unscored, rates["style"].lower.n) == (4, 0)


def test_nothing_is_asked_unless_it_is_wanted():
    run = results([answer("v", "an answer", reference=TEXT)])
    audit = audit_judge(run, Judge(lambda **told: True), draws=10)
    assert "invariance" not in audit.model_dump()
