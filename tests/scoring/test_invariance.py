"""Texts made of references, by hand; and judges whose weakness is known, which must show in the rate that is of it."""

from __future__ import annotations

import re

import pytest

import ecva_bench as eb
from ecva_bench.data import load_dataset
from ecva_bench.judging import Verdict
from ecva_bench.scoring import rewording
from ecva_bench.scoring.exchange import with_other_word
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
    assert with_other_word(TEXT) == "The red car hit a woman. Then it left."
    assert rewording.with_other_sentence(TEXT, "Rain fell. It was late.") == "The red car hit a man. It was late."
    assert rewording.with_other_sentence(TEXT, "Rain fell. Then it left.") is None
    assert rewording.with_other_sentence("One sentence.", TEXT) is None


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("A fire broke out in a factory.", "A flood broke out in a factory."),
        ("Left lanes are closed, so it took the left lane.", "Left lanes are closed, so it took the right lane."),
        ("Two masked robbers came.", "Five masked robbers came."),
        ("The driver did not brake.", "The driver did indeed brake."),
        ("It stopped before the crossing.", "It stopped after the crossing."),
        ("At night somebody came.", "At noon somebody came."),
        ("A battery car hit a parked car.", "A battery car hit a parked tram."),
        ("He wore a black hat.", "He wore a white hat."),
    ],
)
def test_a_word_is_exchanged_where_it_is_what_the_rule_takes_it_for(text, changed):
    assert with_other_word(text) == changed


@pytest.mark.parametrize(
    "text",
    [
        "A bird sings.",
        "They opened fire, and something caught fire.",  # a fixed phrase
        "The fire engine and the water hose stood there.",  # a part of another noun
        "Vehicle parts and pieces of a street-sweeper.",
        "Somebody left the shop; only the frame was left.",  # a verb
        "People asked them not to smoke, and to fire.",
        "Horses and vehicles, men and women, left and right.",  # its other is there
        "It ran after another, one after another, and looked after all.",
        "Whether or not it was so, this is not only luck.",
        "A two-way lane, divided in two.",
        "It ran a red light.",
    ],
)
def test_no_word_is_exchanged_that_is_another_there(text):
    assert with_other_word(text) is None


def test_of_real_references_most_have_a_word_and_what_is_made_differs_in_that_word_alone(shared_data):
    dataset = load_dataset("ecva", shared_data / "ecva" / "annotations.xlsx")
    texts = [text for one in dataset.annotations for text in (one.description, one.cause, one.effect) if text]
    made = [(text, other) for text in texts if (other := with_other_word(text))]
    assert len(made) / len(texts) > 0.7
    for text, other in made:
        pairs = [pair for pair in zip(text.split(), other.split(), strict=True) if pair[0] != pair[1]]
        assert len(pairs) == 1


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
