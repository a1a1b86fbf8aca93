"""`data curves` from the command line, with a judge behind a real HTTP server and the tiny CLIP of the golden files."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from ecva_bench.data.curves import load_curves
from tests.cli.conftest import Command
from tests.judging.server import JudgeServer

if find_spec("open_clip") is None:
    pytest.skip("the extra severity is not installed", allow_module_level=True)

from tests.clips import write_clip
from tests.severity import clip

SENTENCES = {
    "one": ["a man is shot dead", "a window breaks", "people run"],
    "two": ["it burns", "a car", "smoke rises"],
}

LOADER = """
from ecva_bench import Annotation, Dataset
from ecva_bench.taxonomy import load_taxonomy

def load(path, videos=None):
    found = tuple(
        Annotation(video=video, media=f"{video}.mp4", key_sentences=tuple(said)) for video, said in SENTENCES.items()
    )
    return Dataset("mine", "mine", "00", load_taxonomy("cuva"), found, videos=videos)
"""
COMMAND = ("data", "curves", "./mine.py:load", "--videos", "videos", "--clip", "open_clip:tiny", "--out")


@pytest.fixture
def place(tmp_path: Path, shared_golden: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a described data set, its videos, and a CLIP model."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-only")
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    clip.write_clip(tmp_path / "tiny", shared_golden)
    for video in SENTENCES:
        write_clip(tmp_path / f"videos/{video}.mp4")
    (tmp_path / "mine.py").write_text(f"SENTENCES = {SENTENCES!r}\n{LOADER}")
    return tmp_path


def by_length(system: str, payload: dict[str, list[dict[str, str]]]) -> object:
    """Verdicts of a judge to whom the longest is the worst."""
    texts = [item["statement"] for item in payload["statements"]]
    order = sorted(texts, key=len, reverse=True)
    return {"rationale": "length", "verdicts": [order.index(text) + 1 for text in texts]}


def test_curves_are_built_replayed_and_gone_on_with(place: Path, ecva_bench: Command) -> None:
    command = (*COMMAND, "curves.jsonl")
    with JudgeServer(by_length) as server:
        judge = ("--judge", "scripted", "--judge-url", server.url, "--judge-store", "judge.sqlite", "--votes", "2")
        code, shown, errors = ecva_bench(*command, *judge, "--judge-export", "calls.jsonl", "--limit", "1")
        assert code == 0, errors
        assert shown == "1 curve written: curves.jsonl\n"
        assert len(server.requests) == 2
        assert {len(request.payload["statements"]) for request in server.requests} == {3}
        code, shown, errors = ecva_bench(*command, *judge, "--judge-export", "calls.jsonl")
        assert (code, shown) == (0, "1 curve written, 1 there before: curves.jsonl\n")
        assert len(server.requests) == 4
    curves = load_curves(place / "curves.jsonl")
    assert [one.rank for one in curves["one"].sentences] == [1, 2, 3]
    assert curves["one"].judge == {
        "judge": "openai:scripted",
        "temperature": "0",
        "seed": "0",
        "votes": "1",
        "served": "scripted-1",
    }
    assert curves["one"].settings["judge-votes"] == 2
    replay = (*command[:-1], "again.jsonl", "--judge-replay", "calls.jsonl", "--votes", "2")
    code, _, errors = ecva_bench(*replay)
    assert code == 3, errors  # the second export holds the calls of the second command
    code, _, errors = ecva_bench(*command, "--judge", "other", "--judge-store", "judge.sqlite", "--votes", "2")
    assert code == 2
    assert "made with other settings (judge: 'openai:scripted', and now 'openai:other')" in errors
    code, shown, errors = ecva_bench(*command[:-1], "released.jsonl", "--protocol", "cuva-2024", "--moments", "m.json")
    assert (code, errors) == (0, "")
    told = "2 curves written: released.jsonl\nfinding: cuva-2024 2, flat 2\n"  # each of a single frame, number 30
    assert shown == f"{told}0 spans in m.json: a-guardian --model-arg moments=m.json\n"
    assert json.loads((place / "m.json").read_text()) == [None, None]


def test_a_judge_that_answers_nonsense_costs_its_videos_their_curves_and_ends_with_code_3(
    place: Path, ecva_bench: Command
) -> None:
    with JudgeServer(lambda system, payload: "I would rather not.") as server:
        judge = ("--judge", "scripted", "--judge-url", server.url, "--judge-store", "judge.sqlite")
        code, _, errors = ecva_bench(*COMMAND, "curves.jsonl", *judge)
    assert code == 3
    assert "the judge gave not one verdict" in errors
    lines = [json.loads(line) for line in (place / "curves.jsonl").read_text().splitlines()]
    assert [(line["type"], line["video"]) for line in lines] == [("error", "one"), ("error", "two")]
    assert all("unparsable: 'I would rather not.'" in line["message"] for line in lines)


def test_without_a_judge_or_scores_nothing_is_computed(place: Path, ecva_bench: Command) -> None:
    code, _, errors = ecva_bench(*COMMAND, "curves.jsonl")
    assert code == 2
    assert "name a judge with --judge" in errors
