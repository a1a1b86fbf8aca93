"""Every command refuses a file that was changed since it was written; `repair` shows it and sets it aside."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.sealing import unseal
from tests.test_seals import Files


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Files:
    monkeypatch.chdir(tmp_path)
    return Files(Path())


def damage(path: Path, number: int) -> None:
    """Flip a bit in the middle of a line."""
    lines = path.read_bytes().splitlines(keepends=True)
    line = bytearray(lines[number - 1])
    line[len(line) // 2] ^= 1
    path.write_bytes(b"".join([*lines[: number - 1], bytes(line), *lines[number:]]))


OF_RESULTS = (
    "score run.jsonl --out new.scores.jsonl",
    "audit run.jsonl",
    "summary run.jsonl",
    "compare run.jsonl run.jsonl",
    "gate run.jsonl --against run.jsonl",
    "leaderboard run.jsonl",
    "view run.jsonl --no-serve",
    "report run.jsonl --out page.html",
    "submit run.jsonl",
    "export run.jsonl --to csv",
    "merge run.jsonl --out all.jsonl",
    "run --model motion --task cause --out run.jsonl",
    "run --model motion --task cause --reuse run.jsonl --out new.jsonl",
    "plan --model motion --task cause --out run.jsonl",
    "judge-audit run.jsonl --judge gpt-4o-mini",
)
OF_SCORES = (
    "score run.jsonl --scorers bleu",
    "summary run.jsonl",
    "compare run.jsonl run.jsonl",
    "gate run.scores.jsonl --against run.scores.jsonl --exact",
    "leaderboard run.scores.jsonl",
    "view run.jsonl run.scores.jsonl --no-serve",
    "submit run.jsonl",
)
OF_SUBMISSION = ("leaderboard {}", "summary {}", "leaderboard --build boards", "submit run.jsonl --to boards")


def test_every_command_names_the_line_that_was_changed(
    files: Files, ecva_bench: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    sound = {path: path.read_bytes() for path in (files.results, files.scores, files.submission)}
    wrong = []
    for path, commands in ((files.results, OF_RESULTS), (files.scores, OF_SCORES), (files.submission, OF_SUBMISSION)):
        damage(path, 5 if path.suffix == ".jsonl" else 12)
        held = path.read_bytes()
        for line in commands:
            code, _, errors = ecva_bench(*line.format(path).split())
            said = "line 5 " if path.suffix == ".jsonl" else "it was changed since it was written"
            if code != 2 or said not in errors or f"`ecva-bench repair {path}`" not in errors:
                wrong.append(f"{line}: {code}: {errors}")
            if path.read_bytes() != held:
                wrong.append(f"{line}: wrote to {path}")
        path.write_bytes(sound[path])
    assert not wrong, "\n".join(wrong)


def test_results_are_shown_set_aside_and_asked_again(files: Files, ecva_bench: Command) -> None:
    assert ecva_bench("repair", "run.jsonl") == (0, "run.jsonl: nothing is wrong\n", "")
    damage(files.results, 5)
    held = files.results.read_bytes()
    code, shown, _ = ecva_bench("repair", "run.jsonl")
    assert (code, files.results.read_bytes()) == (1, held)
    assert shown.startswith("line 5 was changed since it was written: ")
    assert shown.endswith("run.jsonl: 1 fault; --quarantine moves the bad lines to run.jsonl.quarantined\n")
    code, shown, _ = ecva_bench("repair", "run.jsonl", "--quarantine")
    assert code == 0
    assert "1 line moved to run.jsonl.quarantined; what they answered is owed again" in shown
    assert Path("run.jsonl.quarantined").read_bytes() == held.splitlines(keepends=True)[4]
    assert ecva_bench("score", "run.jsonl", "--scorers", "bleu", "--out", "new.scores.jsonl")[0] == 0
    _, shown, _ = ecva_bench("summary", "new.scores.jsonl")
    assert "beware: the results file was changed in 1 place and repaired" in shown
    for command in (("leaderboard", "new.scores.jsonl"), ("gate", "new.scores.jsonl", "--against", "new.scores.jsonl")):
        _, shown, _ = ecva_bench(*command)
        assert "the results file was changed in 1 place and repaired" in shown, command


def test_what_can_be_written_again_is_moved_whole(files: Files, ecva_bench: Command) -> None:
    for path, again in (
        (files.scores, ("score", "run.jsonl", "--scorers", "bleu")),
        (files.submission, ("submit", "run.jsonl", "--to", "boards")),
    ):
        assert ecva_bench("repair", path)[:2] == (0, f"{path}: nothing is wrong\n")
        damage(path, 8)
        held = path.read_bytes()
        code, shown, _ = ecva_bench("repair", path)
        assert (code, path.read_bytes()) == (1, held)
        assert f"--quarantine moves it to {path}.quarantined" in shown
        assert ecva_bench("repair", path, "--quarantine")[0] == 0
        assert Path(f"{path}.quarantined").read_bytes() == held
        assert ecva_bench(*again)[0] == 0
        damage(path, 8)
        assert ecva_bench("repair", path, "--quarantine")[0] == 2  # nothing that was set aside is overwritten
        assert Path(f"{path}.quarantined").read_bytes() == held
        path.unlink()
        ecva_bench(*again)


@pytest.mark.parametrize("cut", ["its first line", "its end"])
def test_what_can_be_written_again_and_cannot_be_read_is_moved_too(cut: str, files: Files, ecva_bench: Command) -> None:
    for path, again in (
        (files.scores, ("score", "run.jsonl", "--scorers", "bleu")),
        (files.submission, ("submit", "run.jsonl", "--to", "boards")),
    ):
        content = path.read_bytes()
        path.write_bytes(content[40:] if cut == "its first line" else content[: len(content) * 3 // 4])
        code, shown, _ = ecva_bench("repair", path)
        assert (code, f"--quarantine moves it to {path}.quarantined" in shown) == (1, True)
        assert ecva_bench("repair", path, "--quarantine")[0] == 0
        assert ecva_bench(*again)[0] == 0
        assert ecva_bench("repair", path)[:2] == (0, f"{path}: nothing is wrong\n")
        Path(f"{path}.quarantined").unlink()


JUDGE_CALLS = b'{"calls":0,"schema":"ecva.judge/1","type":"judge"}\n'
PEOPLES_WORK = b'{"schema":"ecva.annotation/1","type":"act"}\n'


@pytest.mark.parametrize("content", [b"", b"{}\n", b"\0" * 99, JUDGE_CALLS, PEOPLES_WORK])
@pytest.mark.parametrize("name", ["other.jsonl", "other.json"])
def test_a_file_of_something_else_is_left_alone(
    name: str, content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ecva_bench: Command
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(content)
    for more in ((), ("--quarantine",)):
        code, _, errors = ecva_bench("repair", name, *more)
        assert (code, Path(name).read_bytes()) == (2, content)
        assert "neither a results file nor a scores file nor a submission" in errors


def test_line_ends_of_windows_cost_no_answer(files: Files, ecva_bench: Command) -> None:
    held = files.results.read_bytes()
    files.results.write_bytes(held.replace(b"\n", b"\r\n"))
    code, _, errors = ecva_bench("repair", "run.jsonl", "--quarantine")
    assert (code, "its line ends were changed" in errors) == (2, True)
    assert not Path("run.jsonl.quarantined").exists()
    subprocess.run(["sh", "-c", errors.partition("with: ")[2]], check=True)  # noqa: S607
    assert files.results.read_bytes() == held


def test_a_line_that_was_added_again_is_told_and_none_is_moved(files: Files, ecva_bench: Command) -> None:
    held = files.results.read_bytes()
    files.results.write_bytes(held + held.splitlines(keepends=True)[1])
    assert ecva_bench("repair", "run.jsonl")[0] == 1
    code, shown, _ = ecva_bench("repair", "run.jsonl", "--quarantine")
    assert (code, "none was moved" in shown) == (0, True)
    assert not Path("run.jsonl.quarantined").exists()
    assert ecva_bench("repair", "run.jsonl")[:2] == (0, "run.jsonl: nothing is wrong\n")


def test_older_files_are_read_and_called_unsealed(files: Files, ecva_bench: Command, tmp_path: Path) -> None:
    run, scores = tmp_path / "run.jsonl", tmp_path / "new.scores.jsonl"  # whole paths: each is remarked once
    unseal(run)
    code, _, errors = ecva_bench("score", run, "--scorers", "bleu", "--out", scores)
    assert (code, errors.count(f"note: {run} is unsealed")) == (0, 1)
    assert "unsealed" not in ecva_bench("summary", scores)[2]
    code, _, errors = ecva_bench("submit", run, "--scores", scores, "--to", "others")
    assert (code, errors) == (0, "")
    [path] = Path("others").rglob("*.json")
    submitted = json.loads(path.read_text())
    assert (submitted["sealed"], "sealed_answers" in submitted) == (True, False)
    sealed = json.loads(files.submission.read_text())
    assert (sealed["sealed"], sealed["sealed_answers"]) == (True, True)
    unseal(scores)
    code, _, errors = ecva_bench("summary", scores)
    assert (code, errors.count(f"note: {scores} is unsealed")) == (0, 1)
