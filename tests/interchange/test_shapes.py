"""Every shape of an answer file gives the same answers, or is refused with what to type."""

from __future__ import annotations

import gzip
import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest

from ecva_bench.data import Dataset, load_dataset
from ecva_bench.errors import DataError, UsageError
from ecva_bench.interchange.imported import Imported, import_answers
from ecva_bench.interchange.mapping import parse_map
from ecva_bench.interchange.sources import AnswerSource
from tests.cases import case

from .shapes import SHAPES, TASKS, VIDEOS, answer, as_json, as_lines, as_table, inspect_archive, reference, write_shape


def read(path: Path, dataset: Dataset, task: str | None = None, **given: str) -> Imported:
    return import_answers([AnswerSource.parse(str(path), task)], dataset, given=given)


def put(path: Path, content: bytes | str) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_gives_every_answer(shape: str, dataset: Dataset, tmp_path: Path) -> None:
    if shape == "parquet":
        pytest.importorskip("pyarrow", reason="the extra data is not installed")
    imported = read(write_shape(shape, tmp_path), dataset)
    tasks = SHAPES[shape][2]
    assert {each.id: (each.answer, each.reference) for each in imported.answers} == {
        f"{video}/{task}": (answer(video, task), reference(video, task)) for video in VIDEOS for task in tasks
    }
    assert not imported.failures
    assert set(imported.manifest.expects["full"]) == {f"{video}/{task}" for video in VIDEOS for task in tasks}
    rows = len(VIDEOS) * (1 if "a column a task" in shape else len(tasks))
    assert f"{len(imported.answers)} answers of {rows} rows: video " in imported.notes[0]


@pytest.mark.parametrize(
    ("shape", "model"),
    [
        ("inspect's JSON log", "openai/gpt-4o"),
        ("inspect's .eval log", "openai/gpt-4o"),
        ("OpenAI's batch output", "gpt-4o-mini"),
        ("LLaVA's answers", "llava"),
        ("HELM's states", "m"),
        ("rows in an envelope", "m"),
        ("wide.csv", "wide"),
    ],
)
def test_a_run_is_named_as_its_file_says(shape: str, model: str, dataset: Dataset, tmp_path: Path) -> None:
    file = write_shape("CSV, a column a task" if shape == "wide.csv" else shape, tmp_path)
    assert read(file, dataset).model == model


def test_answers_by_two_models_are_called_after_neither(dataset: Dataset, tmp_path: Path) -> None:
    table = [{"video": v, "answer": f"of {v}", "model": name} for v, name in zip(VIDEOS, "aab", strict=True)]
    imported = read(put(tmp_path / "m_cause.csv", as_table(table)), dataset)
    assert imported.model == "m"
    assert "the answers are by 2 models, and one run here: a, b" in imported.notes
    answers = read(put(tmp_path / "n_cause.csv", as_table(table)), dataset, answer="model")
    assert (answers.model, [one.answer for one in answers.answers]) == ("n", ["a", "a", "b"])  # no name, but a text


def test_todays_inspect_log(dataset: Dataset, tmp_path: Path) -> None:
    pytest.importorskip("zipfile_zstd", reason="the extra data is not installed")
    imported = read(put(tmp_path / "log.eval", inspect_archive(93)), dataset)
    assert len(imported.answers) == 6
    assert imported.files[0].form == "inspect log"


