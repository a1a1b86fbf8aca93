"""Files that others wrote, with one sample that is made to do harm: it becomes a finding, and the rest counts."""

from __future__ import annotations

import ast
import time
from pathlib import Path

import pytest

from ecva_bench.data import load_dataset
from ecva_bench.errors import DataError, EcvaError, JudgeError, ResultsError
from ecva_bench.interchange.imported import import_answers
from ecva_bench.interchange.sources import AnswerSource
from ecva_bench.judging.replays import replayed_judge
from ecva_bench.untrusted import LONGEST_ID, id_problem, parse_json
from tests.imports import ROOT

DEEP = "[" * 100_000 + "]" * 100_000
HUGE = "1" + "0" * 5000


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (DEEP, "nested deeper than 100 levels"),
        ('{"a":' * 100_000, "nested deeper than 100 levels"),
        ("[" * 101 + "]" * 101, "nested deeper than 100 levels"),
        ('{"a": NaN}', "NaN is no number"),
        ('{"a": [-Infinity]}', "-Infinity is no number"),
        ('{"a": 1e999}', "1e999 is no number"),
        (f'{{"a": 1{"0" * 250}e99}}', "10000000000000000000 is no number"),
        (f'{{"a": 1{"0" * 250}.5e99}}', "10000000000000000000 is no number"),
        (f'{{"a": {HUGE}}}', "10000000000000000000 is no number"),
        ('{"answer": "a", "answer": "b"}', "the field 'answer' occurs twice"),
        ('{"a": {"b": 1, "b": 1}}', "the field 'b' occurs twice"),
    ],
)
def test_what_no_reader_of_ours_can_use_is_an_error_in_words(text: str, reason: str) -> None:
    begun = time.monotonic()
    with pytest.raises(ValueError, match=reason):
        parse_json(text)
    assert time.monotonic() - begun < 2


def test_a_table_of_rows_is_read_whole_whatever_one_of_them_holds() -> None:
    rows = parse_json(
        f'[{{"a": "fine"}}, {{"a": NaN}}, {{"a": {HUGE}}}, {{"a": 1e999}}, {{"a": 1, "a": 2}}]', lenient=True
    )
    assert rows[0] == {"a": "fine"}
    assert [isinstance(row["a"], float) for row in rows[1:4]] == [True] * 3
    assert rows[4] == {"a": {"occurs twice": [1, 2]}}
    assert parse_json("[" * 100 + "]" * 100)
    assert parse_json("1" * 300) == int("1" * 300)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "it is empty"),
        (" \t", "it is empty"),
        ("v" * (LONGEST_ID + 1), "it is too long: 501 of at most 500 characters"),
        ("a\0b", r"it holds the character U\+0000"),
        ("a\nb", r"it holds the character U\+000A"),
        ("a\x1b[2J", r"it holds the character U\+001B"),
        ("a\u2028b", r"it holds the character U\+2028"),
        ("a\ud800", r"it holds the character U\+D800"),
        ("day/Überfall 1 – näher.mp4", ""),
        ("v" * LONGEST_ID, ""),
    ],
)
def test_what_can_be_an_id(text: str, problem: str) -> None:
    from pydantic import ValidationError

    from ecva_bench.records import Annotation

    assert (id_problem(text) == "") if not problem else id_problem(text).startswith(problem.replace("\\", ""))
    if problem:
        with pytest.raises(ValidationError, match=problem):
            Annotation(video=text, media="a.mp4")


