"""What a results file says it has cost, against the endpoint's own count, however its commands ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ecva_bench.journal.results import read_results, read_spent
from tests.adapters.model_server import ModelServer
from tests.judging.server import Outcome, Request, completion

from .conftest import Command

IN, OUT = 1300, 80
COST = (IN * 10 + OUT * 40) / 1e6


class Billing(ModelServer):
    """Counts the same for each request; `usage` is what it says instead."""

    usage: tuple[int, int] = (IN, OUT)

    def said(self, request: Request) -> Outcome:
        return completion("A car brakes late.", tokens=(*self.usage, 0))

    @property
    def usd(self) -> float:
        return len(self.requests) * COST


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    monkeypatch.chdir(tmp_path)
    Path("prices.json").write_text('{"models": {"m": {"input": 10, "output": 40}}}')


def command(server: Billing, *more: object, **options: object) -> list[str]:
    """A run, five questions a clip."""
    given = {"base-url": server.url, "frames": 4, "prices": "prices.json", **options}
    named = [part for name, value in given.items() for part in ("--model-arg", f"{name}={value}")]
    return ["run", "--model", "openai:m", "--out", "r.jsonl", *named, *map(str, more)]


def interrupt(server: Billing, number: signal.Signals, *more: object, **options: object) -> None:
    """Start a run and send it a signal after its third request."""
    before = len(server.requests)
    typed = [sys.executable, "-m", "ecva_bench", *command(server, *more, **options)]
    with subprocess.Popen(typed, env=os.environ, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as run:
        end = time.monotonic() + 60
        while run.poll() is None and len(server.requests) < before + 3 and time.monotonic() < end:
            time.sleep(0.01)
        run.send_signal(number)
        run.wait(30)


@pytest.mark.parametrize("workers", [1, 2])
def test_an_interrupt_loses_no_cost_of_an_answer(workers: int) -> None:
    with Billing(delay=0.3) as server:
        for _ in range(2 // workers):
            interrupt(server, signal.SIGTERM, "--limit", 4, "--workers", workers)
        assert 5 <= len(server.requests) < 20
        assert len(read_results(Path("r.jsonl")).answers) == len(server.requests)
        assert read_spent(Path("r.jsonl"))["usd"] == pytest.approx(server.usd)


def test_calls_that_a_killed_run_had_under_way_are_told_and_charged_by_estimate(ecva_bench: Command) -> None:
    with Billing(delay=0.5) as server:
        interrupt(server, signal.SIGKILL, "--limit", 1)
        asked = len(server.requests)
        spent = read_spent(Path("r.jsonl"))
        assert len(read_results(Path("r.jsonl")).answers) == spent["asked"] == 1
        assert spent["uncounted"] == 4
        assert server.usd <= spent["usd"] <= 1.5 * 5 * COST + 1e-6
        assert asked <= 5
        server.delay = 0
        code, _, complaint = ecva_bench(*command(server, "--limit", 1))
    assert code == 0
    assert "4 calls are in this by estimate" in complaint
    assert read_spent(Path("r.jsonl"))["usd"] == pytest.approx(spent["usd"] + 4 * COST)


@pytest.mark.parametrize("at_once", [1, 16])
def test_a_budget_is_for_the_file_over_all_commands_and_is_used(at_once: int, ecva_bench: Command) -> None:
    usd = 0.5
    with Billing() as server:
        for _ in range(4):
            code, _, complaint = ecva_bench(*command(server, **{"budget-usd": usd, "concurrency": at_once}))
            assert code == 3
            assert "the budget is used up" in complaint
            assert "the same command with --model-arg budget-usd=1" in complaint
            assert 0.95 * usd <= server.usd <= usd
        asked = len(server.requests)
        ecva_bench(*command(server, **{"budget-usd": 1, "concurrency": at_once}))
        assert asked * COST < 0.95 < server.usd <= 1.0


def test_what_was_spent_while_no_price_was_known_counts(ecva_bench: Command) -> None:
    with Billing() as server:
        run = command(server, "--limit", 2)
        plain = [part for part in run if part != "prices=prices.json"]
        del plain[plain.index("frames=4") + 1]
        assert ecva_bench(*plain)[0] == 0
        code, _, complaint = ecva_bench(*command(server, **{"budget-usd": 10 * COST}))
    assert code == 3
    assert f"{10 * COST:.4f} of {10 * COST:g} USD used" in complaint
    assert len(server.requests) == 10


@pytest.mark.parametrize("usage", [(0, 0), (0, OUT), (IN, 0), (3, OUT)])
def test_counts_that_are_less_than_the_text_alone_are_charged_by_the_estimate(
    usage: tuple[int, int], ecva_bench: Command
) -> None:
    with Billing() as server:
        server.usage = usage
        assert ecva_bench(*command(server, "--limit", 1))[0] == 0
    spent = read_spent(Path("r.jsonl"))
    assert spent["uncounted"] == spent["asked"] == 5
    assert spent["usd"] > 5 * 1024 * 40 / 1e6  # the longest answers
    events = [json.loads(line) for line in Path("r.jsonl").read_text().splitlines()]
    assert not any(record["type"] == "error" for record in events)
