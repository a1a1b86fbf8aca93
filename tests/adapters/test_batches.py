"""A run by batches: half the price, the same answers, and nothing paid twice after a crash."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ecva_bench.journal.results import read_results, read_spent
from ecva_bench.judging import batches
from ecva_bench.judging.transport import BatchTransport
from tests.batch_server import BatchMeter
from tests.cli.conftest import Command, ecva_bench
from tests.metering import Meter

__all__ = ["ecva_bench"]
GPT_4O = (2.5, 10.0, 1.25)
KEY = "sk-very-secret-0123456789"


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setattr(batches, "FIRST_WAIT_S", 0.0)


def run_of(server: Meter, out: Path, *more: str) -> tuple[object, ...]:
    task = ("--task", "cause", "--task", "effect", "--limit", "4")
    options = ("--model-arg", "frames=2", "--model-arg", f"base-url={server.url}")
    return ("run", "--model", "openai:gpt-4o", *task, *options, "--out", out, *more)


def answers(out: Path) -> dict[str, str]:
    return {answer.key: answer.answer for answer in read_results(out).answers}


def test_a_run_by_batches_has_the_same_answers_at_half_the_price(tmp_path: Path, ecva_bench: Command) -> None:
    plain, batched = tmp_path / "plain.jsonl", tmp_path / "batched.jsonl"
    with Meter("gpt-4o") as server:
        ecva_bench(*run_of(server, plain))
        whole = server.usd(*GPT_4O)
    with BatchMeter("gpt-4o") as server:
        code, shown, told = ecva_bench(*run_of(server, batched, "--batch"))
        assert code == 0, shown + told
        assert len(server.billed_half) == 7  # the first question went out alone
        assert len(server.usages) == 1
        assert answers(batched) == answers(plain)
        assert len(answers(plain)) == 8
        assert 0.5 * whole < server.usd(*GPT_4O) < 0.6 * whole
        assert read_spent(batched)["usd"] == pytest.approx(server.usd(*GPT_4O))
        assert read_spent(batched)["asked"] == 8
        assert KEY not in batched.read_text() + (tmp_path / "batched.batches.jsonl").read_text()
        asked = len(server.paths)
        ecva_bench(*run_of(server, batched, "--batch"))  # nothing is open
        assert len(server.paths) == asked
    assert not list(tmp_path.glob("*.part.jsonl"))


@pytest.mark.parametrize("dies_in", ["start", "state"])
def test_a_run_that_died_takes_its_batch_up(
    dies_in: str, tmp_path: Path, ecva_bench: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "r.jsonl"
    with BatchMeter("gpt-4o") as server:
        working = getattr(BatchTransport, dies_in)

        def dies(transport: BatchTransport, name: str) -> object:
            if dies_in == "start":
                working(transport, name)  # the batch is there, and nobody wrote that down
            raise KeyboardInterrupt

        with monkeypatch.context() as broken:
            broken.setattr(BatchTransport, dies_in, dies)
            code, *_ = ecva_bench(*run_of(server, out, "--batch"))
            assert code == 130
        code, shown, told = ecva_bench(*run_of(server, out, "--batch"))
        assert code == 0, shown + told
        assert len(server.batches) == 1
        assert len(server.billed_half) == 7
    assert len(answers(out)) == 8


def test_what_a_batch_left_out_is_missing_and_asked_again(tmp_path: Path, ecva_bench: Command) -> None:
    out = tmp_path / "r.jsonl"
    with BatchMeter("gpt-4o", ends="expired", lacking=3) as server:
        code, shown, _ = ecva_bench(*run_of(server, out, "--batch"))
        assert code == 3
        assert "the batch was expired before its turn came" in shown
        assert len(answers(out)) == 5
        server.ends, server.lacking = "completed", 0
        code, *_ = ecva_bench(*run_of(server, out, "--batch"))
        assert code == 0
        assert len(answers(out)) == 8
        assert len(server.billed_half) == 7


def test_a_batch_that_is_turned_down_ends_the_run_and_says_why(tmp_path: Path, ecva_bench: Command) -> None:
    with BatchMeter("gpt-4o", ends="failed") as server:
        code, _, told = ecva_bench(*run_of(server, tmp_path / "r.jsonl", "--batch"))
        assert code == 2 or code == 3
        assert "the batch was rejected (line 1 is no request)" in told
        server.ends = "completed"
        code, *_ = ecva_bench(*run_of(server, tmp_path / "r.jsonl", "--batch"))
        assert code == 0


def test_where_all_of_a_batch_fails_the_run_says_why_and_goes_on_from_there(
    tmp_path: Path, ecva_bench: Command
) -> None:
    out = tmp_path / "r.jsonl"
    with BatchMeter("gpt-4o") as server:
        server.fails = 429
        code, _, told = ecva_bench(*run_of(server, out, "--limit", "12", "--batch"))
        assert code == 2 or code == 3
        assert "all 23 requests of batches failed, the last with: HTTP 429 out of credit" in told
        assert "run the same command again" in told
        assert len(answers(out)) == 1
        server.fails = 0
        code, *_ = ecva_bench(*run_of(server, out, "--limit", "12", "--batch"))
        assert code == 0
        assert len(answers(out)) == 24
        assert len(server.usages) + len(server.billed_half) == 24


def test_where_all_of_a_part_ends_in_thought_no_other_part_is_paid(tmp_path: Path, ecva_bench: Command) -> None:
    with BatchMeter("gpt-4o") as server:
        server.thinks = '"messages"'
        asked = run_of(server, tmp_path / "r.jsonl", "--limit", "14", "--batch", "--model-arg", "budget-usd=0.16")
        code, _, told = ecva_bench(*asked)
        assert code == 3
        paid = len(server.billed_half) + len(server.usages)
        assert 20 < paid < 28
        assert f"{paid} replies in a row ended at their most tokens before an answer began" in told
        assert "--model-arg max-new-tokens" in told
        assert len(server.batches) == 1
    assert len(read_results(tmp_path / "r.jsonl").failures) == paid


def test_one_answer_within_a_batch_and_the_run_goes_on_to_its_end(tmp_path: Path, ecva_bench: Command) -> None:
    with BatchMeter("gpt-4o") as server:
        server.thinks = "Explain why it happened"  # the cause, and not the effect
        asked = ("run", "--model", "blind:openai:gpt-4o", "--task", "cause", "--task", "effect", "--edited", "blank")
        more = ("--batch", "--model-arg", f"base-url={server.url}", "--out", tmp_path / "r.jsonl")
        code, shown, told = ecva_bench(*asked, *more)
        assert (len(server.usages), len(server.billed_half)) == (1, 1), told
    assert code == 3
    assert "in a row" not in told
    assert "28 answers (0 were there), 28 errors" in shown


def test_a_budget_is_spent_by_batches_too_and_not_more(tmp_path: Path, ecva_bench: Command) -> None:
    out = tmp_path / "r.jsonl"
    with BatchMeter("gpt-4o") as server:
        budget = ("--model-arg", "budget-usd=0.02", "--model-arg", "max-new-tokens=256")
        code, _, told = ecva_bench(*run_of(server, out, "--batch", *budget, "--edited", "anomaly"))
        assert "does not cover another call" in told
        assert code != 0
        assert len(server.batches) > 1  # what the first left over went into further ones
        assert 0.015 < server.usd(*GPT_4O) <= 0.02
        assert len(answers(out)) == len(server.billed_half) + 1


def test_batches_are_one_workers(tmp_path: Path, ecva_bench: Command) -> None:
    code, _, told = ecva_bench("run", "--model", "openai:gpt-4o", "--batch", "--workers", "2")
    assert (code, "batches are one worker's" in told) == (2, True)
    code, _, told = ecva_bench("run", "--model", "motion", "--batch", "--out", tmp_path / "r.jsonl")
    assert (code, "there is no option batch" in told) == (2, True)


def test_requests_stand_in_files_as_documented(tmp_path: Path, ecva_bench: Command) -> None:
    with BatchMeter("gpt-4o") as server:
        ecva_bench(*run_of(server, tmp_path / "r.jsonl", "--batch"))
        lines = [json.loads(line) for line in server.files["file-0"].splitlines()]
    assert {tuple(line) for line in lines} == {("custom_id", "method", "url", "body")}
    assert all(len(line["custom_id"]) == 64 and line["body"]["model"] == "gpt-4o" for line in lines)
    assert len({line["custom_id"] for line in lines}) == 7
