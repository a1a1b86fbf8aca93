"""How many planted answers the audit finds, and how many honest ones it takes for others: counts by form."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from ecva_bench.answer_audit.audit import audit_answers
from ecva_bench.answer_audit.copies import LONG, copied
from ecva_bench.answer_audit.entries import as_words
from ecva_bench.answer_audit.to_a_judge import to_a_judge
from ecva_bench.reading.text import final_answer
from ecva_bench.records.answers import Answer, Results

from .plants import Form, LabelForm

TOLD = ("reference", "label", "judge")  # the rules that are measured


class Count(NamedTuple):
    """How many of the planted cases were found."""

    form: str
    found: int
    planted: int


def false_alarms(results: Results) -> dict[str, int]:
    """Return how many answers the measured rules name, by rule, where none is planted."""
    findings = audit_answers([results]).findings
    return {rule: sum(one.n for one in findings if one.rule == rule) for rule in TOLD}


def copies_found(answers: Sequence[Answer], forms: Mapping[str, Form], cases: int, seed: int = 0) -> list[Count]:
    """Plant copies of references of at least `LONG` words, a fifth of the answers at a time."""
    references = {answer.id: as_words(answer.reference) for answer in answers}
    honest = {answer.id: as_words(answer.answer) for answer in answers}
    long = [answer for answer in answers if len(references[answer.id].split()) >= LONG]
    counts = []
    for name, form in forms.items():
        chance, found, planted = random.Random(f"{seed} {name}"), 0, 0
        while planted < cases:
            taken = chance.sample(long, max(1, min(len(long) // 5, cases - planted)))
            copies = {one.id: as_words(form(one.reference, one.answer, chance)) for one in taken}
            planted += len(copies)
            found += len(copies.keys() & set(copied(honest | copies, references)))
        counts.append(Count(name, found, planted))
    return counts


def words_to_a_judge_found(
    answers: Sequence[Answer], texts: Collection[str], ways: Mapping[str, Form], seed: int = 0
) -> list[Count]:
    """Plant every text in every way into an honest answer."""
    counts = []
    for name, way in ways.items():
        chance = random.Random(f"{seed} {name}")
        said = [way(text, final_answer(chance.choice(answers).answer), chance) for text in texts]
        counts.append(Count(name, sum(map(bool, map(to_a_judge, said))), len(said)))
    return counts


def labels_found(results: Results, forms: Mapping[str, LabelForm], entries: int, seed: int = 0) -> list[Count]:
    """Plant labels in a fifth to all of the answers of an entry, and count entries of which that is said."""
    labelled = [answer for answer in results.answers if answer.label and answer.label.sub]
    counts = []
    for name, form in forms.items():
        chance, found = random.Random(f"{seed} {name}"), 0
        for _ in range(entries):
            some = chance.sample(labelled, min(len(labelled), 150))
            share = chance.uniform(0.2, 1.0)
            changed = tuple(_labelled(one, form) if chance.random() < share else one for one in some)
            owed = {"full": tuple(one.id for one in changed)}
            entry = results.model_copy(update={"answers": changed, "extra": (), "expects": owed, "doubts": ()})
            found += any(one.rule in ("label", "reference") for one in audit_answers([entry]).findings)
        counts.append(Count(name, found, entries))
    return counts


def _labelled(answer: Answer, form: LabelForm) -> Answer:
    assert answer.label is not None
    return answer.model_copy(update={"answer": form(answer.label, answer.answer.strip())})
