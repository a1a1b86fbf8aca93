"""Word differences and shared words, against what defines them: the texts can be had back, and nothing is hidden."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecva_bench.report.words import content_words, marked_words, shared_words, word_difference

texts = st.lists(st.sampled_from(["a", "car", "hits", "no", "wall", ",", ".", "  ", "\n", "<b>", "Ünicode", "🚗"])).map(
    " ".join
)
sentences = st.lists(st.sampled_from(["a", "car", "hits", "no", "wall"]), min_size=1).map(" ".join)


@given(texts | st.text(), texts | st.text())
def test_a_difference_holds_both_texts_whole(before: str, after: str) -> None:
    segments = word_difference(before, after)
    assert "".join(text for operation, text in segments if operation != "+") == before
    assert "".join(text for operation, text in segments if operation != "-") == after
    assert all(text for _, text in segments)
    assert all(one[0] != other[0] for one, other in pairwise(segments))


@given(sentences, sentences)
def test_what_is_kept_is_what_difflib_keeps_of_words_and_blanks(before: str, after: str) -> None:
    old, new = re.split("( )", before), re.split("( )", after)
    blocks = SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()
    kept = [text for operation, text in word_difference(before, after) if operation == "="]
    assert "".join(kept) == "".join("".join(old[block.a : block.a + block.size]) for block in blocks)


def test_answers_that_go_round_in_circles_take_no_minutes() -> None:
    """Of words that come again and again none is matched but at the ends: each pair would be a place to start at."""
    before, after = "a car hits. " * 200, "a bus stops. " * 200
    assert word_difference(before, after) == [("=", "a "), ("-", before[2:]), ("+", after[2:])]


def test_of_long_texts_a_change_is_found_too() -> None:
    before = " ".join(f"word{n} of the" for n in range(600))
    segments = word_difference(before, before.replace("word300 ", "another "))
    assert [operation for operation, _ in segments] == ["=", "-", "+", "="]


def test_a_changed_word_is_one_word() -> None:
    assert word_difference("A red car hits a wall.", "A blue car hits a wall.") == [
        ("=", "A "),
        ("-", "red"),
        ("+", "blue"),
        ("=", " car hits a wall."),
    ]


@given(st.text(), st.sets(st.sampled_from(["car", "wall"])))
def test_marking_words_changes_no_letter(text: str, words: set[str]) -> None:
    parts = marked_words(f"a Car {text} hit the wall", words)
    assert "".join(parts) == f"a Car {text} hit the wall"
    assert len(parts) % 2 == 1
    assert {"car", "wall"} & words <= {part.lower() for part in parts[1::2]}
    assert {part.lower() for part in parts[1::2]} <= words


@pytest.mark.parametrize(
    ("sentence", "text", "found"),
    [
        ("Two cars collided", "In the end both cars COLLIDED.", True),
        ("Two cars collided", "Both cars were parked.", True),  # half of {cars, collided}
        ("Two cars collided with a tree", "Both cars were parked.", False),
        ("He ran", "he ran off", True),  # no long word, so every word counts
        ("He ran", "she walked", False),
        ("", "anything", False),
        ("Smoke rose", "smokers rosette", False),  # words, not letters
    ],
)
def test_half_of_the_longer_words_count_as_found(sentence: str, text: str, found: bool) -> None:
    assert shared_words([sentence], text) == [found]


def test_content_words() -> None:
    assert content_words("The car DID not give way") == {"give"}
    assert content_words("he ran") == {"he", "ran"}


def test_numbers_are_not_split() -> None:
    assert word_difference("from 3.5 s to 0:12, 1,200 m", "from 3.7 s to 0:19, 1,300 m.") == [
        ("=", "from "),
        ("-", "3.5"),
        ("+", "3.7"),
        ("=", " s to "),
        ("-", "0:12"),
        ("+", "0:19"),
        ("=", ", "),
        ("-", "1,200"),
        ("+", "1,300"),
        ("=", " m"),
        ("+", "."),
    ]
