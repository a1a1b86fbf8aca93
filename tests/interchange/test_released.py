"""The authors' answer files: joined by id, errors never answers, tasks told or asked for."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import pytest

from ecva_bench.data import Dataset, load_dataset
from ecva_bench.errors import DataError, UsageError
from ecva_bench.interchange.imported import import_answers
from ecva_bench.interchange.sources import AnswerSource
from ecva_bench.records.answers import Results
from tests.cases import case

CAUSE_PROMPT = "Please reason logically and give the root cause of the anomalies in the video in detail."


def read_released_answers(path: Path, dataset: Dataset, task: str | None = None) -> Results:
    return import_answers([AnswerSource.parse(str(path), task)], dataset).results()


@pytest.fixture(scope="module")
def ecva(shared_data: Path) -> Dataset:
    return load_dataset("ecva", shared_data / "ecva/annotations.xlsx")


@pytest.fixture
def small(tmp_path: Path) -> Dataset:
    rows = [
        {"video_name": f"{number:05}", "task": task, "answer": answer}
        for number in range(1, 6)
        for task, answer in (("Cause", f"cause {number}"), ("Classification", "[5-1,5]"))
    ]
    rows.append({"video_name": "00009", "task": "Cause", "answer": "/"})
    (tmp_path / "data.json").write_text(json.dumps(rows))
    return load_dataset("cuva", tmp_path / "data.json")


def write(path: Path, rows: object) -> Path:
    path.write_text(json.dumps(rows), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "model", "task", "expects", "answers", "extra"),
    [
        ("video_llama_reason", "video_llama", "cause", 983, 980, 4),
        ("video_llama_description", "video_llama", "description", 983, 980, 4),
        ("video_llava_description", "video_llava", "description", 983, 980, 4),
        ("video_llama_time_segment", "video_llama", "timestamp", 982, 979, 5),
        ("videollama2_classification", "videollama2", "classification", 924, 922, 63),
    ],
)
def test_the_real_files(
    ecva: Dataset, shared_data: Path, name: str, model: str, task: str, expects: int, answers: int, extra: int
) -> None:
    results = read_released_answers(shared_data / f"ecva/answers/{name}.json", ecva)
    assert (results.model, results.spec["tasks"]) == (model, [task])
    assert (len(results.expects["full"]), len(results.answers), len(results.extra)) == (expects, answers, extra)
    assert len({answer.key for answer in (*results.answers, *results.extra)}) == answers + extra
    assert all(answer.answer.strip() != "ERROR" for answer in (*results.answers, *results.extra))


def test_errors_of_the_real_file_are_failures(ecva: Dataset, shared_data: Path) -> None:
    results = read_released_answers(shared_data / "ecva/answers/video_llama_reason.json", ecva)
    assert [failure.video for failure in results.failures] == ["00067", "00085", "00232"]
    assert {answer.reference for answer in results.extra} == {"/"}


def test_human_expert_answers_of_the_real_file_confirm_the_join(ecva: Dataset, shared_data: Path) -> None:
    path = shared_data / "ecva/answers/videollama2_classification.json"
    experts = {row["video_file"][:-4]: row["human_expert_answer"] for row in json.loads(path.read_text())}
    results = read_released_answers(path, ecva)
    assert all(experts[answer.video].startswith(f"[{answer.reference},") for answer in results.answers)


def test_rows_are_joined_by_id_and_an_answer_that_is_there_twice_counts_once(tmp_path: Path, small: Dataset) -> None:
    rows = [{"video_file": f"{n:05}.mp4", "prompt": CAUSE_PROMPT, "output": f"answer {n}"} for n in (1, 2, 4, 8, 9)]
    rows += [{"video_file": "00002.mp4", "prompt": CAUSE_PROMPT, "output": "answer 2 "}]
    rows += [{"video_file": "00003.mp4", "prompt": "ERROR", "output": "ERROR"}]
    rows += [{"video_file": "00001.mp4", "prompt": "ERROR", "output": "ERROR"}]
    results = read_released_answers(write(tmp_path / "a.json", rows), small)
    assert results.expects == {"full": tuple(f"0000{n}/cause" for n in range(1, 6))}
    assert [(a.id, a.answer, a.reference) for a in results.answers] == [
        (f"0000{n}/cause", f"answer {n}", f"cause {n}") for n in (1, 2, 4)
    ]
    assert [(a.id, a.answer, a.reference) for a in results.extra] == [
        ("00008/cause", "answer 8", ""),
        ("00009/cause", "answer 9", "/"),
    ]
    assert [failure.id for failure in results.failures] == ["00003/cause"]
    once = rows[:5]
    random.Random(4).shuffle(once)
    assert read_released_answers(write(tmp_path / "a.json", once), small).answers == results.answers


def test_the_task_is_told_by_type_prompt_name_or_option(tmp_path: Path, small: Dataset) -> None:
    bare = [{"video_file": "00001.mp4", "output": "x"}]
    for path, rows, expected in (
        ("a.json", [{**bare[0], "task_type": "Classification"}], "classification"),
        ("a.json", [{**bare[0], "prompt": CAUSE_PROMPT}], "cause"),
        ("model_outcome.json", bare, "effect"),
        ("model_time_segment.json", bare, "timestamp"),
    ):
        assert read_released_answers(write(tmp_path / path, rows), small).spec["tasks"] == [expected]
    unknown = write(tmp_path / "a.json", bare)
    with pytest.raises(UsageError, match="--task"):
        read_released_answers(unknown, small)
    assert read_released_answers(unknown, small, task="cause").answers[0].reference == "cause 1"
    with pytest.raises(UsageError, match="available: description"):
        read_released_answers(unknown, small, task="colour")


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([], "holds no row"),
        ({}, "holds no row"),
        (["text"], "no column is known to hold answers"),
        ([{"video_file": "1.mp4"}], "no column is known to hold answers"),
        ([{"output": "x"}], "no column is known to name the videos"),
        ([{"video_file": True, "output": "x"}], "no row is an answer: no video named: 1 row .row 1."),
    ],
)
def test_files_without_answers_are_refused(tmp_path: Path, small: Dataset, rows: object, why: str) -> None:
    with pytest.raises((DataError, UsageError), match=rf"{why}.*a\.json"):
        read_released_answers(write(tmp_path / "a.json", rows), small, "cause")


@pytest.mark.parametrize("row", [{"output": "x"}, {"video_file": None, "output": "x"}, {"video_file": "/"}, None, "x"])
def test_a_row_of_no_video_is_set_aside_and_named(tmp_path: Path, small: Dataset, row: object) -> None:
    path = write(tmp_path / "a.json", [{"video_file": "1.mp4", "output": "x"}, row])
    imported = import_answers([AnswerSource(path, "cause")], small)
    assert [answer.id for answer in imported.answers] == ["00001/cause"]
    assert "a.json: no video named: 1 row (row 2)" in imported.notes


def test_two_answers_to_one_question_that_differ_are_refused_with_both_places(tmp_path: Path, small: Dataset) -> None:
    rows = [{"video_file": name, "output": text} for name, text in (("1.mp4", "a"), ("2.mp4", "b"), ("1.mp4", "c"))]
    path = write(tmp_path / "m_cause.json", rows)
    with pytest.raises(DataError, match=r"two answers to 00001/cause differ: m_cause.json, row 1, and .*, row 3: "):
        read_released_answers(path, small)


def test_null_output(tmp_path: Path) -> None:
    folder = case("null_output")
    expected = json.loads((folder / "expected.json").read_text())
    results = read_released_answers(folder / "answers_cause.json", load_dataset("cuva", folder / "annotations.json"))
    assert len(results.answers) == expected["answered"]
    assert [failure.id for failure in results.failures] == expected["failed"]
    assert results.failures[0].message == "answers_cause.json, row 2: its output is null in place of an answer"


@pytest.mark.parametrize(
    ("row", "held"),
    [
        ({"output": None}, "its output is null"),
        ({}, "it has no output"),
        ({"output": {"tokens": 5}}, r'its output is {"tokens": 5}'),
        ({"output": ["x", "y"]}, r'its output is ["x", "y"]'),
        ({"output": True}, "its output is true"),
        ({"output": float("nan")}, "its output is NaN"),
        ({"output": " ERROR\n"}, r'its output is " ERROR\n"'),
    ],
)
def test_a_row_without_a_text_is_a_failure_of_its_video_alone(
    tmp_path: Path, small: Dataset, row: dict[str, object], held: str
) -> None:
    rows = [{"video_file": "00001.mp4", "output": "a"}, {"video_file": "00002.mp4", **row}]
    results = read_released_answers(write(tmp_path / "a.json", rows), small, "cause")
    assert [answer.id for answer in results.answers] == ["00001/cause"]
    assert [(f.id, f.message) for f in results.failures] == [
        ("00002/cause", f"a.json, row 2: {held} in place of an answer")
    ]
    again = write(tmp_path / "a.json", [*rows, {"video_file": "00002.mp4", "output": "b"}])
    assert not read_released_answers(again, small, "cause").failures


def test_a_number_is_the_text_of_it_and_half_a_character_costs_nothing(tmp_path: Path, small: Dataset) -> None:
    rows = [
        {"video_file": "1.mp4", "output": 5},
        {"video_file": "2.mp4", "output": 0.5},
        {"video_file": "3.mp4", "output": "[5] \ud83d"},
        {"video_file": "4.mp4", "output": "\ud83d\ude97"},
    ]
    results = read_released_answers(write(tmp_path / "a.json", rows), small, "classification")
    assert [answer.answer for answer in results.answers] == ["5", "0.5", "[5] \ufffd", "\U0001f697"]


def dataset_of(path: Path, *names: str) -> Dataset:
    rows = [{"visual_input": name, "task": "Cause", "output": f"cause of {name}"} for name in names]
    return load_dataset("cuva", write(path, rows))


def answers_of(path: Path, *names: str) -> Path:
    return write(path, [{"video_file": name, "output": f"answer to {name}"} for name in names])


@pytest.mark.parametrize(
    ("annotated", "answered"),
    [
        (("day/1.mp4", "night/1.mp4"), ("night/1.mp4", "day/1.mp4")),
        (("day/1.mp4", "night/1.mp4"), ("/mnt/set/night/1.avi", "/mnt/set/day/1.avi")),
        (("data/1.mp4", "data/2.mp4"), ("000002.mp4", "01")),
        (("cam.1.mp4", "cam.2.mp4"), ("cam.2", "cam.1")),
        (("cam.1", "cam.2"), ("cam.2.mp4", "cam.1.mp4")),
        (("cam.mp4", "cam.avi"), ("cam.avi", "cam.mp4")),
        (("1.mp4", "001.mp4"), ("001.mp4", "1.mp4")),
    ],
)
def test_answers_are_joined_by_whole_names(
    tmp_path: Path, annotated: tuple[str, ...], answered: tuple[str, ...]
) -> None:
    dataset = dataset_of(tmp_path / "data.json", *annotated)
    results = read_released_answers(answers_of(tmp_path / "a.json", *answered), dataset, "cause")
    assert {(answer.reference, answer.answer) for answer in results.answers} == {
        (f"cause of {name}", f"answer to {other}") for name, other in zip(annotated, answered[::-1], strict=True)
    }
    assert not results.extra
    assert all(answer.id == f"{answer.video}/cause" for answer in results.answers)


def test_an_answer_to_a_video_of_another_folder_is_extra(tmp_path: Path) -> None:
    dataset = dataset_of(tmp_path / "data.json", "day/1.mp4")
    path = answers_of(tmp_path / "a.json", "day/1.mp4", "night/1.mp4")
    results = read_released_answers(path, dataset, "cause")
    assert [(answer.video, answer.answer) for answer in results.answers] == [("1", "answer to day/1.mp4")]
    assert [(answer.id, answer.reference) for answer in results.extra] == [("night/1/cause", "")]


@pytest.mark.parametrize(
    ("annotated", "answered", "both"),
    [
        (("1.mp4",), ("day/1.mp4", "night/1.mp4"), "'day/1.mp4' and 'night/1.mp4'"),
        (("1.mp4",), ("1.mp4", "001.mp4"), "a.json, row 1 ('1.mp4'), and a.json, row 2 ('001.mp4')"),
        (("1.mp4",), ("1.mp4", "1.avi"), "'1.mp4' and '1.avi'"),
        (("1.mp4",), ("1", "1.mp4", "1.avi"), "'1.mp4' and '1.avi'"),
        (("day/1.mp4", "night/1.mp4"), ("1.mp4",), "'day/1' and 'night/1', both meant by '1.mp4'"),
        (("cam.mp4", "cam.avi"), ("cam",), "'cam.avi' and 'cam.mp4', both meant by 'cam'"),
    ],
)
def test_answers_whose_videos_cannot_be_told_apart_are_refused(
    tmp_path: Path, annotated: tuple[str, ...], answered: tuple[str, ...], both: str
) -> None:
    dataset = dataset_of(tmp_path / "data.json", *annotated)
    with pytest.raises(DataError, match=rf"{re.escape(both)}: .*a\.json"):
        read_released_answers(answers_of(tmp_path / "a.json", *answered), dataset, "cause")


def test_answers_to_other_videos_alone_are_refused(tmp_path: Path) -> None:
    dataset = dataset_of(tmp_path / "data.json", "day/1.mp4")
    with pytest.raises(DataError, match=r"no answer is to a video of .*data\.json: 'night/1.mp4' here, 'day/1.mp4' th"):
        read_released_answers(answers_of(tmp_path / "a.json", "night/1.mp4"), dataset, "cause")
