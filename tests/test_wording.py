"""A number and its noun agree; no message of the project has a plural that is written by hand after a count."""

from __future__ import annotations

import ast
import re

import pytest

from ecva_bench.wording import amount, counted, duration, rate, size, spent, usd
from tests.imports import modules, rooms

_PLURAL = re.compile(r"\{len\([^{}]*\)(?::,)?\} (?:[a-z]+ )?[a-z]+[^s\W]s\b(?! none)")  # a length and a word in -s


@pytest.mark.parametrize(
    ("number", "noun", "text"),
    [
        (0, "video", "0 videos"),
        (1, "video", "1 video"),
        (2, "second answer", "2 second answers"),
        (1, "reply", "1 reply"),
        (1200, "reply", "1,200 replies"),
        (3, "day", "3 days"),
    ],
)
def test_a_number_and_its_noun_agree(number: int, noun: str, text: str) -> None:
    assert counted(number, noun) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (7, "7"),
        (950, "950"),
        (999.7, "1 k"),
        (12_345, "12.3 k"),
        (999_499, "999 k"),
        (999_999, "1 M"),
        (1_900_000, "1.9 M"),
        (7e9, "7 B"),
        (1.2e12, "1,200 B"),
    ],
)
def test_a_count_has_at_most_three_digits_and_a_unit(number: float, text: str) -> None:
    assert amount(number) == text


def test_sizes_times_and_money_are_written_for_people() -> None:
    sizes = {640: "640 B", 12_300: "12.3 kB", 999_999: "1 MB", 7.1e9: "7.1 GB", 2.5e12: "2.5 TB"}
    assert {number: size(number) for number in sizes} == sizes
    times = {0: "0 s", 42: "42 s", 90: "2 min", 660: "11 min", 5400: "1.5 hours", 12_300: "3.4 hours"}
    assert {seconds: duration(seconds) for seconds in times} == times
    amounts = {0: "0 USD", 1e-6: "under 0.0001 USD", 0.0042: "0.0042 USD", 1.874: "1.87 USD", 20: "20 USD"}
    amounts |= {99.999: "100 USD", 2140.4: "2,140 USD"}
    assert {dollars: usd(dollars) for dollars in amounts} == amounts


def test_a_pace_is_given_in_the_unit_of_time_that_has_one() -> None:
    assert rate(25, 2, "clips") == "12.5 clips/s"
    assert rate(3, 60, "answers") == "3 answers/min"
    assert rate(1, 1800, "answers") == "2 answers/hour"
    assert rate(0, 5, "answers") == "0 answers/s"


def test_what_was_used_is_told_by_kind() -> None:
    use = {"asked": 1200, "failed": 0, "tokens_in": 1_912_345, "usd": 0.42}
    assert spent(use.items()) == "1,200 asked, 1.9 M tokens in, 0.42 USD"


def test_no_message_inflects_a_counted_noun_by_hand() -> None:
    """`{len(videos)} videos` would be wrong of one video."""
    found = [
        f"{path}:{node.lineno}: {ast.unparse(node)}"
        for path in (path for room in rooms() for path, _ in modules(room))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.JoinedStr) and _PLURAL.search(ast.unparse(node))
    ]
    assert found == []
