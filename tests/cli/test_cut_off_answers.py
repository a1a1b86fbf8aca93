"""Answers that were cut off, and thoughts, from a run to a board, as a user sees them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from ecva_bench.journal.results import read_results
from ecva_bench.judging import client
from tests.adapters.model_server import ModelServer
from tests.cases import case
from tests.cli.conftest import Command
from tests.judging.server import completion


@pytest.fixture(autouse=True)
def _place(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    monkeypatch.setattr(client, "FIRST_PAUSE_S", 0.01)


@pytest.mark.parametrize(
    ("replies", "code", "shown", "said"),
    [
        (
            [("It is", "length")] * 2,
            3,
            "0 missing; 0 empty, 2 cut off",
            "every answer was cut off: give the model more room",
        ),
        ([("", "stop")] * 2, 3, "0 missing; 2 empty, 0 cut off", "every answer is empty"),
        ([("It is", "length"), ("A car.", "stop")], 0, "0 missing; 0 empty, 1 cut off", ""),
    ],
)
def test_a_run_says_how_many_answers_were_cut_off_and_fails_where_all_were(
    replies: list[tuple[str, str]], code: int, shown: str, said: str, tmp_path: Path, ecva_bench: Command
) -> None:
    out = tmp_path / "r.jsonl"
    run = ("run", "--model", "openai:m", "--task", "cause", "--task", "effect", "--limit", 1, "--out", out)
    with ModelServer(says=[completion(text, finish=finish) for text, finish in replies]) as server:
        few = ("--model-arg", "frames=2", "--model-arg", f"base-url={server.url}")
        ended = ecva_bench(*run, *few)
        assert len(server.requests) == 2
        again = ecva_bench(*run, *few)  # nothing is asked again, and the end is the same
        assert len(server.requests) == 2
    for found in (ended, again):
        assert found[0] == code
        assert shown in found[1]
        assert said in found[2]
        assert ("next: ecva-bench score" in found[1]) == (code == 0)
    assert len(read_results(out).answers) == 2


def test_cut_off_answers_are_told_wherever_coverage_is(tmp_path: Path, ecva_bench: Command) -> None:
    expected = json.loads((case("cut_off_answers") / "expected.json").read_text(encoding="utf-8"))
    for name, counts in expected.items():
        out = Path(shutil.copy(case("cut_off_answers") / name, tmp_path / name))
        end = sum(answer.cut_off for answer in read_results(out).answers)
        assert (end, len(read_results(out).answers)) == (counts["cut off"], counts["of"])
        code, shown, _ = ecva_bench("score", out)
        assert code == 0
        assert shown.count("2 of 2 answered (100.00 %), 0 failed, 0 missing; 2 empty, 2 cut off, ") == 2
        scores = json.loads(ecva_bench("score", out, "--json")[1])
        assert sum(one["cut_off"] for one in scores["coverage"]) == counts["cut off"]
        assert sum(one["empty"] for one in scores["coverage"]) == counts["empty"]
        code, shown, _ = ecva_bench("leaderboard", out.with_name(f"{out.stem}.scores.jsonl"))
        assert code == 0
        assert shown.count("Answers cut off before their end: openai:m 2 of 2.") == 2
        code, shown, _ = ecva_bench("audit", out)
        assert code == 1
        assert shown.count("answers cut off before their end (finish: length)") == 2


ANSWERS = {
    "1": ("◁think▷[6] or [8]?◁/think▷[7]", "[7-1,3]"),
    "2": ("<think>Not [1].</think>\n<answer>[4]</answer>", "[4-2,3]"),
    "3": ("<think>It is [5].", "[5-1,3]"),
}


def test_a_thought_in_an_answer_file_is_not_scored(tmp_path: Path, ecva_bench: Command) -> None:
    data, file = tmp_path / "data.json", tmp_path / "m_classification.json"
    annotated = [{"video_name": name, "task": "Classification", "answer": cell} for name, (_, cell) in ANSWERS.items()]
    rows = [{"video_file": f"{name}.mp4", "prompt": "", "output": text} for name, (text, _) in ANSWERS.items()]
    rows[2]["finish_reason"] = "length"
    data.write_text(json.dumps(annotated))
    file.write_text(json.dumps(rows))
    code, shown, complaint = ecva_bench("score", file, "--data", data, "--task", "classification")
    assert code == 0, complaint
    assert "3 of 3 answered (100.00 %), 0 failed, 0 missing; 1 empty, 1 cut off" in shown
    assert "2/3 = 66.67 %" in shown
    _, shown, _ = ecva_bench("score", file, "--data", data, "--task", "classification", "--protocol", "ecva-2024")
    assert "1/3 = 33.33 %" in shown  # raw texts, as the figures were published
