"""`--judge a,b` from the command line: a model at a loopback server and a judge in a file, as one."""

from __future__ import annotations

import re

import pytest

from tests.judging.server import JudgeServer
from tests.scoring.judges import served

STRICT = """
from ecva_bench import Verdict


class Strict:
    def ask(self, calls):
        return [Verdict((call.prompt.scale.low,) * call.expected) for call in calls]

    def identity(self, keys=()):
        return {}
"""


@pytest.fixture
def answers(ecva_bench, tmp_path):
    out = tmp_path / "oracle.jsonl"
    code, _, errors = ecva_bench("run", "--model", "oracle", "--task", "cause", "--limit", "3", "--out", out)
    assert code == 0, errors
    return out


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-only")
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with JudgeServer(served()) as running:
        yield running


def test_a_panel_scores_says_who_it_is_and_how_far_it_agrees(ecva_bench, answers, server, tmp_path):
    (tmp_path / "strict.py").write_text(STRICT)
    strict = f"{tmp_path / 'strict.py'}:Strict"
    at = ("--judge-url", server.url, "--judge-store", tmp_path / "judge.sqlite")
    export, scores = tmp_path / "calls.jsonl", answers.with_name("oracle.scores.jsonl")

    code, shown, said = ecva_bench(
        "score", answers, "--scorers", "gpt", "--judge", f"kind,{strict}", *at, "--judge-export", export
    )
    assert code == 0, said
    assert re.search(r"gpt_sum +10.00 points", shown), shown  # the mean of 20 and 0
    assert "judge:openai:kind,strict.py:Strict|panel:majority+mean" in shown
    assert "panel: judge/gpt-detail: alpha (ordinal) -0.67" in said
    assert "over 3 verdicts; means: openai:kind 5.00, strict.py:Strict 0.00" in said
    assert "judge kind: 12 votes asked, 0 from the store" in said
    first, asked = scores.read_bytes(), len(server.requests)

    offline = ("--judge", f"{strict},kind", "--judge-replay", export)
    code, _, said = ecva_bench("score", answers, "--scorers", "gpt", *offline)
    assert (code, scores.read_bytes(), len(server.requests)) == (0, first, asked), said


def test_two_language_models_replay_from_one_file_and_verify(ecva_bench, answers, server, tmp_path):
    at = ("--judge-url", server.url, "--judge-store", tmp_path / "judge.sqlite")
    export = tmp_path / "calls.jsonl"
    code, _, said = ecva_bench(
        "score", answers, "--scorers", "gpt", "--judge", "one,two", *at, "--judge-export", export
    )
    assert code == 0, said
    assert "judge calls: 24 in" in said
    code, shown, said = ecva_bench("submit", answers, "--judge-calls", export, "--verify", "--to", tmp_path / "boards")
    assert (code, "verified" in shown + said) == (0, True), shown + said


@pytest.mark.parametrize(
    ("judge", "options", "told"),
    [
        ("a,,b", (), "name each once, as a,b,c"),
        ("strict.py:Strict,./strict.py:Strict", ("--votes", "3"), "an option is for a language model as judge"),
    ],
)
def test_what_is_no_panel_is_refused(ecva_bench, answers, tmp_path, judge, options, told, monkeypatch):
    (tmp_path / "strict.py").write_text(STRICT)
    monkeypatch.chdir(tmp_path)
    code, _, said = ecva_bench("score", answers, "--scorers", "gpt", "--judge", judge, *options)
    assert (code, told in said) == (2, True), said


def test_a_panel_reads_no_answers(ecva_bench, answers, tmp_path):
    code, _, said = ecva_bench("score", answers, "--scorers", "rouge", "--read-with", "a,b")
    assert (code, "a panel cannot read answers" in said) == (2, True), said
