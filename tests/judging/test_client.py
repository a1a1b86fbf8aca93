"""The client against a real HTTP server that misbehaves as servers do."""

from __future__ import annotations

import asyncio
import json
import logging
import math
import time
from email.utils import formatdate
from pathlib import Path

import pytest

from ecva_bench.errors import JudgeError
from ecva_bench.judging import client
from ecva_bench.judging.judge import open_judge

from .build import grade, keys, same
from .conftest import KEY, Open
from .server import Fault, JudgeServer, completion, error

FOUR = {"rationale": "close", "verdicts": [4]}
HALF_JSON = Fault(body=b'{"choices": [{"message": {"content": "{')


def four(system: str, payload: object) -> dict[str, object]:
    return FOUR


@pytest.mark.parametrize(
    "fault",
    [
        Fault(500, error("boom")),
        Fault(503, b"<html>down</html>"),
        Fault(408, b""),
        Fault(429, error("slow down")),
        Fault(drop=True),
        Fault(body=completion("{}"), cut=20),
        HALF_JSON,
        Fault(body=b""),
        Fault(body={"error": {"message": "upstream failed"}}),
        Fault(body={"choices": []}),
        Fault(body=completion("")),
        Fault(body=completion(None)),
        Fault(body=completion('{"verdicts": [9]}')),
        Fault(body=completion('{"verdicts": [4]', finish="length")),
        Fault(body=completion("I cannot decide.")),
    ],
    ids=lambda fault: f"{fault.status} {fault.encoded()[:40]!r} drop={fault.drop} cut={fault.cut}",
)
def test_what_passes_is_asked_again(fault: Fault, judge_at: Open) -> None:
    with JudgeServer(four, faults=[fault, fault]) as server:
        judge = judge_at(server)
        (verdict,) = judge.ask([grade()])
        assert verdict.value == 4
        assert len(server.requests) == 3
        assert judge.usage.retries == 2
        assert server.requests[0].raw == server.requests[2].raw


def test_a_request_that_hangs_or_trickles_is_given_up_in_time(judge_at: Open) -> None:
    hang, trickle = Fault(delay=5.0), Fault(body=completion(json.dumps(FOUR)), drip=0.05)
    with JudgeServer(four, faults=[hang, trickle]) as server:
        start = time.monotonic()
        (verdict,) = judge_at(server, timeout=0.4).ask([grade()])
        assert verdict.value == 4
        assert 0.8 <= time.monotonic() - start < 4
        assert len(server.requests) == 3


def test_a_slow_body_within_the_time_is_read(judge_at: Open) -> None:
    with JudgeServer(four, faults=[Fault(body=completion(json.dumps(FOUR)), drip=0.001)]) as server:
        assert judge_at(server).ask([grade()])[0].value == 4
        assert len(server.requests) == 1


@pytest.mark.parametrize("form", ["seconds", "date", "milliseconds"])
def test_retry_after_is_waited_for_by_all(form: str, judge_at: Open) -> None:
    header = {
        "seconds": {"Retry-After": "1"},
        "date": {"Retry-After": formatdate(time.time() + 2, usegmt=True)},  # whole seconds: at least one is left
        "milliseconds": {"Retry-After-Ms": "1000"},
    }[form]
    arrived: list[float] = []

    def note(system: str, payload: object) -> dict[str, object]:
        arrived.append(time.monotonic())
        return FOUR

    with JudgeServer(note, faults=[Fault(429, error("slow down"), header)]) as server:
        start = time.monotonic()
        verdicts = judge_at(server, concurrency=2).ask([grade(str(n)) for n in range(6)])
        assert [verdict.value for verdict in verdicts] == [4] * 6
        # The other worker's request may have been under way; every later one waits.
        assert all(moment - start >= 0.9 for moment in arrived[1:])


def test_a_pause_nobody_waits_for_ends_the_run(judge_at: Open) -> None:
    fault = Fault(429, error("daily limit"), {"Retry-After": "86400"})
    with JudgeServer(four, faults=[fault]) as server, pytest.raises(JudgeError, match="a pause of 24 hours"):
        judge_at(server, concurrency=1).ask([grade(), same()])


def test_what_does_not_pass_is_unscored_and_never_zero(judge_at: Open) -> None:
    with JudgeServer(lambda *_: Fault(500, error("boom"))) as server:
        judge = judge_at(server, retries=2)
        (verdict,) = judge.ask([grade()])
        assert (verdict.values, verdict.votes, verdict.reason) == (None, (None,), "failed: HTTP 500 boom")
        assert len(server.requests) == 3
        assert (judge.usage.failed, judge.usage.retries) == (1, 2)


