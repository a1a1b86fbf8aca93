"""Published human judgements in the forms of their authors, made here: what becomes a triple, and what is said."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from ecva_bench.annotation.judgements import read_judgements
from ecva_bench.errors import DataError, UsageError

SYSTEMS = ("A", "B", "C", "D")
SCORES = "ad-seg-scores-en-en.csv"


def year(folder: Path, rows: list[tuple[str, object, object]], *, lines: int = 4, references: int = 4) -> Path:
    """Write a year of TRECVID VTT: line n of a system says `system n`, that of the references `truth n`."""
    for kind, names, count in (
        ("systems", (*SYSTEMS, "HUMAN-B"), lines),
        ("references", ("HUMAN-B", "HUMAN-A"), references),
    ):
        (folder / kind).mkdir(parents=True)
        for name in names:
            said = "truth" if name == "HUMAN-A" else name
            text = "".join(f"{said} {n}\x85\r\n" for n in range(1, count + 1))
            (folder / kind / f"trecvid16-vtt.en-en.{name}").write_text(text, encoding="utf-8", newline="")
    with (folder / SCORES).open("w", newline="") as file:
        csv.writer(file).writerows([("SYS", "SID", "RAW.SCR", "Z.SCR", "N"), *((s, v, 0, z, 15) for s, v, z in rows)])
    return folder


THREE = [("A", 2, 0.5), ("B", 2, -1.5), ("C", 2, 1), ("HUMAN-B", 2, 9), ("A", 3, 0), ("B", 3, 1), ("HUMAN-B", 3, 2)]


def test_captions_of_a_video_are_ordered_by_people_s_scores(tmp_path):
    """Three systems and more make a triple, each by its own line; people's captions are none of them."""
    for number in (2016, 2017):
        year(tmp_path / str(number), THREE)
    (tmp_path / "2016/.directory").write_text("")
    found = read_judgements(tmp_path)
    one, other = found.triples
    assert (one.triple_id, other.triple_id, one.reference) == ("2016/2", "2017/2", "truth 2")
    assert one.answers == {"A": "A 2", "B": "B 2", "C": "C 2"}
    assert one.gold() == [2, 3, 1]
    assert (found.problems, found.ordered) == ((), False)
    assert "(2 videos have fewer)" in found.notes[0]
    assert read_judgements(tmp_path / "2016").triples == read_judgements(tmp_path / "2016" / SCORES).triples == (one,)


def test_a_score_given_twice_is_averaged_and_no_difference_is_no_triple(tmp_path):
    rows = [("A", 1, 3), ("A", 1, 0), ("B", 1, 2), ("C", 1, 1), *((system, 2, 0.5) for system in SYSTEMS)]
    found = read_judgements(year(tmp_path / "2018", rows))
    assert [triple.gold() for triple in found.triples] == [[2, 1, 3]]
    assert "1 record left out: people see no difference" in found.notes


def test_rows_that_cannot_be_used_are_named_with_their_file(tmp_path):
    rows = [*THREE, ("A", 0, 1), ("A", 5, 1), ("A", "x", 1), ("A", 1, "NA"), ("A", 1, "inf")]
    year(tmp_path / "2016", rows)
    year(tmp_path / "2017", [*THREE, ("E", 1, 1)])
    found = read_judgements(tmp_path)
    assert [triple.triple_id for triple in found.triples] == ["2016/2"]
    said = {problem.place: problem.reason for problem in found.problems}
    assert said["2016/ad-seg-scores-en-en.csv, row 8"] == "SID is 0, and the texts have the lines 1 to 4"
    assert said["2016/ad-seg-scores-en-en.csv, row 11"] == "the score is no number: 'NA'"
    assert set(said) == {f"2016/{SCORES}, row {number}" for number in range(8, 13)} | {"2017"}
    assert said["2017"].startswith("there are no texts of the system 'E': ")
    with pytest.raises(DataError, match="no texts of the system 'E'"):
        read_judgements(tmp_path / "2017")
    with pytest.raises(DataError, match="no texts of the system ''"):
        read_judgements(year(tmp_path / "2019", [*THREE, ("", 1, 1)]))