ROWS = {
    "nul": '{"video_name": "a\\u0000b", "task": "cause", "answer": "x"}',
    "long": '{"video_name": "' + "v" * 100_000 + '", "task": "cause", "answer": "x"}',
    "half": '{"video_name": "3\\ud800", "task": "cause", "answer": "x"}',
    "escape": '{"video_name": "\\u001b[2J::error::x", "task": "cause", "answer": "x"}',
    "huge": f'{{"video_name": {HUGE}, "task": "cause", "answer": "x"}}',
    "huge answer": f'{{"video_name": "3", "task": "cause", "answer": {HUGE}}}',
    "nan": '{"video_name": NaN, "task": "cause", "answer": NaN}',
    "proto": '{"video_name": "3", "task": "__proto__", "answer": "x"}',
    "twice": '{"video_name": "3", "task": "cause", "answer": "x", "answer": "y"}',
    "deep-ish": '{"video_name": "3", "task": "cause", "answer": ' + "[" * 90 + "]" * 90 + "}",
}
SOUND = '{"video_name": "1", "task": "cause", "answer": "a van brakes"}'


@pytest.mark.parametrize("name", ROWS)
def test_a_hostile_row_of_annotations_is_a_finding_and_the_others_count(name: str, tmp_path: Path) -> None:
    path = tmp_path / "set.json"
    path.write_text(f"[{SOUND}, {ROWS[name]}, {SOUND.replace('1', '2')}]")
    dataset = load_dataset(str(path))
    found = [annotation.video for annotation in dataset.annotations if annotation.cause == "a van brakes"]
    assert found == ["1", "2"]
    if name != "half":  # which is mended, as in every text
        assert dataset.findings
        assert all(annotation.video in ("1", "2") for annotation in dataset.annotations)


@pytest.mark.parametrize("name", ROWS)
def test_a_hostile_row_of_answers_costs_no_other(name: str, tmp_path: Path) -> None:
    (tmp_path / "set.json").write_text(f"[{SOUND}, {SOUND.replace('1', '2')}]")
    dataset = load_dataset(str(tmp_path / "set.json"))

    for form, text in (
        ("json", f"[{SOUND}, {ROWS[name]}, {SOUND.replace('1', '2')}]"),
        ("jsonl", f"{SOUND}\n{ROWS[name]}\n{SOUND.replace('1', '2')}\n"),
    ):
        path = tmp_path / f"answers.{form}"
        path.write_text(text)
        results = import_answers([AnswerSource.parse(str(path), None)], dataset).results()
        assert {answer.video for answer in results.answers} == {"1", "2"}


def test_a_file_that_is_deep_as_a_whole_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "set.json"
    path.write_text(f"[{SOUND}, {DEEP}]")
    with pytest.raises(DataError, match="nested deeper than 100 levels"):
        load_dataset(str(path))


@pytest.mark.parametrize(
    "line", [DEEP, f'{{"type": {HUGE}}}', '{"type": "a", "type": "b"}', '{"type": NaN}', "\0", "[]"]
)
def test_no_file_of_ours_falls_to_one_line(line: str, tmp_path: Path) -> None:
    """Each reader says that the file cannot be used, in an error of this package."""
    from ecva_bench.journal.results import read_results
    from ecva_bench.leaderboard.submission import read_submission
    from ecva_bench.scoring.files import read_scores

    path = tmp_path / "file.jsonl"
    path.write_text(line + "\n")
    for read, expected in (
        (read_results, ResultsError),
        (read_scores, ResultsError),
        (read_submission, ResultsError),
        (replayed_judge, JudgeError),
    ):
        with pytest.raises(expected) as caught:
            read(path)
        assert isinstance(caught.value, EcvaError)


def test_there_is_one_reader_of_json() -> None:
    """`verdicts` has a decoder of its own, which passes over what stands around a verdict."""
    readers = ("json.loads", "json.load", "json.JSONDecoder")
    found = []
    for room in ("ecva_bench", "adapters"):
        for path in sorted((ROOT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call):
                    name = ast.unparse(node.func)
                    if name.replace("json_module", "json") in readers or name.endswith("model_validate_json"):
                        found.append(path.relative_to(ROOT).as_posix())
    assert set(found) == {"ecva_bench/reading/verdicts.py", "ecva_bench/untrusted.py"}
