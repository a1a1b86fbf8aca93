"""The two JSON forms of annotations, whole and broken."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecva_bench.data import load_dataset
from ecva_bench.errors import DataError
from tests.cases import case

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
    dataset = load_dataset(save(tmp_path / "a.json", rows))
    assert dataset.name == "cuva"
    assert [annotation.video for annotation in dataset.annotations] == [f"{video:05}" for video in range(1, 8)]
    for annotation in dataset.annotations:
        assert annotation.media == f"data/{annotation.video}.mp4"
        assert annotation.label is not None
        assert annotation.label.code == "5-1"
        assert [(moment.start, moment.end) for moment in annotation.moments] == [(52, 74)]
        assert (annotation.description, annotation.cause, annotation.effect) == (
            "a crash][a fire",
            "too fast",
            "a wreck",
        )
    assert {finding.rule for finding in dataset.findings} == {"moments-descriptions", "descriptions-joined"}


def test_the_form_of_other_harnesses_and_missing_tasks(tmp_path: Path) -> None:
    rows = [
        {"video_name": "street_07", "task": "Cause", "answer": "too fast"},
        {"video_name": "b/park.avi", "task": "Result", "answer": "a wreck"},
    ]
    dataset = load_dataset("cuva", save(tmp_path / "a.json", rows))
    assert [(a.video, a.media, a.cause, a.effect) for a in dataset.annotations] == [
        ("b/park", "b/park.avi", None, "a wreck"),
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
    dataset = load_dataset(save(tmp_path / "a.json", rows))
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
    told = {finding.rule: (finding.field, finding.action, finding.before) for finding in dataset.findings}
    assert told["duplicate-row"] == ("cause", "excluded", "second")
    assert told["task-unknown"] == ("row", "excluded", "Detection")
    assert told["row-broken"] == ("row", "excluded", json.dumps(rows[3]))
    assert told["no-anomaly"] == ("row", "excluded", "cause: /")


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
            load_dataset(path)
        assert str(path) in str(caught.value)
    noise = tmp_path / "noise.json"
    noise.write_bytes(bytes(range(256)))
    with pytest.raises(DataError, match="whole JSON"):
        load_dataset(noise)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("text", "row 1: it is no object"),
        ({"task": "Cause"}, "row 1: it has no visual_input or video_name or ID, where the name of a video"),
        ({"visual_input": 1.5}, r"row 1: its visual_input is 1\.5, where the name of a video"),
        ({"visual_input": "/"}, 'row 1: its visual_input is "/", where the name of a video'),
        ({"ID": 1, "task": None}, "row 1: its task is null"),
        ({"ID": 1, "task": "Cause"}, "row 1: it has no output or answer, where a text"),
        ({"ID": 1, "task": "Cause", "answer": {"a": 1}}, r'row 1: its answer is \{"a": 1\}, where a text'),
        ({"ID": 1, "task": "Cause", "answer": "/"}, "none says anything"),
    ],
)
def test_a_file_without_a_usable_row_says_why(row: object, why: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=rf"no row can be used \({why}"):
        load_dataset("cuva", save(tmp_path / "a.json", [row]))


def test_numbers_are_texts_and_half_a_character_is_mended_and_reported(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(
        '[{"video_name": 7.0, "task": "Cause", "answer": 12},'
        ' {"video_name": 7, "task": "Result", "answer": "\\ud83d!"}]'
    )
    dataset = load_dataset("cuva", path)
    assert [(a.video, a.cause, a.effect) for a in dataset.annotations] == [("00007", "12", "\ufffd!")]
    assert [(f.video, f.field, f.rule, f.before) for f in dataset.findings] == [
        ("00007", "cause", "text-not-text", "12"),
        ("00007", "effect", "text-damaged", "\ufffd!"),
    ]


def rows_of(*names: str) -> list[dict[str, str]]:
    """A description of each, then a cause of each: those of one video belong together."""
    return [
        {"visual_input": name, "task": task, "output": f"{task} of {name}"}
        for task in ("Description", "Cause")
        for name in names
    ]


@pytest.mark.parametrize(
    "names",
    [
        ("street/001.mp4", "house/001.mp4"),
        ("/data/set/street/001.mp4", "/data/set/house/001.mp4"),
        ("street\\001.mp4", "house\\001.mp4"),
        ("cam.1", "cam.2"),
        ("cam.1.mp4", "cam.2.mp4"),
        ("cam.mp4", "cam.avi"),
        ("001.mp4", "1.mp4"),
        ("day/cam.1", "day/cam.2", "night/cam.1", "night/cam.2"),
    ],
)
def test_each_row_belongs_to_its_own_video(names: tuple[str, ...], tmp_path: Path) -> None:
    dataset = load_dataset("cuva", save(tmp_path / "a.json", rows_of(*names)))
    found = {(annotation.description, annotation.cause) for annotation in dataset.annotations}
    assert found == {(f"Description of {name}", f"Cause of {name}") for name in names}
    assert len({annotation.media for annotation in dataset.annotations}) == len(names)
    assert dataset.findings == ()


def test_a_name_that_may_mean_either_of_two_videos_refuses_the_file(tmp_path: Path) -> None:
    path = save(tmp_path / "a.json", rows_of("cam.mp4", "cam.avi", "cam"))
    with pytest.raises(DataError, match=r"'cam\.mp4' and 'cam\.avi', both meant by 'cam': .*a\.json"):
        load_dataset("cuva", path)


def test_same_names() -> None:
    folder = case("same_names")
    for name, expected in json.loads((folder / "expected.json").read_text()).items():
        annotations = load_dataset("cuva", folder / name).annotations
        assert len(annotations) == expected["videos"]
        assert expected["no video has"] == "a description and a cause"
        assert not [each for each in annotations if each.description and each.cause]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8), lambda x: st.lists(x, max_size=3)
)
ROWS = st.dictionaries(st.sampled_from(["visual_input", "video_name", "task", "output", "answer", "ID"]), VALUES)


@given(st.lists(ROWS | VALUES, max_size=4))
def test_no_row_breaks_the_reader(tmp_path_factory: pytest.TempPathFactory, rows: list[object]) -> None:
    good = [{"video_name": "good.mp4", "task": "Cause", "answer": "too fast"}]
    dataset = load_dataset("cuva", save(tmp_path_factory.mktemp("rows") / "a.json", [*good, *rows]))
    assert "good" in {annotation.video for annotation in dataset.annotations}
