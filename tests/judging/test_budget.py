"""A run stops before it spends more than it may, keeps what it has, and goes on from there."""

from __future__ import annotations

import json
import math
import random
from contextlib import suppress
from importlib.resources import files
from pathlib import Path

import pytest

from ecva_bench.errors import BudgetExhausted, JudgeError
from ecva_bench.judging.bounds import Size
from ecva_bench.judging.budget import Budget, Limits, Usage
from ecva_bench.judging.completions import MAX_REPLY_TOKENS
from ecva_bench.judging.prices import Price, find_price
from ecva_bench.judging.store import Reply

from .build import grade
from .conftest import Open
from .server import Fault, JudgeServer, Request, completion, error

# A reply of 1000 tokens in, 800 of them cached, and 100 out, at 2, 1 and 10 USD per million: 0.0022 USD.
REPLY = completion("3", tokens=(1000, 100, 800))
COST = (200 * 2 + 800 * 1 + 100 * 10) / 1e6


@pytest.fixture
def prices(tmp_path: Path) -> Path:
    path = tmp_path / "prices.json"
    path.write_text(json.dumps({"models": {"scripted": {"input": 2, "cached_input": 1, "output": 10}}}))
    return path


@pytest.mark.parametrize("concurrency", [1, 8])
def test_a_budget_is_for_all_commands_and_a_larger_one_goes_on(concurrency: int, judge_at: Open, prices: Path) -> None:
    calls = [grade(str(n)) for n in range(60)]
    limit = 40 * COST
    with JudgeServer(lambda *_: REPLY, delay=0.005) as server:
        options = {"prices": prices, "concurrency": concurrency}
        for _ in range(3):
            judge = judge_at(server, **options, budget_usd=limit)
            with pytest.raises(BudgetExhausted, match=r"USD used\): scripted: what was asked is stored"):
                judge.ask(calls)
            assert 0.95 * limit <= len(server.requests) * COST <= limit
        judge = judge_at(server, **options, budget_usd=60 * COST + MAX_REPLY_TOKENS * 10 / 1e6)
        assert [verdict.value for verdict in judge.ask(calls)] == [3] * 60
        assert len(server.requests) == 60  # every call once, over all runs
        assert judge.usage.usd == pytest.approx((60 - 39) * COST, abs=2 * COST)


def test_what_replies_that_were_lost_may_have_cost_counts_in_the_next_command(judge_at: Open, prices: Path) -> None:
    most = MAX_REPLY_TOKENS * 10 / 1e6
    with JudgeServer(lambda *_: REPLY, faults=[Fault(drop=True)] * 9) as server:
        options = {"prices": prices, "budget_usd": 2.5 * most, "retries": 0}
        for requests in (1, 2, 2):
            with suppress(BudgetExhausted):
                judge_at(server, **options).ask([grade()])
            assert len(server.requests) == requests


def test_tokens_are_limited_too(judge_at: Open) -> None:
    with JudgeServer(lambda *_: REPLY) as server:
        judge = judge_at(server, budget_tokens=10_000 + MAX_REPLY_TOKENS, concurrency=4)
        with pytest.raises(BudgetExhausted, match="tokens used"):
            judge.ask([grade(str(n)) for n in range(30)])
        assert judge.usage.tokens_in + judge.usage.tokens_out <= 10_000 + MAX_REPLY_TOKENS
        assert len(server.requests) >= 6


def test_replies_that_do_not_say_what_they_cost_count_as_the_most(judge_at: Open) -> None:
    silent = {key: value for key, value in REPLY.items() if key != "usage"}
    with JudgeServer(lambda *_: silent) as server:
        judge = judge_at(server, budget_tokens=3 * (MAX_REPLY_TOKENS + 3000))
        with pytest.raises(BudgetExhausted):
            judge.ask([grade(str(n)) for n in range(30)])
        assert judge.usage.uncounted == len(server.requests) in (3, 4)


@pytest.mark.parametrize("count", ["12", 12.5, math.nan, -1, True])
def test_a_count_of_tokens_that_is_none_costs_no_verdict(count: object, judge_at: Open, prices: Path) -> None:
    with JudgeServer(lambda *_: REPLY | {"usage": {"prompt_tokens": 9, "completion_tokens": count}}) as server:
        judge = judge_at(server, prices=prices)
        assert judge.ask([grade()])[0].value == 3
        assert (judge.usage.uncounted, judge.usage.tokens_in) == (1, 0)
        assert judge.usage.usd == pytest.approx(MAX_REPLY_TOKENS * 10 / 1e6, rel=0.1)  # the most it can have been


