"""Models that think, behind `openai:`: how much is said, what of it is an answer, and what it costs, by dialect."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ecva_bench.answering import create_adapter
from ecva_bench.answering.run_status import same_way
from ecva_bench.errors import AnswerCutOff, ModelGone, UsageError
from ecva_bench.journal.results import read_results
from ecva_bench.records.base import View
from ecva_bench.video import Video
from tests.judging.server import completion

from .model_server import ModelServer, ask_all
from .test_openai_endpoint import _short_pauses, folder, video

MODEL = "openai:thinker"
__all__ = ["_short_pauses", "folder", "video"]


def at(server: ModelServer, **options: str) -> dict[str, str]:
    return {"base_url": server.url, "retries": "0", "timeout": "5", "frames": "2", "concurrency": "1", **options}


def said(finish: str = "length", *, thought: int | None = None, **message: Any) -> dict[str, Any]:
    """A reply of 1,024 tokens, of which so many were thought."""
    reply = completion("", finish=finish, tokens=(900, 1024, 0))
    reply["choices"][0]["message"] = {"role": "assistant", **message}
    if thought is not None:
        reply["usage"]["completion_tokens_details"] = {"reasoning_tokens": thought}
    return reply


IN_THOUGHT = {
    "openai": said(thought=1024, content=""),
    "vllm": said(content=None, reasoning_content="The car comes from the left"),
    "openrouter": said(content="", reasoning="The car", reasoning_details=[{"type": "reasoning.text", "text": "…"}]),
    "gemini": said("MAX_TOKENS"),
    "in the text": said(content="<think>The car comes from the left and"),
}


@pytest.mark.parametrize("reply", IN_THOUGHT.values(), ids=IN_THOUGHT.keys())
def test_a_reply_that_ended_in_its_thoughts_is_an_error_with_the_remedy(
    reply: dict[str, Any], folder: Path, tmp_path: Path
) -> None:
    with ModelServer(says=[reply]) as server:
        results = ask_all(MODEL, at(server), folder, tmp_path / "r.jsonl")
        assert len(server.requests) == 9  # asking again for as many tokens would cost as many
    (failure,) = results.failures
    assert (failure.error, failure.stage, failure.retryable) == (AnswerCutOff.code, "answer", False)
    assert "max-new-tokens" in failure.message
    assert "reasoning-effort" in failure.message
    assert len(results.answers) == 8


def test_a_text_that_began_is_an_answer_that_was_cut_off(folder: Path, tmp_path: Path) -> None:
    with ModelServer(says=[said(content="A car turned late and", thought=1000)]) as server:
        results = ask_all(MODEL, at(server), folder, tmp_path / "r.jsonl")
    assert [one.answer for one in results.answers if one.cut_off] == ["A car turned late and"]
    assert not results.failures


def test_a_model_that_never_comes_to_an_answer_is_not_paid_for_all_questions(folder: Path, tmp_path: Path) -> None:
    with ModelServer(says=30 * [IN_THOUGHT["openai"]]) as server:
        with pytest.raises(ModelGone, match="20 replies in a row ended at their most tokens"):
            ask_all(MODEL, at(server), folder, tmp_path / "a.jsonl", views=("full", "anomaly", "blank"))
        under_way = 2  # of the same video, asked together
        assert 20 <= len(server.requests) <= 20 + under_way


@pytest.mark.parametrize("answered", [False, True])
def test_a_reply_that_stands_for_all_videos_counts_for_each(answered: bool, folder: Path, tmp_path: Path) -> None:
    ask, out = {"base_url": "", "retries": "0"}, tmp_path / "b.jsonl"
    with ModelServer(
        says=[IN_THOUGHT["openai"], IN_THOUGHT["openai"], None if answered else IN_THOUGHT["vllm"]]
    ) as server:
        ask["base_url"] = server.url
        views: tuple[View, ...] = ("full", "anomaly", "blank")
        if answered:
            results = ask_all("blind:openai:thinker", ask, folder, out, views=views)
            assert (len(results.answers), len(results.failures)) == (9, 18)
        else:
            with pytest.raises(ModelGone, match=r"2\d replies in a row ended at their most tokens"):
                ask_all("blind:openai:thinker", ask, folder, out, views=views)
            assert 18 <= len(read_results(out).failures) < 20
        assert len(server.requests) == 3


def test_what_is_said_of_thinking_is_sent_recorded_and_part_of_the_keys(folder: Path, tmp_path: Path) -> None:
    own = {"top_k": 20, "chat_template_kwargs": {"enable_thinking": True}}
    settings: list[dict[str, str]] = [
        {},
        {"reasoning_effort": "low"},
        {"reasoning_effort": "high"},
        {"extra_body": json.dumps(own)},
    ]
    keys, bodies, generations = [], [], []
    for number, options in enumerate(settings):
        with ModelServer() as server:
            results = ask_all(MODEL, at(server, **options), folder, tmp_path / f"{number}.jsonl")
            bodies.append(server.requests[0].body)
        keys.append({one.key for one in results.answers})
        generations.append(results.spec["description"]["generation"])
    as_ever = {"temperature": 0, "seed": 0, "max_completion_tokens": 1024}
    assert bodies[0].keys() == {"model", "messages", *as_ever}
    said_so = [{}, {"reasoning_effort": "low"}, {"reasoning_effort": "high"}, {"extra_body": own}]
    assert generations == [{**as_ever, **more} for more in said_so]
    assert [body.get("reasoning_effort") for body in bodies] == [None, "low", "high", None]
    assert own.items() <= bodies[3].items()
    assert all(not one & other for place, one in enumerate(keys) for other in keys[:place])


def test_a_budget_is_told_as_the_endpoint_takes_it(video: Video) -> None:
    forms = {
        "https://openrouter.ai/api/v1": {"reasoning": {"max_tokens": 500}},
        "https://api.anthropic.com/v1/": {"thinking": {"type": "enabled", "budget_tokens": 500}},
        "https://generativelanguage.googleapis.com/v1beta/openai/": {
            "extra_body": {"google": {"thinking_config": {"thinking_budget": 500}}}
        },
    }
    for url, form in forms.items():
        described = create_adapter(MODEL, {"base_url": url, "thinking_budget": "500"}).describe()["generation"]
        assert described["thinking_budget"] == {"tokens": 500, "as": form}
    with pytest.raises(UsageError, match=r"not known.*thinking_token_budget"):
        create_adapter(MODEL, {"base_url": "http://127.0.0.1:8000/v1", "thinking_budget": "500"})
    with pytest.raises(UsageError, match="reasoning-effort"):
        create_adapter(MODEL, {"thinking_budget": "500"})
    with pytest.raises(UsageError, match="no room for an answer"):
        create_adapter(MODEL, {"base_url": "https://openrouter.ai/api/v1", "thinking_budget": "1024"})


@pytest.mark.parametrize(
    "options",
    [
        {"extra_body": '{"messages": []}'},
        {"extra_body": '{"model": "other"}'},
        {"extra_body": '{"temperature": 1}'},
        {"extra_body": '{"max_completion_tokens": 5}'},
        {"extra_body": '{"n": 2}'},
        {"extra_body": '{"stream": true}'},
        {"extra_body": '{"reasoning_effort": "high"}', "reasoning_effort": "low"},
        {"extra_body": '{"provider": {"api_key": "x"}}'},
        {"extra_body": '{"user": "sk-very-secret-0123456789"}'},
        {"extra_body": "[1]"},
        {"extra_body": "{"},
        {"extra_body": '{"top_p": NaN}'},
        {"reasoning_effort": "as much as you like"},
        {"thinking_budget": "-1"},
    ],
)
def test_what_would_override_the_harness_or_means_nothing_is_refused(options: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="--model-arg"):
        create_adapter(MODEL, {"base_url": "http://127.0.0.1:8000/v1", **options})


def test_thoughts_are_billed_however_an_endpoint_counts_them(folder: Path, tmp_path: Path) -> None:
    beside, in_the_sum = said("stop", content="A car."), said("stop", content="A car.")
    few = {"completion_tokens": 24, "total_tokens": 1924}
    beside["usage"] |= {**few, "completion_tokens_details": {"reasoning_tokens": 1000}}
    in_the_sum["usage"] |= few
    inside = said("stop", content="A car.", thought=1000)
    prices = tmp_path / "prices.json"
    prices.write_text(json.dumps({"models": {"thinker": {"input": 1.0, "output": 10.0}}}))
    with ModelServer(says=3 * [inside, beside, in_the_sum]) as server:
        ask_all(MODEL, at(server, prices=str(prices), budget_usd="1"), folder, tmp_path / "r.jsonl")
    events = [json.loads(line) for line in (tmp_path / "r.jsonl").read_text().splitlines()]
    spent = [one["detail"] for one in events if one.get("event") == "spent"]
    assert sum(one.get("tokens_out", 0) for one in spent) == 9 * 1024
    assert sum(one.get("tokens_reasoning", 0) for one in spent) == 9 * 1000
    assert sum(one.get("usd", 0) for one in spent) == pytest.approx(9 * (900 * 1.0 + 1024 * 10.0) / 1e6)


def test_a_trial_that_thought_more_says_nothing_of_what_a_run_costs() -> None:
    def spec(**generation: object) -> dict[str, Any]:
        return {"model": MODEL, "description": {"frames": 2, "generation": {"seed": 0, **generation}}}

    assert same_way(spec(), spec(left_out=["seed"]))
    assert not same_way(spec(), spec(reasoning_effort="high"))
    assert not same_way(spec(extra_body={"top_k": 1}), spec(extra_body={"top_k": 2}))