def rows(**fields: Any) -> list[dict[str, Any]]:
    return [{"video": video, **fields} for video in VIDEOS]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("m.json", as_json(dict.fromkeys(VIDEOS, "x")), "task .* cannot be told: .*--task cause"),
        ("results.json", as_json(dict.fromkeys(VIDEOS, "x")), "task .* cannot be told"),
        ("model_result.json", as_json(dict.fromkeys(VIDEOS, "x")), "task .* cannot be told"),
        ("cause_effect.json", as_json(dict.fromkeys(VIDEOS, "x")), "task .* cannot be told"),
        ("m.json", as_json(rows(task="whence", answer="x")), "`task` holds 'whence'"),
        ("m_cause.csv", as_table(rows(qwen="x")), "`qwen` .'x'.: .*--map answer=COLUMN"),
        ("m_cause.csv", as_table(rows(response="x", prediction="y")), "`response`.*`prediction`.*--map answer="),
        ("m.csv", as_table(rows(answer="x", cause="y")), "may be in `answer`.*`cause`.*--map answer="),
        ("m_cause.csv", as_table([{"video": "1", "clip": "2", "answer": "x"}]), "`video`.*`clip`.*--map video="),
        ("m_cause.csv", as_table([{"index": n, "pred": "x"} for n in range(3)]), "to name the videos.*--map video="),
        ("m_cause.csv", as_table([{"id": n, "pred": "x"} for n in range(3)]), "to name the videos.*row's number"),
        ("m_cause.csv", "00001,some text\n00002,more of it\n", "first line is no heading: --map video=1,answer=2"),
        ("m.jsonl", as_lines([{"prompt": "p", "predict": "x", "label": "y"}]), "to name the videos"),
        ("m.json", as_json(rows(task="cause", answer="x", view="cut")), "'cut', which is no view.*full, anomaly"),
        ("m_cause.json", as_json(["x", "y"]), "no column is known to hold answers"),
        ("m_cause.json", as_json({f"A{v}_x264": "x" for v in VIDEOS}), "'A00001_x264', .* here, '00001.mp4', .* there"),
        ("m_cause.json", as_json({f"x{v}y": "x" for v in VIDEOS}), "did you mean '00001.mp4'"),
        ("m_cause.json", '[{"video": "00001", "answer": "x"}, {"vid', "breaks off"),
        ("m_cause.jsonl", '{"video":"1","answer":"x"}\n{"vid\n{"video":"3","answer":"x"}\n', "line 2 is no JSON"),
        ("m_cause.csv", "video,answer\n00001,caf\xe9\n".encode("latin-1"), "UTF-8.*save it as UTF-8"),
        ("m.json", "", "is empty"),
        ("m.txt", "hello", "neither JSON nor a table"),
        ("m_cause.txt", "00001: a text\nand more of it\n", "neither JSON nor a table"),
        ("m_cause.json.gz", gzip.compress(b"[" * 90, mtime=0)[:-9], "the gzip file is damaged"),
        ("l_cause.json", as_json({"00001": ["A car", "b"]}), "no row holds.*\\[\"A car.*--map answer=answer.1"),
        ("m_cause.json", as_json(rows(answer=None)), "no row holds an answer: .*row 1: its answer is null"),
        ("m_cause.json", as_json({"1": "a", "00001": "b"}), "00001/cause differ: .*'1', .*'00001'.*--map task="),
    ],
)  # fmt: skip
def test_what_tells_nothing_or_too_much_is_refused_with_what_to_type(
    name: str, content: bytes | str, message: str, dataset: Dataset, tmp_path: Path
) -> None:
    with pytest.raises((DataError, UsageError), match=message) as refused:
        read(put(tmp_path / name, content), dataset)
    assert "\n" not in str(refused.value)
    assert "delete" not in str(refused.value)


def test_what_the_user_names_counts(dataset: Dataset, tmp_path: Path) -> None:
    table = put(tmp_path / "t.csv", as_table([{"clip no": v, "qwen": f"q {v}", "llava": f"l {v}"} for v in VIDEOS]))
    imported = read(table, dataset, "reason", video="clip no", answer="llava")
    assert {each.id: each.answer for each in imported.answers} == {f"{v}/cause": f"l {v}" for v in VIDEOS}
    bare = put(tmp_path / "bare_cause.csv", "".join(f"{v},x {v}\n" for v in VIDEOS))
    assert len(read(bare, dataset, video="1", answer="2").answers) == 3
    with pytest.raises(UsageError, match=r"no column 'qwen2' for the answer; there are `clip no`.*--map answer="):
        read(table, dataset, "cause", answer="qwen2")


@pytest.mark.parametrize(
    "written",
    ["1", "00001", "00001.mp4", "1.avi", "/mnt/set/00001.mp4", "C:\\set\\1.MP4", "https://host/v/00001.mp4", 1, 1.0],
)
def test_a_video_is_found_by_any_of_its_names(written: object, dataset: Dataset, tmp_path: Path) -> None:
    path = put(tmp_path / "m_cause.json", as_json([{"video": written, "answer": "x"}]))
    assert [each.id for each in read(path, dataset).answers] == ["00001/cause"]