def test_what_failed_is_asked_again_next_time_but_an_unparsable_reply_is_an_outcome(judge_at: Open) -> None:
    with JudgeServer(lambda *_: "4.5", faults=[Fault(400, error("no such thing"))]) as server:
        judge = judge_at(server)
        assert judge.ask([grade()])[0].reason == "rejected: HTTP 400 no such thing"
        assert judge.ask([grade()])[0].reason == "unparsable: '4.5'"
        asked = len(server.requests)
        assert asked == 1 + 1 + client.PARSE_RETRIES
        assert judge.ask([grade()])[0].reason == "unparsable: '4.5'"
        assert len(server.requests) == asked


@pytest.mark.parametrize(
    "fault",
    [
        Fault(body=completion(None, refusal="I will not judge this.")),
        Fault(body=completion("", finish="content_filter")),
        Fault(400, error("filtered", code="content_filter")),
    ],
)
def test_a_refusal_is_stored_and_not_asked_again(fault: Fault, judge_at: Open) -> None:
    with JudgeServer(four, faults=[fault]) as server:
        judge = judge_at(server)
        for _ in range(2):
            (verdict,) = judge.ask([grade()])
            assert verdict.values is None
            assert verdict.reason.startswith("refused")
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (Fault(401, error(f"Incorrect API key provided: {KEY}.")), "refuses the key"),
        (Fault(403, error("no access")), "refuses access"),
        (Fault(404, error("The model `scripted` does not exist")), "knows no such model"),
        (Fault(429, error("You exceeded your quota", code="insufficient_quota")), "credit .* is spent"),
    ],
)
def test_what_no_later_call_would_survive_ends_the_run(fault: Fault, message: str, judge_at: Open) -> None:
    with JudgeServer(lambda *_: fault) as server:
        judge = judge_at(server, concurrency=4)
        with pytest.raises(JudgeError, match=message) as caught:
            judge.ask([grade(str(n)) for n in range(50)])
        assert len(server.requests) <= 4
        assert KEY not in str(caught.value)


def test_an_endpoint_that_is_down_ends_the_run(judge_at: Open) -> None:
    with JudgeServer(four) as server:
        pass
    judge = judge_at(server, retries=0, concurrency=8)
    with pytest.raises(JudgeError, match="20 calls in a row failed, the last with: the connection failed"):
        judge.ask([grade(str(n)) for n in range(100)])


def test_replies_under_way_when_a_run_ends_are_kept(judge_at: Open) -> None:
    def slow_but_sure(system: str, payload: dict[str, str]) -> object:
        return Fault(401, error("no")) if payload["candidate"] == "bad" else Fault(body=completion("4"), delay=0.3)

    with JudgeServer(slow_but_sure) as server:  # type: ignore[arg-type]
        judge = judge_at(server, concurrency=4)
        with pytest.raises(JudgeError):
            judge.ask([grade(text) for text in ("a", "b", "c", "bad", "d", "e")])
        assert [v.value for v in judge.ask([grade(text) for text in "abc"])] == [4, 4, 4]
        assert sorted(payload["candidate"] for payload in server.payloads) == ["a", "b", "bad", "c"]


def test_a_pause_that_cannot_be_read_is_an_ordinary_one(judge_at: Open) -> None:
    faults = [Fault(429, b"{}", headers={name: "soon"}) for name in ("retry-after-ms", "retry-after")]
    with JudgeServer(four, faults=faults) as server:
        assert judge_at(server).ask([grade()])[0].value == 4


@pytest.mark.parametrize(
    "names", [("response_format",), ("seed", "temperature"), ("logprobs", "max_completion_tokens")]
)
def test_an_endpoint_that_turns_parameters_down_is_asked_without(names: tuple[str, ...], judge_at: Open) -> None:
    with JudgeServer(four, refuses=names) as server:
        judge = judge_at(server, concurrency=1)
        assert [v.value for v in judge.ask([grade("a"), grade("b")])] == [4, 4]
        assert len(server.requests) == 2 + len(names)
        assert not set(names) & server.requests[-1].body.keys()
        # A reply stays bounded, or a budget would not be kept to.
        assert ("max_tokens" in server.requests[-1].body) == ("max_completion_tokens" in names)
        assert judge.usage.retries == 0


