"""`ecva-bench doctor`: what it finds is what is there, keys stay unseen, and the command it names is the next step."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from ecva_bench.doctor import machine
from ecva_bench.doctor.examining import Examination, examine

from .conftest import Command


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "my data.json"
    rows = [{"visual_input": f"{n:05}.mp4", "task": "Cause", "output": "c"} for n in range(1, 9)]
    path.write_text(json.dumps(rows))
    return path


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    folder = tmp_path / "videos"
    for name in (
        "00001.mp4",
        "a/2.MKV",
        "a/00003.mp4",
        "b/3.avi",
        "7.mp4.part",
        "extra.mp4",
        "note.txt",
        "old/00001.mp4",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(bytes(5000))
    (folder / "00004.mp4").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    return folder


def text_of(found: Examination, subject: str) -> str:
    return next(line.text for line in found.lines if line.subject == subject)


def test_the_videos_of_a_folder_are_held_against_the_annotations(data: Path, videos: Path) -> None:
    found = examine(str(data), videos)
    assert text_of(found, "data").startswith("cuva, 8 usable videos, 0 unusable")
    assert text_of(found, "videos") == f"3 of 8 are there, in {videos}"
    assert text_of(found, "names") == "1 are called otherwise than annotated: a/2.MKV is 00002"
    assert text_of(found, "missing") == f"4 of 8 videos, without a file in {videos}: 00005, 00006, 00007, 00008"
    assert text_of(found, "ambiguous").startswith("1 may be either of two files: 00003; ")
    assert text_of(found, "too small") == "1 file, no video for the size: 00004"
    assert text_of(found, "unfinished") == "1 download, not whole: 00007"
    assert text_of(found, "not used") == "2 video files of no annotation, or a second one: extra.mp4, old/00001.mp4"
    assert found.ready


def test_keys_are_never_shown(monkeypatch: pytest.MonkeyPatch, ecva_bench: Command) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    monkeypatch.setenv("HF_TOKEN", "  ")
    _, shown, complaint = ecva_bench("doctor")
    assert "secret" not in shown + complaint
    told = {line.subject: line.text for line in machine.key_lines()}
    assert told == {"key OPENAI_API_KEY": "set", "key HF_TOKEN": "not set"}


@pytest.mark.parametrize(
    ("given", "step"),
    [
        ({}, "ecva-bench run --model motion --limit 2 --out trial.jsonl"),
        ({"model": "oracle"}, "ecva-bench run --model oracle --limit 2 --out trial.jsonl"),
        ({"data": "mini"}, "ecva-bench run --model motion --data mini --limit 2 --out trial.jsonl"),
        ({"data": "DATA"}, "ecva-bench doctor --data DATA --videos FOLDER"),
        ({"data": "none.xlsx"}, "ecva-bench doctor --data FILE"),
        ({"folder": "VIDEOS"}, "ecva-bench doctor --data FILE --videos VIDEOS"),
        ({"data": "DATA", "folder": "none"}, "ecva-bench doctor --data DATA --videos FOLDER"),
        ({"data": "DATA", "folder": "EMPTY"}, "ecva-bench doctor --data DATA --videos FOLDER"),
        ({"data": "DATA", "folder": "VIDEOS", "model": "nobody"}, "ecva-bench models"),
        ({"model": "hf:Some/Model"}, "hf download Some/Model"),
        ({"data": "DATA", "folder": "VIDEOS", "model": "motion"},
         "ecva-bench run --model motion --data DATA --videos VIDEOS --available --limit 2 --out trial.jsonl"),
    ],
)  # fmt: skip
def test_the_next_command_is_the_first_thing_that_stands_in_the_way(
    given: dict[str, str], step: str, data: Path, videos: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    places = {"DATA": str(data), "VIDEOS": str(videos), "EMPTY": str(tmp_path / "empty")}
    named = {name: places.get(value, value) for name, value in given.items()}
    folder = named.pop("folder", None)
    found = examine(folder=Path(folder) if folder else None, **named)
    for place, path in places.items():
        step = step.replace(place, shlex.quote(path))
    assert found.next == step
    assert found.ready == (" run " in step)


def test_the_command_it_names_runs(data: Path, tmp_path: Path, ecva_bench: Command) -> None:
    from tests.clips import write_clip

    write_clip(tmp_path / "set/deep/1.mkv", frames=4)
    code, shown, _ = ecva_bench("doctor", "--data", data, "--videos", tmp_path / "set", "--model", "motion")
    assert code == 0
    command = shlex.split(shown.splitlines()[-1].removeprefix("next: ecva-bench "))
    code, shown, _ = ecva_bench(*command[:-1], tmp_path / "trial.jsonl")
    assert code == 0
    assert "1 answer (0 were there), 0 errors" in shown


def test_what_a_model_needs_is_said_before_it_is_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(machine, "installed", lambda package: None if package == "torch" else "1.0")
    found = examine(model="hf:Some/Model")
    assert found.next == "pip install 'ecva-bench[models]'"
    assert any("lacks torch" in line.text for line in found.lines if line.subject == "extra models")
    (tmp_path / "model.safetensors").touch()
    monkeypatch.setattr(machine, "installed", lambda _: "1.0")
    assert examine(model="hf:Some/Model", model_path=str(tmp_path)).next.startswith(
        f"ecva-bench run --model hf:Some/Model --model-path {tmp_path}"
    )


def test_a_gpu_that_the_installed_torch_cannot_use_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "driver_gpus", lambda: ["NVIDIA H200, 140 GiB"])
    monkeypatch.setattr(machine, "installed", lambda _: "2.13.0+cpu")
    first, second = machine.gpu_lines()
    assert (first.subject, first.text) == ("cuda:0", "NVIDIA H200, 140 GiB")
    assert "torch 2.13.0+cpu cannot use a GPU" in second.text


def test_neither_torch_nor_a_decoder_is_loaded(data: Path, videos: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from ecva_bench.doctor.examining import examine;"
        "examine(sys.argv[1], Path(sys.argv[2]), 'motion');"
        "print(sorted({'torch', 'transformers', 'huggingface_hub'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(data), str(videos)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_doctor_and_plan_refuse_videos_of_other_numbers_as_a_run_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ecva_bench: Command
) -> None:
    data = tmp_path / "a.json"
    task = {"task": "Timestamp"}
    rows = [{**task, "visual_input": f"{n:05}.mp4", "output": f"[00{10 + n},00{20 + n}]"} for n in range(1, 31)]
    data.write_text(json.dumps(rows))
    folder = tmp_path / "videos"
    folder.mkdir()
    for number in range(1, 31):
        (folder / f"{number}.mp4").write_bytes(b"x" * 2000)

    def lasts(seconds: dict[int, float]) -> None:
        monkeypatch.setattr(
            "ecva_bench.data.numbering.stated_durations",
            lambda paths: {path: seconds[int(path.stem)] for path in paths},
        )

    command = ("plan", "--model", "constant", "--data", data, "--videos", folder)
    lasts({n: 20.0 + n for n in range(1, 31)})
    assert "numbering" not in {line.subject for line in examine(str(data), folder).lines}
    assert examine(str(data), folder).ready
    assert ecva_bench(*command)[0] == 0
    lasts({n: 21.0 + n - n % 3 * 15 for n in range(1, 31)})
    found = examine(str(data), folder)
    assert [line.good for line in found.lines if line.subject == "numbering"] == [False]
    assert (found.ready, found.next) == (False, f"ecva-bench doctor --data {data} --videos FOLDER")
    code, out, err = ecva_bench(*command)
    assert (code, out) == (2, "")
    assert "the videos are not those that these annotations are of" in err
