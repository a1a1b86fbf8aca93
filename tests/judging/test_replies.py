"""Replies are read whole and in range, or not at all."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecva_bench.judging.calls import Scale
from ecva_bench.judging.replies import expectations, parse

GRADE, YES_NO = Scale(0, 5), Scale(0, 1)
MANY = Scale(0, 1, many="keys")


def verdicts(text: str, scale: Scale = GRADE, expected: int = 1) -> tuple[int, ...] | None:
    found = parse(text, scale, expected)
    return found.verdicts if found else None


@pytest.mark.parametrize(
    ("text", "scale", "expected", "read"),
    [
        ('{"rationale": "r", "verdicts": [4]}', GRADE, 1, (4,)),
        ('{"verdicts": [0]}', GRADE, 1, (0,)),
        (' \n{"verdicts": ["yes", "No"]}\n', MANY, 2, (1, 0)),
        ('{"verdicts": [1, 0]}', MANY, 2, (1, 0)),
        ('```json\n{"verdicts": [5]}\n```', GRADE, 1, (5,)),
        ('```\n{"verdicts": ["no"]}\n```', YES_NO, 1, (0,)),
        ("Score: 4", GRADE, 1, (4,)),
        ("4", GRADE, 1, (4,)),
        ("Verdict: yes.", YES_NO, 1, (1,)),
        ("NO", YES_NO, 1, (0,)),
        ('{"verdicts": []}', MANY, 0, ()),
        ('<think>\nI lean to {"verdicts": [1]}.\n</think>\n\n{"verdicts": [4]}', GRADE, 1, (4,)),
        ('It quotes </think>; so no.\n</think>```json\n{"verdicts": [2]}\n```', GRADE, 1, (2,)),
        ("<think></think>yes", YES_NO, 1, (1,)),
        ('{"rationale": "It says </think>", "verdicts": [3]}', GRADE, 1, (3,)),
    ],
)
def test_what_is_read(text: str, scale: Scale, expected: int, read: tuple[int, ...]) -> None:
    assert verdicts(text, scale, expected) == read


@pytest.mark.parametrize(
    "text",
    [
        "",
        "4.5",
        "10",
        "6",
        "-1",
        "04",
        "٤",
        "²",
        "yes",
        "Score: 4\nScore: 5",
        "I would say Score: 4",
        "Score: 4 out of 5",
        "[4]",
        "null",
        '{"verdicts": [4.0]}',
        '{"verdicts": [4.5]}',
        '{"verdicts": ["4"]}',
        '{"verdicts": [true]}',
        '{"verdicts": [null]}',
        '{"verdicts": [NaN]}',
        '{"verdicts": [6]}',
        '{"verdicts": [-1]}',
        '{"verdicts": [10]}',
        '{"verdicts": ["yes"]}',
        '{"verdicts": [4, 4]}',
        '{"verdicts": []}',
        '{"verdicts": 4}',
        '{"verdicts": {"0": 4}}',
        '{"verdicts": [4], "verdicts": [5]}',
        '{"verdicts": [4], "score": 5}',
        '{"verdicts": [4], "rationale": 5}',
        '{"verdicts": [4]',
        '{"verdicts": [4]} {"verdicts": [5]}',
        'Here it is: {"verdicts": [4]}',
        '```json\n{"verdicts": [4]}',
        "[" * 100_000,
        '<think>I lean to {"verdicts": [4]}',
        '<think>It says </think>{"verdicts": [4]} and so on',
        '{"verdicts": [4]}</think>',
    ],
)
def test_what_is_no_verdict(text: str) -> None:
    assert parse(text, GRADE, 1) is None


def test_a_bare_word_answers_no_list() -> None:
    assert parse("yes", MANY, 1) is None


@given(st.lists(st.integers(0, 5), max_size=8), st.text())
def test_what_an_honest_judge_writes_is_read_back(found: list[int], rationale: str) -> None:
    text = json.dumps({"rationale": rationale, "verdicts": found})
    read = parse(text, Scale(0, 5, many="keys"), len(found))
    assert read is not None
    assert (list(read.verdicts), read.rationale) == (found, rationale)
    assert parse(text, Scale(0, 5, many="keys"), len(found) + 1) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(
    st.text()
    | json_values.map(json.dumps)
    | st.lists(json_values, max_size=2).map(lambda v: {"verdicts": v}).map(json.dumps)
)
def test_nothing_out_of_range_ever_comes_out(text: str) -> None:
    for scale in (GRADE, YES_NO, MANY):
        for expected in (1, 2):
            read = parse(text, scale, expected)
            if read is not None:
                assert len(read.verdicts) == expected
                assert all(type(v) is int and scale.low <= v <= scale.high for v in read.verdicts)


def tokens(*pieces: str, **alternatives: dict[str, float]) -> list[dict[str, Any]]:
    """Tokens that spell `pieces`; `t3={"yes": 0.7}` gives the probabilities at the token numbered 3."""
    made = []
    for number, piece in enumerate(pieces):
        ranked = alternatives.get(f"t{number}", {piece: 1.0})
        top = [{"token": text, "logprob": math.log(p)} for text, p in ranked.items()]
        made.append({"token": piece, "logprob": math.log(ranked[piece]), "bytes": None, "top_logprobs": top})
    return made


def test_expectations_are_taken_over_the_verdicts_alone() -> None:
    said = ['{"', "verdicts", '":', " [", "4", "]}"]
    spread = {"4": 0.5, "5": 0.2, "3": 0.1, " the": 0.1, "9": 0.1}
    found = expectations("".join(said), tokens(*said, t4=spread), GRADE, 1)
    assert found == pytest.approx(((4 * 0.5 + 5 * 0.2 + 3 * 0.1) / 0.8,))


def test_each_verdict_has_its_own_token() -> None:
    said = ['{"verdicts": ["', "yes", '", "', "no", '"]}']
    found = expectations(
        "".join(said), tokens(*said, t1={"yes": 0.75, "no": 0.25}, t3={"no": 0.9, "Yes": 0.1}), MANY, 2
    )
    assert found == pytest.approx((0.75, 0.1))


def test_a_rationale_that_quotes_verdicts_misleads_nobody() -> None:
    text = json.dumps({"rationale": '"verdicts": [5, é', "verdicts": [1]}, ensure_ascii=False)
    cut = text.index("[1]") + 1
    said = [text[:cut], "1", text[cut + 1 :]]
    assert expectations(text, tokens(*said, t1={"1": 0.5, "0": 0.5}), GRADE, 1) == pytest.approx((0.5,))


def test_what_was_thought_aloud_gives_no_expectation() -> None:
    said = ['<think>"verdicts": [', "5", "]</think>", '{"verdicts": [', "1", "]}"]
    spread = {"1": 0.5, "0": 0.5}
    assert expectations("".join(said), tokens(*said, t4=spread), GRADE, 1) == pytest.approx((0.5,))
    said = ["<think>", "4", "? </think>", "4"]
    assert expectations("".join(said), tokens(*said, t3={"4": 0.5, "2": 0.5}), GRADE, 1) == pytest.approx((3.0,))


def test_a_word_alone_and_a_word_begun_count() -> None:
    said = ["Score: ", "3"]
    assert expectations("Score: 3", tokens(*said, t1={"3": 0.6, "2": 0.4}), GRADE, 1) == pytest.approx((2.6,))
    said = ["y", "es"]
    assert expectations("yes", tokens(*said, t0={"y": 0.6, "n": 0.2}), YES_NO, 1) == pytest.approx((0.75,))


def test_tokens_that_do_not_spell_the_reply_give_none() -> None:
    assert expectations('{"verdicts": [4]}', tokens("something", " else"), GRADE, 1) is None
    assert expectations("4", tokens("4", t0={"4": 1e-12}), GRADE, 1) == (4.0,)