@pytest.mark.parametrize(
    ("written", "task", "view"),
    [
        ("00001/cause", "cause", "full"),
        ("00001_cause", "cause", "full"),
        ("cause-1.mp4", "cause", "full"),
        ("00001.mp4|Reason", "cause", "full"),
        ("1_time_segment", "timestamp", "full"),
        ("00001/cause@anomaly", "cause", "anomaly"),
        ("00001/description@control", "description", "control"),
    ],
)
def test_an_id_may_tell_task_and_view(written: str, task: str, view: str, dataset: Dataset, tmp_path: Path) -> None:
    path = put(tmp_path / "m.json", as_json([{"id": written, "answer": "x"}]))
    assert [(each.video, each.task, each.view) for each in read(path, dataset).answers] == [("00001", task, view)]


def test_empty_answers_count_and_wants_of_answers_are_errors(dataset: Dataset, tmp_path: Path) -> None:
    rows = "00001,\n00002,Failed to obtain answer via API.\n00003,nan\n"
    imported = read(put(tmp_path / "m_cause.csv", f"video,prediction\n{rows}"), dataset)
    assert [(each.id, each.answer) for each in imported.answers] == [("00001/cause", "")]
    assert [each.id for each in imported.failures] == ["00002/cause", "00003/cause"]
    batch = [{"custom_id": "00001/cause", "response": None, "error": {"message": "rate limit"}}]
    imported = read(put(tmp_path / "b.jsonl", as_lines([*batch, {"custom_id": "2/cause", "response": "x"}])), dataset)
    assert [(each.id, "rate limit" in each.message) for each in imported.failures] == [("00001/cause", True)]


def test_an_empty_cell_of_a_wide_table_was_not_asked(dataset: Dataset, tmp_path: Path) -> None:
    table = as_table([{"video": "1", "cause": "x", "effect": ""}, {"video": "2", "cause": "", "effect": ""}])
    imported = read(put(tmp_path / "m.csv", table), dataset)
    assert [each.id for each in imported.answers] == ["00001/cause"]
    assert "cause (full): no answer to 2 of 3 questions" in imported.notes


@pytest.mark.parametrize("heading", ["pred_cause", "Cause (answer)", "cause_output", "Reason"])
def test_a_column_may_be_named_after_a_task(heading: str, dataset: Dataset, tmp_path: Path) -> None:
    imported = read(put(tmp_path / "m.csv", as_table([{"video": v, heading: "x"} for v in VIDEOS])), dataset)
    assert {each.task for each in imported.answers} == {"cause"}


def test_what_is_not_used_is_said(dataset: Dataset, tmp_path: Path) -> None:
    found = [{"video": v, "task": t, "answer": "x"} for v in (*VIDEOS, "00004") for t in ("Cause", "Detection")]
    imported = read(put(tmp_path / "m.json", as_json(found)), dataset)
    none = "the task detection, for which no annotation has a reference"
    assert f"m.json: {none}: 4 rows (row 2, row 4, row 6, …)" in imported.notes
    assert any(
        note.startswith("set aside: the answers to 1 video not in ") and "'00004'" in note for note in imported.notes
    )
    assert [each.id for each in imported.results().extra] == ["00004/cause"]


TITLE_WORDS = {"what": "description", "why": "cause", "how": "effect", "when": "timestamp", "class": "classification"}


@pytest.mark.parametrize("nested", [False, True], ids=["rows", "by video"])
def test_the_words_of_the_papers_title_are_tasks_where_they_stand_side_by_side(
    nested: bool, dataset: Dataset, tmp_path: Path
) -> None:
    said: dict[str, Any] = {word: f"{word} it is" for word in TITLE_WORDS} | {"when": [1.0, 2.5]}
    value = dict.fromkeys(VIDEOS, said) if nested else [{"video": v, **said} for v in VIDEOS]
    imported = read(put(tmp_path / "m.json", as_json(value)), dataset)
    found = {(each.video, each.task): each.answer for each in imported.answers}
    if nested:  # a list is no text of a cell there
        found |= {(v, "timestamp"): "[1.0, 2.5]" for v in VIDEOS}
    assert found == {
        (v, task): "[1.0, 2.5]" if word == "when" else f"{word} it is"
        for v in VIDEOS
        for word, task in TITLE_WORDS.items()
    }


