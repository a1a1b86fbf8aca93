"""The index of words: every word is found where it stands, in one of few parts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ecva_bench.report import search
from ecva_bench.report.search import WordIndex, words_of, words_said


def places(packed: str) -> list[int]:
    found = [int(step, 36) for step in packed.split(" ")]
    return [sum(found[: end + 1]) for end in range(len(found))]


@given(st.lists(st.sets(st.sampled_from(["car", "late", "fire", "\U0001f525x", "\uffee", "a"])), max_size=60))
def test_words_are_found_where_they_stand(texts: list[set[str]]) -> None:
    index = WordIndex()
    for place, words in enumerate(texts):
        index.add(words, 37 * place)
    parts = list(index.parts())
    found = {word: places(packed) for part in parts for word, packed in part.items()}
    assert found == {
        word: [37 * place for place, text in enumerate(texts) if word in text] for word in set().union(*texts)
    }
    order = [word for part in parts for word in part]
    assert order == sorted(order, key=lambda word: [*word.encode("utf-16-be")])


def test_parts_are_bounded() -> None:
    index = WordIndex()
    for place in range(search.PART_CHARACTERS // 2):
        index.add([f"word{place % 997:03}", "the"], place)
    sizes = [sum(len(word) + len(packed) for word, packed in part.items()) for part in index.parts()]
    assert len(sizes) > 1
    assert max(sizes) <= search.PART_CHARACTERS + 10 * 997


def test_a_text_is_split_into_words() -> None:
    assert words_of("The car's 2 wheels; LATE_1 the") == {"the", "car", "s", "2", "wheels", "late_1"}
    assert words_of("车祸in雨") == {"车", "祸", "in", "雨"}


def test_words_said_are_those_of_answers_and_reasons_but_not_what_is_gone() -> None:
    full = {"text": ["a ", "car", " turns"], "judge": {"x/y": {"values": [1], "why": "it says so"}}}
    assert words_said({"cause": {"full": full, "anomaly": {"difference": ["=a ", "-car", "+bus"]}}}) == {
        "cause": ["a", "bus", "car", "it", "says", "so", "turns"]
    }
    assert words_said({"cause": {"full": {"error": {"message": "x"}}}}) == {"cause": []}
