"""A folder of videos as users have it: nested, renamed, doubled, zipped, and not all there; what each command says."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from ecva_bench.journal.results import read_results
from tests.clips import write_clip

from .conftest import Command

NAMES = ("ECVA/part1/00001.mp4", "2.MKV", "video_00003.avi", "x/4.mp4", "y/00004.mkv")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    rows = [{"visual_input": f"{n:05}.mp4", "task": "Cause", "output": f"cause {n}"} for n in range(1, 13)]
    rows += [{"visual_input": f"{n:05}.mp4", "task": "Classification", "output": "[5-1,5]"} for n in range(1, 13)]
    (tmp_path / "data.json").write_text(json.dumps([*rows, {"visual_input": None, "task": "Cause", "output": "lost"}]))
    return tmp_path / "data.json"


@pytest.fixture
def videos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ECVA_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "videos"
    clip = write_clip(tmp_path / "clip.mp4", frames=6).read_bytes()
    for name in NAMES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(clip)
    with zipfile.ZipFile(folder / "group_0.zip", "w") as archive:
        archive.writestr("group_0/00005.mp4", clip)
    return folder


MISSING = "missing: 7 of 12 videos, without a file in {}: 00006, 00007, 00008, 00009, 00010 and 2 more"


def test_a_run_takes_what_is_there_and_says_in_one_line_what_is_not(
    data: Path, videos: Path, tmp_path: Path, ecva_bench: Command
) -> None:
    out = tmp_path / "r.jsonl"
    given = ("--model", "oracle", "--data", data, "--videos", videos, "--task", "cause", "--out", out)
    code, shown, complaint = ecva_bench("run", *given)
    assert code == 3
    unusable = f"{MISSING.format(videos)}; ambiguous: 1 video: 00004; --available leaves them out"
    assert unusable in complaint.splitlines()
    assert "4 answers (0 were there), 8 errors" in shown
    assert "  missing: 7 videos, 7 answers: 00006, 00007, 00008, 00009, 00010 and 2 more\n" in shown
    assert "  00004: file_ambiguous, 1 answer: two files may be the video 00004: " in shown
    assert len(shown.splitlines()) == 3
    assert {answer.answer for answer in read_results(out).answers} == {f"cause {n}" for n in (1, 2, 3, 5)}

    _, shown, _ = ecva_bench("plan", *given)
    assert unusable in shown.splitlines()
    _, shown, _ = ecva_bench("view", out, "--data", data, "--videos", videos, "--out", tmp_path / "page", "--no-serve")
    assert "12 videos, 4 of them with a file" in shown
    assert MISSING.format(videos) in shown.splitlines()


def test_only_what_is_there_is_drawn(data: Path, videos: Path, tmp_path: Path, ecva_bench: Command) -> None:
    (videos / "y/00004.mkv").unlink()
    given = ("--model", "oracle", "--data", data, "--videos", videos, "--task", "cause", "--available")
    for options, answers in ((("--subset", "2"), 2), ((), 5)):
        code, shown, complaint = ecva_bench("run", *given, *options, "--out", tmp_path / f"{answers}.jsonl")
        assert (code, complaint) == (0, f"left out: {MISSING.format(videos)}\n")
        assert f"{answers} answers (0 were there), 0 errors" in shown


def test_doctor_plan_and_run_count_the_same_videos(
    data: Path, videos: Path, tmp_path: Path, ecva_bench: Command
) -> None:
    """What is ambiguous, and an empty file, are left out; a web page is a file, and an error when it is opened."""
    (videos / "8.mp4").touch()
    (videos / "9.mp4").write_text("<!DOCTYPE html><html>no such page</html>" * 50)
    given = ("--data", data, "--videos", videos)
    there = ["00001", "00002", "00003", "00005", "00009"]
    assert f"{len(there)} of 12 are there" in ecva_bench("doctor", *given)[1]
    asked = ("--model", "oracle", *given, "--task", "cause", "--available", "--out", tmp_path / "r.jsonl")
    left_out = "left out: missing: 5 of 12 videos, without a file in {}: 00006, 00007, 00010, 00011, 00012; "
    left_out = left_out.format(videos) + "ambiguous: 1 video: 00004; empty: 1 video: 00008"
    assert left_out in ecva_bench("plan", *asked)[1].splitlines()
    code, shown, complaint = ecva_bench("run", *asked)
    assert code == 3
    assert left_out in complaint.splitlines()
    assert "4 answers (0 were there), 1 error" in shown
    assert "  00009: not_a_video" in shown
    owed = read_results(tmp_path / "r.jsonl").expects["full"]
    assert [sample.partition("/")[0] for sample in owed] == there


def test_an_error_that_a_later_run_settled_is_not_printed_again(
    data: Path, videos: Path, tmp_path: Path, ecva_bench: Command
) -> None:
    given = ("--model", "oracle", "--data", data, "--videos", videos, "--task", "cause", "--ids", "6")
    given = (*given, "--out", tmp_path / "r.jsonl")
    assert "  missing: 1 video," in ecva_bench("run", *given)[1]
    (videos / "6.mp4").write_text("an error page")
    _, shown, _ = ecva_bench("run", *given)
    assert "00006: not_a_video" in shown
    assert "missing: 1" not in shown
    (videos / "6.mp4").unlink()
    write_clip(videos / "later/00006.mp4", frames=4)
    code, shown, _ = ecva_bench("run", *given)
    assert code == 0
    assert shown.splitlines()[0].endswith("1 answer (0 were there), 0 errors, 0 missing; 0 empty, 0 cut off")
    assert len(shown.splitlines()) == 2


def test_data_check_names_the_file_of_each_video_and_counts_rows_about_none(
    data: Path, videos: Path, ecva_bench: Command
) -> None:
    (videos / "9.mp4.part").write_bytes(b"half")
    code, shown, _ = ecva_bench("data", "check", data, "--videos", videos, "--json")
    found = json.loads(shown)
    assert code == 1
    there = {video["video"]: video["media"] for video in found["videos"] if video["error"] is None}
    assert there == {
        "00001": "ECVA/part1/00001.mp4",
        "00002": "2.MKV",
        "00003": "video_00003.avi",
        "00005": "group_0.zip/group_0/00005.mp4",
    }
    assert found["missing"] == [f"{n:05}" for n in range(6, 13)]
    rules = {finding["rule"]: finding["video"] for finding in found["findings"]}
    assert rules == {"row-broken": "row 25", "video-ambiguous": "00004", "video-unfinished": "00009"}
    assert (found["counts"]["rows"], found["counts"]["left out"]) == (12, 1)
    _, shown, _ = ecva_bench("data", "check", data, "--videos", videos)
    assert MISSING.format(videos) in " ".join(shown.split())
    assert "file_missing" not in shown


def test_stats_pass_over_what_cannot_be_looked_at(data: Path, videos: Path, ecva_bench: Command) -> None:
    rows = json.loads(data.read_text())[:12]
    data.write_text(json.dumps([*rows, *({**row, "task": "Timestamp", "output": "[0000,0001]"} for row in rows)]))
    code, shown, _ = ecva_bench("data", "stats", data, "--videos", videos, "--json")
    assert code == 0
    assert json.loads(shown)["files"]["coverage"] == [1.0] * 10
