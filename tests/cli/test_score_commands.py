"""`score` and `leaderboard`, as a user types them; the figures the project promises on the released answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ecva_bench import __version__
from ecva_bench.journal.writer import Journal
from ecva_bench.records.answers import Manifest
from tests.scoring.build import answer, moments
from tests.sealing import reseal


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A results file of two cause and two timestamp answers, one of each owed a third."""
    path = tmp_path / "run.jsonl"
    owed = [f"v{n}/{task}" for n in range(3) for task in ("cause", "timestamp")]
    spec = {"model": "some-model", "baseline": False, "prompts": {"timestamp": {"id": "ours/timestamp.v1"}}}
    spec["dataset"] = {"name": "ecva", "sha256": "1"}
    manifest = Manifest(run="r", spec=spec, expects={"full": tuple(owed)})
    span = {"task": "timestamp", "reference": "[1, 5]", "moments": moments((1, 5))}
    with Journal(path, manifest) as journal:
        for n in range(2):
            journal.append(answer(f"v{n}", "a car hits a wall", reference="a car hits a big wall"))
            journal.append(answer(f"v{n}", f"[{n}, 5]", **span))
    return path


@pytest.fixture(scope="module")
def ecva(shared_data: Path) -> Path:
    return shared_data / "ecva"


@pytest.mark.parametrize(
    ("file", "protocol", "figures"),
    [
        ("videollama2_classification", "standard", ["922 of 924 answered", "423/922 = 45.88 %", "out_of_range 0.54 %"]),
        ("videollama2_classification", "ecva-2024", ["428/922 = 46.42 %"]),
        (
            "video_llama_reason",
            "standard",
            ["980 of 983 answered", "0.4735 %", "12.7035 %", "2.2424 %", "10.0991 %", "980  983"],
        ),
        ("video_llama_reason", "ecva-2024", ["984 of 987", "0.1512 %", "2.2197 %", "10.0081 %", "984  987"]),
    ],
)
def test_the_figures_of_the_released_answers(ecva, tmp_path, ecva_bench, file, protocol, figures):
    code, shown, _ = ecva_bench(
        "score",
        ecva / "answers" / f"{file}.json",
        "--data",
        ecva / "annotations.xlsx",
        "--protocol",
        protocol,
        "--out",
        tmp_path / "scores.jsonl",
    )
    assert code == 0
    for figure in figures:
        assert figure in shown


def test_released_timestamps_are_unread_until_a_unit_is_named(ecva, tmp_path, ecva_bench):
    arguments = ["score", ecva / "answers" / "video_llama_time_segment.json", "--data", ecva / "annotations.xlsx"]
    arguments += ["--out", tmp_path / "scores.jsonl"]
    _, shown, _ = ecva_bench(*arguments)
    assert "no_unit 87.74 %" in shown
    assert "constant_span 41.59 %" in shown
    assert "constant_span_end 53.00 s" in shown
    _, shown, _ = ecva_bench(*arguments, "--timestamp-unit", "minutes")
    assert "17.03 %" in shown
    assert "bare:minutes" in shown


def test_a_results_file_needs_nothing_else(results, ecva_bench):
    code, shown, errors = ecva_bench("score", results)
    assert code == 0
    assert "some-model on ecva, cause, full video: 2 of 3 answered (66.67 %), 0 failed, 1 missing" in shown
    assert "2/2 = 100.00 %" in shown
    assert f"bleu|n:4|tok:whitespace|smooth:method1|strip:specials|v:{__version__}" in shown
    written = results.with_name("run.scores.jsonl")
    assert str(written) in errors
    header = json.loads(written.read_text().splitlines()[0])
    assert header["schema"] == "ecva.scores/1"
    assert header["protocol"] == "standard"
    assert len(header["results_sha256"]) == 64


