"""What `plan` says of money and tokens, against what a run then takes at an endpoint that bills as providers do."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path

import pytest

from ecva_bench.answering import run_status
from ecva_bench.journal.results import read_results
from ecva_bench.records.answers import Results
from tests.data.test_workbook import ROW, write
from tests.metering import Meter

from .conftest import Command

GPT_4O = (2.5, 10.0, 1.25)


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "none")


def said(pattern: str, shown: str) -> float:
    """The number in a line of output, its unit taken into account."""
    found = re.search(pattern, shown)
    assert found, shown
    return float(found[1]) * {"k": 1e3, "M": 1e6, None: 1.0}[found[2] if len(found.groups()) > 1 else None]


def test_a_plan_is_an_upper_bound_and_with_a_trial_near_the_truth(tmp_path: Path, ecva_bench: Command) -> None:
    trial, whole, part = (tmp_path / f"{name}.jsonl" for name in ("trial", "whole", "part"))
    with Meter("gpt-4o") as server:
        run = ("--model", "openai:gpt-4o", "--task", "cause", "--task", "effect", "--model-arg", "frames=3")
        run = (*run, "--model-arg", f"base-url={server.url}")
        _, shown, _ = ecva_bench("plan", *run, "--out", trial)
        most = said(r"cost: at most ([\d.]+) USD", shown)
        assert said(r"as batches \(--batch\) at most ([\d.]+) USD", shown) == pytest.approx(most / 2, abs=0.006)
        assert "calls: 28; a question takes at most" in shown
        assert not server.requests
        ecva_bench("run", *run, "--limit", "2", "--out", trial)
        _, shown, _ = ecva_bench("plan", *run, "--out", trial)
        about = said(r"cost: about ([\d.]+) USD", shown)
        tokens = said(r"tokens: about ([\d.]+) ([kM]) in", shown)
        server.usages.clear()
        code, *_ = ecva_bench("run", *run, "--out", whole)
        assert code == 0
        cost, read = server.usd(*GPT_4O), sum(count for count, *_ in server.usages)
        assert cost <= most
        assert about == pytest.approx(cost * 24 / 28, rel=0.2)
        assert tokens == pytest.approx(read * 24 / 28, rel=0.1)
        budget = 0.6 * cost
        _, shown, _ = ecva_bench("plan", *run, "--out", trial, "--budget-usd", budget)
        videos, frames = said(r"--subset (\d+)", shown), said(r"frames=(\d+)", shown)
        assert 6 <= videos <= 0.6 * 14
        assert frames == 1
        server.usages.clear()
        ecva_bench("run", *run, "--subset", int(videos), "--out", part)
        assert server.usd(*GPT_4O) <= budget
        _, shown, _ = ecva_bench("plan", *run, "--out", trial, "--model-arg", "budget-usd=9")
        assert "of 9 USD: all of it fits" in shown


@pytest.mark.parametrize(("more", "calls"), [((), 2), (("--model-arg", "temperature=1"), 6), (("--samples", 2), 4)])
def test_a_model_that_sees_no_video_is_planned_as_often_as_it_is_asked(
    more: tuple[object, ...], calls: int, tmp_path: Path, ecva_bench: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial = tmp_path / "trial.jsonl"
    with Meter("gpt-4o") as server:
        blind = ("--model", "blind:openai:gpt-4o", "--task", "cause", "--task", "effect", "--out", trial)
        blind = (*blind, "--model-arg", f"base-url={server.url}", *more)
        _, shown, _ = ecva_bench("plan", *blind, "--limit", 3)
        assert said(r"calls: (\d+)[,;]", shown) == calls
        code, *_ = ecva_bench("run", *blind, "--limit", 3)
        assert (code, len(server.usages)) == (0, calls)
        cost = server.usd(*GPT_4O)
        assert cost <= said(r"cost: at most ([\d.]+) USD", shown)
        if more:
            return
        _, shown, _ = ecva_bench("plan", *blind)
        assert said(r"cost: about ([\d.]+) USD", shown) == pytest.approx(cost, abs=0.5e-4)  # as it is printed

        def timed(path: Path) -> Results:
            held, first = read_results(path), {"decode": 0.5, "answer": 20.0}
            answers = [
                one.model_copy(update={"time": first if number < 2 else {"decode": 0.5, "answer": 0.0}})
                for number, one in enumerate(held.answers)
            ]
            return held.model_copy(update={"answers": answers})

        monkeypatch.setattr(run_status, "read_results", timed)
        _, shown, _ = ecva_bench("plan", *blind)
        assert said(r"time: about (\d+) s ", shown) == 2 * 20.5 + 20 * 0.5


def test_questions_that_are_videos_own_are_counted_as_such(tmp_path: Path, ecva_bench: Command) -> None:
    asked = ["What falls?", "What falls?", "Who falls?", "Who runs?"]
    rows = [f"v{number},Something falls.,{words},a man,a dog,A" for number, words in enumerate(asked)]
    (tmp_path / "set.csv").write_text("\n".join(["clip,what,question,A,B,key", *rows, ""]))
    (tmp_path / "set.toml").write_text(
        'name = "set"\nlicence = "CC0"\nid = "clip"\ndescription = "what"\n'
        '[choice]\nquestion = "question"\noptions = ["A", "B"]\nanswer = "key"\nanswer_is = "letter"\n'
        '[splits]\ntest = ["set.csv"]\n'
    )
    plan = ("plan", "--model", "blind:openai:gpt-4o", "--data", tmp_path / "set.toml", "--out", tmp_path / "r.jsonl")
    _, shown, told = ecva_bench(*plan)
    assert "4 videos, 8 answers owed" in shown, told
    calls = 1 + len(set(asked))
    assert said(r"calls: (\d+), each question once", shown) == calls
    each = said(r"cost: at most ([\d.]+) USD", shown) / calls
    _, shown, _ = ecva_bench(*plan, "--budget-usd", 3.5 * each)
    subset = int(said(r"--subset (\d+)", shown))
    assert max(1 + len(set(some)) for some in combinations(asked, subset)) <= 3.5
    assert "frames=" not in shown


def test_what_is_not_known_is_said(tmp_path: Path, ecva_bench: Command) -> None:
    _, shown, _ = ecva_bench("plan", "--model", "openai:no-such-model", "--budget-usd", "1")
    assert "cost: not known; name a price: --prices FILE with" in shown
    assert "of 1 USD: not known, as the price" in shown
    table = tmp_path / "p.json"
    table.write_text('{"models": {"no-such-model": {"input": 0.15, "cached_input": 0.075, "output": 0.6}}}')
    _, shown, _ = ecva_bench("plan", "--model", "openai:no-such-model", "--prices", table)
    assert "cost: at most" in shown
    _, shown, _ = ecva_bench("plan", "--model", "motion")
    assert "GPU" not in shown
    assert "cost" not in shown


def test_the_examples_of_the_help_run_as_typed(
    tmp_path: Path, ecva_bench: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(Path("annotations.xlsx"), [(f"{number:05}", *ROW) for number in range(1, 4)])
    _, shown, _ = ecva_bench("plan", "--help")
    text = " ".join(shown.replace("│", " ").split())
    examples = re.findall(r"ecva-bench plan (--model .*?)(?= ecva-bench| ╭| Options|$)", text)
    assert len(examples) == 2
    for example in examples:
        if "--videos videos/" in example:
            (tmp_path / "videos").mkdir()
        code, shown, complaint = ecva_bench("plan", *example.split())
        assert code == 0, complaint
    assert "cost: at most" in shown
    assert "of 20 USD" in shown
    assert "no folder of videos is named (--videos): all of them are counted, none is looked at" in shown
