"""AnomShield as a user types it: the commands of Table VIII."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecva_bench.adapters.anomshield.connector import MambaConnector
from ecva_bench.adapters.anomshield.pooled_mlp import PooledMlp
from ecva_bench.journal.results import read_results
from tests.adapters import tiny_llava as tiny
from tests.cli.conftest import Command

QUICK = ("--model-arg", "max-new-tokens=4", "--model-arg", "device=cpu")


@pytest.fixture
def place(tmp_path: Path, own_cache: Path) -> Path:
    """A LoRA, a projector without Mamba block, and the language model both lie on."""
    tiny.write_tower(tmp_path / "tower")
    tiny.write_base(tmp_path / "base")
    mamba = tiny.random_state(MambaConnector(tiny.WIDTH, tiny.HIDDEN), 3)
    tiny.write_lora(tmp_path / "lora", mamba, tmp_path / "tower", mm_projector_type="mamba_scan", num_frames=16)
    mlp = tiny.random_state(PooledMlp(tiny.WIDTH, tiny.HIDDEN), 3)
    tiny.write_stage_1(tmp_path / "mlp", mlp, tmp_path / "tower", mm_projector_type="mlp2x_gelu", num_frames=16)
    return tmp_path


@pytest.mark.parametrize(
    ("layout", "options", "frames"),
    [
        ("lora", (), range(33, 49)),
        ("lora", ("--no-hard-prompt",), [16]),
        ("mlp", ("--connector", "mlp"), range(33, 49)),
        ("mlp", ("--connector", "mlp", "--no-hard-prompt"), [16]),
    ],
)
def test_the_four_rows_of_table_viii_run_over_mini(
    layout: str, options: tuple[str, ...], frames: range | list[int], place: Path, ecva_bench: Command
) -> None:
    out = place / "results.jsonl"
    base = ("--model-path", place / layout, "--model-arg", f"base={place / 'base'}")
    run = ("run", "--model", "anomshield", "--task", "cause", "--limit", 1, "--out", out, *QUICK, *base, *options)
    code, shown, complaint = ecva_bench(*run)
    assert code == 3, complaint  # random weights come to no end
    assert "1 answer (0 were there), 0 errors, 0 missing; 0 empty, 1 cut off" in shown
    for answer in read_results(out).answers:
        assert answer.frames is not None
        assert answer.frames.n in frames
        assert (answer.steps is None) == ("--no-hard-prompt" in options)
        if answer.steps:
            told = answer.steps["hard_prompt"]
            assert len(told["segments"]) == 8
            assert set(told["frames"]) <= set(answer.frames.timestamps)
            assert told["chosen"] or told["fallback"]
    code, shown, complaint = ecva_bench("score", out, "--scorers", "rouge")
    assert code == 0, complaint


def test_an_option_of_anomshield_is_refused_for_a_model_that_has_none(ecva_bench: Command) -> None:
    code, _, complaint = ecva_bench("run", "--model", "constant", "--no-hard-prompt")
    assert code == 2
    assert "there is no option hard_prompt: model 'constant'" in complaint
    assert complaint.strip().endswith("it has no options (--model constant)")
    code, _, complaint = ecva_bench("run", "--model", "anomshield", "--model-arg", "hardprompt=no")
    assert code == 2
    known = complaint.split("its options are ")[1].strip().split(", ")
    assert {"hard_prompt", "segments", "connector", "backend", "aspect", "generation", "model_path"} <= set(known)
    assert not {"self", "target", "options"} & set(known)
