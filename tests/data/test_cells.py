"""The parsers of annotation cells: every irregular form by example, every text by property."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecva_bench.data.cells import Note, parse_key_sentences, parse_label, parse_moments, parse_segments, parse_text
from ecva_bench.data.rules import FINDING_RULES

Parser = Callable[[str], tuple[object, list[Note]]]
SECONDS = st.integers(0, 99 * 60 + 59)
# Texts made mostly of the signs the parsers look at.
DIRT = st.text(alphabet=st.sampled_from("[]【】(),，-–0123456789 \n\t\"'“”\\/a枪"), max_size=40) | st.text(max_size=40)
WORDS = st.text(
    alphabet=st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\"'“”\\[]"), min_size=1
).filter(lambda text: text == text.strip() and text not in ("", "/"))


def mmss(seconds: int) -> str:
    return f"{seconds // 60:02}{seconds % 60:02}"


@given(st.lists(st.tuples(SECONDS, SECONDS).map(sorted).filter(lambda span: span[0] < span[1]), min_size=1))
def test_regular_moments_are_read_in_seconds(spans: list[list[int]]) -> None:
    cell = "".join(f"[{mmss(start)},{mmss(end)}]" for start, end in spans)
    moments, notes = parse_moments(cell)
    assert [[moment.start, moment.end] for moment in moments] == sorted(spans)
    assert {note.rule for note in notes} <= {"moments-order", "moments-overlap"}
    assert ("moments-order" in {note.rule for note in notes}) == (spans != sorted(spans))


@pytest.mark.parametrize(
    ("cell", "expected", "rules"),
    [
        ("[0052,0114]", [(52, 74)], []),
        ("[0000,0006][00043,0048]", [(0, 6), (43, 48)], ["moment-digits"]),
        ("[0005,00050]", [(5, 50)], ["moment-digits"]),
        ("[000,0941]", [(0, 581)], ["moment-digits"]),
        ("[0012,20]", [(12, 20)], ["moment-digits"]),
        ("[0005,]", [], ["moment-open"]),
        ("[0005,][0010,0020]", [(10, 20)], ["moment-open"]),
        ("[,]", [], ["moments-missing"]),
        ("[,][0010,0020]", [(10, 20)], ["moment-open"]),
        ("/", [], ["moments-missing"]),
        ("", [], ["moments-missing"]),
        ("[0000,0005] [0006,0021]", [(0, 5), (6, 21)], []),
        ("[0000,0005], [0006,0021]", [(0, 5), (6, 21)], []),
        ("0000,0005", [(0, 5)], ["moments-brackets"]),
        ("[0000,0006", [(0, 6)], ["moments-brackets"]),
        ("[0000,0006[0007,0009]", [(0, 6), (7, 9)], ["moments-brackets"]),
        ("[0000,0006[start", [(0, 6)], ["moments-brackets", "moment-malformed"]),
        ("[start", [], ["moment-malformed"]),  # what is left out is not repaired before
        ("[0005,", [], ["moment-open"]),
        ("[0000,0075]", [], ["moment-seconds"]),
        ("[0020,0010]", [(10, 20)], ["moment-reversed"]),
        ("[0010,0010]", [(10, 10)], ["moment-instant"]),
        ("[0000,12345]", [], ["moment-malformed"]),
        ("[0000,0010,0020]", [], ["moment-malformed"]),
        ("[start,end]", [], ["moment-malformed"]),
        ("[0030,0040][0000,0010]", [(0, 10), (30, 40)], ["moments-order"]),
        ("[0000,0020][0010,0030]", [(0, 20), (10, 30)], ["moments-overlap"]),
        ("[٠٠٠٠,٠٠٠٥]", [], ["moment-malformed"]),
    ],
)
def test_irregular_moments(cell: str, expected: list[tuple[int, int]], rules: list[str]) -> None:
    moments, notes = parse_moments(cell)
    assert [(moment.start, moment.end) for moment in moments] == expected
    assert [note.rule for note in notes] == rules


def test_only_moments_that_are_used_are_called_repaired() -> None:
    _, notes = parse_moments("[0000,0006[start")
    assert (notes[0].action, notes[0].after) == ("repaired", "[0000,0006]")
    assert (notes[1].action, notes[1].before) == ("excluded", "[start]")


@given(st.integers(1, 999), st.integers(1, 999), st.integers(1, 5))
def test_regular_labels_are_read(major: int, sub: int, severity: int) -> None:
    label, notes = parse_label(f"[{major}-{sub},{severity}]")
    assert label is not None
    assert (label.major, label.sub, label.severity, notes) == (major, sub, severity, [])


@pytest.mark.parametrize(
    ("cell", "code", "severity", "rules"),
    [
        ("[3-1,3,]", "3-1", 3, ["class-irregular"]),
        ("[5-1,5]\n", "5-1", 5, ["class-irregular"]),
        ("[10-2, 5]", "10-2", 5, ["class-irregular"]),
        ("【5-1，5】", "5-1", 5, ["class-irregular"]),
        ("5-1", "5-1", None, ["class-irregular"]),
        ("[11]", "11", None, ["class-irregular"]),
        ("[5-1,5][11-4,1]", "5-1", 5, ["class-several"]),
        ("[5-3,5] [10-5,3]", "5-3", 5, ["class-several"]),
        ("枪战", None, None, ["class-is-free-text"]),
        ("[5-1,5] 枪战", None, None, ["class-is-free-text"]),
        ("2024", None, None, ["class-is-free-text"]),
        ("[,]", None, None, ["class-missing"]),
        ("/", None, None, ["class-missing"]),
        ("[0-1,5]", None, None, ["class-impossible"]),
        ("[5-0,5]", None, None, ["class-impossible"]),
        ("[5-1,9]", "5-1", None, ["severity-impossible"]),
    ],
)
def test_irregular_labels(cell: str, code: str | None, severity: int | None, rules: list[str]) -> None:
    label, notes = parse_label(cell)
    assert (label.code if label else None) == code
    assert (label.severity if label else None) == severity
    assert [note.rule for note in notes] == rules


@given(st.lists(WORDS, min_size=4, max_size=8))
def test_key_sentences_are_read_as_json_would(sentences: list[str]) -> None:
    assert parse_key_sentences(json.dumps(sentences, ensure_ascii=False)) == (tuple(sentences), [])


@pytest.mark.parametrize(
    ("cell", "expected", "rules"),
    [
        ('["a b","c","d","e"]', ["a b", "c", "d", "e"], []),
        ("['a', 'b', 'c', 'd']", ["a", "b", "c", "d"], []),
        (r'["A men\'s hands", "b", "c", "d, e"]', ["A men's hands", "b", "c", "d, e"], []),
        ('["a b",gripping at c","d","e"]', ["a b", "gripping at c", "d", "e"], ["quotes"]),
        ('["a, b","c,"d","e"]', ["a, b", "c", "d", "e"], ["quotes"]),
        ('["Cars”,“chaos"," A crash","One"]', ["Cars", "chaos", "A crash", "One"], ["quotes", "spaces"]),
        ('["a"," b","c ","d"]', ["a", "b", "c", "d"], ["spaces"]),
        ('["a","","",""]', ["a"], ["empty", "few"]),
        ('["","","",""]', [], ["empty", "missing"]),
        ('["a","b","c"]', ["a", "b", "c"], ["few"]),
        ("[]", [], ["missing"]),
        ("", [], ["missing"]),
        ("just words, no list", ["just words, no list"], ["quotes", "few"]),
    ],
)  # fmt: skip
def test_irregular_key_sentences(cell: str, expected: list[str], rules: list[str]) -> None:
    sentences, notes = parse_key_sentences(cell)
    assert list(sentences) == expected
    assert [note.rule.removeprefix("key-sentences-") for note in notes] == rules


@pytest.mark.parametrize(
    ("parse", "cell", "expected"),
    [
        (parse_moments, "/", ["moments-missing kept / -> "]),
        (parse_moments, " [0005,00050]", ["moment-digits repaired [0005,00050] -> [0005,0050]"]),
        (parse_moments, "[0020,0010]", ["moment-reversed repaired [0020,0010] -> 10-20 s"]),
        (parse_moments, "[0010,0010]", ["moment-instant kept [0010,0010] -> "]),
        (parse_moments, "[0000,0075]", ["moment-seconds excluded [0000,0075] -> "]),
        (parse_moments, "[0030,0040][0000,0010]", ["moments-order repaired CELL -> 0-10 s 30-40 s"]),
        (parse_moments, "[0000,0020][0010,0030]", ["moments-overlap kept CELL -> "]),
        (parse_moments, "[0000,0006[start", [
            "moments-brackets repaired CELL -> [0000,0006]", "moment-malformed excluded [start] -> "
        ]),
        (parse_label, " [,]", ["class-missing kept CELL -> "]),
        (parse_label, " 枪战", ["class-is-free-text kept CELL -> "]),
        (parse_label, "[3-1,3,]", ["class-irregular repaired CELL -> [3-1,3]"]),
        (parse_label, " 5-1", ["class-irregular repaired CELL -> [5-1]"]),
        (parse_label, "[5-1,5] [11-4,1]", ["class-several repaired CELL -> [5-1,5]"]),
        (parse_label, "[0-1,5]", ["class-impossible excluded CELL -> "]),
        (parse_label, "[5-1,9]\n", [
            "severity-impossible excluded [5-1,9] -> ", "class-irregular repaired CELL -> [5-1]"
        ]),
        (parse_segments, " [] ", ["text-missing kept CELL -> "]),
        (parse_segments, " [a b", ["description-brackets repaired CELL -> a b"]),
        (parse_text, " / ", ["text-missing kept CELL -> "]),
        (parse_key_sentences, " / ", ["key-sentences-missing kept CELL -> "]),
        (parse_key_sentences, '["a b",c d","e","f"]', ["key-sentences-quotes repaired CELL -> a b | c d | e | f"]),
        (parse_key_sentences, '["a"," b","c ","d"]', ["key-sentences-spaces repaired ' b' | 'c ' -> 'b' | 'c'"]),
        (parse_key_sentences, '["a","b","",""]', [
            "key-sentences-empty excluded CELL -> a | b", "key-sentences-few kept CELL -> "
        ]),
    ],
)  # fmt: skip
def test_a_note_says_what_was_done_to_which_text(parse: Parser, cell: str, expected: list[str]) -> None:
    notes = parse(cell)[1]
    told = [f"{note.rule} {note.action} {note.before} -> {note.after}" for note in notes]
    assert told == [note.replace("CELL", cell) for note in expected]


@given(st.lists(WORDS, min_size=1, max_size=4), st.sampled_from(["", " ", ", ", " ,"]))
def test_segments_are_split_at_brackets(segments: list[str], between: str) -> None:
    assert parse_segments(between.join(f"[{segment}]" for segment in segments)) == (tuple(segments), [])


def test_a_lost_bracket_is_reported_and_text_without_brackets_is_one_segment() -> None:
    segments, notes = parse_segments("[Thieves enter the store")
    assert segments == ("Thieves enter the store",)
    assert [(note.rule, note.after) for note in notes] == [("description-brackets", "Thieves enter the store")]
    assert [note.rule for note in parse_segments("[]")[1]] == ["text-missing"]
    assert parse_segments("No brackets at all") == (("No brackets at all",), [])


@pytest.mark.parametrize("cell", ["", "/", " / ", "\n"])
def test_texts_that_say_nothing(cell: str) -> None:
    assert parse_text(cell)[0] is None
    assert [note.rule for note in parse_text(cell)[1]] == ["text-missing"]


@given(DIRT)
def test_no_text_breaks_a_parser_and_nothing_is_lost_in_silence(cell: str) -> None:
    for parse in (parse_moments, parse_label, parse_key_sentences, parse_segments, parse_text):
        value, notes = parse(cell)  # type: ignore[operator]
        assert {note.rule for note in notes} <= FINDING_RULES.keys()
        assert value or notes
    moments, _ = parse_moments(cell)
    assert list(moments) == sorted(moments, key=lambda moment: (moment.start, moment.end))
    sentences, _ = parse_key_sentences(cell)
    assert all(sentence == sentence.strip() != "" for sentence in sentences)


@pytest.mark.parametrize("parse", [parse_moments, parse_label, parse_key_sentences, parse_segments])
def test_long_hostile_cells_are_read_and_reported(parse: object) -> None:
    """Cells on which a pattern that backtracks would not come back within a lifetime."""
    repeated = [piece * 20_000 for piece in ("[", "[,]", " ,", '"', '",', "\\", "[0000,0001] , ", "5-")]
    spaced = [start + " " * 100_000 + "x" for start in ("[a]", "5", '["a"', "[0000,0001]")]
    for cell in (*repeated, *spaced):
        value, notes = parse(cell)  # type: ignore[operator]
        assert value or notes
