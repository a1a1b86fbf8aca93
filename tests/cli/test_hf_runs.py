"""`--model hf:FOLDER`, as a user types it, with torchvision and without."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from ecva_bench.journal.results import read_results
from tests.adapters import tiny_hf as tiny
from tests.cli.conftest import Command
from tests.clips import write_clip

OPTIONS = ("--limit", 1, "--task", "cause", "--task", "effect", "--edited", "anomaly")
QUICK = ("--model-arg", "max-new-tokens=6", "--model-arg", "frames=4", "--model-arg", "dtype=float32")


def test_a_run_over_mini_in_both_modes(tmp_path: Path, own_cache: Path, ecva_bench: Command) -> None:
    folder = tiny.write(tmp_path / "tiny-qwen3", "qwen3_vl")
    answers = []
    for mode in ("exact", "fast"):
        out = tmp_path / f"{mode}.jsonl"
        run = ("run", "--model", f"hf:{folder}", *OPTIONS, *QUICK, "--model-arg", "max_pixels=2048", "--mode", mode)
        code, shown, complaint = ecva_bench(*run, "--out", out)
        assert code == 3, complaint  # random weights come to no end
        assert "4 answers (0 were there), 0 errors, 0 missing; 0 empty, 4 cut off" in shown
        results = read_results(out)
        assert all(answer.frames is not None and answer.frames.n == 4 for answer in results.answers)
        answers.append({(answer.id, answer.view): answer.answer for answer in results.answers})
        assert results.spec["description"]["family"] == "qwen3_vl"
    assert answers[0] == answers[1]
    assert len(set(answers[0].values())) > 1
    code, shown, _ = ecva_bench(*run, "--out", out)
    assert "4 answers (4 were there)" in shown


def test_the_listing_shows_schemes_as_they_are_written(ecva_bench: Command) -> None:
    _, shown, _ = ecva_bench("models")
    names = [line.split()[0] for line in shown.splitlines() if line]
    assert {"hf:…", "command:…", "motion"} <= set(names)


WITHOUT = """
import sys
sys.modules["torchvision"] = None  # as if it were not installed
from ecva_bench.answering import create_adapter
from ecva_bench.errors import AdapterError
from ecva_bench.video import Video
for folder in sys.argv[2:]:
    model = create_adapter("hf:" + folder, {"frames": "2", "max_new_tokens": "2", "device": "cpu"})
    try:
        model.load()
        print(len(model.answer_many(Video(sys.argv[1]), ["Why?", "What?"])), "answers")
    except AdapterError as error:
        print(error)
"""


def test_without_torchvision_images_go_and_videos_are_refused(tmp_path: Path) -> None:
    write_clip(tmp_path / "a.mp4")
    folders = [tiny.write(tmp_path / family, family) for family in ("gemma3", "qwen2_vl")]
    command = [sys.executable, "-c", WITHOUT, str(tmp_path / "a.mp4"), *map(str, folders)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    images, videos = run.stdout.splitlines()
    assert images == "2 answers"
    assert "needs torchvision for models that take videos" in videos
    assert "pip install 'ecva-bench[vision]'" in videos
