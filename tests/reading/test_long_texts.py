"""Every function that reads a model's text takes time in proportion to it, whatever the text is."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable

import pytest

from ecva_bench.answer_audit.copies import copied
from ecva_bench.answer_audit.entries import as_words
from ecva_bench.answer_audit.labels import one_form_is_right, sub_classes_taken
from ecva_bench.answer_audit.to_a_judge import to_a_judge
from ecva_bench.reading.choices import read_choice
from ecva_bench.reading.classes.reader import read_class
from ecva_bench.reading.rankings import read_ranking
from ecva_bench.reading.severities import read_severities, read_severity
from ecva_bench.reading.spans.reader import read_spans
from ecva_bench.reading.text import ends, final_answer, plain
from ecva_bench.reading.thoughts import blank_thoughts, without_thought
from ecva_bench.reading.verdicts import Scale, read_verdicts
from ecva_bench.reading.yes_no import read_yes_no
from ecva_bench.records import Label
from ecva_bench.records.readings import Reading
from ecva_bench.scoring.unieval import sentences

OPTIONS = ("a car crash", "a fire", "nothing")
LABEL = Label(major=5, sub=1)
READING = Reading(labels=(LABEL,), places=((6, 8),))
REFERENCE = "the driver did not see the child who ran after the ball into the road"
READERS: dict[str, Callable[[str], object]] = {
    "audit, copies": lambda text: copied({"v": as_words(text)}, {"v": REFERENCE}),
    "audit, forms": lambda text: one_form_is_right({"v": text}, {"v": READING}, {"v": LABEL}),
    "audit, judge": to_a_judge,
    "audit, sub-classes": lambda text: sub_classes_taken({"v": text}, {"v": READING}, {"v": LABEL}),
    "audit, words": as_words,
    "class": lambda text: read_class(text, ()),
    "choice": lambda text: read_choice(text, OPTIONS),
    "final answer": final_answer,
    "plain": plain,
    "ranking": lambda text: read_ranking(text, 5),
    "severities": lambda text: read_severities(text, unit="seconds", duration=60.0),
    "severity": read_severity,
    "sentences": sentences,
    "spans": lambda text: read_spans(text, unit="seconds", duration=60.0),
    "thoughts": blank_thoughts,
    "verdict": lambda text: read_verdicts(text, Scale(0, 5), 1),
    "without thought": without_thought,
    "yes or no": read_yes_no,
}
PIECES = ("\n", " \n", " ", "[", "1", ",", "and ", "a ", "A, ", "<think>", "answer: ", '"', "\ud800", "$a", "score: ")
OF_AUDIT = ("ignore ", "score 5 ", "this answer ", "driver child ", "5-1 ", "e\u0301", "Zm9v", "&#65;", "%41", "<b")
LENGTHS = (50_000, pytest.param(200_000, marks=pytest.mark.slow))


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize(
    ("reader", "piece"),
    [
        *itertools.product(READERS, PIECES),
        *itertools.product((name for name in READERS if name.startswith("audit")), OF_AUDIT),
    ],
)
def test_a_long_text_is_read_in_two_seconds(reader: str, piece: str, length: int) -> None:
    start = time.process_time()
    READERS[reader]("score:" + piece * (length // len(piece)))
    assert time.process_time() - start < 2  # a quadratic one takes ten already with the shorter text


@pytest.mark.parametrize(
    "piece", ["a fire ", "A - a fire\n", "A\n", "I ", "✅ A\n", "[ ] A ", "nothing. ", "yes, no ", "if ", "× "]
)
@pytest.mark.parametrize("reader", ["choice", "yes or no"])
def test_twice_as_much_of_what_counts_takes_twice_as_long(reader: str, piece: str) -> None:
    def seconds(length: int) -> float:
        text = piece * (length // len(piece))
        taken = []
        for _ in range(3):
            start = time.process_time()
            READERS[reader](text)
            taken.append(time.process_time() - start)
        return min(taken)

    assert seconds(8_000) < 2.6 * seconds(4_000) + 0.01


def test_of_a_text_that_goes_round_in_circles_both_ends_are_read() -> None:
    middle = "It rains. " * 20_000
    assert read_yes_no(f"Yes. {middle}").yes is True
    assert read_yes_no(f"{middle} Final answer: no.").yes is False
    assert [label.major for label in read_choice(f"{middle} The answer is B.", OPTIONS).labels] == [2]
    assert len(ends(plain(middle))) == len(middle)


@pytest.mark.parametrize("blank", [" ", "\n", "\t"])
def test_many_blanks_behind_a_letter_take_no_time(blank: str) -> None:
    start = time.process_time()
    read_choice(f"x{blank * 8_000}.", OPTIONS)
    assert time.process_time() - start < 1  # divided in every way, they took twelve
