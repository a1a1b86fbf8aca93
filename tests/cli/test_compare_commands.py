"""`compare`, `gate` and `audit` as a user types them: on baselines, on planted faults, on the authors' answers."""

from __future__ import annotations

import csv
import io
import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from ecva_bench.journal.writer import Journal
from ecva_bench.records.answers import Manifest
from tests.scoring.build import answer


@pytest.fixture(scope="module")
def ecva(shared_data: Path) -> Path:
    return shared_data / "ecva"


@pytest.fixture
def run(tmp_path, ecva_bench):
    """A function that writes a results file of cause answers by `model`, by video, and scores it."""

    def write(model: str, texts: dict[str, str], *, owed: int | None = None, **fields: object) -> Path:
        path = tmp_path / f"{model}.jsonl"
        names = list(texts) + [f"missing{n}" for n in range((owed or len(texts)) - len(texts))]
        manifest = Manifest(run=model, spec={"model": model}, expects={"full": tuple(f"{v}/cause" for v in names)})
        with Journal(path, manifest) as journal:
            for video, text in texts.items():
                journal.append(answer(video, text, **{"prompt_sha256": "1" * 64, **fields}))
        code, _, errors = ecva_bench("score", path)
        assert code == 0, errors
        return path

    return write


@pytest.fixture(autouse=True)
def no_github(monkeypatch):
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)


def words(n: int) -> dict[str, str]:
    """A third of the answers are right, each video's in its own words."""
    return {f"v{v:02}": f"the reference of v{v:02}" if v % 3 else f"nothing to see in v{v:02}" for v in range(n)}


def test_compare_prints_every_metric_with_its_interval_and_what_moved(run, ecva_bench):
    base = run("base", words(30))
    better = run("better", {video: f"the reference of {video}" for video in words(30)})
    code, shown, _ = ecva_bench("compare", base, better, "--metric", "all")
    assert code == 0
    lines = {line.split()[0]: line for line in shown.splitlines() if line.startswith("cause/")}
    assert set(lines) == {"cause/bleu", "cause/rouge1", "cause/rouge2", "cause/rougeL"}
    assert "[" in lines["cause/rougeL"]
    assert "The 10 videos that moved most" in shown
    assert "seed 0, 10000 draws" in shown
    assert "better is better than base in cause (bleu " in shown
    code, shown, _ = ecva_bench("compare", base, better, "--metric", "rougeL", "--json")
    (effect,) = json.loads(shown)["effects"]
    assert effect["name"] == "cause/rougeL"
    assert effect["difference"] > 0
    assert effect["interval"][0] > 0


def test_compare_refuses_runs_over_other_samples(run, ecva_bench):
    base, other = run("base", words(30)), run("other", words(29))
    code, shown, errors = ecva_bench("compare", base, other, "--on", "all")
    assert code == 2
    assert not shown
    assert errors.startswith("error: the two runs did not score the same samples")
    for option in ((), ("--on", "intersection")):
        code, shown, _ = ecva_bench("compare", base, other, *option)
        assert code == 0
        assert "29" in shown


def test_compare_of_several_runs_in_forms_for_a_paper(run, ecva_bench):
    runs = [run("base", words(12)), run("same", words(12)), run("better", dict.fromkeys(words(12), "the reference of"))]
    code, shown, _ = ecva_bench("compare", *runs, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(shown.strip())))
    assert code == 0
    assert [(row["new run"], row["base run"]) for row in rows] == [
        ("same", "base"),
        ("better", "base"),
        ("better", "same"),
    ]
    assert {row["metric"] for row in rows} == {"cause/rouge2"}
    assert {row["videos"] for row in rows} == {"12"}  # the last column, where a line ends
    assert all(float(row["p"]) <= float(row["p (Holm)"]) for row in rows)
    code, shown, _ = ecva_bench("compare", *runs, "--format", "tex")
    assert (code, shown.count(r"\begin{tabular}")) == (0, 1)
    code, _, errors = ecva_bench("compare", runs[0])
    assert (code, errors.count("\n")) == (2, 1)
    assert "one run cannot be compared" in errors


def test_gate_fails_on_a_planted_loss_and_says_so_everywhere(run, ecva_bench, tmp_path, monkeypatch):
    base = run("base", words(60))
    worse = run("worse", {video: text if v % 4 else "nothing" for v, (video, text) in enumerate(words(60).items())})
    summary = tmp_path / "summary.md"
    summary.write_text("what an earlier step wrote\n")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    code, shown, _ = ecva_bench("gate", worse, "--against", base, "--out", tmp_path / "gate")
    assert code == 1
    first = shown.splitlines()[0]
    assert first.startswith("FAIL  cause/rouge2  -")
    assert "n = 60 videos" in first
    assert "::error title=FAIL cause/rouge2::" in shown
    verdict = json.loads((tmp_path / "gate" / "verdict.json").read_text())
    assert (verdict["verdict"], verdict["draws"], verdict["seed"]) == ("FAIL", 10_000, 0)
    junit = ElementTree.parse(tmp_path / "gate" / "junit.xml")  # noqa: S314 - our own file
    assert junit.find("testsuite").get("failures") == "1"
    assert summary.read_text().startswith("what an earlier step wrote\n## FAIL")
    code, _, _ = ecva_bench("gate", base, "--against", base)
    assert code == 0
    code, shown, _ = ecva_bench("gate", worse, "--against", base, "--margin", "rouge2=0.9")
    assert code == 0
    assert shown.startswith("WARN")
    assert ecva_bench("gate", worse, "--against", base, "--margin", "rouge2=0.9", "--strict")[0] == 1


