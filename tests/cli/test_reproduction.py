"""What the page *Reproduction* says of the released answers, by the commands that it names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ecva_bench.leaderboard.reproduction import load_reproduction
from ecva_bench.leaderboard.submission import read_submission

SUBMISSIONS = Path(__file__).resolve().parents[2] / "leaderboards" / "cuva" / "submissions"


def test_what_the_audit_is_said_to_find_is_what_it_finds(shared_data, ecva_bench):
    answers = shared_data / "ecva" / "answers"
    released = load_reproduction().released
    names = [*(one.file for one in released), "video_llava_description.json"]
    arguments = [answers / name for name in names]
    _, shown, _ = ecva_bench("audit", *arguments, "--data", shared_data / "ecva" / "annotations.xlsx", "--json")
    found = json.loads(shown)
    for one in released:
        name = one.file.removesuffix(".json")
        (entry,) = (entry for entry in found["entries"] if entry["entry"] == name)
        coverage = entry["coverage"]
        assert (coverage["answered"], coverage["owed"], coverage["extra"]) == (one.answered, one.owed, one.unasked)
        assert (entry["distinct"], round(100 * entry["most_frequent"], 1)) == (one.distinct, one.most_frequent)
        said = [f for f in found["findings"] if f["entry"] == name and f["rule"] != "coverage"]
        assert len(said) == len(one.findings)
        assert all(f"{f['n']} of {f['of']}" in text for f, text in zip(said, one.findings, strict=True))


def test_the_descriptions_of_video_llava_are_those_of_video_llama(shared_data):
    """What the page says of them; of other tasks no answers of video_llava were released."""
    answers = shared_data / "ecva" / "answers"
    one, other = (
        {row["video_file"]: row["output"] for row in json.loads((answers / name).read_text())}
        for name in ("video_llava_description.json", "video_llama_description.json")
    )
    assert (len(one), sum(other[video] == text for video, text in one.items())) == (984, 984)
    assert [path.name for path in answers.glob("video_llava*")] == ["video_llava_description.json"]


@pytest.mark.parametrize("protocol", ["standard", "ecva-2024"])
@pytest.mark.parametrize(
    "file", ["videollama2_classification", pytest.param("video_llama_reason", marks=pytest.mark.slow)]
)
def test_the_scores_are_those_of_the_released_answers(shared_data, tmp_path, ecva_bench, file, protocol):
    ecva = shared_data / "ecva"
    out = ("--out", tmp_path / "scores.jsonl")
    arguments = (ecva / "answers" / f"{file}.json", "--data", ecva / "annotations.xlsx", "--protocol", protocol)
    _, shown, _ = ecva_bench("score", *arguments, *out, "--json")
    of = next(one for one in load_reproduction().released if one.file == f"{file}.json")
    (kept,) = (
        entry
        for one in map(read_submission, sorted(SUBMISSIONS.glob("*.json")))
        for entry in one.entries
        if (one.scores.model, one.scores.protocol, entry.task) == (of.model, protocol, of.task)
    )
    again = {one["column"]: (one["mean"], one["n"]) for one in json.loads(shown)["summaries"]}
    assert {one.column: (one.mean, one.n) for one in kept.summaries} == again
