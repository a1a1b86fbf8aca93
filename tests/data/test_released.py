"""The authors' answer files: joined by id, errors never answers, tasks told or asked for."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from ecva_bench.data import Dataset, load, read_released_answers
from ecva_bench.errors import DataError, UsageError

CAUSE_PROMPT = "Please reason logically and give the root cause of the anomalies in the video in detail."


@pytest.fixture(scope="module")
def ecva(shared_data: Path) -> Dataset:
    return load("ecva", shared_data / "ecva/annotations.xlsx")


@pytest.fixture
def small(tmp_path: Path) -> Dataset:
    rows = [
        {"video_name": f"{number:05}", "task": task, "answer": answer}
        for number in range(1, 6)
        for task, answer in (("Cause", f"cause {number}"), ("Classification", "[5-1,5]"))
    ]
    rows.append({"video_name": "00009", "task": "Cause", "answer": "/"})
    (tmp_path / "data.json").write_text(json.dumps(rows))
    return load("cuva", tmp_path / "data.json")


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


def test_rows_are_joined_by_id_and_second_answers_are_extra(tmp_path: Path, small: Dataset) -> None:
    rows = [{"video_file": f"{n:05}.mp4", "prompt": CAUSE_PROMPT, "output": f"answer {n}"} for n in (1, 2, 4, 8, 9)]
    rows += [{"video_file": "00002.mp4", "prompt": CAUSE_PROMPT, "output": "again"}]
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
        ("00002/cause", "again", "cause 2"),
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


@pytest.mark.parametrize("rows", [[], {}, ["text"], [{"video_file": "1.mp4"}], [{"video_file": 1, "output": "x"}]])
def test_files_of_another_kind_are_refused(tmp_path: Path, small: Dataset, rows: object) -> None:
    path = write(tmp_path / "a.json", rows)
    with pytest.raises(DataError, match="released answers"):
        read_released_answers(path, small)
