"""Questions about videos that a model was trained on: found by hash and by name, marked, counted and left out."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

import ecva_bench as eb
from ecva_bench.checkpoints.finding import find_checkpoint
from ecva_bench.data import load_dataset
from ecva_bench.errors import DataError, UsageError
from ecva_bench.journal.merging import merge_results
from ecva_bench.journal.results import read_results
from ecva_bench.leaderboard.run_notes import training_text
from ecva_bench.records.training import parse_training

pytestmark = pytest.mark.usefixtures("in_folder")

TASKS = ("cause", "classification")


@pytest.fixture
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def training(*videos: dict[str, Any], name: str = "training.json") -> Path:
    Path(name).write_text(json.dumps({"schema": "ecva.training/1", "stages": [{"videos": videos}]}))
    return Path(name)


def trained(file: Path, **options: Any) -> list[str]:
    """The videos that a run of three videos marks, and nothing else."""
    outcome = eb.run("constant", tasks="cause", limit=3, out="marked.jsonl", training=file, **options)
    assert outcome.results.trained_on is not None
    marked = sorted({one.video for one in outcome.records if one.trained_on})
    assert list(outcome.results.trained_on.videos) == marked
    return marked


def test_a_video_is_known_by_its_bytes_under_any_name() -> None:
    mini = load_dataset("mini")
    mini.ensure_videos(only={"mini02"})
    content = mini.media_path(next(one for one in mini.annotations if one.video == "mini02")).read_bytes()
    sha256, size = hashlib.sha256(content).hexdigest(), len(content)
    assert trained(training({"dataset": "street", "id": "x/77.avi", "sha256": sha256, "bytes": size})) == ["mini02"]
    Path("marked.jsonl").unlink()
    assert trained(training({"sha256": sha256})) == ["mini02"]


def test_a_copy_encoded_anew_is_known_by_data_set_and_name_and_nothing_else_is() -> None:
    other = {"sha256": "0" * 64, "bytes": 5}
    file = training(
        {"dataset": "mini", "id": "mini03", **other}, {"dataset": "cuva", "id": "mini01"}, {"id": "mini02", **other}
    )
    assert trained(file) == ["mini03"]


def test_a_run_without_a_record_says_nothing_of_it() -> None:
    eb.score(eb.run("constant", tasks=TASKS, limit=2, out="c.jsonl"))
    for file in ("c.jsonl", "c.scores.jsonl"):
        assert "trained" not in Path(file).read_text()
        assert "unseen" not in Path(file).read_text()


def test_errors_are_marked_too_and_count_in_the_share() -> None:
    def fails(video: eb.Video, question: str) -> str:
        raise ValueError("no")

    outcome = eb.run(
        fails, tasks="cause", limit=2, out="f.jsonl", training=training({"dataset": "mini", "id": "mini01"})
    )
    assert [one.trained_on for one in outcome.results.failures] == [True, False]
    assert [one.trained_on for one in eb.score(outcome).scores.coverage] == [1]


def test_a_record_that_is_named_later_counts_for_answers_that_were_there() -> None:
    eb.run("constant", tasks="cause", limit=2, out="c.jsonl")
    file = training({"dataset": "mini", "id": "mini01"})
    outcome = eb.run("constant", tasks=TASKS, limit=3, out="c.jsonl", training=file)
    share = eb.score(outcome).scores.header.trained_on
    assert share is not None
    assert (share.questions, share.of, share.sha256) == (2, 6, hashlib.sha256(file.read_bytes()).hexdigest())
    again = eb.run("constant", tasks=TASKS, limit=4, out="c.jsonl")
    assert again.results.trained_on == outcome.results.trained_on


def test_unseen_scores_are_those_of_a_run_that_never_asked_the_others() -> None:
    """The other run is the independent truth: value, interval, floor, aggregate and coverage, to the last digit."""
    file = training({"dataset": "mini", "id": "mini02"}, {"dataset": "mini", "id": "mini05"})
    whole = eb.score(eb.run("motion", tasks=TASKS, limit=6, out="m.jsonl", training=file), unseen_only=True).scores
    ids = ["mini01", "mini03", "mini04", "mini06"]
    truth = eb.score(eb.run("motion", tasks=TASKS, ids=ids, out="four.jsonl")).scores
    assert whole.summaries == truth.summaries
    assert whole.aggregates == truth.aggregates
    assert whole.coverage == truth.coverage
    assert whole.header.unseen_only == ("mini02", "mini05")
    assert Path("m.unseen.scores.jsonl").exists()
    assert not Path("m.scores.jsonl").exists()


def test_what_cannot_be_left_out_is_refused() -> None:
    outcome = eb.run("constant", tasks="cause", limit=1, out="c.jsonl")
    with pytest.raises(UsageError, match="no run says what its model was trained on"):
        eb.score(outcome, unseen_only=True)


def test_a_record_beside_the_weights_is_found(tmp_path: Path) -> None:
    class Weighed(eb.Adapter):
        def __init__(self, model_path: str) -> None:
            pass

        def answer(self, video: eb.Video, question: str) -> str:
            return "A car."

    training({"dataset": "Mini", "id": "mini01"}, name="training.json")  # by hand, with a capital
    outcome = eb.run(Weighed, tasks="cause", limit=2, model_path=str(tmp_path))
    assert [one.trained_on for one in outcome.records] == [True, False]


def test_of_weights_whose_first_stages_are_unknown_the_share_is_a_least_one(tmp_path: Path) -> None:
    stages = [{"videos": [{"dataset": "mini", "id": "mini01"}], "earlier_unknown": True}]
    (tmp_path / "t.json").write_text(json.dumps({"schema": "ecva.training/1", "stages": stages}))
    outcome = eb.run("constant", tasks="cause", limit=2, out="least.jsonl", training=tmp_path / "t.json")
    assert "at least 1 of 2 questions" in training_text(eb.score(outcome).scores.header)


def test_a_record_put_beside_weights_afterwards_leaves_them_what_they_were(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"weights")

    def revision() -> str:
        files = ("*.json", "*.safetensors")
        return find_checkpoint(str(tmp_path), files=files, download=False, option="--model-path").revision

    before = revision()
    training({"dataset": "mini", "id": "mini01"}, name=str(tmp_path / "training.json"))
    assert revision() == before
    (tmp_path / "config.json").write_text("{}")
    assert revision() != before


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{",
        '{"stages": []}',
        '{"stages": [{"videos": [{"sha256": "ff"}]}]}',
        '{"schema": "x/1", "stages": [{}]}',
        '{"stages": [{"videos": [{}]}]}',
        '{"stages": [{"videos": [{"id": "mini01"}]}]}',
        '{"stages": [{"videos": [{"datset": "mini", "id": "mini01"}]}]}',
    ],
)
def test_a_damaged_record_ends_the_run_before_anything_is_written(content: str) -> None:
    Path("training.json").write_text(content)
    with pytest.raises(DataError, match=r"training\.json"):
        eb.run("constant", tasks="cause", limit=1, out="c.jsonl", training="training.json")
    assert not Path("c.jsonl").exists()


def test_parts_that_are_merged_keep_what_was_trained_on() -> None:
    file = training({"dataset": "mini", "id": "mini01"})
    eb.run("constant", tasks="cause", limit=1, out="1.jsonl", training=file)
    eb.run("constant", tasks="cause", ids=["mini02"], out="2.jsonl")
    merge_results([Path("1.jsonl"), Path("2.jsonl")], Path("both.jsonl"))
    found = read_results(Path("both.jsonl")).trained_on
    assert found is not None
    assert found.videos == ("mini01",)


def test_the_shortest_record_is_what_the_module_says() -> None:
    text = (parse_training.__globals__["__doc__"] or "").split("`")[3]
    record = parse_training(" ".join(text.split()).encode(), "the documentation")
    assert [(one.dataset, one.id) for stage in record.stages for one in stage.videos] == [("cuva", "00001")]
