"""The authors' own files: byte-stable where nothing changed, and where something did, that alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ecva_bench.annotation.acts import read_acts
from ecva_bench.annotation.exchange import read_from, write_for
from ecva_bench.data import load_dataset
from ecva_bench.errors import DataError
from ecva_bench.records.annotations import Moment
from tests.data.test_workbook import ROW
from tests.data.test_workbook import write as write_sheets

from .acts import act

ODD = ("[5-2,4]\n", "=a cause", "an effect", "[10, 0]", "[one] [two]", "[“a”，“b”]")  # cells that are read with repairs


@pytest.mark.parametrize("form", ["xlsx", "json"])
def test_where_nothing_changed_the_bytes_are_the_same(form: str, tmp_path: Path) -> None:
    path = tmp_path / f"set.{form}"
    if form == "xlsx":
        write_sheets(path, [("1", *ROW), ("2", *ODD)])
    else:
        rows = [{"visual_input": "1.mp4", "task": "Cause", "output": "why é", "ID": 3}]
        rows += [{"visual_input": "1.mp4", "task": "Timestamp", "output": "[10, 0]", "ID": 4}]
        path.write_text(json.dumps(rows, indent=2))
    acts = [one for one in read_acts(path) if one.round == 1]
    [content] = write_for(form, acts, None, path).values()
    assert content == path.read_bytes()


@pytest.mark.parametrize("tool", ["via", "elan"])
def test_a_way_through_a_tool_changes_no_byte(tool: str, tmp_path: Path) -> None:
    path = tmp_path / "set.xlsx"
    blanks = ("[5-2,4]", " a cause ", "an\n\neffect", "[0020,0030][0001,0005]", "[one ]", '["a car ", "it\\nbrakes"]')
    write_sheets(path, [("1", *ROW), ("2", *ODD), ("3", *blanks)])
    back = []
    for name, content in write_for(tool, read_acts(path), None).items():
        (tmp_path / name).write_text(str(content), encoding="utf-8")
        back += read_from(tmp_path / name, "ann", None)
    [written] = write_for("xlsx", back, None, path).values()
    assert written == path.read_bytes()
    mended = back[-1].model_copy(update={"cause": "an other cause"})
    [written] = write_for("xlsx", [mended], None, path).values()
    assert written != path.read_bytes()


def test_what_changed_in_the_workbook_is_the_only_change(tmp_path: Path) -> None:
    path, out = tmp_path / "set.xlsx", tmp_path / "new.xlsx"
    write_sheets(path, [("1", *ROW), ("2", *ODD)])
    one, two = read_acts(path)
    changed = two.model_copy(update={"moments": (Moment(start=61, end=3599),), "effect": "=1+1"})
    [content] = write_for("xlsx", [one, changed], None, path).values()
    out.write_bytes(content if isinstance(content, bytes) else b"")
    before, after = load_dataset(path), load_dataset(out)
    assert after.annotations[0] == before.annotations[0]
    expected = before.annotations[1].model_copy(update={"moments": changed.moments, "effect": "=1+1"})
    assert after.annotations[1] == expected


def test_what_changed_in_the_json_is_the_only_change(tmp_path: Path) -> None:
    path = tmp_path / "set.json"
    rows = [{"visual_input": f"{n}.mp4", "task": "Cause", "output": "why é", "ID": n} for n in (1, 2)]
    path.write_text(json.dumps(rows, indent=2, ensure_ascii=False))
    one, two = read_acts(path)
    [content] = write_for("json", [one, two.model_copy(update={"cause": "how"})], None, path).values()
    assert isinstance(content, bytes)
    assert content.decode() == path.read_text().replace("why é", "how").replace("how", "why é", 1)


@pytest.mark.parametrize("form", ["xlsx", "json"])
def test_files_made_anew_are_read_as_they_were_meant(form: str, tmp_path: Path) -> None:
    said = act(
        "00007", "adjudicated", [(61.0, 3599.0)], "5-1,4", media="00007.mp4", description="a", cause="b", effect="c"
    )
    [(name, content)] = write_for(form, [said], None).items()
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else b"")
    [one] = load_dataset(tmp_path / name).annotations
    assert (one.label, one.moments, one.description, one.cause, one.effect) == (
        said.label,
        said.moments,
        "a",
        "b",
        "c",
    )


def test_a_video_that_the_source_lacks_and_a_time_without_a_form_are_refused(tmp_path: Path) -> None:
    path = write_sheets(tmp_path / "set.xlsx", [("1", *ROW)])
    with pytest.raises(DataError, match="'00009' is not in it"):
        write_for("xlsx", [act("00009", "ann", [])], None, path)
    with pytest.raises(DataError, match="99:59"):
        write_for("xlsx", [act("00001", "ann", [(0, 6000)])], None)
