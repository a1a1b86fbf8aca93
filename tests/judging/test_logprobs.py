"""Expected verdicts, from the tokens in which the verdicts of a reply begin."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from ecva_bench.judging.logprobs import expected_verdicts
from ecva_bench.reading.verdicts import Scale, read_verdicts

GRADE, YES_NO = Scale(0, 5), Scale(0, 1)
MANY = Scale(0, 1, many="keys")


def expectations(text: str, found: list[dict[str, Any]], scale: Scale, expected: int) -> tuple[float, ...] | None:
    """Those of a reply that is read, at the places it was read from."""
    read = read_verdicts(text, scale, expected)
    assert read is not None
    return expected_verdicts(text, read.starts, found, scale)


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


@pytest.mark.parametrize(
    ("said", "place"),
    [
        (["Here it is, é:\n", "```json\n", '{"verdicts": [', "4", ",", "]}\n```"], 3),
        (['{"verdicts": ["', "4", '"]}\nAsk me for details.'], 1),
        (['{"verdicts": ["confidence", ', "4", "]}"], None),
        (["**", "Score", ":** ", "4", "/", "5"], 3),
        (['{"confidence": 0.4, "verdicts": [', "4", ".", "0", "]}"], 1),
    ],
)
def test_the_place_is_the_one_that_was_read(said: list[str], place: int | None) -> None:
    if place is None:
        assert read_verdicts("".join(said), GRADE, 1) is None
        return
    found = expectations("".join(said), tokens(*said, **{f"t{place}": {"4": 0.5, "2": 0.5}}), GRADE, 1)
    assert found == pytest.approx((3.0,))
