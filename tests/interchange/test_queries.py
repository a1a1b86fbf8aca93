"""Answers to several questions about a video, out as files of other programs and in again, joined by their ids."""

from __future__ import annotations

import csv
import importlib.util
from dataclasses import replace
from pathlib import Path

import pytest

import ecva_bench as eb
from ecva_bench.data import Dataset
from ecva_bench.data.mini import load_mini
from ecva_bench.errors import DataError
from ecva_bench.interchange.export import FORMS, HIGHLIGHTS, export_results
from ecva_bench.interchange.imported import Imported, import_answers
from ecva_bench.interchange.sources import AnswerSource
from ecva_bench.journal.results import read_results
from ecva_bench.records import Annotation, Moment
from ecva_bench.records.annotations import Query
from ecva_bench.records.base import View
from ecva_bench.scoring.score import score_results

OPTIONS = ("a fire", "a fight", "nothing", "a theft")


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """Two clips, each with two choices, two sentences to ground and a class of the set's own; one is normal."""
    mini = load_mini(videos=tmp_path)
    found = []
    for number, one in enumerate(mini.annotations[:2]):
        queries = [Query(task="choice", name=f"q{n}", text=f"What {n}?", options=OPTIONS, answer=n) for n in (0, 2)]
        queries += [
            Query(task="grounding", name=f"s{n}", text=f"It {n}.", moments=(Moment(start=n, end=n + 1),))
            for n in (1, 2)
        ]
        queries += [Query(task="classification", name="", text="", options=("Normal", "Fire"), answer=number)]
        found.append(Annotation(video=one.video, media=one.media, anomalous=number == 1, queries=tuple(queries)))
    return replace(mini, name="own", sha256="1" * 64, annotations=tuple(found))


def taken(path: Path, dataset: Dataset) -> Imported:
    return import_answers([AnswerSource(path)], dataset)


def rows(path: Path, *cells: tuple[str, str]) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("id", "answer"), *cells])
    return path


@pytest.mark.parametrize("rotate", [False, True])
@pytest.mark.parametrize("form", sorted(set(FORMS) - {HIGHLIGHTS}))  # which holds curves alone, and is not read again
def test_a_run_comes_back_with_its_questions_and_the_options_as_shown(
    form: str, rotate: bool, dataset: Dataset, tmp_path: Path
) -> None:
    if form == "parquet" and not importlib.util.find_spec("pyarrow"):
        pytest.skip("the extra data is not installed")
    run = eb.run("oracle", data=dataset, out=tmp_path / "r.jsonl", rotate=rotate, shuffle=3)
    results = read_results(run.path)
    path = tmp_path / f"out{FORMS[form][0]}"
    export_results(results, form, path)
    again = taken(path, dataset)
    keep = {"id", "video", "task", "answer", "reference", "moments", "label", "options"}
    assert sorted((a.model_dump(include=keep) for a in again.answers), key=str) == sorted(
        (a.model_dump(include=keep) for a in results.answers), key=str
    )
    assert set(again.manifest.expects["full"]) == set(results.expects["full"])
    unit = "seconds"
    means = [
        {(s.task, s.column): s.mean for s in score_results(one, timestamp_unit=unit).summaries}
        for one in (results, again.results())
    ]
    assert means[0] == means[1]


def test_letters_without_options_are_read_in_the_data_sets_order(dataset: Dataset, tmp_path: Path) -> None:
    told = rows(tmp_path / "a.csv", ("mini01/choice/q0", "A"), ("mini01/choice/q2", "B"), ("mini01/detection", "No"))
    again = taken(told, dataset)
    assert {a.id: (a.options, a.reference) for a in again.answers if a.task == "choice"} == {
        "mini01/choice/q0": (OPTIONS, "a fire"),
        "mini01/choice/q2": (OPTIONS, "nothing"),
    }
    (accuracy,) = (s for s in score_results(again.results(), tasks=["choice"]).summaries if s.column == "accuracy")
    assert (accuracy.hits, accuracy.n, accuracy.expected) == (1, 2, 4)


def test_a_rotation_whose_order_is_not_told_is_refused(dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="order of the options of mini01/choice/q0@r1 is not told"):
        taken(rows(tmp_path / "a.csv", ("mini01/choice/q0@r1", "A")), dataset)


def test_grounding_is_of_the_anomaly_where_there_are_no_sentences(tmp_path: Path) -> None:
    told = rows(tmp_path / "a.csv", ("mini01/grounding", "[1, 2]"))
    (answer,) = taken(told, load_mini()).answers
    assert (answer.id, answer.task) == ("mini01/timestamp", "timestamp")
    views: tuple[View, ...] = ("full",)
    assert tuple(taken(told, load_mini()).manifest.expects) == views


def test_severities_come_back_with_the_data_sets_curves(tmp_path: Path) -> None:
    mini = load_mini(videos=tmp_path)
    run = eb.run("constant", data=mini, tasks="severity", limit=2, out=tmp_path / "r.jsonl")
    export_results(read_results(run.path), "csv", tmp_path / "out.csv")
    again = taken(tmp_path / "out.csv", mini).answers
    assert {one.video: one.curve for one in again} == {one.video: one.severity_curve for one in mini.annotations[:2]}
