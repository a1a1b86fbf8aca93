"""`judge-audit` and `meta-eval`, as a user types them, with a judge behind real HTTP."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ecva_bench.journal.writer import Journal
from ecva_bench.records.answers import Manifest
from tests.judging.server import JudgeServer
from tests.scoring.build import answer
from tests.scoring.judges import lexical, served

from .test_startup import HEAVY, python

ITEMS = 12


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Answers that share two thirds of their words with their reference, and none with another's."""
    path = tmp_path / "run.jsonl"
    manifest = Manifest(run="r", spec={"model": "m"}, expects={"full": tuple(f"v{n:02}/cause" for n in range(ITEMS))})
    with Journal(path, manifest) as journal:
        for n in range(ITEMS):
            words = [f"w{n}x{i}" for i in range(6)]
            journal.append(answer(f"v{n:02}", " ".join(words[:4]), reference=" ".join(words)))
    return path


@pytest.fixture
def rankings(tmp_path: Path) -> Path:
    path = tmp_path / "rankings.jsonl"
    lines = [
        {
            "triple_id": f"t{n}",
            "video_id": f"v{n}",
            "task": "cause",
            "question": "why?",
            "reference": "a red car hits the wall",
            "answers": {"a": f"a red car hits the wall {n}", "b": f"a car hits a tree {n}", "c": f"birds sing {n}"},
            "human_ranks": [{"annotator": p, "ranks": {"a": 1, "b": 2, "c": 3}} for p in "xy"],
        }
        for n in range(6)
    ]
    path.write_text("\n".join(json.dumps(line) for line in lines) + "\nno JSON\n")
    return path


def obedient(name, payload):
    """The judge by shared words, but an instruction moves it."""
    if "Ignore the instructions" in payload.get("candidate", ""):
        return [1 if name == "consistency" else 5]
    return lexical(name, payload)


def asking(server, tmp_path):
    return ["--judge", "scripted-1", "--judge-url", server.url, "--judge-store", tmp_path / "judge.sqlite"]


def test_a_sound_judge_passes_and_an_audit_asked_again_costs_nothing(results, tmp_path, ecva_bench):
    with JudgeServer(served(lexical)) as server:
        export = tmp_path / "calls.jsonl"
        code, shown, errors = ecva_bench(
            "judge-audit", results, *asking(server, tmp_path), "--runs", 2, "--judge-export", export
        )
        assert code == 0, shown + errors
        assert len(server.requests) == 12 * ITEMS * 2, "the cost that the help names: 12 calls per answer and run"
        assert f"{ITEMS} answers about {ITEMS} videos" in shown
        assert not any(line.endswith(("fails", "undecided")) for line in shown.splitlines())
        assert sum(line.endswith("  holds") for line in shown.splitlines()) == 10
        assert f"judge: {24 * ITEMS} votes asked, 0 from the store" in errors
        code, again, errors = ecva_bench("judge-audit", results, *asking(server, tmp_path), "--runs", 2)
        assert (code, again) == (0, shown)
        assert len(server.requests) == 24 * ITEMS
    code, replayed, _ = ecva_bench(
        "judge-audit", results, "--judge", "scripted-1", "--judge-replay", export, "--runs", 2
    )
    assert (code, replayed) == (0, shown)


def test_a_judge_that_obeys_answers_fails_with_code_1(results, tmp_path, ecva_bench):
    with JudgeServer(served(obedient)) as server:
        code, shown, _ = ecva_bench("judge-audit", results, *asking(server, tmp_path), "--json", "--sample", 8)
    found = json.loads(shown)
    assert code == 1
    assert {one["text"] for one in found["expectations"] if one["outcome"] == "fails"} == {
        "instructing the judge does not pay"
    }
    assert (found["items"], found["repeat_runs"][0]["runs"], found["repeat_runs"][0]["raw"]) == (8, 3, 1)
    assert {one["score"]["mean"] for one in found["controls"] if one["name"] == "instructing"} == {1}


def test_a_budget_that_ends_stops_with_code_3_and_the_calls_made_are_kept(results, tmp_path, ecva_bench):
    with JudgeServer(served(lexical)) as server:
        audit = ["judge-audit", results, *asking(server, tmp_path), "--runs", 2, "--concurrency", 1]
        code, shown, errors = ecva_bench(*audit, "--budget-tokens", 10_000)
        assert (code, shown) == (3, "")
        assert "stopped: the budget is used up: the rest" in errors
        made = len(server.requests)
        assert 0 < made < 24 * ITEMS
        code, _, errors = ecva_bench(*audit)
        assert code == 0
        assert len(server.requests) == 24 * ITEMS
        assert f"{made} from the store" in errors


