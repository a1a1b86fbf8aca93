"""The file of acts: appended to, read whole, refused with the line where it is not what it says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ecva_bench.annotation.acts import acts_text, append_acts, read_acts
from ecva_bench.errors import DataError

from .acts import act


def test_what_is_appended_is_read_back_and_the_same_act_is_not_written_twice(tmp_path: Path) -> None:
    path = tmp_path / "annotations.jsonl"
    one, other = act("v", "ann", [(0, 1)], "5-1,4", cause="why"), act("w", "ann", [])
    assert append_acts(path, [one]) == 1
    assert append_acts(path, [one, other, other]) == 1
    assert read_acts(path) == [one, other]
    back = act("v", "ann", [(0, 2)])
    assert append_acts(path, [back]) == append_acts(path, [one]) == 1  # a correction that is taken back
    assert read_acts(path) == [one, other, back, one]


def test_a_last_line_that_a_kill_cut_off_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "annotations.jsonl"
    append_acts(path, [act("v", "ann", [])])
    with path.open("a") as file:
        file.write('{"schema": "ecva.anno')
    append_acts(path, [act("w", "ann", [])])
    assert [one.video for one in read_acts(path)] == ["v", "w"]
    assert path.with_name("annotations.jsonl.torn").read_text() == '{"schema": "ecva.anno\n'


def test_a_last_act_without_a_line_break_is_read_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "annotations.jsonl"
    one, other, more = act("v", "ann", []), act("v", "ben", []), act("w", "ann", [])
    path.write_text(acts_text([one, other]).removesuffix("\n"))  # as another program writes lines
    assert read_acts(path) == [one, other]
    assert append_acts(path, [other, more]) == 1
    assert path.read_text() == acts_text([one, other, more])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"schema": "other/1"}, "line 2 is no record of ecva.annotation/1"),
        ({"moments": [{"start": 3, "end": 1}]}, "line 2: moments.0: moment ends"),
        ({"anomalous": False, "moments": [{"start": 0, "end": 1}]}, "nothing is anomalous"),
        ({"saw": ["ben"]}, "it is blind"),
        ({"annotator": "  "}, "line 2: annotator"),
        ({"key_sentences": ["a"], "scores": [1, 2]}, "scores: 2, key sentences: 1"),
    ],
)
def test_a_line_that_is_no_act_is_named(tmp_path: Path, change: dict[str, object], words: str) -> None:
    path = tmp_path / "annotations.jsonl"
    append_acts(path, [act("v", "ann", [])])
    line = {"schema": "ecva.annotation/1", "video": "w", "annotator": "ann", **change}
    with path.open("a") as file:
        file.write(json.dumps(line) + "\n")
    with pytest.raises(DataError, match=str(words)) as caught:
        read_acts(path)
    assert "correct that line" in str(caught.value)


def test_a_file_without_an_act_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "annotations.jsonl"
    path.touch()
    with pytest.raises(DataError, match="holds no annotation"):
        read_acts(path)
