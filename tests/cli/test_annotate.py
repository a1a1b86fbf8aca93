"""`ecva-bench annotate` as its users call it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ecva_bench import cli
from ecva_bench.annotation.acts import append_acts, read_acts
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


def test_annotations_go_to_a_tool_and_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path, back = tmp_path / "annotations.jsonl", tmp_path / "back.jsonl"
    append_acts(path, [act("v", "ann", [(0, 10)], "5-1,4"), act("v", "ben", [(0, 9)])])
    assert annotate(monkeypatch, "export", path, "--to", "via", "--annotator", "ann", "--out", tmp_path / "via") == 0
    project = tmp_path / "via/project.json"
    words = ("import", project, "--annotator", "cleo", "--round", "2", "--saw", "ann", "--out", back)
    assert annotate(monkeypatch, *words) == 0
    assert annotate(monkeypatch, *words) == 0
    shown = capsys.readouterr().out
    assert "1 annotation added, 0 there already" in shown
    assert "0 annotations added, 1 there already" in shown
    [review] = read_acts(back)
    assert (review.round, review.blind, review.saw) == (2, False, ("ann",))
    assert annotate(monkeypatch, "export", path, "--to", "via", "--annotator", "zoe", "--out", tmp_path / "via") == 2
    assert "choose with --annotator and --round: ann in round 1, ben in round 1" in capsys.readouterr().err


def test_the_whole_way_from_a_queue_to_adjudicated_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    videos, queue, path = tmp_path / "videos.jsonl", tmp_path / "queue", tmp_path / "annotations.jsonl"
    videos.write_text("".join(f'{{"video": "{n:05}"}}\n' for n in range(4)))
    words = ("queue", videos, "--annotators", "ann,ben", "--overlap", "1", "--out", queue)
    assert annotate(monkeypatch, *words) == 0
    assert annotate(monkeypatch, *words) == 2  # people may be working by it
    for name in ("ann", "ben"):
        assert annotate(monkeypatch, "export", queue / f"{name}.jsonl", "--to", "via", "--out", tmp_path / name) == 0
        project = json.loads((tmp_path / name / "project.json").read_text())
        for one in project["metadata"].values():  # they find nothing; the third attribute is the class
            one["av"]["3"] = "none"
        if name == "ben":  # who finds something in the first video of the list
            project["metadata"]["1_0"]["av"].pop("3")
            project["metadata"]["x"] = {"vid": "1", "flg": 0, "z": [1, 2], "xy": [], "av": {"1": "anomaly"}}
        (tmp_path / name / "project.json").write_text(json.dumps(project))
        saved = tmp_path / name / "project.json"
        assert annotate(monkeypatch, "import", saved, "--annotator", name, "--out", path) == 0
    gold, third = tmp_path / "gold.jsonl", tmp_path / "third.jsonl"
    assert annotate(monkeypatch, "adjudicate", path, "--out", gold, "--open", third) == 0
    shown = capsys.readouterr().out
    assert "3 videos settled" in shown
    assert "1 video for third" in shown
    assert annotate(monkeypatch, "export", third, "--to", "via", "--out", tmp_path / "third") == 0
    project = tmp_path / "third/project.json"
    assert "[\n    1.0,\n    2.0\n   ]" in project.read_text()  # what ben marked
    words = ("import", project, "--annotator", "third", "--round", "2", "--saw", "ann", "--saw", "ben", "--out", path)
    assert annotate(monkeypatch, *words) == 0
    assert annotate(monkeypatch, "adjudicate", path, "--out", gold) == 0
    assert len(read_acts(gold)) == 4
    assert annotate(monkeypatch, "adjudicate", path, "--out", path) == 2
    assert annotate(monkeypatch, "adjudicate", path, "--out", gold, "--open", gold) == 2  # one would replace the other