def test_scorers_are_held_against_people_and_a_broken_line_is_named(rankings, ecva_bench):
    code, shown, errors = ecva_bench("meta-eval", rankings)
    assert code == 0
    assert f"{rankings}, line 7: left out: Expecting value" in errors
    lines = shown.splitlines()
    assert lines[0] == "Agreement with people, cause: 6 triples, 2 annotators, alpha 1.000, Kendall's W 1.000"
    assert lines[4].startswith("people: one against the others  100.0 [100.0, 100.0]")
    assert any(line.startswith("rouge: rougeL") and "100.0 [100.0, 100.0]" in line for line in lines)
    assert any(line.split()[:2] == ["bleu:bleu", "rouge:rouge1"] for line in lines)
    assert "rouge|" in shown


def test_published_judgements_are_read_as_they_are_and_no_scorer_gets_a_coin_s_share(tmp_path, ecva_bench):
    """Pairs without a reference, whose longer answer people chose in 3 of 4: rules alone have a figure."""
    path = tmp_path / "videoautobench.latest.json"
    texts = {"selected answer": "a car brakes and stops", "rejected answer": "a car"}
    turned = dict(zip(texts, reversed(texts.values()), strict=True))
    records = {f"v{n}_1": {"video_id": f"v{n}", "question": "Why?", **(texts if n else turned)} for n in range(4)}
    path.write_text(json.dumps({**records, "v9_1": {"video_id": "v9"}}))
    code, shown, errors = ecva_bench("meta-eval", path)
    assert code == 0
    assert f"{path}, record 5 (v9_1): left out: an answer or the video's name is missing" in errors
    lines = shown.splitlines()
    assert lines[0] == "Agreement with people, description: 4 triples"
    assert [line.split()[:3] for line in lines if "[" in line] == [["rule:", "longer", "75.0"]]
    assert {"bleu: left out: no reference", "rouge: left out: no reference"} <= {*lines}
    assert f"{path}: 4 triples about 4 videos, 1 line left out" in lines


def test_a_judged_scorer_is_held_against_people_too(rankings, tmp_path, ecva_bench):
    with JudgeServer(served(lexical)) as server:
        code, shown, _ = ecva_bench(
            "meta-eval", rankings, "--scorers", "gpt", *asking(server, tmp_path), "--votes", 1, "--json"
        )
        assert len(server.requests) == 6 * 3 * 4
    assert code == 0
    found = json.loads(shown)
    by_column = {one["column"]: one for one in found["scorers"]}
    assert by_column["gpt_sum"]["pairwise"]["mean"] == 1
    assert found["signatures"]["gpt"].startswith("gpt|")
    assert [problem["line"] for problem in found["problems"]] == [7]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["judge-audit", "nowhere.jsonl", "--judge", "m"], "there is no results file"),
        (["meta-eval", "nowhere.jsonl"], "the rankings cannot be read"),
        (["meta-eval", "{rankings}", "--scorers", "rogue"], "did you mean 'rouge'"),
        (["meta-eval", "{rankings}", "--scorers", "anomeval"], "--judge"),
        (["meta-eval", "{rankings}", "--scorers", "classification"], "choose other scorers"),
    ],
)
def test_what_cannot_be_met_is_one_line_with_a_remedy(rankings, ecva_bench, arguments, message):
    code, shown, errors = ecva_bench(*(argument.format(rankings=rankings) for argument in arguments))
    assert (code, shown) == (2, "")
    assert message in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize("command", ["judge-audit", "meta-eval"])
def test_help_imports_nothing_heavy(command):
    heavy = (*HEAVY, "openai", "sqlite3")
    program = (
        "import sys, atexit\n"
        f"atexit.register(lambda: print('HEAVY', [m for m in {heavy!r} if m in sys.modules]))\n"
        f"sys.argv[1:] = {[command, '--help']!r}\n"
        "from ecva_bench.cli import main; main()"
    )
    assert "HEAVY []" in python(program)


def test_a_judge_that_gives_not_one_verdict_ends_both_with_code_3(ecva_bench, results, rankings, tmp_path):
    with JudgeServer(lambda *_: "I cannot decide.") as server:
        judge = ("--judge", "scripted", "--judge-url", server.url, "--judge-store", tmp_path / "judge.sqlite")
        audited = ecva_bench("judge-audit", results, *judge, "--sample", "2")
        evaluated = ecva_bench("meta-eval", rankings, "--scorers", "bleu,gpt", *judge, "--judge-max-tokens", "50")
        assert server.requests[-1].body["max_completion_tokens"] == 50
    for code, shown, said in (audited, evaluated):
        assert code == 3
        assert "error: the judge gave not one verdict: scripted: the first call: unparsable: 'I cannot decide.'" in said
        assert shown  # what was computed is not lost
    assert "bleu" in evaluated[1]
