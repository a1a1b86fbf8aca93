"""`score --read-with` from the command line to a real HTTP server on loopback."""

from __future__ import annotations

import re

from tests.judging.server import JudgeServer
from tests.scoring.judges import served
from tests.sealing import reseal

VAGUE = "Two vehicles came to grief, the fifth kind on your list I suppose."


def test_from_the_command_line_with_store_and_replay(ecva_bench, tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-only")
    out = tmp_path / "constant.jsonl"
    assert ecva_bench("run", "--model", "constant", "--task", "classification", "--limit", 3, "--out", out)[0] == 0
    out.write_text(out.read_text().replace('"answer":"[5]"', f'"answer":"{VAGUE}"'))
    reseal(out)
    assert VAGUE in out.read_text()
    common = ("score", out, "--read-with", "scripted")
    with JudgeServer(served(lambda name, payload: [5])) as server:
        calls = tmp_path / "calls.jsonl"
        options = ("--judge-url", server.url, "--judge-store", tmp_path / "store.sqlite", "--judge-export", calls)
        code, shown, said = ecva_bench(*common, *options)
        assert code == 0, said
        assert "read_by_judge 100.00 %" in shown
        assert len(server.requests) == 1  # one text, one call
    code, again, _ = ecva_bench(*common, "--judge-replay", calls)
    assert (code, again) == (0, shown)
    code, _, said = ecva_bench(*common, "--judge", "other", "--judge-replay", calls)
    assert code == 2
    assert "are two judges" in said


def test_an_audit_counts_what_the_reader_of_the_scores_reads(ecva_bench, tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-only")
    out = tmp_path / "oracle.jsonl"
    assert ecva_bench("run", "--model", "oracle", "--task", "classification", "--out", out)[0] == 0
    out.write_text(re.sub(r'"answer":"[^"]*"', f'"answer":"{VAGUE}"', out.read_text(), count=2))
    reseal(out)
    code, unread, _ = ecva_bench("audit", out)
    assert code == 1
    assert "nothing can be read from these: 2 unread" in unread
    with JudgeServer(served(lambda name, payload: [5])) as server:
        judge = ("--read-with", "scripted", "--judge-url", server.url, "--judge-store", tmp_path / "store.sqlite")
        assert ecva_bench("score", out, *judge)[0] == 0
        asked = len(server.requests)
        _, shown, _ = ecva_bench("audit", out, *judge)
        assert "nothing can be read" not in shown
        assert len(server.requests) == asked == 1  # the audit takes the verdict that scoring stored
    assert ecva_bench("audit", out, "--judge-url", "http://localhost:1")[0] == 2  # of no judge
