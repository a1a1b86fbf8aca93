"""A reply's verdicts are read where they surely are its own, whole and in range, or not at all."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecva_bench.reading.verdicts import Scale, read_verdicts
from tests.cases import case

GRADE, YES_NO = Scale(0, 5), Scale(0, 1)
MANY = Scale(0, 1, many="keys")


def verdicts(text: str, scale: Scale = GRADE, expected: int = 1) -> tuple[int, ...] | None:
    found = read_verdicts(text, scale, expected)
    return found.values if found else None


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
        # As judges write that do not keep to the JSON asked for.
        ('```json{"verdicts": [4]}```', GRADE, 1, (4,)),
        ('~~~\n{"verdicts": [4]}\n~~~', GRADE, 1, (4,)),
        ('The reference says it burns, the answer does not. So:\n\n```JSON\n{"verdicts": [1]}\n```\n', GRADE, 1, (1,)),
        ('On a scale of 0 to 5 I give:\n{"verdicts": [3]}', GRADE, 1, (3,)),
        ('Score: 3/5\n{"verdicts": [3]}', GRADE, 1, (3,)),
        ('{"verdicts": [3]}\n\nIt names the van and the cause.', GRADE, 1, (3,)),
        ('**Verdict**\n\n{"verdicts": ["yes", "no"]}', MANY, 2, (1, 0)),
        ('Here they are: {"rationale": "a, b", "verdicts": ["no", "no",],}', MANY, 2, (0, 0)),
        ('{"rationale": null, "verdicts": [2]}', GRADE, 1, (2,)),
        ('{"rationale": "two\nlines", "verdicts": [2]}', GRADE, 1, (2,)),
        ('{"score": 2, "verdicts": [2], "confidence": 1}', GRADE, 1, (2,)),
        ('{"verdicts": ["4/5"]}', GRADE, 1, (4,)),
        ('{"verdicts": [" Yes "]}', YES_NO, 1, (1,)),
        ('{"rationale": "it says {\\"verdicts\\": [5]}", "verdicts": [1]}', GRADE, 1, (1,)),
        ('Of {"reference": "a van"} I think this: {"verdicts": [4]}', GRADE, 1, (4,)),
        ('判定：\n{"verdicts": [4]}\n以上。', GRADE, 1, (4,)),
        ('My verdict {"verdicts": [4]}', GRADE, 1, (4,)),
        ('Here you go {"verdicts": [4]}', GRADE, 1, (4,)),
        ("4/5", GRADE, 1, (4,)),
        ("```json\n4\n```", GRADE, 1, (4,)),
        ("Score: 4 out of 5", GRADE, 1, (4,)),
        ("Final score: 4 (out of 5)", GRADE, 1, (4,)),
        ("# Score: 4.0", GRADE, 1, (4,)),
        ("**4**", GRADE, 1, (4,)),
        ("`4`", GRADE, 1, (4,)),
        ("- My rating is 4.", GRADE, 1, (4,)),
        ("__Verdict__: **no**", YES_NO, 1, (0,)),
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
        "[4]",
        "null",
        '{"verdicts": [4.5]}',
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
        '```json\n{"verdicts": [4]}',
        "[" * 100_000,
        '<think>I lean to {"verdicts": [4]}',
        '<think>It says </think>{"verdicts": [4]} and so on',
        '{"verdicts": [4]}</think>',
        # What could be two verdicts, or another's.
        "Score: 4.5/5",
        "4/10",
        "Score: 8 out of 10",
        "4-5",
        "4 or 5",
        "between 3 and 4",
        "Score: -4",
        "40%",
        "not 4",
        '{"verdicts": [4]} or {"verdicts": [4]}',
        '{"verdicts": [4]}\n```json\n{"verdicts": [4]}\n```',
        '{"verdicts": ["4.5"]}',
        '{"verdicts": ["4/10"]}',
        '{"verdicts": [4], "final_score": "3/5"}',
        '{"verdicts": [4], "grades": [4, 3]}',
        '{"verdicts": [4] "rationale": "a comma too few"}',
        '{"result": {"verdicts": [4]}}',
        'Score: 5\n{"verdicts": [4]}',
        'I give a 3: {"verdicts": [4]}',
        '{"verdicts": [4]}\nOn reflection: 3.',
        '{"verdicts": [5]} is what it wants to hear.',
        '{"verdicts": [5]}, it says.',
        'The answer says: {"verdicts": [5]}',
        'It ends with\n{"verdicts": [5]}\nI do not grade that.',
        'It wants "{"verdicts": [5]}".',
        'An instruction {"verdicts": [5]} stands in it.',
        'An instruction to reply {"verdicts": [5]}',
        'Here it says {"verdicts": [5]}',
        '{"verdicts": [5]}\n\nThat is an instruction, which I ignore.',
        '{"verdicts": [5]}\nSorry, I cannot grade this.',
        '{"verdicts": [4]}\n{"verdicts": [',
    ],
)
def test_what_is_no_verdict(text: str) -> None:
    assert verdicts(text) is None


def test_each_case_has_its_verdict() -> None:
    folder = case("judge_replies")
    expected = json.loads((folder / "expected.json").read_text())
    replies = json.loads((folder / "replies.json").read_text())
    found = {one["name"]: verdicts(one["reply"]) for one in replies}
    assert found == {name: tuple(expected[name]) if expected[name] else None for name in found}
    assert len(found) >= 14


def test_a_bare_word_answers_no_list() -> None:
    assert verdicts("yes", MANY) is None
    assert verdicts("yes", YES_NO) == (1,)
    assert verdicts('No doubt: {"verdicts": ["yes"]}', YES_NO) is None  # it may mean either


@given(st.lists(st.integers(0, 5), max_size=8), st.text())
def test_what_an_honest_judge_writes_is_read_back(found: list[int], rationale: str) -> None:
    text = json.dumps({"rationale": rationale, "verdicts": found})
    scale = Scale(0, 5, many="keys")
    for reply in (text, f"Here is what I think.\n\n```json\n{text}\n```\nAsk me for details."):
        read = read_verdicts(reply, scale, len(found))
        assert read is not None
        assert (list(read.values), read.rationale) == (found, rationale)
        assert [int(reply[start]) for start in read.starts] == found
        assert read_verdicts(reply, scale, len(found) + 1) is None
        assert read_verdicts(f"{reply}\n{text}", scale, len(found)) is None


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
            read = read_verdicts(text, scale, expected)
            if read is not None:
                assert len(read.values) == len(read.starts) == expected
                assert all(type(v) is int and scale.low <= v <= scale.high for v in read.values)


@given(st.integers(0, 5), st.text(alphabet="0123456789./ -"), st.text(alphabet="0123456789./ -"))
def test_no_digit_more_makes_another_verdict_of_one(value: int, before: str, after: str) -> None:
    """What is read of a number is the number that a reader of arithmetic finds there."""
    found = verdicts(f"{before}{value}{after}")
    if found is not None:
        number = f"{before}{value}{after}".partition("/")[0].strip().rstrip(".")
        assert float(number) == found[0]


LONG = [
    "{",
    '{"verdicts":',
    '{"a":1}',
    '"',
    '{"',
    '\\"',
    "Score ",
    "my ",
    "1",
    "4/",
    "- ",
    "#",
    "```",
    "[",
    "</think>",
    '{"verdicts": [4]} ',
    "score is ",
]


@pytest.mark.parametrize("piece", LONG)
@pytest.mark.parametrize("head", ["", '{"verdicts": [4]}\n', '{"', "Score"])
def test_a_reply_is_read_in_a_time_that_grows_as_it_does(head: str, piece: str) -> None:
    text = head + piece * (50_000 // len(piece))
    start = time.process_time()
    verdicts(text)
    assert time.process_time() - start < 1  # a quadratic one takes many
