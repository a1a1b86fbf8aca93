"""Checking: the findings of the rows, and real files of every kind under annotations made here."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from ecva_bench.data import load_dataset
from ecva_bench.data.check import check_dataset
from ecva_bench.data.rules import FINDING_RULES
from ecva_bench.errors import DataError
from tests.clips import write_clip

# Files that are no video at all, or not any more.
BROKEN = [
    "audio_only.mp4",
    "html_error_page.mp4",
    "jpeg_as.mp4",
    "random.mp4",
    "text.mp4",
    "trunc_moov_at_end.mp4",
    "zero.mp4",
]
WHOLE = ["ok.mkv", "ok_src.mp4", "rot90.mp4", "vfr.mp4", "vp9.webm", "wrongext_mp4_as.avi"]


def annotate(path: Path, files: list[str], moment: str = "[0000,0001]") -> Path:
    rows = [
        {"video_name": name, "task": task, "answer": answer}
        for name in files
        for task, answer in (("Cause", "a cause"), ("Timestamp", moment))
    ]
    path.write_text(json.dumps(rows))
    return path


def test_rows_alone(shared_data: Path) -> None:
    result = check_dataset(load_dataset(shared_data / "ecva/annotations.xlsx"))
    assert not result.ok
    assert result.videos is None
    assert (result.counts["rows"], result.counts["unusable"], result.counts["with class"]) == (1000, 17, 924)
    assert sum(len(findings) for _, _, findings in result.by_rule()) == len(result.findings)
    assert {rule for rule, _, _ in result.by_rule()} == {finding.rule for finding in result.findings}
    json.dumps(result.as_dict(), allow_nan=False)


def test_video_files_of_every_kind(tmp_path: Path, shared_data: Path) -> None:
    folder = shared_data / "videos/damaged"
    path = annotate(tmp_path / "a.json", [*BROKEN, *WHOLE, "missing.mp4"])
    told: list[tuple[int, int, int]] = []
    result = check_dataset(load_dataset("cuva", path, folder), lambda *state: told.append(state))
    assert result.videos is not None
    failed = {video.media: video for video in result.videos if video.error is not None}
    assert sorted(failed) == sorted([*BROKEN, "missing.mp4"])
    assert failed["missing.mp4"].error == "file_missing"
    assert failed["zero.mp4"].error == "file_empty"
    assert all(video.media in video.message for video in failed.values())
    whole = {video.media: video for video in result.videos if video.error is None}
    assert whole["rot90.mp4"].rotation in (90, 270, -90)
    assert whole["vfr.mp4"].variable_frame_rate
    assert not whole["ok_src.mp4"].variable_frame_rate
    assert whole["vp9.webm"].codec == "vp9"
    assert all(len(video.sha256 or "") == 64 for video in whole.values())
    assert told[-1] == (len(BROKEN) + len(WHOLE) + 1, len(BROKEN) + len(WHOLE) + 1, len(BROKEN) + 1)
    assert not result.ok
    assert "mpeg4_bf.avi" in result.unannotated
    assert not set(result.unannotated) & {*BROKEN, *WHOLE}


def test_moments_are_held_against_the_duration(tmp_path: Path, shared_data: Path) -> None:
    folder = shared_data / "videos/damaged"
    good = check_dataset(load_dataset("cuva", annotate(tmp_path / "good.json", ["ok_src.mp4"]), folder))
    assert good.ok
    assert not [finding for finding in good.findings if finding.rule == "moment-beyond-end"]
    late = check_dataset(load_dataset("cuva", annotate(tmp_path / "late.json", ["ok_src.mp4"], "[0000,5959]"), folder))
    assert [finding.rule for finding in late.findings] == ["moment-beyond-end"]
    assert "3599 s" in late.findings[0].before


def test_a_folder_without_the_videos_makes_every_file_missing(tmp_path: Path) -> None:
    result = check_dataset(load_dataset("cuva", annotate(tmp_path / "a.json", ["a.mp4", "b.mp4"]), tmp_path))
    assert [video.error for video in result.videos or ()] == ["file_missing"] * 2


def test_a_folder_that_is_not_there_is_said_once(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no such folder of videos: .*none"):
        load_dataset("cuva", annotate(tmp_path / "a.json", ["a.mp4", "b.mp4"]), tmp_path / "none")


def test_every_rule_is_one_sentence() -> None:
    assert all(meaning and meaning[0].islower() and not meaning.endswith(".") for meaning in FINDING_RULES.values())


@pytest.mark.parametrize("rule", FINDING_RULES)
def test_every_rule_is_used(rule: str) -> None:
    folder = Path(__file__).resolve().parents[2] / "ecva_bench/data"
    sources = [path for path in folder.rglob("*.py") if path.name != "rules.py"]
    assert any(f'"{rule}"' in path.read_text(encoding="utf-8") for path in sources)


def test_of_two_files_that_may_be_one_video_neither_is_taken(tmp_path: Path) -> None:
    folder = tmp_path / "videos"
    folder.mkdir()
    for name in ("1.mkv", "00001.avi", "2.mp4", "00003.mp4", "3.mp4", "note.txt"):
        write_clip(folder / f"{name}.mp4", frames=4).rename(folder / name)
    result = check_dataset(
        load_dataset("cuva", annotate(tmp_path / "a.json", ["00001.mp4", "00002.mp4", "00003.mp4"]), folder)
    )
    found = {video.video: (video.error, video.frames) for video in result.videos or ()}
    assert found == {"00001": ("file_ambiguous", None), "00002": (None, 4), "00003": (None, 4)}
    unusable = next(finding.before for finding in result.findings if finding.rule == "video-ambiguous")
    assert str(folder / "00001.avi") in unusable
    assert str(folder / "1.mkv") in unusable
    assert set(result.unannotated) == {"1.mkv", "00001.avi", "3.mp4", "note.txt"}


def test_what_was_found_is_written_whole(tmp_path: Path) -> None:
    folder = tmp_path / "videos"
    folder.mkdir()
    (folder / "other.txt").touch()
    write_clip(folder / "a.mp4", frames=4)
    path = annotate(tmp_path / "rows.json", ["a.mp4", "gone.mp4"], "[0000,0059]")
    path.write_text(json.dumps([*json.loads(path.read_text()), {"video_name": "c", "task": "Cause", "answer": "/"}]))
    result = check_dataset(load_dataset("cuva", path, folder))
    written = result.as_dict()
    assert {name: written.pop(name) for name in ("dataset", "source", "ok", "unusable", "unannotated", "missing")} == {
        "dataset": "cuva",
        "source": str(path),
        "ok": False,
        "unusable": ["c"],
        "unannotated": ["other.txt"],
        "missing": ["gone"],
    }
    assert written.pop("sha256") == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (written["counts"]["rows"], written["counts"]["usable"], written["counts"]["with moments"]) == (3, 2, 2)
    columns = ("video", "media", "frames", "duration", "frame_rate", "codec", "error")
    assert [tuple(one[name] for name in columns) for one in written.pop("videos")] == [
        ("a", "a.mp4", 4, 0.4, 10, "h264", None),
        ("gone", "gone.mp4", None, None, None, None, "file_missing"),
    ]
    assert [(one["video"], one["rule"], one["before"]) for one in written.pop("findings")] == [
        ("a", "moment-beyond-end", "last moment ends at 59 s, the video at 0.40 s"),
        ("c", "no-anomaly", "cause: /"),
    ]
    beyond = "read as numbered, 1 of 1 last moments lie beyond the end of their video (a: 59 s of 0 s)"
    assert written.pop("numbering") == f"numbering: {beyond}"
    assert written.keys() == {"counts"}
    json.dumps(result.as_dict(), allow_nan=False)
    unread = check_dataset(load_dataset("cuva", path)).as_dict()
    assert (unread["videos"], unread["unannotated"], unread["missing"], unread["numbering"]) == (None, [], [], None)
