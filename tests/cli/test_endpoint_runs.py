"""Runs against an endpoint, as a user types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ecva_bench.journal.results import read_results
from ecva_bench.judging import client
from tests.adapters.model_server import ModelServer
from tests.cli.conftest import Command
from tests.judging.server import Fault, Request, completion, error
from tests.sealing import reseal

KEY = "sk-very-secret-0123456789"


@pytest.fixture(autouse=True)
def _place(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setattr(client, "FIRST_PAUSE_S", 0.01)


def test_a_run_whose_key_is_refused_stops_and_goes_on_elsewhere(tmp_path: Path, ecva_bench: Command) -> None:
    out = tmp_path / "results.jsonl"
    run = ("run", "--model", "openai:tiny", "--task", "cause", "--task", "effect", "--limit", 1, "--out", out)
    few = ("--model-arg", "frames=2", "--model-arg", "concurrency=1")
    with ModelServer(faults=[None, *9 * [Fault(401, error("no"))]]) as server:
        code, _, complaint = ecva_bench(*run, *few, "--model-arg", f"base-url={server.url}")
    assert code == 3
    assert "error: the endpoint refuses the key (HTTP 401 no)" in complaint
    assert "has cost so far: 1 asked" in complaint
    assert len(read_results(out).answers) == 1
    with ModelServer() as server:
        other = ("--model-arg", "frames=2", "--model-arg", "timeout=9", "--model-arg", f"base-url={server.url}")
        code, shown, complaint = ecva_bench(*run, *other)
        assert len(server.requests) == 1
    assert code == 0, complaint
    assert "2 answers (1 was there), 0 errors, 0 missing" in shown
    assert "has cost so far: 2 asked, 200 tokens in, 20 tokens out\n" in complaint
    assert KEY not in out.read_text(encoding="utf-8")
    assert [json.loads(line)["type"] for line in out.read_text(encoding="utf-8").splitlines()][-1] == "end"


def test_workers_divide_a_budget(tmp_path: Path, ecva_bench: Command) -> None:
    """Half of it is enough for some five of a worker's twenty calls, of 2010 tokens each; the first might take 9200."""
    out = tmp_path / "results.jsonl"
    run = ("run", "--model", "openai:tiny", "--limit", 8, "--out", out)
    options = ("frames=2", "max-new-tokens=50", "concurrency=1", "budget-tokens=24000")
    with ModelServer([completion("A fire.", tokens=(2000, 10, 0))] * 40) as server:
        given = [part for option in (*options, f"base-url={server.url}") for part in ("--model-arg", option)]
        code, _, complaint = ecva_bench(*run, *given, "--workers", 2)
        assert code == 3
        assert "the rest does not cover another call" in complaint
        asked, kept = len(server.requests), len(read_results(out).answers)
        assert 1 <= kept <= asked <= 10
        code, shown, _ = ecva_bench(*run, *given, "--model-arg", "budget-tokens=1000000")
        assert len(server.requests) - asked == 40 - kept
    assert code == 0
    assert "0 errors, 0 missing" in shown


def test_other_frames_are_another_run(tmp_path: Path, ecva_bench: Command) -> None:
    out = tmp_path / "results.jsonl"
    run = ("run", "--model", "openai:tiny", "--task", "cause", "--limit", 1, "--out", out)
    with ModelServer() as server:
        address = ("--model-arg", f"base-url={server.url}")
        assert ecva_bench(*run, *address, "--model-arg", "frames=2")[0] == 0
        code, _, complaint = ecva_bench(*run, *address, "--model-arg", "frames=3")
    assert code == 2
    assert "frames" in complaint