def test_what_is_asked_for(judge_at: Open) -> None:
    with JudgeServer(lambda *_: {"verdicts": ["yes", "no"]}) as server:
        judge_at(server, seed=7).ask([keys("a", "b")])
        body = server.requests[0].body
    assert server.requests[0].path == "/v1/chat/completions"
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert (body["model"], body["temperature"], body["seed"]) == ("scripted", 0, 7)
    assert body["response_format"]["json_schema"]["strict"] is True
    assert [message["role"] for message in body["messages"]] == ["system", "user"]


def test_log_probabilities_give_expectations(judge_at: Open) -> None:
    def token(text: str, **top: float) -> dict[str, object]:
        return {"token": text, "logprob": -0.5, "top_logprobs": [{"token": t, "logprob": p} for t, p in top.items()]}

    spelled = [token('{"verdicts": ["'), token("yes", yes=-0.5, no=-0.5), token('"]}')]
    reply = completion('{"verdicts": ["yes"]}', logprobs=spelled)
    with JudgeServer(lambda *_: reply) as server:
        (verdict,) = judge_at(server).ask([same()])
    assert (verdict.value, verdict.expectation) == (1, pytest.approx(0.5))


@pytest.mark.parametrize("token", [{"token": "4"}, "4", *({"token": "4", "logprob": p} for p in (1e3, math.inf))])
def test_malformed_log_probabilities_cost_no_verdict(token: object, judge_at: Open) -> None:
    with JudgeServer(lambda *_: completion("4", logprobs=[token])) as server:  # type: ignore[list-item]
        (verdict,) = judge_at(server).ask([grade()])
    assert (verdict.value, verdict.expectation) == (4, None)


def test_no_more_calls_at_once_than_allowed_over_as_many_connections(judge_at: Open) -> None:
    with JudgeServer(four, delay=0.02) as server:
        judge_at(server, concurrency=5).ask([grade(str(n)) for n in range(40)])
        assert server.most_open == 5
        assert server.connections <= 5


def test_the_key_stays_out_of_store_log_and_errors(
    judge_at: Open, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    said = f'{{"rationale": "your key is {KEY}", "verdicts": [4]}}'
    faults = [Fault(500, error(f"bad header Authorization: Bearer {KEY}")), Fault(body=completion(said))]
    with JudgeServer(lambda *_: Fault(422, error(f"no, {KEY}")), faults=faults) as server:
        judge = judge_at(server, retries=1, concurrency=1)
        verdicts = judge.ask([grade("a"), grade("b")])
        judge.export(tmp_path / "export.jsonl")
        judge.close()
    assert verdicts[0].value == 4
    assert verdicts[1].reason == "rejected: HTTP 422 no, [key]"
    kept = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert kept
    for text in (*kept, str(verdicts).encode(), caplog.text.encode()):
        assert KEY.encode() not in text


def test_neither_key_nor_endpoint_is_said_before_anything_is_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    with (
        open_judge("scripted", store=tmp_path / "s.sqlite") as judge,
        pytest.raises(JudgeError, match="there is no key for the endpoint: OPENAI_API_KEY"),
    ):
        judge.ask([grade()])
    with (
        open_judge("scripted", store=tmp_path / "s.sqlite", base_url="localhost:8000/v1") as judge,
        pytest.raises(JudgeError, match="no http address"),
    ):
        judge.ask([grade()])


def test_the_endpoint_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    with JudgeServer(four) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        with open_judge("scripted", store=tmp_path / "s.sqlite") as judge:
            assert judge.ask([grade()])[0].value == 4


def test_it_works_where_a_loop_is_running_already(judge_at: Open) -> None:
    with JudgeServer(four) as server:
        judge = judge_at(server)

        async def notebook() -> list[float | None]:
            return [verdict.value for verdict in judge.ask([grade("a")])]

        assert asyncio.run(notebook()) == [4]
        assert judge.ask([grade("b")])[0].value == 4


def test_a_call_that_is_at_fault_itself_changes_nothing_for_the_others(judge_at: Open) -> None:
    def rule(system: str, payload: dict[str, str]) -> object:
        too_long = Fault(400, error("'max_completion_tokens' is too large: 4096, with 9000 tokens of input"))
        return too_long if payload["candidate"] == "long" else FOUR

    with JudgeServer(rule) as server:  # type: ignore[arg-type]
        judge = judge_at(server, concurrency=1)
        long, short = judge.ask([grade("long"), grade("short")])
        assert "max_completion_tokens" in server.requests[-1].body
    assert "is too large" in long.reason
    assert short.value == 4
    assert "left-out" not in judge.identity()