@pytest.mark.parametrize("usage", [(-1, 10, 0), (12.5, 10, 0), (1000, 10**6, 0), (10**6, 10, 0), (100, 10, 900)])
def test_a_reply_that_counts_what_cannot_be_is_no_verdict_within_a_budget(
    usage: tuple[float, int, int], judge_at: Open, prices: Path
) -> None:
    with JudgeServer(lambda *_: completion("3", tokens=usage)) as server:
        judge = judge_at(server, prices=prices, budget_usd=1.0)
        (verdict,) = judge.ask([grade()])
        assert verdict.values is None
        assert "the endpoint counts" in verdict.reason
        assert (judge.usage.failed, judge.usage.uncounted, judge.usage.tokens_in) == (1, 1, 0)
        assert judge.usage.usd is not None
        assert MAX_REPLY_TOKENS * 10 / 1e6 < judge.usage.usd < 2 * MAX_REPLY_TOKENS * 10 / 1e6  # what was reserved


def test_a_request_that_was_sent_and_lost_may_have_cost_the_most(judge_at: Open, prices: Path) -> None:
    faults = [
        Fault(drop=True),
        Fault(cut=20),
        Fault(503, error("busy")),
        Fault(504, error("timed out")),
    ]
    with JudgeServer(lambda *_: REPLY, faults=faults) as server:
        judge = judge_at(server, prices=prices, budget_usd=1.0)
        assert judge.ask([grade()])[0].value == 3
        assert judge.usage.uncounted == 3  # an error that is told is not billed, but for a gateway's time-out
        assert judge.usage.usd is not None
        assert judge.usage.usd > 3 * MAX_REPLY_TOKENS * 10 / 1e6


class BillingServer(JudgeServer):
    """An endpoint that bills what it did, also for replies that never arrive: `bills` are tokens, request by request.

    By a die of its own it answers well, drops the connection, is too slow, has a gateway say so, or takes no notice of
    the longest reply.
    """

    LONGEST, PROMPT = 60, 200  # tokens

    def __init__(self, seed: int, longer: int) -> None:
        super().__init__(lambda *_: REPLY)
        self.dice, self.longer, self.bills = random.Random(seed), longer, list[int]()

    def outcome(self, request: Request) -> Fault:
        super().outcome(request)
        kind = self.dice.choice(["well", "well", "drop", "slow", "gateway", "long"])
        out = {"well": 20, "long": self.longer * self.LONGEST}.get(kind, self.LONGEST)
        self.bills.append(self.PROMPT + out)
        body = completion(json.dumps({"rationale": "x" * 2 * out, "verdicts": [3]}), tokens=(self.PROMPT, out, 0))
        slow = 0.3 if kind == "slow" else 0.0
        return Fault(504 if kind == "gateway" else 200, body, drop=kind == "drop", delay=slow)


@pytest.mark.parametrize("longer", [3, 30])
@pytest.mark.parametrize(("seed", "concurrency"), [(1, 1), (2, 4), (3, 8)])
def test_whatever_an_endpoint_does_its_bill_is_above_the_limit_by_one_call_for_each_connection_at_most(
    seed: int, concurrency: int, longer: int, judge_at: Open
) -> None:
    limit = 16_000
    with BillingServer(seed, longer) as server:
        options = {"concurrency": concurrency, "timeout": 0.1, "retries": 3, "max_tokens": server.LONGEST}
        calls = [grade(str(n)) for n in range(80)]
        for _ in range(3):
            with pytest.raises(BudgetExhausted):
                judge_at(server, **options, budget_tokens=limit).ask(calls)
        assert sum(server.bills) <= limit + concurrency * max(server.bills)
        assert sum(server.bills) > limit / 4
        assert sum(sum(server.bills[:n]) > limit for n in range(len(server.bills))) <= concurrency


def test_a_reply_longer_than_asked_is_charged_as_it_came(judge_at: Open) -> None:
    long = completion(json.dumps({"rationale": "y" * 4000, "verdicts": [3]}), tokens=(200, 1500, 0))
    with JudgeServer(lambda *_: long) as server:
        judge = judge_at(server, budget_tokens=100_000, max_tokens=50)
        assert judge.ask([grade()])[0].value == 3
        assert (judge.usage.tokens_out, judge.usage.uncounted) == (1500, 0)


