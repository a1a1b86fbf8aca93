"""`ecva-bench annotate` as its users call it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ecva_bench import cli
from ecva_bench.annotation.acts import append_acts
from tests.annotation.acts import act


def annotate(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr("sys.argv", ["ecva-bench", "annotate", *map(str, words)])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    return int(stop.value.code or 0)


def test_agreement_says_how_far_two_people_agree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path, gold = tmp_path / "annotations.jsonl", tmp_path / "gold.jsonl"
    append_acts(path, [act("v", name, [(0, end)], "5-1,4", duration=20) for name, end in (("ann", 10), ("ben", 8))])
    append_acts(gold, [act("v", "adjudicated", [(0, 10)], "5-1,4", duration=20)])
    assert annotate(monkeypatch, "agreement", path, "--gold", gold) == 0
    shown = capsys.readouterr().out
    assert "mean union IoU" in shown
    assert "0.8000" in shown
    assert "too few videos" in shown
    assert annotate(monkeypatch, "agreement", path, "--json") == 0
    figures = json.loads(capsys.readouterr().out)["agreement"][0]["figures"]
    assert ["moments", "mean union IoU", 0.8] in [[one["part"], one["statistic"], one["value"]] for one in figures]


def test_one_annotator_alone_agrees_with_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "annotations.jsonl"
    append_acts(path, [act("v", "ann", [(0, 10)])])
    assert annotate(monkeypatch, "agreement", path) == 2
    assert "annotated by two people" in capsys.readouterr().err
