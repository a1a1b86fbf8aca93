"""Texts come in well-formed: half a character is mended, and nothing else is changed."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecva_bench.untrusted import parse_json, well_formed

ANY = st.text(st.characters(), max_size=20)  # lone surrogates too
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        ("[5] \ud83d", "[5] \ufffd"),
        ("\ude97 car", "\ufffd car"),
        ("\ud83d\ude97", "\U0001f697"),
        ("\ude97\ud83d", "\ufffd\ufffd"),
        ("\U0001f697 ok \ufeff", "\U0001f697 ok \ufeff"),
    ],
)
def test_half_a_character_is_mended(text: str, mended: str) -> None:
    assert well_formed(text) == mended
    assert parse_json(json.dumps({"a": [text]})) == {"a": [mended]}
    assert parse_json(json.dumps({text: 1}).encode()) == {mended: 1}


@given(st.text())
def test_whole_texts_stay_as_they_are(text: str) -> None:
    assert well_formed(text) == text


@given(ANY)
def test_every_text_can_be_written_afterwards(text: str) -> None:
    assert len(well_formed(text).encode()) >= len(well_formed(text))


@given(JSON)
def test_json_is_read_as_json_reads_it(value: object) -> None:
    assert parse_json(json.dumps(value)) == json.loads(json.dumps(value))


@pytest.mark.parametrize("content", ["{", "", b"\xff", b'"\xff"'])
def test_what_is_no_json_is_an_error(content: str | bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whichever the parser raises
        parse_json(content)