def test_tasks_and_scorers_can_be_chosen_and_the_summary_is_json(results, ecva_bench):
    code, shown, _ = ecva_bench("score", results, "--task", "reason", "--scorers", "rouge", "--json")
    assert code == 0
    summaries = json.loads(shown)["summaries"]
    assert [summary["column"] for summary in summaries] == ["rouge1", "rouge2", "rougeL"]
    assert all(summary["task"] == "cause" for summary in summaries)


def test_scores_that_cannot_be_written_are_printed_all_the_same(results, ecva_bench):
    (results.parent / "file").write_text("")
    code, shown, errors = ecva_bench("score", results, "--out", results.parent / "file" / "scores.jsonl")
    assert code == 2
    assert "2 of 3 answered" in shown
    assert "error: the scores cannot be written" in errors


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["answers.json"], "there is no results file"),
        (["missing.jsonl"], "there is no results file"),
        (["{results}", "--protocol", "x"], "available: standard, ecva-2024"),
        (["{results}", "--scorers", "blue"], "did you mean 'bleu'"),
        (["{results}", "{results}", "--out", "s.jsonl"], "one by one"),
        (["{results}", "--out", "{results}"], "something else than scores"),
    ],
)
def test_what_cannot_be_met_is_one_line_with_a_remedy(results, ecva_bench, arguments, message):
    before = results.read_bytes()
    code, shown, errors = ecva_bench("score", *(a.format(results=results) for a in arguments))
    assert code == 2
    assert not shown
    assert errors.startswith("error: ")
    assert message in errors
    assert "Traceback" not in errors
    assert results.read_bytes() == before


def test_a_leaderboard_from_scores_with_the_published_rows_beside(results, tmp_path, ecva_bench):
    ecva_bench("score", results)
    scores = results.with_name("run.scores.jsonl")
    out = tmp_path / "board"
    code, shown, _ = ecva_bench("leaderboard", scores, "--task", "cause", "--out", out)
    assert code == 0
    lines = shown.splitlines()
    assert lines[0] == "cause, full video, protocol standard, 3 samples of ecva"
    assert lines[4].split()[:7] == ["1", "[1,", "1]", "1", "some-model", "run", "2/3"]
    assert any(line.split()[:3] == ["-", "-", "VILA"] for line in lines)
    forms = {f"leaderboard.{form}" for form in ("md", "html", "tex", "json")}
    assert {path.name for path in out.iterdir()} == {"csv", *forms}
    assert {path.name for path in (out / "csv").iterdir()} == {
        "cause-full-video-protocol-standard-3-samples-of-ecva.csv",
        "ablation-table-viii-as-published.csv",
        "how-the-runs-were-made.csv",
        "models-and-tasks-protocol-standard.csv",
    }
    _, shown, _ = ecva_bench("leaderboard", scores, "--no-published", "--format", "csv")
    assert "some-model" in shown
    assert "VILA" not in shown
    assert not any(line.endswith(" ") for line in shown.splitlines())
    code, shown, _ = ecva_bench("leaderboard")
    assert code == 0
    assert "46.42" in shown


def test_a_scorer_that_scored_nothing_ends_with_code_3_and_the_first_reason(results, ecva_bench):
    lines = [json.loads(line) for line in results.read_text().splitlines()]
    for line in lines:
        if line.get("task") == "timestamp":
            line["moments"] = []
    results.write_text("".join(json.dumps(line) + "\n" for line in lines))
    reseal(results)
    code, shown, said = ecva_bench("score", results)
    assert code == 3
    assert f"error: nothing was scored by timestamp: {results}: no moment annotated\n" in said
    assert "rougeL" in shown
    assert results.with_name("run.scores.jsonl").exists()
    assert ecva_bench("score", results, "--task", "cause")[0] == 0


def test_a_run_without_an_answer_ends_with_code_3(results, ecva_bench):
    results.write_text(results.read_text().splitlines()[0] + "\n")
    code, _, said = ecva_bench("score", results, "--task", "cause")
    assert code == 3
    assert "error: nothing was scored by bleu, rouge: " in said
    assert "there is no answer" in said
