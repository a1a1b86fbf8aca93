"""Every function that reads a model's text takes time in proportion to it, whatever the text is."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from ecva_bench.reading.choices import read_choice
from ecva_bench.reading.rankings import read_ranking
from ecva_bench.reading.severities import read_severities, read_severity
from ecva_bench.reading.spans.reader import read_spans
from ecva_bench.reading.text import ends, final_answer, plain
from ecva_bench.reading.thoughts import blank_thoughts, without_thought
from ecva_bench.reading.verdicts import Scale, read_verdicts
from ecva_bench.reading.yes_no import read_yes_no
from ecva_bench.scoring.audit import _TO_A_JUDGE, _words
from ecva_bench.scoring.unieval import sentences

OPTIONS = ("a car crash", "a fire", "nothing")
READERS: dict[str, Callable[[str], object]] = {
    "audit, judge": _TO_A_JUDGE.search,
    "audit, words": _words,
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
LENGTH = 200_000


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize("reader", READERS)
def test_a_long_text_is_read_in_two_seconds(reader: str, piece: str) -> None:
    start = time.process_time()
    READERS[reader]("score:" + piece * (LENGTH // len(piece)))
    assert time.process_time() - start < 2


def test_of_a_text_that_goes_round_in_circles_both_ends_are_read() -> None:
    middle = "It rains. " * 20_000
    assert read_yes_no(f"Yes. {middle}").yes is True
    assert read_yes_no(f"{middle} Final answer: no.").yes is False
    assert [label.major for label in read_choice(f"{middle} The answer is B.", OPTIONS).labels] == [2]
    assert len(ends(plain(middle))) == len(middle)
