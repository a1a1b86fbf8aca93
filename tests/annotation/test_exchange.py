"""What annotators do in Label Studio, VIA 3 and ELAN comes back as they said it, right to the frame."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from ecva_bench.annotation.exchange import read_from, write_for
from ecva_bench.annotation.formats.label_studio import frames_of, seconds_of
from ecva_bench.errors import DataError, UsageError
from ecva_bench.records.acts import AnnotationAct
from tests.clips import write_clip

from .acts import act

SAID = act(
    "00001",
    "ann",
    [(0.0, 0.4), (0.8, 1.2)],
    "5-1,4",
    media="00001.mp4",
    description="a <car> & a wall",
    cause='it "brakes" late',
    key_sentences=("a car", "a wall"),
)
BARE = act("00002", "ann", [], media="00002.mp4")


def there_and_back(
    tool: str, acts: list[AnnotationAct], folder: Path, videos: Path | None = None
) -> list[AnnotationAct]:
    found = []
    for name, content in write_for(tool, acts, videos).items():
        (folder / name).write_text(content, encoding="utf-8")
        if name == "tasks.json":  # the annotator accepts every suggestion
            tasks = json.loads(content)
            for task in tasks:
                task["annotations"] = [{"result": [], "lead_time": 30, **one} for one in task.pop("predictions", [{}])]
            (folder / name).write_text(json.dumps(tasks))
        if not name.endswith("config.xml"):
            found += read_from(folder / name, "ann", None)
    return found


def said(one: AnnotationAct) -> dict[str, Any]:
    return one.model_dump(exclude={"tool", "seconds_spent", "duration", "t"})


@pytest.mark.parametrize("tool", ["label-studio", "via", "elan"])
def test_what_is_said_comes_back(tool: str, tmp_path: Path) -> None:
    for name in ("00001", "00002"):
        write_clip(tmp_path / "videos" / f"{name}.mp4")
    found = there_and_back(tool, [SAID, BARE], tmp_path, tmp_path / "videos")
    assert [said(one) for one in found] == [said(SAID), said(BARE)]
    assert {one.tool for one in found} == {tool}
    again = there_and_back(tool, found, tmp_path, tmp_path / "videos")
    assert again == found


@pytest.mark.parametrize("tool", ["label-studio", "via", "elan"])
def test_every_character_comes_back(tool: str, tmp_path: Path) -> None:
    write_clip(tmp_path / "00001.mp4")
    one = SAID.model_copy(update={"cause": "a\u00a0car\u3000👨\u200d👩 ]]> &amp; \ufeff <b> 车\nand more"})
    [back] = there_and_back(tool, [one], tmp_path, tmp_path)
    assert back.cause == one.cause


@pytest.mark.parametrize("rate", [15, 23.976023976023978, 25, 29.97002997002997, 30, 50, 60])
def test_frames_come_back_exactly(rate: float) -> None:
    for first in (1, 2, 3, 31, 1799, 107_892):
        for length in (1, 2, 29, 900):
            assert frames_of(*seconds_of(first, first + length - 1, rate), rate) == (first, first + length - 1)
    assert seconds_of(1, 25, 25) == (0, 1)  # the first 25 frames of a video are its first second
    assert frames_of(2.0, 2.0, 25) == (51, 51)  # an instant is one frame


def test_an_export_of_label_studio_is_read_in_the_frame_rate_of_its_configuration(tmp_path: Path) -> None:
    """As Label Studio writes it, of a project that was not begun here."""
    path = tmp_path / "export.json"
    result = [
        {
            "id": "Vb1",
            "from_name": "videoLabels",
            "to_name": "video",
            "type": "timelinelabels",
            "origin": "manual",
            "value": {"ranges": [{"start": 26, "end": 50}], "timelinelabels": ["anomaly"]},
        },
        {"id": "c", "from_name": "class", "to_name": "video", "type": "choices", "value": {"choices": ["5-1"]}},
        {"id": "t", "from_name": "cause", "to_name": "video", "type": "textarea", "value": {"text": ["late"]}},
    ]
    by = {"id": 7, "email": "ann@example.org"}
    one = {
        "result": result,
        "lead_time": 61.5,
        "completed_by": by,
        "was_cancelled": False,
        "created_at": "2026-11-01T10:00:00Z",
    }
    skipped = {"result": [], "was_cancelled": True}
    path.write_text(
        json.dumps([{"id": 1, "data": {"video": "/data/upload/1/00007.mp4"}, "annotations": [one, skipped]}])
    )
    [found] = read_from(path, None, 25)
    assert (found.video, found.annotator, found.seconds_spent) == ("00007", "ann@example.org", 61.5)
    assert [(moment.start, moment.end) for moment in found.moments] == [(1, 2)]
    assert found.label is not None
    assert (found.label.code, found.cause) == ("5-1", "late")
    with pytest.raises(DataError, match="--frame-rate"):
        read_from(path, None, None)


@pytest.mark.parametrize("ranges", [[{"start": 0, "end": 5}], [{"start": 6, "end": 5}], [{"start": "1", "end": 5}], 3])
def test_frames_that_are_none_are_refused(ranges: object, tmp_path: Path) -> None:
    path = tmp_path / "export.json"
    region = {"type": "timelinelabels", "from_name": "m", "value": {"ranges": ranges, "timelinelabels": ["x"]}}
    path.write_text(json.dumps([{"data": {"video": "1.mp4", "frame_rate": 25}, "annotations": [{"result": [region]}]}]))
    with pytest.raises(DataError, match="task 1"):
        read_from(path, "ann", None)


def test_a_variable_frame_rate_is_refused_for_label_studio_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_clip(tmp_path / "00001.mp4")
    from ecva_bench.annotation import exchange

    whole = exchange.probe
    monkeypatch.setattr(
        exchange, "probe", lambda path: type("P", (), {**vars(whole(path)), "variable_frame_rate": True})
    )
    with pytest.raises(DataError, match=r"variable frame rate.*--to via or --to elan"):
        write_for("label-studio", [SAID], tmp_path)
    assert write_for("via", [SAID], tmp_path)


def test_label_studio_needs_the_videos_and_one_annotator(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--videos"):
        write_for("label-studio", [SAID], None)
    with pytest.raises(DataError, match="'00001' has no file"):
        write_for("label-studio", [SAID], tmp_path)
    with pytest.raises(UsageError, match="ann, ben"):
        write_for("via", [SAID, act("00001", "ben", [])], None)


def test_times_of_elan_are_whole_milliseconds(tmp_path: Path) -> None:
    [(name, content)] = write_for("elan", [act("v", "ann", [(1.2345, 2.0)])], None).items()
    slots = re.findall(r'TIME_VALUE="(\d+)"', content)
    assert slots == ["1234", "2000"]
    (tmp_path / name).write_text(content)
    [found] = read_from(tmp_path / name, None, None)
    assert (found.annotator, found.moments[0].start) == ("ann", 1.234)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_document_type_is_refused_before_an_entity_is_read(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "a.eaf"
    bomb = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "boom"}">' for n in range(12))
    path.write_bytes(f"<!DOCTYPE a [{bomb}]><ANNOTATION_DOCUMENT>&e11;</ANNOTATION_DOCUMENT>".encode(encoding))
    with pytest.raises(DataError, match="document type"):
        read_from(path, "ann", None)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "noise",
        "<a>",
        "<a/>",
        '{"a": 1}',
        '{"attribute": 1, "file": {}, "metadata": {}, "view": {}}',
        "[3]",
        '[{"data": {}}]',
    ],
)
def test_what_no_tool_wrote_is_refused(content: str, tmp_path: Path) -> None:
    path = tmp_path / "export.json"
    path.write_text(content)
    with pytest.raises(DataError, match=r"export\.json"):
        read_from(path, "ann", 25)


def test_a_class_that_is_none_names_its_video(tmp_path: Path) -> None:
    path = tmp_path / "project.json"
    path.write_text(write_for("via", [SAID], None)["project.json"].replace("5-1,4", "a fire"))
    with pytest.raises(DataError, match="class of video '00001' is 'a fire'"):
        read_from(path, "ann", None)


@pytest.mark.parametrize("tool", ["via", "elan"])
def test_a_video_of_which_nothing_is_said_is_not_one_in_which_nothing_was_found(tool: str, tmp_path: Path) -> None:
    assert there_and_back(tool, [act("v", "ann", None)], tmp_path) == []
    [one] = there_and_back(tool, [act("v", "ann", None, cause="late")], tmp_path)
    assert (one.anomalous, one.spans) == (None, None)
    [one] = there_and_back(tool, [act("v", "ann", [])], tmp_path)
    assert (one.anomalous, one.label, one.spans) == (False, None, ())


def test_each_video_has_a_file_of_elan_whatever_folder_it_lies_in(tmp_path: Path) -> None:
    videos = ["day/1", "day_1", "day%2F1"]
    files = write_for("elan", [act(video, "ann", [(0, 1)]) for video in videos], None)
    found = []
    for name, content in files.items():
        (tmp_path / name).write_text(str(content))
        found += [one.video for one in read_from(tmp_path / name, None, None)]
    assert found == videos
