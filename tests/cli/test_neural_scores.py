"""`score --scorers all` on the embedded split, with tiny networks; what is not to be had is left out by name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ecva_bench.journal.writer import Journal
from ecva_bench.records.answers import Manifest
from ecva_bench.scoring.factory import available
from ecva_bench.scoring.files import read_scores
from tests.scoring.build import answer
from tests.scoring.tiny import SAVE

JUDGED = {"anomeval", "claims", "gpt", "twins-judge", "vau-eval"}
NOT_ON_MINI = {"choice", "detection", "grounding", "severity", "twins"}  # or not asked unless named


@pytest.fixture(autouse=True)
def offline(tmp_path, monkeypatch):
    """No network and an empty hub cache."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)


@pytest.fixture
def mini(ecva_bench, tmp_path) -> Path:
    """What the oracle answers on the embedded split."""
    out = tmp_path / "oracle.jsonl"
    code, _, errors = ecva_bench("run", "--model", "oracle", "--out", out)
    assert code == 0, errors
    return out


@pytest.fixture
def results(tmp_path) -> Path:
    """Two answers."""
    path = tmp_path / "run.jsonl"
    spec = {"model": "some-model", "prompts": {}}
    with Journal(path, Manifest(run="r", spec=spec, expects={"full": ("a/cause", "b/cause")})) as journal:
        for video in ("a", "b"):
            journal.append(answer(video, "1. A car hits a wall.", reference=f"a car {video}"))
    return path


@pytest.fixture
def tiny(tmp_path, monkeypatch) -> list[str]:
    """The options that name a tiny checkpoint for every network, of which nothing is known yet."""
    monkeypatch.setenv("ECVA_CACHE", str(tmp_path / "cache"))
    folders = {name: save(tmp_path / name) for name, save in SAVE.items()}
    return [part for name, path in folders.items() for part in ("--metric-arg", f"{name}.checkpoint={path}")]


def test_all_scorers_on_the_embedded_split_in_one_command(ecva_bench, mini, tiny):
    code, shown, errors = ecva_bench("score", mini, "--scorers", "all", *tiny)
    assert code == 0, errors
    assert {line.split(": ")[1] for line in errors.splitlines() if line.startswith("left out: ")} == JUDGED
    written = mini.with_name("oracle.scores.jsonl")
    scores = read_scores(written)
    assert {summary.scorer for summary in scores.summaries} == {*available()} - JUDGED - NOT_ON_MINI
    assert set(scores.header.left_out) == JUDGED
    text = {"description", "cause", "effect"}
    for name in SAVE:
        found = [summary for summary in scores.summaries if summary.scorer == name]
        assert {summary.task for summary in found} == text
        assert all(summary.n == summary.expected > 0 and summary.mean is not None for summary in found)
        assert f"{name}|model:{name}@" in shown
    # The oracle's answers are the references: nothing is nearer, and any other reference is farther.
    nearness = [summary for summary in scores.summaries if summary.column == "moverscore"]
    assert [summary.mean for summary in nearness] == pytest.approx([1, 1, 1], abs=1e-6)
    assert all(summary.floor < 0.999 for summary in nearness)
    first = written.read_bytes()
    ecva_bench("score", mini, "--scorers", "all", *tiny)
    assert written.read_bytes() == first


def test_networks_without_weights_are_left_out_of_all_with_the_command_that_gets_them(ecva_bench, results):
    code, _, errors = ecva_bench("score", results, "--scorers", "all")
    assert code == 0
    for name, command in {"bleurt": "hf download lucadiliello/BLEURT-20", "unieval": "MingZhong/unieval-fact"}.items():
        assert any(line.startswith(f"left out: {name}: ") and command in line for line in errors.splitlines())
    header = json.loads(results.with_name("run.scores.jsonl").read_text().splitlines()[0])
    assert set(header["left_out"]) == {*SAVE, *JUDGED}
    assert "the hub's cache" in header["left_out"]["bleurt"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--scorers", "bleurt"], "hf download lucadiliello/BLEURT-20"),
        (["--scorers", "all", "--metric-arg", "bleurt.checkpoint=/nowhere/at/all"], "no such checkpoint: /nowhere"),
        (["--metric-arg", "bleurt.checkpoint"], "'bleurt.checkpoint' is no setting of a metric: write name=value"),
        (["--metric-arg", "bleurt.device"], "write name=value"),
        (["--metric-arg", "bleurt.dtype=int8"], "choose from float32, bfloat16, float16"),
        (["--metric-arg", "rouge.device=cpu"], "'rouge' runs no model"),
        (["--metric-arg", "unieval.strip_list_numbers=maybe"], "choose from true, false"),
    ],
)
def test_what_was_asked_for_by_name_and_cannot_be_had_is_one_line_with_a_remedy(ecva_bench, results, options, message):
    code, shown, errors = ecva_bench("score", results, *options)
    assert code == 2
    assert not shown
    assert message in errors
    assert "Traceback" not in errors


def test_a_setting_of_a_metric_moves_its_signature(ecva_bench, results, tiny):
    chosen = ["--scorers", "unieval", "--metric-arg", "unieval.strip_list_numbers=true"]
    _, shown, _ = ecva_bench("score", results, *chosen, *tiny, "--metric-arg", "unieval.dtype=bfloat16")
    assert "dtype:bfloat16|device:" in shown
    assert "list-numbers:stripped" in shown


@pytest.mark.parametrize("device", ["cuda:93", "meta", "tpu"])
def test_a_device_that_is_not_there_is_refused_before_anything_is_scored(ecva_bench, results, device):
    code, shown, complaint = ecva_bench(
        "score", results, "--scorers", "bleu,bleurt", "--metric-arg", f"bleurt.device={device}"
    )
    assert code == 2
    assert complaint.startswith("error: torch cannot use the device (")
    assert f"{device}: there is cpu" in complaint
    assert not shown
    assert not results.with_name("run.scores.jsonl").exists()
