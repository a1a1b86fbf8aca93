"""The two JSON forms of annotations, whole and broken."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecva_bench.data import load
from ecva_bench.errors import DataError

TASKS = {
    "Classification": "[5-1,5]",
    "Timestamp": "[0052,0114]",
    "Description": "[a crash][a fire]",
    "Cause": "too fast",
    "Result": "a wreck",
}


def save(path: Path, rows: object) -> Path:
    path.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    return path


def authors_rows(videos: range) -> list[dict[str, object]]:
    return [
        {"instruction": "…", "visual_input": f"data/{video:05}.mp4", "output": f"{text}", "task": task, "ID": number}
        for number, (video, (task, text)) in enumerate((v, pair) for v in videos for pair in TASKS.items())
    ]


def test_the_authors_form_is_joined_by_video_in_any_order(tmp_path: Path) -> None:
    rows = authors_rows(range(1, 8))
    random.Random(5).shuffle(rows)
    dataset = load(save(tmp_path / "a.json", rows))
    assert dataset.name == "cuva"
    assert [annotation.video for annotation in dataset.annotations] == [f"{video:05}" for video in range(1, 8)]
    for annotation in dataset.annotations:
        assert annotation.media == f"{annotation.video}.mp4"
        assert annotation.label is not None
        assert annotation.label.code == "5-1"
        assert [(moment.start, moment.end) for moment in annotation.moments] == [(52, 74)]
        assert (annotation.description, annotation.cause, annotation.effect) == (
            "a crash][a fire",
            "too fast",
            "a wreck",
        )
    assert {finding.rule for finding in dataset.findings} == {"moments-descriptions"}


def test_the_form_of_other_harnesses_and_missing_tasks(tmp_path: Path) -> None:
    rows = [
        {"video_name": "street_07", "task": "Cause", "answer": "too fast"},
        {"video_name": "b/park.avi", "task": "Result", "answer": "a wreck"},
    ]
    dataset = load("cuva", save(tmp_path / "a.json", rows))
    assert [(a.video, a.media, a.cause, a.effect) for a in dataset.annotations] == [
        ("park", "park.avi", None, "a wreck"),
        ("street_07", "street_07.mp4", "too fast", None),
    ]
    assert dataset.findings == ()


def test_broken_rows_are_findings_and_the_rest_is_used(tmp_path: Path) -> None:
    rows = [
        "text",
        {"visual_input": "1.mp4", "task": "Cause"},
        {"visual_input": "1.mp4", "task": "Cause", "output": None},
        {"visual_input": 1.5, "task": "Cause", "output": "x"},
        {"visual_input": "1.mp4", "task": "Cause", "output": "used"},
        {"visual_input": "1.mp4", "task": "Cause", "output": "second"},
        {"visual_input": "1.mp4", "task": "Detection", "output": "YES"},
        {"ID": 12, "task": "Cause", "output": "by id"},
        {"visual_input": "9.mp4", "task": "Cause", "output": "/"},
    ]
    dataset = load(save(tmp_path / "a.json", rows))
    assert [(annotation.video, annotation.cause) for annotation in dataset.annotations] == [
        ("00012", "by id"),
        ("1", "used"),
    ]
    assert [annotation.video for annotation in dataset.excluded] == ["9"]
    assert sorted((finding.video, finding.rule) for finding in dataset.findings) == [
        ("1", "duplicate-row"),
        ("1", "task-unknown"),
        ("9", "no-anomaly"),
        ("row 1", "row-broken"),
        ("row 2", "row-broken"),
        ("row 3", "row-broken"),
        ("row 4", "row-broken"),
    ]


def test_torn_and_foreign_json_is_refused(tmp_path: Path) -> None:
    torn = tmp_path / "torn.json"
    torn.write_text(json.dumps(authors_rows(range(3)))[:-40])
    for path, message in (
        (torn, "neither a workbook nor whole JSON"),
        (save(tmp_path / "dict.json", {"a": 1}), "not a list"),
        (save(tmp_path / "none.json", []), "no row can be used"),
        (save(tmp_path / "foreign.json", [{"a": 1}]), "no row can be used"),
    ):
        with pytest.raises(DataError, match=message) as caught:
            load(path)
        assert str(path) in str(caught.value)
    noise = tmp_path / "noise.json"
    half = b'[{"video_name": "a.mp4", "task": "Cause", "answer": "half of \\ud83d"}]'
    for content in (bytes(range(256)), half):
        noise.write_bytes(content)
        with pytest.raises(DataError, match="whole JSON"):
            load(noise)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8), lambda x: st.lists(x, max_size=3)
)
ROWS = st.dictionaries(st.sampled_from(["visual_input", "video_name", "task", "output", "answer", "ID"]), VALUES)


@given(st.lists(ROWS | VALUES, max_size=4))
def test_no_row_breaks_the_reader(tmp_path_factory: pytest.TempPathFactory, rows: list[object]) -> None:
    good = [{"video_name": "good.mp4", "task": "Cause", "answer": "too fast"}]
    dataset = load("cuva", save(tmp_path_factory.mktemp("rows") / "a.json", [*good, *rows]))
    assert "good" in {annotation.video for annotation in dataset.annotations}
