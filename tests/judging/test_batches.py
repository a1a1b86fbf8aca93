"""A judge asked by batches: the verdicts are those of single calls, at half the price, and none is paid twice."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ecva_bench.errors import BudgetExhausted, JudgeError
from ecva_bench.judging import batches
from ecva_bench.judging.store import Store
from ecva_bench.judging.transport import BatchTransport
from tests.batch_server import BatchMeter
from tests.metering import Meter

from .build import grade
from .conftest import Open

VERDICT = json.dumps({"rationale": "", "verdicts": [4]})
CALLS = [grade(f"a van brakes {n} times") for n in range(30)]
PRICE = {"models": {"scripted": {"input": 2, "cached_input": 1, "output": 10}}}


@pytest.fixture
def prices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(batches, "FIRST_WAIT_S", 0.0)
    path = tmp_path / "prices.json"
    path.write_text(json.dumps(PRICE))
    return path


def test_verdicts_by_batches_are_those_of_single_calls_at_half_the_price(
    judge_at: Open, prices: Path, tmp_path: Path
) -> None:
    with Meter("scripted", VERDICT) as server:
        single = judge_at(server, prices=prices, store=tmp_path / "single.sqlite")
        expected = single.ask(CALLS)
    with BatchMeter("scripted", VERDICT) as server:
        judge = judge_at(server, prices=prices, batch=True)
        assert judge.ask(CALLS) == expected
        assert judge.ask(CALLS) == expected  # from the store
        assert len(server.usages) == 1
        assert len(server.billed_half) == 29
        assert judge.usage.usd == pytest.approx(server.usd(2, 10, 1))
        assert (judge.usage.asked, judge.usage.failed) == (30, 0)
        assert judge.identity() == single.identity()
    assert single.usage.usd is not None
    assert judge.usage.usd is not None
    assert 0.5 * single.usage.usd < judge.usage.usd < 0.55 * single.usage.usd


def test_a_judge_that_died_takes_its_batch_up(judge_at: Open, prices: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with BatchMeter("scripted", VERDICT) as server:
        with monkeypatch.context() as broken:
            broken.setattr(BatchTransport, "state", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                judge_at(server, prices=prices, batch=True).ask(CALLS)
        assert [verdict.value for verdict in judge_at(server, prices=prices, batch=True).ask(CALLS)] == [4] * 30
        assert len(server.batches) == 1
        assert len(server.usages) + len(server.billed_half) == 30


def test_what_a_batch_was_asked_without_is_known_after_a_crash(
    judge_at: Open, prices: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with BatchMeter("scripted", VERDICT) as server:
        server.refuses = ("seed",)
        with monkeypatch.context() as broken:
            broken.setattr(BatchTransport, "state", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                judge_at(server, prices=prices, batch=True).ask(CALLS)
        judge = judge_at(server, prices=prices, batch=True)
        judge.ask(CALLS)
        assert judge.identity()["left-out"] == "seed"


def test_what_an_expired_batch_of_a_judge_that_died_left_out_is_asked_again(
    judge_at: Open, prices: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with BatchMeter("scripted", VERDICT, ends="expired", lacking=3) as server:
        with monkeypatch.context() as broken:
            broken.setattr(BatchTransport, "read", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                judge_at(server, prices=prices, batch=True).ask(CALLS)
        server.ends, server.lacking = "completed", 0
        assert [verdict.value for verdict in judge_at(server, prices=prices, batch=True).ask(CALLS)] == [4] * 30
        assert len(server.batches) == 2
        assert len(server.usages) + len(server.billed_half) == 30


def test_what_a_batch_leaves_out_costs_its_own_verdicts_alone(judge_at: Open, prices: Path) -> None:
    with BatchMeter("scripted", VERDICT, ends="expired", lacking=3) as server:
        verdicts = judge_at(server, prices=prices, batch=True).ask(CALLS)
        reasons = [verdict.reason for verdict in verdicts if verdict.value != 4]
        assert reasons == ["failed: HTTP 408 the batch was expired before its turn came"] * 3
        assert server.paths.count("/v1/batches") == 1  # none was looked for: what it is called was noted


def test_where_all_of_a_batch_fails_the_judge_stops_and_goes_on_from_there(
    judge_at: Open, prices: Path, tmp_path: Path
) -> None:
    with BatchMeter("scripted", VERDICT) as server:
        server.fails = 429
        judge = judge_at(server, prices=prices, batch=True)
        with pytest.raises(
            JudgeError, match="all 29 requests of batches failed, the last with: HTTP 429 out of credit"
        ) as e:
            judge.ask(CALLS)
        assert "run the same command again" in e.value.remedy
        server.fails = 0
        assert [verdict.value for verdict in judge_at(server, prices=prices, batch=True).ask(CALLS)] == [4] * 30
        assert len(server.usages) + len(server.billed_half) == 30  # nothing was paid twice, and the first is stored


def test_failures_of_small_batches_add_up_until_there_is_a_reply(judge_at: Open, prices: Path) -> None:
    with BatchMeter("scripted", VERDICT) as server:
        judge = judge_at(server, prices=prices, batch=True)
        judge.ask(CALLS[:1])
        server.fails = 500
        assert {one.value for one in judge.ask(CALLS[1:5])} == {None}  # which may be a fault that passes
        server.fails = 0
        assert judge.ask(CALLS[5:6])[0].value == 4
        server.fails = 500
        assert {one.value for one in judge.ask(CALLS[6:17])} == {None}
        with pytest.raises(JudgeError, match="all 24 requests"):
            judge.ask(CALLS[14:])


def test_what_is_refused_in_a_batch_is_stored_and_not_asked_again(judge_at: Open, prices: Path, tmp_path: Path) -> None:
    with BatchMeter("scripted", VERDICT) as server:
        server.filters = "brakes 7 times"
        for _ in range(2):
            verdicts = judge_at(server, prices=prices, batch=True).ask(CALLS)
            assert {n: verdict.reason for n, verdict in enumerate(verdicts) if verdict.value != 4} == {
                7: "refused: 'HTTP 400 filtered'"
            }
        assert len(server.batches) == 1
    stored = Store(tmp_path / "judge.sqlite").get(verdicts[7].keys)
    assert [reply.finish for reply in stored.values()] == ["content_filter"]


def test_a_torn_line_of_results_costs_no_other(judge_at: Open, prices: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = BatchTransport.read
    monkeypatch.setattr(BatchTransport, "read", lambda self, file: b"\xff{\n[]\n" + whole(self, file))
    with BatchMeter("scripted", VERDICT) as server:
        assert [verdict.value for verdict in judge_at(server, prices=prices, batch=True).ask(CALLS)] == [4] * 30


@pytest.mark.parametrize("usd", [0.2, 0.4])
def test_a_budget_is_not_overspent_by_batches(usd: float, judge_at: Open, prices: Path) -> None:
    calls = [grade(f"a van brakes {n} times") for n in range(600)]
    with BatchMeter("scripted", VERDICT) as server:
        judge = judge_at(server, prices=prices, batch=True, budget_usd=usd, max_tokens=300)
        with pytest.raises(BudgetExhausted, match="USD used"):
            judge.ask(calls)
        assert 0.95 * usd <= server.usd(2, 10, 1) <= usd
