"""`ecva-bench data`: what is printed, and the exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ecva_bench.cli import data
from ecva_bench.errors import DataError, UsageError


def run(*arguments: object) -> Result:
    return CliRunner().invoke(data.app, [str(argument) for argument in arguments], env={"COLUMNS": "200"})


def annotate(path: Path, name: str) -> Path:
    rows = [
        {"video_name": name, "task": "Cause", "answer": "a cause"},
        {"video_name": name, "task": "Timestamp", "answer": "[0000,001]"},
        {"video_name": name, "task": "Classification", "answer": "[5-1,5]"},
    ]
    path.write_text(json.dumps(rows))
    return path


def test_check_lists_the_unusable_rows_and_the_repairs_of_the_real_file(shared_data: Path) -> None:
    result = run("check", shared_data / "ecva/annotations.xlsx")
    assert result.exit_code == 1
    assert "1,000 rows, 983 usable, 17 unusable" in result.stdout
    unusable = next(line for line in result.stdout.splitlines() if line.startswith("unusable rows:"))
    assert len(unusable.split()[2:]) == 17
    assert "moment-digits" in result.stdout
    for before, after in (("[0005,00050]", "[0005,0050]"), ("[3-1,3,]", "[3-1,3]"), ("[0012,20]", "[0012,0020]")):
        assert any(before in line and after in line for line in result.stdout.splitlines())


def test_check_as_json_is_whole_and_strict(shared_data: Path) -> None:
    result = run("check", shared_data / "ecva/annotations.xlsx", "--json")
    found = json.loads(result.stdout, parse_constant=pytest.fail)
    assert result.exit_code == 1
    assert len(found["unusable"]) == found["counts"]["unusable"] == 17
    assert {"video", "field", "rule", "action", "before", "after"} <= found["findings"][0].keys()
    assert found["videos"] is None


def test_check_of_good_files_exits_with_0_and_of_bad_ones_with_1(tmp_path: Path, shared_data: Path) -> None:
    folder = shared_data / "videos/damaged"
    good = run("check", annotate(tmp_path / "good.json", "ok_src.mp4"), "--videos", folder)
    assert good.exit_code == 0, good.stdout
    assert "unusable files: none" in good.stdout
    assert "unusable rows: none" in good.stdout
    assert "h264" in good.stdout
    bad = run("check", annotate(tmp_path / "bad.json", "text.mp4"), "--videos", folder)
    assert bad.exit_code == 1
    assert "not_a_video" in bad.stdout
    assert "unusable files: 1" in bad.stdout


def test_stats_in_tables_and_json(tmp_path: Path, shared_data: Path) -> None:
    path = annotate(tmp_path / "a.json", "ok_src.mp4")
    shown = run("stats", path, "--videos", shared_data / "videos/damaged")
    assert shown.exit_code == 0
    assert "Traffic Accidents" in shown.stdout
    assert "tenth of the video" in shown.stdout
    found = json.loads(run("stats", path, "--json").stdout)
    assert found["classes"] == [["5", "Traffic Accidents", 1], ["5-1", "Motor", 1]]
    assert found["moments_per_video"] == {"1": 1}
    assert found["durations"]["median"] == 1


def test_errors_are_raised_for_the_one_place_that_prints_them(tmp_path: Path) -> None:
    assert isinstance(run("check", tmp_path / "none.xlsx").exception, DataError)
    assert isinstance(run("fetch", "mini", "--to", tmp_path).exception, UsageError)


@pytest.mark.parametrize("command", ["check", "stats", "fetch"])
def test_help_has_an_example(command: str) -> None:
    assert f"Example: ecva-bench data {command} " in " ".join(run(command, "--help").stdout.split())
