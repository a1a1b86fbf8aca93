"""A run with a model that has weights, as a user types it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecva_bench.adapters.videollama2.stc import Stc
from ecva_bench.journal.results import read_results
from tests.adapters import tiny_llava as tiny
from tests.cli.conftest import Command

QUICK = ("--model-arg", "max-new-tokens=6", "--model-arg", "device=cpu", "--model-arg", "dtype=float32")


@pytest.fixture
def place(tmp_path: Path, own_cache: Path) -> Path:
    """A whole tiny VideoLLaMA 2 in `whole`, and one whose projector lacks a name in `torn`."""
    projector = tiny.random_state(Stc(tiny.WIDTH, tiny.HIDDEN), 3)
    tiny.write_tower(tmp_path / "tower")
    tiny.write_whole(tmp_path / "whole", projector, tmp_path / "tower")
    del projector["readout.0.bias"]
    tiny.write_whole(tmp_path / "torn", projector, tmp_path / "tower")
    return tmp_path


def test_a_run_over_mini_ends_with_answers_and_is_resumed_from_another_place(place: Path, ecva_bench: Command) -> None:
    out = place / "results.jsonl"
    run = ("run", "--model", "videollama2", "--task", "cause", "--limit", 2, "--out", out, *QUICK)
    code, shown, complaint = ecva_bench(*run, "--model-path", place / "whole")
    assert code == 3, complaint  # random weights come to no end
    assert "2 answers (0 were there), 0 errors, 0 missing; 0 empty, 2 cut off" in shown
    results = read_results(out)
    assert all(answer.frames is not None and answer.frames.n == 8 for answer in results.answers)
    assert str(place) not in out.read_text(encoding="utf-8")
    (place / "elsewhere").mkdir()
    (place / "whole").rename(place / "elsewhere" / "whole")
    code, shown, _ = ecva_bench(*run, "--model-path", place / "elsewhere" / "whole")
    assert "2 answers (2 were there)" in shown


def test_weights_that_do_not_fit_end_a_run_before_its_first_answer(place: Path, ecva_bench: Command) -> None:
    out = place / "results.jsonl"
    run = ("--model", "videollama2", "--model-path", place / "torn", "--limit", 1, "--out", out, *QUICK)
    code, _, complaint = ecva_bench("run", *run)
    assert code == 2
    assert "error: the weights do not fit Stc (1 missing: readout.0.bias)" in complaint
    results = read_results(out)
    assert not results.answers
    assert not results.failures


def test_a_model_without_weights_refuses_a_path_to_them(place: Path, ecva_bench: Command) -> None:
    code, _, complaint = ecva_bench("run", "--model", "motion", "--model-path", place, "--out", place / "r.jsonl")
    assert code == 2
    assert "there is no option model_path: model 'motion'" in complaint
