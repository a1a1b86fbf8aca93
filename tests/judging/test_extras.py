"""Judges that think: what is said of it is in addresses and signatures, and stays out of both where nothing is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ecva_bench.errors import JudgeError
from ecva_bench.judging.counts import token_counts
from ecva_bench.judging.extras import NO_EXTRAS, RequestExtras
from ecva_bench.judging.judge import open_judge
from ecva_bench.judging.replays import replayed_judge

from .build import grade
from .conftest import Open
from .server import JudgeServer, completion

REASONING = "reasoning_tokens"
VERDICT = '{"rationale": "r", "verdicts": [4]}'
GIVEN = {"reasoning_effort": "low", "extra_body": '{"top_k": 5}'}
LOW = RequestExtras.of(GIVEN, base_url=None, most_out=100, option="--judge-arg")


def test_what_is_said_is_sent_and_part_of_address_and_signature(judge_at: Open, tmp_path: Path) -> None:
    export = tmp_path / "calls.jsonl"
    with JudgeServer(lambda *_: VERDICT) as server:
        usual, low = (judge_at(server, extras=extras) for extras in (NO_EXTRAS, LOW))
        assert usual.ask([grade()])[0].values == low.ask([grade()])[0].values == (4.0,)
        bodies = [request.body for request in server.requests]
    assert [{name: body.get(name) for name in ("reasoning_effort", "top_k")} for body in bodies] == [
        {"reasoning_effort": None, "top_k": None},
        {"reasoning_effort": "low", "top_k": 5},
    ]
    assert low.identity().items() > {"effort": "low"}.items()
    assert "extra-body" in low.identity()
    assert not {"effort", "thinking-budget", "extra-body"} & usual.identity().keys()

    low.export(export)
    replayed = replayed_judge(export)
    assert replayed.extras.described == LOW.described
    with open_judge("scripted", replay=export, extras=replayed.extras) as again:
        assert again.ask([grade()])[0].values == (4.0,)
    assert again.usage.not_in_replay == 0


def test_a_judge_that_only_thought_is_not_asked_again_and_says_what_to_do(judge_at: Open) -> None:
    with JudgeServer(lambda *_: completion(None, finish="length")) as server:
        (verdict,) = judge_at(server).ask([grade()])
        assert len(server.requests) == 1
    assert verdict.values is None
    assert "--judge-max-tokens" in verdict.reason


def test_a_local_judge_takes_nothing_that_is_for_endpoints() -> None:
    with pytest.raises(JudgeError, match="--judge-arg"):
        open_judge("hf:nowhere", extras=LOW)


@pytest.mark.parametrize(
    ("usage", "out", "thought"),
    [
        ({"completion_tokens": 30}, 30, None),
        ({"completion_tokens": 30, "total_tokens": 130}, 30, None),
        ({"completion_tokens": 30, "total_tokens": 130, "completion_tokens_details": {REASONING: 20}}, 30, 20),
        (
            {"completion_tokens": 30, "total_tokens": 630, "completion_tokens_details": {REASONING: 500}},
            530,
            500,
        ),
        ({"completion_tokens": 30, "completion_tokens_details": {REASONING: 500}}, 530, 500),
        ({"completion_tokens": 30, "total_tokens": 630}, 530, 500),
        ({"completion_tokens": 30, "total_tokens": 5, "completion_tokens_details": None}, 30, None),
        ({"completion_tokens": 30, "completion_tokens_details": {REASONING: "many"}}, 30, None),
        ({"completion_tokens": 30, "completion_tokens_details": "none"}, 30, None),
    ],
)
def test_thoughts_are_output_however_they_are_counted(usage: dict[str, Any], out: int, thought: int | None) -> None:
    found = token_counts({"prompt_tokens": 100, **usage})
    assert (found["tokens_in"], found["tokens_out"], found["tokens_reasoning"]) == (100, out, thought)
    assert not found["miscounted"]