def test_an_endpoint_that_counts_more_than_is_possible_raises_the_bound_before_the_others_are_sent(
    judge_at: Open, prices: Path
) -> None:
    reply = completion("3", tokens=(1000, 3 * MAX_REPLY_TOKENS, 0))  # it takes no notice of the longest reply
    cost = (1000 * 2 + 3 * MAX_REPLY_TOKENS * 10) / 1e6
    with JudgeServer(lambda *_: reply, delay=0.01) as server:
        judge = judge_at(server, prices=prices, budget_usd=6.5 * cost, concurrency=16)
        with pytest.raises(BudgetExhausted):
            judge.ask([grade(str(n)) for n in range(30)])
        assert judge.usage.usd is not None
        assert judge.usage.usd <= 6.5 * cost
        assert len(server.requests) in (5, 6)


def test_what_is_in_the_store_costs_nothing(judge_at: Open, prices: Path) -> None:
    with JudgeServer(lambda *_: REPLY) as server:
        judge_at(server).ask([grade()])
        judge = judge_at(server, prices=prices, budget_usd=0.0)
        assert judge.ask([grade()])[0].value == 3
        assert judge.usage.usd == 0


def test_the_report_counts_every_reply_also_those_thrown_away(judge_at: Open, prices: Path) -> None:
    replies = iter([completion("?", tokens=(1000, 100, 800)), REPLY])
    with JudgeServer(lambda *_: next(replies)) as server:
        judge = judge_at(server, prices=prices)
        judge.ask([grade()])
        assert judge.usage.usd == pytest.approx(2 * COST)
        assert (judge.usage.tokens_in, judge.usage.tokens_out, judge.usage.tokens_cached) == (2000, 200, 1600)


def test_without_a_price_usd_are_unknown_and_a_budget_is_refused(judge_at: Open) -> None:
    with JudgeServer(lambda *_: REPLY) as server:
        judge = judge_at(server)
        judge.ask([grade()])
        assert judge.usage.usd is None
        with pytest.raises(JudgeError, match="needs the model's price: scripted: name a file with --prices"):
            judge_at(server, budget_usd=1.0)


def test_the_packaged_table_has_sources_and_is_extended_by_the_users(prices: Path) -> None:
    table = json.loads((files("ecva_bench.judging") / "prices.json").read_text())
    assert all(row["date"] and row["source"] for row in table["models"].values())
    assert find_price("scripted") is None
    assert find_price("scripted", prices) == Price(2, 10, 1)
    assert find_price("gpt-4o-mini", prices) == find_price("gpt-4o-mini")
    assert Price(2, 10, 1).of(1000, 100, 800) == pytest.approx(COST)
    sol = find_price("gpt-6-sol")
    assert sol is not None
    assert sol.of(272_000, 1000) == pytest.approx(272_000 * 2e-6 + 1000 * 10e-6)
    assert sol.of(272_001, 1000, 1) == pytest.approx(272_000 * 4e-6 + 0.4e-6 + 1000 * 15e-6)


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"models": []}', '{"models": {"m": {"input": 1}}}', '{"models": {"m": {"input": -1, "output": 1}}}'],
)
def test_a_table_that_is_none_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text(text)
    with pytest.raises(JudgeError, match=r"p\.json"):
        find_price("m", tmp_path / "p.json")


def test_pictures_are_held_at_the_most_they_can_count_until_a_reply_has_counted_such() -> None:
    budget = Budget("m", Usage(), price=None, limits=Limits(tokens=1500))
    four, five = (Size(text=100, out=50, pictures=900, alike=frames) for frames in (4, 5))
    first = budget.reserve_in_batch(four)
    with pytest.raises(BudgetExhausted, match="which may take 1050 tokens"):
        budget.reserve_in_batch(four)
    budget.settle(first, Reply("", tokens_in=300, tokens_out=20))
    for counted in (200, 300):  # of several counts the largest is what such pictures may take
        other = budget.hold_in_batch(five)
        with pytest.raises(BudgetExhausted, match="which may take 450 tokens"):
            budget.reserve_in_batch(four)
        budget.settle(other, None)
        budget.settle(budget.reserve_in_batch(four), Reply("", tokens_in=counted, tokens_out=20))
    assert budget.usage.tokens_in == 800
