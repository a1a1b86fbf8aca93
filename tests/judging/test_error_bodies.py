"""The reason of an error reaches the user, whatever the shape of the body; rejected parameters are left out."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecva_bench.judging.error_bodies import read_error_body
from tests.cases import case

from .build import grade
from .conftest import Open
from .server import Fault, JudgeServer, Request, completion

REASON = "This service does not know it."
# Bodies as services give them, each turning down `seed`.
SHAPES: dict[str, Any] = {
    "object": {"error": {"message": f"seed: {REASON}", "type": "invalid_request_error"}},
    "param": {"error": {"message": REASON, "param": "seed", "code": "unsupported_parameter"}},
    "list": [{"error": {"code": 400, "message": f'"seed". {REASON}', "status": "INVALID_ARGUMENT"}}],
    "violations": {"error": {"message": REASON, "details": [{"fieldViolations": [{"field": "seed"}]}]}},
    "text": f"seed. {REASON}",
    "text in error": {"error": f"Unknown: seed. {REASON}"},
    "message": {"object": "error", "message": f"seed: {REASON}", "code": 400},
    "detail": {"detail": f"Seed: {REASON}"},
    "details": {
        "detail": [{"loc": ["body", "seed"], "msg": REASON, "type": "extra_forbidden", "input": {"temperature": 0}}]
    },
    "nested": {"detail": {"errors": [{"loc": ["body", "seed"], "msg": REASON}]}},
    "errors": {"errors": [{"message": f"seed: {REASON}"}]},
    "errors as texts": {"errors": [f"seed: {REASON}"]},
    "errors by field": {"errors": {"seed": [REASON]}},
    "fields": {"seed": [REASON]},
    "problem": {"title": "Bad Request", "status": 400, "invalid-params": [{"name": "seed", "reason": REASON}]},
    "under other names": {"a": {"b": [{"c": {"d": f"Unsupported parameter: 'seed'. {REASON}"}}]}},
    "handed on": {
        "error": {"message": "Provider failed", "metadata": {"raw": json.dumps({"detail": f"seed: {REASON}"})}}
    },
    "handed on as text": {"error": json.dumps([{"error": {"message": REASON, "param": "seed"}}])},
    "page": f"<html><head><style>p {{temperature: 0}}</style></head><body><h1>seed</h1><p>{REASON}</p></body></html>",
    "plain": f"unknown field 'seed'; {REASON}",
    "xml": f"<Error><Code>BadField</Code><Message>seed: {REASON}</Message></Error>",
}


def encoded(name: str) -> bytes:
    body = SHAPES[name]
    return body.encode() if name in ("page", "plain", "xml") else json.dumps(body).encode()


class Refusing(JudgeServer):
    """Sends a body back to every request that has a parameter."""

    def __init__(self, parameter: str, status: int, body: bytes) -> None:
        super().__init__(lambda *_: "4")
        self.parameter, self.fault = parameter, Fault(status, body)

    def outcome(self, request: Request) -> Fault:
        self.requests.append(request)
        return self.fault if self.parameter in request.body else Fault(body=completion("4"))


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize("name", SHAPES)
def test_a_parameter_is_left_out_in_whatever_shape_it_is_turned_down(name: str, status: int, judge_at: Open) -> None:
    with Refusing("seed", status, encoded(name)) as server:
        judge = judge_at(server, concurrency=1)
        assert judge.ask([grade("a"), grade("b")])[1].value == 4
        guessed = not read_error_body(encoded(name)).names  # then it is asked once more as it was
        assert len(server.requests) == 3 + guessed
        without = server.requests[1 + guessed].body
        assert set(server.requests[0].body) - set(without) == {"seed"}  # and nothing that was only near


@pytest.mark.parametrize(
    "fault",
    [
        Fault(400, {"error": {"message": "try again: the seed pool is being refilled"}}),
        Fault(400, {"error": {"message": "a message quotes 'seed'", "param": "messages"}}),
    ],
    ids=["a fault that passes", "the messages"],
)
def test_an_error_that_only_speaks_of_a_parameter_takes_it_from_no_request(fault: Fault, judge_at: Open) -> None:
    with JudgeServer(lambda *_: completion("4"), faults=[fault]) as server:
        judge = judge_at(server, concurrency=1)
        judge.ask([grade("a"), grade("b")])
        assert all("seed" in request.body for request in server.requests)
        assert judge.identity()["seed"] == "0"


def test_the_parameter_that_an_error_is_about_counts_and_not_another_that_it_mentions(judge_at: Open) -> None:
    with Refusing("seed", 400, json.dumps({"seed": ["send a temperature alone"]}).encode()) as server:
        assert judge_at(server).ask([grade("a")])[0].value == 4
        assert set(server.requests[0].body) - set(server.requests[1].body) == {"seed"}


@pytest.mark.parametrize("name", SHAPES)
def test_the_reason_reaches_the_user_in_whatever_shape(name: str, judge_at: Open) -> None:
    with JudgeServer(lambda *_: Fault(429, encoded(name))) as server:
        (verdict,) = judge_at(server, retries=0).ask([grade()])
    assert verdict.reason.startswith("failed: HTTP 429 ")
    assert REASON in verdict.reason
    assert "temperature" not in verdict.reason


def test_each_case_is_left_out_or_told(judge_at: Open) -> None:
    folder = case("endpoint_errors")
    for name, wanted in json.loads((folder / "expected.json").read_text()).items():
        body = (folder / name).read_bytes()
        if left_out := wanted.get("left out"):
            with Refusing(left_out[0], wanted["status"], body) as server:
                assert judge_at(server).ask([grade(name)])[0].value == 4
                assert not set(left_out) & server.requests[-1].body.keys()
        else:
            failing = [Fault(wanted["status"], body)]
            with JudgeServer(lambda *_: "4", faults=failing) as server:
                assert wanted["reason holds"] in judge_at(server, retries=0).ask([grade(name)])[0].reason


def test_an_error_under_a_status_of_success_is_one(judge_at: Open) -> None:
    limited = {"error": {"code": 429, "message": "Slow down."}}
    with JudgeServer(lambda *_: Fault(body=limited)) as server:
        assert judge_at(server, retries=0).ask([grade("a")])[0].reason == "failed: HTTP 429 Slow down."
    with JudgeServer(lambda *_: Fault(body=b"<html><body>Please log in</body></html>")) as server:
        (verdict,) = judge_at(server, retries=0).ask([grade("b")])
    assert verdict.reason == "failed: the response is no chat completion: Please log in"
    with Refusing("seed", 200, json.dumps({"error": {"message": "Unsupported: seed"}}).encode()) as server:
        assert judge_at(server).ask([grade("c")])[0].value == 4


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"7", b"[]", b"{}", b'{"error": null}', b"\xff\xfe", b"[" * 100_000, b'{"error": ' * 50_000, b'""'],
    ids=lambda body: body[:12].decode("ascii", "ignore"),
)
def test_a_body_that_says_nothing_is_no_trouble(body: bytes) -> None:
    found = read_error_body(body)
    assert (found.names, found.codes) == ("", ())


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["error", "message", "loc"]), inner),
    max_leaves=20,
)


@given(json_values)
def test_any_body_is_read(value: Any) -> None:
    found = read_error_body(json.dumps(value).encode())
    assert found.of_json == bool(found.message)


@given(st.lists(st.sampled_from(["error", "errors", "detail", "message", "msg"]), max_size=5), st.booleans())
def test_a_reason_is_found_at_any_depth(path: list[str], listed: bool) -> None:
    body: Any = REASON
    for key in path:
        body = [{key: body}] if listed else {key: body}
    assert read_error_body(json.dumps(body).encode()).message == REASON


@pytest.mark.parametrize("piece", [b"<", b"<a>", b"<script>", b'{"error":', b"&", b'[{"message":"a"},'])
def test_a_long_body_is_read_in_a_time_that_grows_as_it_does(piece: bytes) -> None:
    start = time.monotonic()
    read_error_body(b"<html>" + piece * 100_000)
    read_error_body(piece * 100_000)
    assert time.monotonic() - start < 20