def test_workers_ask_alike_and_the_manifest_says_how(tmp_path: Path, ecva_bench: Command) -> None:
    out = tmp_path / "results.jsonl"
    run = ("run", "--model", "openai:tiny", "--task", "cause", "--limit", 4, "--out", out, "--model-arg", "frames=2")
    with ModelServer(refuses=("temperature", "seed")) as server:
        address = ("--model-arg", f"base-url={server.url}")
        code, _, complaint = ecva_bench(*run, *address, "--workers", 2)
        assert code == 0, complaint
        asked = len(server.requests)
        assert ecva_bench(*run, *address, "--workers", 2)[0] == 0  # the same run, which has nothing left to ask
        assert len(server.requests) == asked
    records = [json.loads(line) for line in out.read_text().splitlines()]
    manifest, answers = records[0], [record for record in records if record["type"] == "answer"]
    assert manifest["spec"]["description"]["generation"] == {
        "max_completion_tokens": 1024,
        "left_out": ["seed", "temperature"],
    }
    assert manifest["requested"]["description"]["generation"]["temperature"] == 0
    assert manifest["environment"]["served"] == ["scripted-1"]
    assert len(manifest["environment"]["workers"]) == 2
    assert [record["type"] for record in records].count("run") == 1
    assert {tuple(answer["steps"]["left_out"]) for answer in answers} == {("seed", "temperature")}
    assert len(answers) == 4


class Fickle(ModelServer):
    """Takes no seed in the first request, and then takes any."""

    def outcome(self, request: Request) -> Fault:
        if self.requests:
            return super().outcome(request)
        self.requests.append(request)
        return Fault(400, error("Unsupported parameter: 'seed'", param="seed"))


def test_an_endpoint_that_changes_its_mind_is_asked_alike_by_all_workers(tmp_path: Path, ecva_bench: Command) -> None:
    out = tmp_path / "results.jsonl"
    run = ("run", "--model", "openai:tiny", "--task", "cause", "--limit", 6, "--out", out, "--model-arg", "frames=2")
    with Fickle() as server:
        code, shown, complaint = ecva_bench(*run, "--model-arg", f"base-url={server.url}", "--workers", 2)
        assert len(server.requests) == 1 + 6  # no reply was lost
    assert code == 0, complaint
    assert "6 answers (0 were there), 0 errors, 0 missing" in shown
    records = [json.loads(line) for line in out.read_text().splitlines()]
    assert records[0]["spec"]["description"]["generation"]["left_out"] == ["seed"]
    assert [record["steps"]["left_out"] for record in records if record["type"] == "answer"] == 6 * [["seed"]]


def test_another_run_than_was_asked_for_is_refused_though_something_was_turned_down(
    tmp_path: Path, ecva_bench: Command
) -> None:
    out = tmp_path / "results.jsonl"
    run = ("run", "--model", "openai:tiny", "--task", "cause", "--limit", 1, "--out", out, "--model-arg", "frames=2")
    with ModelServer(refuses=("max_completion_tokens",)) as server:
        address = ("--model-arg", f"base-url={server.url}")
        assert ecva_bench(*run, *address)[0] == 0
        code, _, complaint = ecva_bench(*run, *address, "--model-arg", "max-new-tokens=5")
    assert code == 2
    assert "max_completion_tokens 1024 there, 5 here" in complaint


def test_a_run_that_several_models_answered_says_so_wherever_it_is_shown(tmp_path: Path, ecva_bench: Command) -> None:
    out = tmp_path / "results.jsonl"
    run = ("run", "--model", "openai:tiny", "--task", "cause", "--limit", 2, "--model-arg", "frames=2", "--out", out)
    with ModelServer(model="tiny-1") as server:
        _, _, said = ecva_bench(*run[:-2], "--out", tmp_path / "one.jsonl", "--model-arg", f"base-url={server.url}")
        assert "several models" not in said
    lines = (tmp_path / "one.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    answers = [line for line in lines if json.loads(line)["type"] == "answer"]
    out.write_text(lines[0] + answers[0], encoding="utf-8")  # the manifest and one answer
    reseal(out)
    with ModelServer(model="tiny-2") as server:
        code, _, said = ecva_bench(*run, "--model-arg", f"base-url={server.url}")
    assert code == 0
    assert "beware: several models gave the answers of this run: tiny-1, tiny-2" in said
    _, shown, _ = ecva_bench("score", out)
    assert "beware: several models gave these answers: tiny-1, tiny-2" in shown
    _, shown, _ = ecva_bench("leaderboard", tmp_path / "results.scores.jsonl")
    assert "several models gave these answers: tiny-1, tiny-2" in shown
