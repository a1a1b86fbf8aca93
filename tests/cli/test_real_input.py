"""The main job on real annotations and clips: a model's answers in the styles of today, from run to score and page."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from ecva_bench.data import load_dataset
from ecva_bench.journal.results import read_results
from ecva_bench.scoring.files import read_scores
from tests.cases import case
from tests.cli.conftest import Command

# Answers the n-th question about a class, and the n-th about time, with the n-th answer of a file.
PROGRAM = """
import json, sys
answers = json.load(open(sys.argv[1], encoding="utf-8"))
print(json.dumps({"protocol": 1, "describe": {}, "frames": {"rule": "linspace", "count": 2}}), flush=True)
sys.stdin.readline() or sys.exit()
print(json.dumps({"loaded": True}), flush=True)
for request in map(json.loads, sys.stdin):
    kinds = ["class" if "classes" in question else "span" for question in request["questions"]]
    print(json.dumps({"id": request["id"], "answers": [answers[kind].pop(0) for kind in kinds]}), flush=True)
"""


def given(name: str, file: str) -> list[dict]:
    return json.loads((case(name) / file).read_text(encoding="utf-8"))


def test_answers_in_the_styles_of_today_are_read_as_by_hand_from_run_to_page(
    tmp_path: Path, ecva_bench: Command, shared_data: Path
) -> None:
    classes = given("class_answers", "answers_a.json")
    # "Throughout" is read by the clip's own duration; what the cases expect of it is that of theirs.
    spans = [one for one in given("span_answers", "answers_b.json") if one["style"] != "whole"][: len(classes)]
    workbook = shared_data / "ecva" / "annotations.xlsx"
    annotations = [one for one in load_dataset(str(workbook)).annotations if one.label and one.moments][: len(classes)]
    videos = tmp_path / "videos"
    videos.mkdir()
    clips = [shared_data / "videos" / "real" / name for name in ("moviepy_fire2.mp4", "highway_accident.mp4")]
    for number, annotation in enumerate(annotations):
        (videos / annotation.media).symlink_to(clips[number % 2])
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    said = {"class": [one["answer"] for one in classes], "span": [one["answer"] for one in spans]}
    (tmp_path / "answers.json").write_text(json.dumps(said), encoding="utf-8")
    out = tmp_path / "results.jsonl"
    code, _, complaint = ecva_bench(
        *("run", "--data", workbook, "--videos", videos, "--out", out),
        *("--ids", ",".join(one.video for one in annotations), "--task", "classification", "--task", "timestamp"),
        *("--model", f"command:{sys.executable} {tmp_path / 'program.py'} {tmp_path / 'answers.json'}"),
    )
    assert code == 0, complaint
    by_id = {(one.video, one.task): one.answer for one in read_results(out).answers}
    assert len(by_id) == 76

    code, shown, complaint = ecva_bench("score", out)
    assert code == 0, complaint
    assert "ambiguous" in shown
    readings = {(one.video, one.task): one.reading for one in read_scores(tmp_path / "results.scores.jsonl").scores}
    expected = {one["answer"]: one["class"] for one in classes}
    for (video, task), answer in by_id.items():
        reading = readings[video, task]
        if task == "classification":
            assert (reading.labels[0].major if reading.labels else None) == expected[answer], answer
        else:
            wanted = next(one["spans"] for one in spans if one["answer"] == answer)
            assert sorted(map(list, reading.spans)) == sorted(wanted), answer
        assert bool(reading.places) or reading.status == "unread"

    code, _, complaint = ecva_bench("view", out, "--no-serve", "--data", workbook, "--videos", videos)
    assert code == 0, complaint
    page = "".join(path.read_text(encoding="utf-8") for path in (tmp_path / "results.view").rglob("*.js*"))
    assert page.count('"reading":') == 76
    code, shown, complaint = ecva_bench("leaderboard", tmp_path / "results.scores.jsonl")
    assert code == 0, complaint
    code, shown, complaint = ecva_bench("audit", out, "--data", workbook)
    assert code in (0, 1), complaint
