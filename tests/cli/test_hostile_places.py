"""Places that cannot be read or written, packages and letters that are missing: one line that says so, and no trace."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ecva_bench import __version__

CORE = ("torch", "transformers", "safetensors", "sentencepiece", "huggingface_hub", "modelscope", "peft", "accelerate")
PROGRAM = "import sys; from ecva_bench.__main__ import program; sys.argv[0] = 'ecva-bench'; program()"


def run_in_core(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command line as it is where no extra is installed."""
    program = f"import sys; sys.modules.update(dict.fromkeys({CORE!r})); {PROGRAM}"
    return subprocess.run([sys.executable, "-c", program, *map(str, arguments)], capture_output=True, text=True)


@pytest.mark.parametrize("listing", ["models", "models --json", "models show vila", "tasks", "scorers"])
def test_listings_need_no_extra(listing: str) -> None:
    done = run_in_core(*listing.split())
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout


@pytest.mark.parametrize(
    "command",
    [
        "run --model videollama2 --out {out}",
        "run --model videollama2 --model-path {folder} --out {out}",
        "run --model hf:some/model --out {out}",
        "run --model hf:{folder} --out {out}",
        "plan --model timechat --model-path {folder} --out {out}",
        "models check videollama2 --model-path {folder}",
        "serve-hint some/model",
    ],
)
def test_what_needs_an_extra_says_which(tmp_path: Path, command: str) -> None:
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"x")
    done = run_in_core(*command.format(folder=folder, out=tmp_path / "out.jsonl").split())
    assert done.returncode == 2
    assert re.match(r"error: .* not installed.*pip install 'ecva-bench\[\w+\]'.*\n$", done.stderr)


@pytest.mark.parametrize(
    ("command", "extra"),
    [
        ("serve-hint some/model", "data"),
        ("data fetch ecva --to {folder}", "data"),
        ("run --model hf:some/model --out {folder}/out.jsonl", "all"),
    ],
)
def test_the_extra_that_is_named_brings_what_is_missing(tmp_path: Path, command: str, extra: str) -> None:
    done = run_in_core(*command.format(folder=tmp_path).split())
    assert f"pip install 'ecva-bench[{extra}]'" in done.stderr


def test_a_folder_in_place_of_a_file_is_named(tmp_path, ecva_bench):
    for command in (
        ("run", "--model", "constant", "--out", tmp_path),
        ("merge", tmp_path, "--out", tmp_path / "all.jsonl"),
        ("merge", tmp_path / "none.jsonl", "--out", tmp_path / "all.jsonl"),
    ):
        code, _, errors = ecva_bench(*command)
        last = errors.splitlines()[-1]  # where clips had to be rendered, that is told before
        assert (code, last.startswith("error: "), str(tmp_path) in last) == (2, True, True)


def test_a_place_that_is_met_unprepared_is_named(tmp_path, ecva_bench, monkeypatch):
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "/root/secret")

    monkeypatch.setattr("ecva_bench.journal.merging.merge_results", refuse)
    code, _, errors = ecva_bench("merge", tmp_path / "a.jsonl", "--out", tmp_path / "b.jsonl")
    assert code == 2
    assert errors == "error: Permission denied: /root/secret: check the place, its permissions and the room left\n"


def test_many_ids_are_no_file_name(tmp_path, ecva_bench):
    many = ",".join(f"{number:05}" for number in range(1, 2000))
    code, _, errors = ecva_bench("run", "--model", "constant", "--ids", many, "--out", tmp_path / "out.jsonl")
    assert code == 2
    assert "no usable video" in errors
    ids = tmp_path / "ids"
    ids.write_bytes(b"\xff\xfe")
    code, _, errors = ecva_bench("run", "--model", "constant", "--ids", ids, "--out", tmp_path / "out.jsonl")
    what = "the file of ids is not a text file"
    assert (code, errors) == (2, f"error: {what}: {ids}: write one id a line, in UTF-8 (--ids {ids})\n")


def test_letters_a_terminal_has_not_are_no_failure() -> None:
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-c", PROGRAM, "leaderboard", "--task", "cause"]
    done = subprocess.run(command, capture_output=True, env=environment)
    assert done.returncode == 0
    assert b"33.30 \\u2020" in done.stdout


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_command_says_that_nothing_is_lost(sign: int, tmp_path: Path) -> None:
    slow = (
        "import ecva_bench.journal.merging as j, time; "
        "j.merge_results = lambda *_: (print('now', flush=True), time.sleep(60))"
    )
    command = [sys.executable, "-c", f"{slow}; {PROGRAM}", "merge", str(tmp_path / "a.jsonl"), "--out", "b.jsonl"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "now\n"
        process.send_signal(sign)
        assert process.communicate(timeout=30)[1] == "interrupted; what was written is kept\n"
    assert process.returncode == 130


def test_the_version_is_told(ecva_bench):
    assert ecva_bench("--version") == (0, f"ecva-bench {__version__}\n", "")


def test_help_names_extras_and_breaks_lines_where_the_terminal_does(ecva_bench, monkeypatch):
    from ecva_bench.cli import app

    monkeypatch.setenv("COLUMNS", "80")
    assert "ecva-bench[data]" in ecva_bench("data", "fetch", "--help")[1]
    for command in app.registered_commands:
        assert command.callback
        paragraphs = (command.callback.__doc__ or "").split("\n\n")[1:]
        told = [each for each in paragraphs if not each.strip().startswith(("Example", "ecva-bench"))]
        lines = [line.strip() for each in told if "\n" in each.strip() for line in each.splitlines()]
        assert all(len(line) <= 78 for line in lines), command.name