def test_a_title_word_alone_is_no_task(dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no column is known to hold answers"):
        read(put(tmp_path / "m.csv", as_table(rows(why="x", qwen="y"))), dataset)
    imported = read(put(tmp_path / "m_cause.csv", as_table(rows(answer="x", why="y"))), dataset)
    assert {each.answer for each in imported.answers} == {"x"}
    assert any("columns left aside: `why`" in note for note in imported.notes)


def test_columns_of_words_that_are_left_aside_are_named(dataset: Dataset, tmp_path: Path) -> None:
    table = as_table(rows(description="a", why="b", remark="odd", seconds="1.5", prompt="Why?"))
    notes = read(put(tmp_path / "m.csv", table), dataset).notes
    assert "m.csv: columns left aside: `remark`; to take one as a task's answers: --map cause=COLUMN" in notes
    assert any("answer from `description` (description), `why` (cause)" in note for note in notes)
    assert not any(
        "left aside" in n for n in read(put(tmp_path / "n.csv", as_table(rows(why="b", how="c"))), dataset).notes
    )


def test_a_column_for_each_task_can_be_named(dataset: Dataset, tmp_path: Path) -> None:
    table = put(tmp_path / "m.csv", as_table(rows(description="a", x="b", cause="annotated")))
    given = parse_map(["why=x", "video=video"])
    answers = {each.id: each.answer for each in import_answers([AnswerSource(table)], dataset, given=given).answers}
    assert answers == {f"{v}/{task}": text for v in VIDEOS for task, text in (("description", "a"), ("cause", "b"))}


def test_one_of_several_samples_can_be_taken(dataset: Dataset, tmp_path: Path) -> None:
    path = put(tmp_path / "m_cause.json", as_json({v: [f"first {v}", f"second {v}"] for v in VIDEOS}))
    for place, word in (("1", "first"), ("2", "second")):
        imported = read(path, dataset, answer=f"answer.{place}")
        assert {each.video: each.answer for each in imported.answers} == {v: f"{word} {v}" for v in VIDEOS}


def test_one_answer_under_two_names_of_a_video_counts_once(dataset: Dataset, tmp_path: Path) -> None:
    imported = read(put(tmp_path / "m_cause.json", as_json({"1": "a", "00001": "a", "2": "b"})), dataset)
    assert {each.video: each.answer for each in imported.answers} == {"00001": "a", "00002": "b"}
    with pytest.raises(DataError, match="two videos cannot be told apart"):
        read(put(tmp_path / "n_cause.json", as_json({"1.mp4": "a", "00001.avi": "b"})), dataset)


def test_a_file_that_would_become_too_large_is_refused(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ecva_bench.interchange.opening.LARGEST", 1000)
    with pytest.raises(UsageError, match="too large"):
        read(put(tmp_path / "m_cause.json.gz", gzip.compress(b" " * 1001)), dataset)


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("answer=x,why=y", "answer=x is the column of all answers, and cause=y that of one task"),
        ("why=x,reason=y", "two columns for the cause, 'x' and 'y'"),
        ("motive=x", "'motive=x' maps nothing: .*answer, task, view, description, cause"),
    ],
)
def test_a_map_of_two_kinds_is_refused(typed: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_map([typed])


def test_a_line_that_breaks_off_at_the_end_costs_that_line(dataset: Dataset, tmp_path: Path) -> None:
    whole = as_lines([{"video": v, "answer": "x"} for v in VIDEOS])
    imported = read(put(tmp_path / "m_cause.jsonl", whole[:-12]), dataset)
    assert [each.video for each in imported.answers] == ["00001", "00002"]
    assert "m_cause.jsonl: no video named: 1 row (line 3, which breaks off)" in imported.notes


def test_annotations_are_no_answers(dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"this is a file of annotations.*--data"):
        read(Path(dataset.source), dataset)
    copied = as_json({v: reference(v, "cause") for v in VIDEOS})
    notes = read(put(tmp_path / "m_cause.json", copied), dataset).notes
    assert "every answer is the annotator's own text: is this a file of annotations?" in notes


def test_an_archive_that_would_become_too_large_is_refused(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ecva_bench.interchange.containers.LARGEST", 1000)
    path = put(tmp_path / "log.eval", inspect_archive(zipfile.ZIP_DEFLATED))
    with pytest.raises(UsageError, match="too large"):
        read(path, dataset)


def test_whatever_byte_of_a_log_is_wrong_it_is_called_damaged(dataset: Dataset, tmp_path: Path) -> None:
    good = inspect_archive(zipfile.ZIP_DEFLATED)
    start = good.index(b"samples/") + 30  # within the first sample's packed text
    for place in range(start, start + 200, 5):
        path = put(tmp_path / f"{place}.eval", good[:place] + bytes([good[place] ^ 0xFF]) + good[place + 1 :])
        with pytest.raises(DataError, match=r"the log is damaged.*\.eval"):
            read(path, dataset)


def test_lmms_evals_rows_are_joined_by_the_annotators_text_and_never_by_position(
    dataset: Dataset, tmp_path: Path
) -> None:
    made = [
        {"doc_id": 0, "target": reference("00003", "cause"), "filtered_resps": ["three"], "input": "root reasons"},
        {"doc_id": 1, "target": "nobody wrote this", "filtered_resps": ["nobody"], "input": "root reasons"},
    ]
    imported = read(put(tmp_path / "samples.jsonl", as_lines(made)), dataset)
    assert {each.id: each.answer for each in imported.answers} == {"00003/cause": "three"}
    assert TASKS == ("description", "cause")


def test_a_task_named_by_the_user_is_that_of_files_that_tell_none(dataset: Dataset, tmp_path: Path) -> None:
    told = put(tmp_path / "m.json", as_json(rows(task="Description", answer="x")))
    assert {each.task for each in read(told, dataset, "cause").answers} == {"description"}
    assert {each.task for each in read(tmp_path / "m.json@cause", dataset).answers} == {"cause"}
    untold = put(tmp_path / "n.json", as_json(rows(answer="x")))
    assert {each.task for each in read(untold, dataset, "cause").answers} == {"cause"}


def test_an_id_that_counts_from_1_is_pointed_out(dataset: Dataset, tmp_path: Path) -> None:
    made = [{"id": number, "answer": "x"} for number in (1, 2, 3)]
    counted = read(put(tmp_path / "m_cause.json", as_json(made)), dataset)
    assert "m_cause.json: `id` counts from 1, as rows do: it was taken for the videos' numbers" in counted.notes
    named = read(put(tmp_path / "m_cause.json", as_json(made[::-1])), dataset)
    assert not any("counts from 1" in note for note in named.notes)


@pytest.mark.parametrize("name", ["vau_bench_test_ecva.csv", "uca_test.json", "dota_metadata_val.json"])
def test_annotations_of_other_data_sets_are_no_answers(name: str, dataset: Dataset, shared_data: Path) -> None:
    with pytest.raises(UsageError, match=r"file of annotations|no column is known"):
        read(shared_data / "field" / name, dataset, "cause")


@pytest.mark.parametrize("name", ["class_answers/answers_a.json", "thought_marks/answers_a.json"])
def test_cases_of_answers(name: str, tmp_path: Path) -> None:
    folder, _, file = name.partition("/")
    path = case(folder) / file
    given = json.loads(path.read_text())
    labels = [
        {"video_name": each["id"], "task": "Classification", "answer": f"[{each.get('class') or 1}-1,5]"}
        for each in given
    ]
    (tmp_path / "annotations.json").write_text(json.dumps(labels))
    imported = read(path, load_dataset(tmp_path / "annotations.json"), "classification")
    assert {each.video: each.answer for each in imported.answers} == {each["id"]: each["answer"] for each in given}


@pytest.mark.parametrize(
    "name", ["workbook_dimension/good.xlsx", "workbook_dimension/a_cell.xlsx", "workbook_ids/a_text.xlsx"]
)
def test_cases_of_annotations(name: str, dataset: Dataset) -> None:
    folder, _, file = name.partition("/")
    with pytest.raises(UsageError, match="this is a file of annotations"):
        read(case(folder) / file, dataset)


def test_a_workbook_counts_what_is_there_and_not_what_it_states(dataset: Dataset, tmp_path: Path) -> None:
    stated = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(SHAPES["workbook"][1]())) as book, zipfile.ZipFile(stated, "w") as changed:
        for part in book.namelist():
            content = book.read(part)
            if part.startswith("xl/worksheets/"):
                content, count = re.subn(rb'<dimension ref="[^"]*"', b'<dimension ref="A1"', content)
                assert count == 1
            changed.writestr(part, content)
    assert len(read(put(tmp_path / "m.xlsx", stated.getvalue()), dataset).answers) == 6
