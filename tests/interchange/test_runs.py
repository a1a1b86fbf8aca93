"""An import as a run: several files, edited views, what is known of it, and the way back in every form."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import pytest

from ecva_bench.data import Dataset, load_dataset
from ecva_bench.errors import DataError, ResultsError, UsageError
from ecva_bench.interchange.export import FORMS, HIGHLIGHTS, export_results
from ecva_bench.interchange.imported import Imported, import_answers
from ecva_bench.interchange.sources import AnswerSource
from ecva_bench.journal.results import read_results
from ecva_bench.records.answers import Failure
from ecva_bench.tasks import TASKS, prompt_for
from tests.imports import ROOT

from .shapes import VIDEOS, as_json, as_table


def quiet(_done: int, _total: int) -> None:
    """Tell nobody."""


def written(imported: Imported, path: Path) -> Path:
    imported.write(path, quiet)
    return path


def test_files_of_tasks_and_views_become_one_run(dataset: Dataset, tmp_path: Path) -> None:
    for name in ("m_cause.json", "effect_of_m.json", "cut.json", "other.json"):
        (tmp_path / name).write_bytes(as_json({video: f"{name} {video}" for video in VIDEOS}))
    names = ("m_cause.json", "cut.json@cause@anomaly", "other.json@description")
    sources = [AnswerSource.parse(str(tmp_path / name)) for name in names]
    imported = import_answers(sources, dataset, model="m")
    results = read_results(written(imported, tmp_path / "run.jsonl"))
    assert {(each.task, each.view) for each in results.answers} == {
        ("cause", "full"),
        ("cause", "anomaly"),
        ("description", "full"),
    }
    assert {each.answer for each in results.answers if each.view == "anomaly"} == {f"cut.json {v}" for v in VIDEOS}
    assert all((each.removed == each.moments) == (each.view == "anomaly") for each in results.answers)
    assert len(results.expects["anomaly"]) == 3
    assert results.model == "m"


def test_answers_about_other_pictures_need_no_moment_and_come_back(dataset: Dataset, tmp_path: Path) -> None:
    bare = dataset.annotations[0].model_copy(update={"moments": ()})
    without = replace(dataset, annotations=(bare, *dataset.annotations[1:]))
    rows = [
        {"video": video, "task": "cause", "view": view, "answer": f"{view} {video}"}
        for video in VIDEOS
        for view in ("full", "still", "shuffled", "blank", "anomaly")
    ]
    (tmp_path / "m.csv").write_bytes(as_table(rows))
    imported = import_answers([AnswerSource(tmp_path / "m.csv")], without, model="m")
    path = written(imported, tmp_path / "run.jsonl")
    results = read_results(path)
    assert {(a.view, a.answer.split()[0]) for a in results.answers} == {(row["view"],) * 2 for row in rows}
    assert {view: len(owed) for view, owed in results.expects.items()} == {
        "full": 3, "anomaly": 2, "still": 3, "shuffled": 3, "blank": 3,
    }  # fmt: skip
    assert not any(a.removed for a in results.answers if a.view != "anomaly")
    sent = (*results.answers, *results.extra)  # also about a cut of a video without moments, which nobody owes
    export_results(results, "csv", tmp_path / "back.csv")
    back = import_answers([AnswerSource(tmp_path / "back.csv")], without, model="m")
    assert {(a.id, a.view, a.answer) for a in back.answers} == {(a.id, a.view, a.answer) for a in sent}


def test_the_manifest_says_where_answers_came_from_and_makes_nothing_up(dataset: Dataset, tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_bytes(as_table([{"Video": v, "Task": "cause", "Reply": "x"} for v in VIDEOS]))
    imported = import_answers([AnswerSource(tmp_path / "m.csv")], dataset)
    path = written(imported, tmp_path / "run.jsonl")
    spec = read_results(path).spec
    (file,) = spec["imported"]["files"]
    assert (file["name"], len(file["sha256"]), file["form"]) == ("m.csv", 64, "table")
    assert file["columns"] == {"video": "Video", "answer": "Reply", "task": "Task"}
    assert spec["prompts"] == {}
    assert not {"mode", "decoder", "description"} & spec.keys()
    assert str(tmp_path) not in path.read_text()
    assert all(each.prompt_sha256 == "" and each.frames is None for each in imported.answers)
    with pytest.raises(ResultsError, match="exists"):
        imported.write(path, quiet)


def test_a_prompt_of_ours_is_known_again(dataset: Dataset, tmp_path: Path) -> None:
    prompt = prompt_for(TASKS["timestamp"])
    rows = [{"video": v, "task": "timestamp", "prompt": prompt.text, "answer": "[1, 2]"} for v in VIDEOS]
    (tmp_path / "m.json").write_bytes(as_json(rows))
    spec = import_answers([AnswerSource(tmp_path / "m.json")], dataset).manifest.spec
    told = {"id": f"{prompt.id}.v{prompt.version}", "sha256": prompt.sha256, "text": prompt.text}
    assert spec["prompts"] == {"timestamp": told}


@pytest.mark.parametrize("word", ["colour", "cut"])
def test_a_word_behind_a_file_is_a_task_or_a_view(word: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"no task is called '{word}'"):
        AnswerSource.parse(str(tmp_path / f"a.json@{word}"))


@pytest.mark.parametrize("form", sorted(set(FORMS) - {HIGHLIGHTS}))  # which is not read again
def test_what_is_exported_is_imported_again(form: str, tmp_path: Path) -> None:
    if form == "parquet" and not importlib.util.find_spec("pyarrow"):
        pytest.skip("the extra data is not installed")
    results = read_results(ROOT / "leaderboards/ci/motion.jsonl")
    few = {view: owed[:9] for view, owed in results.expects.items()}
    (lost, nothing), rest = results.answers[:2], list(results.answers[2:])
    for place, text in enumerate(("ERROR", "nan", "Failed to obtain answer", "")):  # words of a model, for all we know
        rest[place] = rest[place].model_copy(update={"answer": text})
    told = lost.model_dump(include={"key", "id", "video", "task", "view"})
    failure = Failure(**told, stage="answer", error="AnswerLost", message="=cmd: no\nanswer")
    results = results.model_copy(update={"answers": tuple(rest), "failures": (failure,), "expects": few})
    path = tmp_path / f"out{FORMS[form]}"
    count = export_results(results, form, path)
    again = import_answers([AnswerSource(path)], load_dataset("mini"))
    assert count == len(rest) + 2
    keep = {"id", "video", "task", "view", "answer", "finish", "reference", "moments", "label"}
    assert sorted((a.model_dump(include=keep) for a in again.answers), key=str) == sorted(
        (a.model_dump(include=keep) for a in rest), key=str
    )
    assert {view: set(owed) for view, owed in again.manifest.expects.items()} == {v: set(o) for v, o in few.items()}
    found = {(one.id, one.view): one.message.partition(": ")[2] for one in again.failures}
    assert found == {(lost.id, lost.view): failure.message, (nothing.id, nothing.view): "no answer"}
    content = path.read_bytes()
    assert export_results(results, form, path) == count
    with pytest.raises(ResultsError, match="is another"):
        export_results(results.model_copy(update={"failures": ()}), form, path)
    assert path.read_bytes() == content


def test_an_unknown_form_is_named(tmp_path: Path) -> None:
    results = read_results(ROOT / "leaderboards/ci/motion.jsonl")
    with pytest.raises(UsageError, match=r"'xml'.*csv, lmms-eval, parquet, qvhighlights, vlmevalkit"):
        export_results(results, "xml", tmp_path / "x")


def test_files_may_write_the_same_video_in_other_ways(dataset: Dataset, tmp_path: Path) -> None:
    """Zeros, suffix and folders differ from file to file; within a file they tell videos apart."""
    named = {
        "m_cause.json": dict.fromkeys(VIDEOS, "c"),
        "m_effect.json": {video.lstrip("0"): "e" for video in VIDEOS},
        "m_description.json": {f"/data/raw/{int(video)}.avi": "d" for video in VIDEOS},
        "cut.json": {f"clips/video_{video}.mkv": "n" for video in VIDEOS},
    }
    for name, answers in named.items():
        (tmp_path / name).write_bytes(as_json(answers))
    files = [f"{tmp_path}/{name}" for name in list(named)[:3]] + [f"{tmp_path}/cut.json@cause@anomaly"]
    imported = import_answers([AnswerSource.parse(file) for file in files], dataset, model="m")
    assert {(each.video, each.task, each.view) for each in imported.answers} == {
        (video, task, view)
        for video in VIDEOS
        for task, view in (("cause", "full"), ("effect", "full"), ("description", "full"), ("cause", "anomaly"))
    }
    (tmp_path / "again.json").write_bytes(as_json({VIDEOS[0].lstrip("0"): "another"}))
    both = [AnswerSource.parse(f"{tmp_path}/{name}") for name in ("m_cause.json", "again.json@cause")]
    with pytest.raises(DataError, match=r"two answers to 00001/cause differ: m_cause\.json, .* and again\.json, "):
        import_answers(both, dataset)
