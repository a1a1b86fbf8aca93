"""Scores in other programs' forms: read back by the hub's own parser and by Every Eval Ever's validator, whole."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ecva_bench.api.exports import export_scored, scored_run
from ecva_bench.data.mini import load_mini
from ecva_bench.errors import ResultsError, UsageError
from ecva_bench.interchange.eval_results import eval_results
from ecva_bench.interchange.every_eval_ever import Evaluator, every_eval_ever
from ecva_bench.interchange.imported import import_answers
from ecva_bench.interchange.scored_runs import ScoredRun, column_id
from ecva_bench.interchange.sources import AnswerSource
from ecva_bench.journal.results import read_results
from ecva_bench.leaderboard.values import sample_values
from ecva_bench.scoring.files import write_scores
from ecva_bench.scoring.score import score_results
from tests.cli.conftest import Command, ecva_bench  # noqa: F401
from tests.imports import ROOT
from tests.scoring.build import answer, results
from tests.scoring.judges import RuleJudge
from tests.sealing import reseal

CI = ROOT / "leaderboards" / "ci"
BY = Evaluator("My lab", "third_party", "me/motion")


@pytest.fixture(scope="module")
def run_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The frozen run of `motion`, in which one answer is a failure, one is missing, and one cannot be read."""
    path = tmp_path_factory.mktemp("run") / "motion.jsonl"
    records = [json.loads(line) for line in (CI / "motion.jsonl").read_text(encoding="utf-8").splitlines()]
    spec = records[0]["spec"]
    spec["description"] = {**spec["description"], "weights": "/home/someone/weights/x.bin"}
    records[0]["expects"] = {view: records[0]["expects"][view] for view in ("full", "anomaly")}
    kept = []
    for record in records:
        place = record.get("id"), record.get("view")
        if place == ("mini01/cause", "full"):
            keep = {name: record[name] for name in ("key", "id", "video", "task", "view", "t")}
            record = {**keep, "type": "error", "stage": "answer", "error": "RuntimeError", "message": "out of memory"}
        elif place == ("mini02/timestamp", "full"):
            record = {**record, "answer": "I cannot say when."}
        if (
            record["type"] != "end"
            and record.get("view", "full") in ("full", "anomaly")
            and place != ("mini02/cause", "full")
        ):
            kept.append(record)
    path.write_text("".join(json.dumps(record) + "\n" for record in kept), encoding="utf-8")
    reseal(path)
    scored = score_results(read_results(path), tasks=["cause", "classification", "timestamp"], timestamp_unit="seconds")
    write_scores(scored, path.with_suffix(".scores.jsonl"))
    return path


@pytest.fixture(scope="module")
def run(run_file: Path) -> ScoredRun:
    return scored_run(run_file, None, None)