def test_references_of_other_videos_are_never_taken(tmp_path):
    """The captions lack video 2 of 5: they are joined by addresses, or the year is refused."""
    folder = year(tmp_path / "multiple-annotator/2018", THREE, lines=4, references=5)
    with pytest.raises(DataError, match="the references have 5 lines and the captions 4"):
        read_judgements(folder)
    (folder / "urls").write_text("".join(f"https://{n}\n" for n in (1, 3, 4, 5)))
    other = tmp_path / "single-annotator/2018"
    other.mkdir(parents=True)
    (other / "url").write_text("".join(f"https://{n}\n" for n in (1, 2, 3, 4, 5)))
    found = read_judgements(folder)
    assert [(triple.answers["A"], triple.reference) for triple in found.triples] == [("A 2", "truth 3")]
    assert "2018: captions and references are joined by the videos' addresses" in found.notes
    (other / "url").write_text("".join(f"https://{n}\n" for n in (1, 2, 3, 4, 6)))
    with pytest.raises(DataError, match="not of the same videos"):
        read_judgements(folder)


@pytest.mark.parametrize("damage", ["empty", "latin", "columns"])
def test_a_damaged_year_is_an_error_that_names_the_file(tmp_path, damage):
    folder = year(tmp_path / "2016", THREE)
    if damage == "empty":
        (tmp_path / "none").mkdir()
        with pytest.raises(DataError, match=f"there is no {SCORES} in the folder"):
            read_judgements(tmp_path / "none")
    elif damage == "latin":
        (folder / "systems/trecvid16-vtt.en-en.B").write_bytes(b"caf\xe9\n" * 4)
        with pytest.raises(DataError, match=r"the texts cannot be read.*en-en\.B"):
            read_judgements(folder)
    else:
        (folder / SCORES).write_text("SYS,SID,RAW.SCR\nA,1,2\n")
        with pytest.raises(DataError, match=rf"no column 'Z\.SCR'.*{SCORES}"):
            read_judgements(folder)


def pair(number: int, **fields: object) -> dict[str, object]:
    given = {"video_id": f"v{number}", "persona": "p", "question": "**\n\nWhy?", "selected answer": "the long one"}
    return {**given, "rejected answer": "short", **fields}


def test_of_two_answers_the_selected_one_is_first(tmp_path):
    path = tmp_path / "videoautobench.latest.json"
    records = {
        "v1_1": pair(1),
        "v2_1": pair(2, **{"rejected answer": " "}),
        "v3_1": pair(3, video_id=None),
        "v1_2": pair(1),
    }
    path.write_text(json.dumps(records))
    found = read_judgements(path)
    assert [(triple.triple_id, triple.video_id, triple.reference) for triple in found.triples] == [
        ("v1_1", "v1", ""),
        ("v1_2", "v1", ""),
    ]
    assert found.triples[0].answers["selected"] == "the long one"
    assert found.triples[0].gold() == [1, 2]
    assert not found.ordered  # the field's name says who won, so the order of the fields is none
    assert [problem.place for problem in found.problems] == ["record 2 (v2_1)", "record 3 (v3_1)"]
    with pytest.raises(UsageError, match="leave --criterion out"):
        read_judgements(path, criterion="correctness")
    path.write_text(json.dumps(records)[:-20])
    with pytest.raises(DataError, match=r"no whole JSON.*videoautobench\.latest\.json"):
        read_judgements(path)