def test_gate_on_a_run_with_answers_missing_is_invalid(run, ecva_bench, tmp_path):
    base, partial = run("base", words(30)), run("partial", words(29), owed=30)
    code, shown, _ = ecva_bench("gate", partial, "--against", base, "--out", tmp_path / "gate")
    assert code == 2
    assert "INVALID" in shown
    assert "samples" in shown
    assert json.loads((tmp_path / "gate" / "verdict.json").read_text())["checks"] == []
    assert ecva_bench("gate", partial, "--against", base, "--on", "intersection")[0] == 0


def test_what_exact_would_pass_over_is_refused(run, ecva_bench):
    base = run("base", words(6))
    assert ecva_bench("gate", base, "--against", base, "--exact")[0] == 0
    for option in (("--margin", "rouge2=1"), ("--metric", "all"), ("--calibrate", base), ("--on", "intersection")):
        code, shown, errors = ecva_bench("gate", base, "--against", base, "--exact", *option)
        assert (code, shown) == (2, "")
        assert "leave out the other options" in errors


def test_gate_calibrates_with_runs_of_the_same_system(run, ecva_bench):
    base = run("base", words(60))
    again = run("again", {**words(60), "v01": "nothing"})
    code, shown, _ = ecva_bench("gate", again, "--against", base, "--calibrate", again)
    assert code == 0
    assert re.search(r"noise floor of cause/rouge2: \d+\.\d{4} pp, from", shown)


def test_audit_names_each_kind_of_fault_and_the_clean_file_has_none(run, ecva_bench):
    texts = {video: f"in {video} a person was seen who had no reason to be there" for video in words(20)}
    clean = run("clean", {video: text + " at all that night" for video, text in texts.items()})
    code, shown, _ = ecva_bench("audit", clean)
    assert code == 0
    assert "Nothing was found" in shown
    one = run("one", texts)
    copy = run("copy", {video: text.upper() + "</s>" for video, text in texts.items()})
    constant = run("planted", dict.fromkeys(texts, "A car crashed into another car on the road at night."))
    code, shown, _ = ecva_bench("audit", clean, one, copy, constant, "--json")
    assert code == 1
    findings = json.loads(shown)["findings"]
    assert [(f["rule"], f["entry"], f["other"], f["n"], f["of"]) for f in findings] == [
        ("identical", "one", "copy", 20, 20),
        ("constant", "planted", "", 20, 20),
    ]


def test_audit_of_the_released_answers(ecva, tmp_path, ecva_bench):
    """The issue's words: two models' description files are the same answers; a planted constant entry is named too."""
    planted = tmp_path / "planted_description.json"
    rows = json.loads((ecva / "answers" / "video_llama_description.json").read_text())
    planted.write_text(json.dumps([{**row, "output": "A car hits another car."} for row in rows]))
    files = [*sorted((ecva / "answers").glob("*.json")), planted]
    code, shown, _ = ecva_bench("audit", *files, "--data", ecva / "annotations.xlsx", "--json")
    assert code == 1
    findings = {(f["rule"], f["entry"], f["other"]): f for f in json.loads(shown)["findings"]}
    same = findings["identical", "video_llama_description", "video_llava_description"]
    assert (same["n"], same["of"]) == (984, 984)
    assert ("constant", "planted_description", "") in findings
    kinds = {(rule, entry) for rule, entry, _ in findings if rule not in ("coverage", "prompts")}
    unread = ("unread", "video_llama_time_segment")  # bare numbers, and nothing says in which unit
    assert kinds == {("identical", "video_llama_description"), ("constant", "planted_description"), unread}


def test_compare_of_two_released_files(ecva, tmp_path, ecva_bench):
    """The same answers, so nothing differs; with every tenth answer lost, something does."""
    rows = json.loads((ecva / "answers" / "video_llava_description.json").read_text())
    lossy = tmp_path / "lossy_description.json"
    lossy.write_text(
        json.dumps([{**row, "output": "" if n % 10 == 0 else row["output"]} for n, row in enumerate(rows)])
    )
    llama, llava = (ecva / "answers" / f"video_{name}_description.json" for name in ("llama", "llava"))
    scores = {file: tmp_path / f"{file.stem}.scores.jsonl" for file in (llama, llava, lossy)}
    for file, out in scores.items():
        assert ecva_bench("score", file, "--data", ecva / "annotations.xlsx", "--out", out)[0] == 0
    code, shown, _ = ecva_bench("compare", scores[llama], scores[llava], "--metric", "all")
    assert code == 0
    lines = [line for line in shown.splitlines() if line.startswith("description/")]
    assert len(lines) == 4
    assert all("0.0000 [0.0000, 0.0000]" in line and line.split()[-1] == "983" for line in lines)
    assert "no video moved" in shown
    code, shown, _ = ecva_bench("compare", scores[llava], scores[lossy], "--json")
    assert code == 0
    for effect in json.loads(shown)["effects"]:
        low, high = effect["interval"]
        assert low < effect["difference"] < high < 0