@pytest.fixture(scope="module")
def record(run: ScoredRun) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The record of Every Eval Ever and its instances."""
    samples, aggregate = every_eval_ever(run, BY, exported=lambda record: 1.8e9).values()
    return json.loads(aggregate), [json.loads(line) for line in samples.splitlines()]


def test_the_hubs_parser_reads_every_column(run: ScoredRun, tmp_path: Path) -> None:
    parser = pytest.importorskip("huggingface_hub", minversion="2")
    import yaml

    paths = export_scored(run, "eval-results", tmp_path, dataset="me/set@abc", source="https://x.org/runs", by=BY)
    model, dataset = (path.relative_to(tmp_path).as_posix() for path in paths)
    assert (model, dataset) == ("model/.eval_results/mini.yaml", "dataset/eval.yaml")
    content = yaml.safe_load((tmp_path / model).read_text(encoding="utf-8"))
    entries = parser.parse_eval_result_entries(content)
    assert parser.eval_result_entries_to_yaml(entries) == content  # no field that the hub does not know
    found = {entry.task_id: entry for entry in entries}
    named = {
        (s.task if s.view == "full" else f"{s.task}.{s.view}") + f".{s.column}": s.zero_filled
        * (100 if s.unit == "%" else 1)
        for s in run.scores.summaries
        if s.zero_filled is not None
    }
    assert {task: entry.value for task, entry in found.items()} == named
    one = found["cause.rougeL"]
    assert (one.dataset_id, one.dataset_revision, one.source_url) == ("me/set", "abc", "https://x.org/runs")
    assert one.verify_token is None
    assert "mean over 14 questions, 12 of them answered" in one.notes
    assert "a baseline, not a model" in one.notes
    benchmark = yaml.safe_load((tmp_path / dataset).read_text(encoding="utf-8"))
    assert set(benchmark) == {"name", "description", "evaluation_framework", "tasks"}
    assert {one["id"] for one in benchmark["tasks"]} == set(found)


def test_instances_give_the_means_and_hold_every_answer(
    run: ScoredRun, record: tuple[dict[str, Any], list[dict[str, Any]]]
) -> None:
    aggregate, lines = record
    values = defaultdict(list)
    for line in lines:
        values[line.get("evaluation_result_id")].append(line["evaluation"]["score"])
    for result in aggregate["evaluation_results"]:
        mine = values[result["evaluation_result_id"]]
        assert sum(mine) / len(mine) == pytest.approx(result["score_details"]["score"], abs=1e-12)
        metric = result["metric_config"]
        assert metric["min_score"] <= result["score_details"]["score"] <= metric["max_score"]
    assert aggregate["detailed_evaluation_results"]["total_rows"] == len(lines)
    texts = {(line["sample_id"], line["metadata"]["view"], *line["output"]["raw"]) for line in lines}
    assert {(one.id, one.view, one.answer) for one in run.results.answers} <= texts
    unscored = {line["error"] for line in lines if "evaluation_result_id" not in line}
    assert unscored == {"not scored: no metric was asked"}
    errors = {line["sample_id"]: line["error"] for line in lines if "error" in line and "evaluation_result_id" in line}
    assert errors == {"mini01/cause": "out of memory", "mini02/cause": "no answer"}
    read = {
        line["sample_id"]: line for line in lines if line["answer_attribution"] and line["metadata"]["view"] == "full"
    }
    assert "mini02/timestamp" not in read
    assert len(read) == 14 + 13  # classes and moments
    for line in read.values():
        assert line["answer_attribution"][0]["extracted_value"] in line["output"]["raw"][0]
    assert "/home/someone" not in json.dumps([aggregate, lines])


def test_a_record_says_all_that_the_scores_say(
    run: ScoredRun, record: tuple[dict[str, Any], list[dict[str, Any]]]
) -> None:
    results = {one["evaluation_result_id"]: one["score_details"]["details"] for one in record[0]["evaluation_results"]}
    for summary in run.scores.summaries:
        view = "" if summary.view == "full" else f"{summary.view}."
        told = results[f"{summary.task}.{view}{summary.column}"]
        for name, value in summary.model_dump(mode="json", exclude={"type"}).items():
            if value not in (None, "", [], {}):
                assert told[name] == value if isinstance(value, str) else json.loads(told[name]) == value
    told = [json.loads(one["aggregates"]) for one in results.values() if "aggregates" in one]
    assert sum(map(len, told)) == len(run.scores.aggregates) > 0


def test_instances_are_imported_as_the_same_run(run: ScoredRun, tmp_path: Path) -> None:
    samples, _ = export_scored(run, "every-eval-ever", tmp_path, by=BY)
    assert samples.parent == tmp_path / "data" / "mini" / "me" / "motion"
    again = import_answers([AnswerSource(samples)], load_mini())
    assert again.model == "me/motion"
    keep = {"id", "view", "answer", "reference", "moments", "label", "options", "finish"}
    assert sorted((a.model_dump(include=keep) for a in again.answers), key=str) == sorted(
        (a.model_dump(include=keep) for a in run.results.answers), key=str
    )
    failed = {(one.id, one.view): one.message.rpartition(": ")[2] for one in again.failures}
    assert failed == {("mini01/cause", "full"): "out of memory", ("mini02/cause", "full"): "no answer"}


def test_what_is_exported_again_stays_and_all_else_lies_beside_it(
    run: ScoredRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exported(by: Evaluator, now: float) -> dict[Path, bytes]:
        monkeypatch.setattr("time.time", lambda: now)
        return {path: path.read_bytes() for path in export_scored(run, "every-eval-ever", tmp_path, by=by)}

    first = exported(BY, 1.8e9)
    assert exported(BY, 1.9e9) == first
    others = exported(Evaluator("Another lab", "third_party", "me/motion"), 1.9e9)
    assert not others.keys() & first.keys()
    assert {path: path.read_bytes() for path in first} == first
    record = list(first)[-1]
    record.write_bytes(first[record].replace(b"My lab", b"No lab"))  # somebody's own by now
    with pytest.raises(ResultsError, match="changed since"):
        exported(BY, 1.9e9)
    assert b"No lab" in record.read_bytes()


def test_what_cannot_be_exported_is_refused(run_file: Path, tmp_path: Path, ecva_bench: Command) -> None:  # noqa: F811
    def said(*options: str) -> str:
        code, _, errors = ecva_bench("export", run_file, "--out", tmp_path / "x", *options)
        assert code == 2
        return " ".join(errors.split())

    assert "name the benchmark's repository with --hub-dataset" in said("--to", "eval-results")
    assert "'a set' is no repository's id" in said("--to", "eval-results", "--hub-dataset", "a set")
    assert "is no link" in said("--to", "eval-results", "--hub-dataset", "me/x", "--source", "file:///x")
    assert "is no relationship" in said("--to", "every-eval-ever", "--relationship", "friend")
    assert "holds no scores: --model-id" in said("--to", "csv", "--model-id", "me/x")
    assert "every-eval-ever" in said("--to", "xml")


def test_words_that_other_programs_write_for_a_failure_stay_an_answer(run: ScoredRun, tmp_path: Path) -> None:
    answers = tuple(one.model_copy(update={"answer": "ERROR"}) for one in run.results.answers)
    said = replace(run, results=run.results.model_copy(update={"answers": answers}))
    samples, _ = export_scored(said, "every-eval-ever", tmp_path, by=BY)
    again = import_answers([AnswerSource(samples)], load_mini()).results()
    assert {(one.id, one.view, one.answer) for one in again.answers} == {(o.id, o.view, "ERROR") for o in answers}
    assert {one.id for one in again.failures} == {"mini01/cause", "mini02/cause"}


def test_a_run_of_a_few_questions_owes_no_more_when_it_comes_back(run_file: Path, tmp_path: Path) -> None:
    """As of `run --limit`: of three videos nothing was asked but one task, and one question has no line at all."""
    few = tmp_path / "few.jsonl"
    records = [json.loads(line) for line in run_file.read_text(encoding="utf-8").splitlines()]
    owed = [f"mini0{n}/{task}" for n in (1, 2, 3) for task in ("cause", "effect")]
    records[0]["expects"] = {"full": owed}
    kept = [records[0], *(one for one in records if one.get("id") in owed and one["view"] == "full")]
    kept = [one for one in kept if one.get("id") != "mini03/effect"]
    kept += [one for one in records if one.get("id") == "mini04/cause" and one["view"] == "full"]  # not asked for
    few.write_text("".join(json.dumps(one) + "\n" for one in kept), encoding="utf-8")
    reseal(few)
    write_scores(score_results(read_results(few), tasks=["cause"]), few.with_suffix(".scores.jsonl"))
    samples, _ = export_scored(scored_run(few, None, None), "every-eval-ever", tmp_path, by=BY)
    again = import_answers([AnswerSource(samples)], load_mini())
    assert sorted(again.results().expects["full"]) == owed
    assert [one.id for one in again.results().extra] == ["mini04/cause"]
    assert {one.id for one in again.failures} == {"mini01/cause", "mini02/cause", "mini03/effect"}
    unmarked = samples.read_text(encoding="utf-8").replace('"owed": "', '"other": "')
    samples.write_text(unmarked, encoding="utf-8")  # as another program's, of which nobody knows what was asked
    assert len(import_answers([AnswerSource(samples)], load_mini()).results().expects["full"]) == 28


def test_a_file_of_another_content_stays(run: ScoredRun, tmp_path: Path) -> None:
    first = export_scored(run, "eval-results", tmp_path, dataset="me/set", by=BY)
    assert export_scored(run, "eval-results", tmp_path, dataset="me/set", by=BY) == first
    with pytest.raises(ResultsError, match="a file of another export"):
        export_scored(run, "eval-results", tmp_path, dataset="me/other", by=BY)
    assert "me/set" in first[0].read_text(encoding="utf-8")


def test_an_aggregate_alone_is_no_file_of_answers(run: ScoredRun, tmp_path: Path) -> None:
    _, aggregate = export_scored(run, "every-eval-ever", tmp_path, by=BY)
    with pytest.raises(UsageError, match=r"without its instances.*_samples\.jsonl"):
        import_answers([AnswerSource(aggregate)], load_mini())


@pytest.mark.slow
def test_the_forms_own_validator_finds_nothing(run: ScoredRun, tmp_path: Path) -> None:
    """`pip install every-eval-ever` (0.3.0, Python 3.12): exit code 0 is without errors and without warnings."""
    validator = shutil.which("every_eval_ever")
    if validator is None:
        pytest.skip("every-eval-ever is not installed")
    export_scored(run, "every-eval-ever", tmp_path, by=BY)
    asked = [validator, "validate", "data/*/*/*/*.json*"]
    done = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout


def test_a_judges_column_says_what_it_is_over_and_whether_it_takes_a_rank() -> None:
    """A judge that finds all right fails its controls; where it is silent on the reference too, nothing is counted."""
    yaml = pytest.importorskip("yaml")
    answers = [answer(f"v{n}", "Something moves.", reference=f"A red lorry hit stand {n}.") for n in range(6)]

    def rule(name: str, payload: Mapping[str, Any]) -> list[int] | None:
        return None if payload["reference"].endswith("stand 5.") else [10] * len(payload["aspects"])

    run = results(answers)
    scores = score_results(run, scorers=["vau-eval"], judge=RuleJudge(rule), qualify=True, draws=10)
    values = {column_id(one): sample_values(scores, one) for one in scores.summaries}
    found = ScoredRun(scores, run, values)
    (text, _) = eval_results(found, "me/set").values()
    notes = {one["dataset"]["task_id"]: one["notes"] for one in yaml.safe_load(text)}
    assert "mean over 5 of 6 questions, 6 of them answered; the metric gave no value" in notes["cause.vau_total"]
    assert "the judge failed its controls, so that the number takes no rank" in notes["cause.vau_total"]
    samples, aggregate = every_eval_ever(found, BY, exported=lambda record: 1.8e9).values()
    lines = [json.loads(line).get("evaluation_result_id") for line in samples.splitlines()]
    for one in json.loads(aggregate)["evaluation_results"]:
        told = one["score_details"]["uncertainty"]["num_samples"]
        assert told == lines.count(one["evaluation_result_id"]) == 5