def test_answers_of_models_to_a_question_are_ordered_by_their_scores(tmp_path):
    """An answer that is the reference is right here, and no copy: people wrote the references, models the answers."""
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    def row(qid: int, model: str, prediction: str, score: float | None) -> dict[str, object]:
        given = {"dataset": "vqav2", "model": model, "qid": qid, "question": "What colour?"}
        return {**given, "references": ["blue", "red", "red"], "prediction": prediction, "human_score": score}

    rows = [row(1, "blip2", "red", 1.0), row(1, "mplug", "pink", 0.5), row(1, "promptcap", "one dog", 0.0)]
    rows += [row(2, "blip2", "red", 1.0), row(3, "blip2", "a", 1.0), row(3, "mplug", "b", 1.0)]
    rows += [row(1, "blip2", "again", 0.0), row(4, "blip2", "red", None)]
    path = tmp_path / "test-00000-of-00001.parquet"
    parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    found = read_judgements(path)
    (triple,) = found.triples
    assert (triple.triple_id, triple.reference, triple.question) == ("vqav2/1", "red", "What colour?")
    assert triple.answers == {"blip2": "red", "mplug": "pink", "promptcap": "one dog"}
    assert triple.gold() == [1, 2, 3]
    assert [problem.place for problem in found.problems] == ["row 7", "row 8"]
    assert "1 record left out: people see no difference" in found.notes
    parquet.write_table(pyarrow.Table.from_pylist([{"question": "x"}]), path)
    with pytest.raises(DataError, match=r"no column 'dataset'.*parquet"):
        read_judgements(path)
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(DataError, match="damaged"):
        read_judgements(path)


def test_preferences_keep_the_order_in_which_descriptions_were_shown(tmp_path):
    rows = [
        ("one", "m", "He smiles.", "n", "He is, as it seems, sad.", "a2"),
        ("two", "m", "x", "n", "y", "same"),
        ("three", "m", "x", "n", "y", "a1"),
        ("three", "m", "x", "n", "y", "a1"),
        ("three", "m", "x", "n", "y", "a2"),
        ("three", "m", "y", "n", "z", "a1"),
        ("four", "m", "x", "n", "", "a1"),
        ("five", "m", "x", "n", "y", "b"),
    ]
    path = tmp_path / "preference_emoprefer_with_modelnames.csv"
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        csv.writer(file).writerows([("name", "model1", "a1", "model2", "a2", "preference"), *rows])
    found = read_judgements(path)
    assert {triple.triple_id: triple.gold() for triple in found.triples} == {
        "one": [2, 1],
        "three/3": [pytest.approx(4 / 3), pytest.approx(5 / 3)],
        "three/6": [1, 2],
    }
    assert [len(triple.human_ranks) for triple in found.triples] == [1, 3, 1]
    assert found.ordered
    assert [problem.place for problem in found.problems] == ["row 7", "row 8"]
    with path.open("a") as file:
        file.write("six,m,x\n")
    assert "row 9" in [problem.place for problem in read_judgements(path).problems]
    path.write_text("name,a1,a2\none,x,y\n")
    with pytest.raises(DataError, match=r"no column 'preference'.*with_modelnames\.csv"):
        read_judgements(path)


def test_another_file_is_read_as_rankings(tmp_path):
    path = tmp_path / "any"
    for content in (b"", b"{}", b"PAR", b"name,a,b\n", b'"selected answer"'):
        path.write_bytes(content)
        with pytest.raises(DataError, match="there is no triple to evaluate on"):
            read_judgements(path)
    with pytest.raises(DataError, match="the rankings cannot be read"):
        read_judgements(tmp_path / "nowhere")


def test_rankings_stay_rankings_whatever_their_answers_are_called(tmp_path):
    path, names = tmp_path / "rankings.jsonl", ("selected answer", "rejected answer")
    ranks = [{"annotator": "x", "ranks": dict(zip(names, (1, 2), strict=True))}]
    line = {"triple_id": "t1", "video_id": "1", "task": "cause", "question": "Why?", "human_ranks": ranks}
    path.write_text(
        "".join(json.dumps(line | {"triple_id": one, "answers": dict.fromkeys(names, one)}) + "\n" for one in "ab")
    )
    assert [triple.triple_id for triple in read_judgements(path).triples] == ["a", "b"]
