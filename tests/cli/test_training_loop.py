"""From random weights to a gate: two stages, a checkpoint in the release's layout, a run, scores, a verdict."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import ecva_bench as eb
from ecva_bench.data.mini import load_mini
from tests.cli.conftest import Command
from tests.training import smoke

STEPS = 60  # 90 give all 14 classes
FEWEST = 8  # right answers of 14; the constant has 2


@pytest.mark.parametrize("seed", [0, pytest.param(2, marks=pytest.mark.slow), pytest.param(3, marks=pytest.mark.slow)])
def test_a_trained_model_passes_the_gate_against_the_untrained_one(
    seed: int, tmp_path: Path, own_cache: Path, ecva_bench: Command
) -> None:
    data = load_mini()
    data.ensure_videos()
    smoke.learn(tmp_path, data, seed=seed, steps=STEPS)
    parts = {"base": str(tmp_path / "base"), "vision_tower": str(tmp_path / "tower"), "hard_prompt": "no"}
    scores = {}
    for name, folder in (("untrained", tmp_path / "1" / "start"), ("trained", tmp_path / "3")):
        run = eb.run(
            "anomshield",
            model_path=str(folder),
            model_args={**parts, "device": "cpu", "backend": "torch", "max_new_tokens": 8},
            tasks="classification",
            out=tmp_path / f"{name}.jsonl",
        )
        scores[name] = eb.score(run)
        right = sum(one.answer.strip() == f"[{one.label.major}]" for one in run.records if one.label)
        assert (right >= FEWEST) == (name == "trained"), name
    code, _, _ = ecva_bench(
        "gate", tmp_path / "trained.jsonl", "--against", tmp_path / "untrained.jsonl", "--out", tmp_path / "verdict"
    )
    assert code == 0
    verdict = json.loads((tmp_path / "verdict" / "verdict.json").read_text(encoding="utf-8"))
    assert verdict["verdict"] == "PASS", verdict
