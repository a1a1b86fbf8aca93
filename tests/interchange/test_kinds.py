"""A file of another kind is told what it is, and what to type with it."""

from __future__ import annotations

import gzip
import json
import pickle
from pathlib import Path

import pytest

from ecva_bench.data import Dataset
from ecva_bench.errors import UsageError
from ecva_bench.interchange.imported import import_answers
from ecva_bench.interchange.opening import open_answers
from ecva_bench.interchange.sources import AnswerSource
from tests.imports import ROOT

from .shapes import VIDEOS

CI = ROOT / "leaderboards" / "ci"

FILES = {
    "m.pkl": (pickle.dumps({"00001": "x"}), "a pickle.*is not opened.*json.dump"),
    "m.tar.gz": (gzip.compress(bytes(257) + b"ustar" + bytes(250), mtime=0), "a tar archive.*unpack it"),
    "m.csv.gz": (gzip.compress(b"<html>404</html>", mtime=0), "a web page"),
    "page.json": (b"<!DOCTYPE html><html>404</html>", "a web page.*download the file itself"),
    "old.xls": (b"\xd0\xcf\x11\xe0" + bytes(600), "a workbook of an old Excel.*save it as .xlsx"),
    "1.mp4": (b"\0\0\0\x20ftypisom" + bytes(60), "a video.*--videos"),
    "paper.pdf": (b"%PDF-1.7", "a PDF"),
    "summary.json": (b'{"results": {"cuva": {}}, "configs": {}}', "the summary of an lm-eval.*_samples_"),
    "header.json": (b'{"version": 2, "eval": {"model": "m"}}', "the header of an inspect log"),
    "results.jsonl": ((CI / "motion.jsonl").read_bytes(), "a results file.*ecva-bench score "),
    "a.scores.jsonl": ((CI / "motion.scores.jsonl").read_bytes(), "a scores file.*ecva-bench leaderboard "),
    "calls.jsonl": ((CI / "judge.jsonl").read_bytes(), "a file of judge calls.*--judge-replay"),
    "sub.json": ((ROOT / "leaderboards/mini/submissions/motion.json").read_bytes(), "a submission.*--build"),
    "prompt.md": (next((ROOT / "prompts/ours").glob("*.md")).read_bytes(), "a prompt.*run --prompts"),
    "ranked.jsonl": (json.dumps({"triple_id": "1"}).encode(), "a file of ranked answers.*ecva-bench meta-eval"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_another_kind(name: str, tmp_path: Path) -> None:
    content, message = FILES[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=f"this is {message}") as refused:
        open_answers(tmp_path / name)
    assert "\n" not in str(refused.value)


def test_folders(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="this is a folder: "):
        open_answers(tmp_path)
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(UsageError, match=r"name the files in it, such as .*a\.json"):
        open_answers(tmp_path)
    (tmp_path / "1.mp4").touch()
    with pytest.raises(UsageError, match=r"this is a folder of videos.*--videos"):
        open_answers(tmp_path)


def test_the_authors_workbook(shared_data: Path) -> None:
    with pytest.raises(UsageError, match="this is a file of annotations"):
        open_answers(shared_data / "ecva/annotations.xlsx")


def test_a_folder_with_a_text_a_video_is_read(dataset: Dataset, tmp_path: Path) -> None:
    folder = tmp_path / "m_cause"
    folder.mkdir()
    for video in VIDEOS:
        (folder / f"{video}.txt").write_text(f"said of {video}")
    imported = import_answers([AnswerSource.parse(str(folder))], dataset)
    assert {(one.id, one.answer) for one in imported.answers} == {(f"{v}/cause", f"said of {v}") for v in VIDEOS}
    (folder / "notes.md").write_text("x")
    with pytest.raises(UsageError, match="this is a folder"):
        import_answers([AnswerSource.parse(str(folder))], dataset)


def test_yaml_is_told_how_to_become_json(dataset: Dataset, tmp_path: Path) -> None:
    (tmp_path / "m_cause.yaml").write_text("'00001': a car\n")
    with pytest.raises(UsageError, match=r"this is a YAML file: .*json\.dump\(yaml\.safe_load"):
        import_answers([AnswerSource.parse(str(tmp_path / "m_cause.yaml"))], dataset)
