"""Every command that judges answers takes the annotation from the data set, and says where the file has another."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecva_bench.data import load_dataset
from ecva_bench.journal.results import read_results
from ecva_bench.leaderboard.pairing import mismatches
from ecva_bench.verification.examining import examined
from tests.leaderboard.scored import scored

from . import cheats
from .cheats import CI, true_answers, write_lines


def seconds_never_told(records):
    records[0]["spec"]["prompts"]["cause"]["with"] = {"times": "A frame is at {seconds} s."}


def changed(path: Path, cheat) -> Path:
    records = true_answers()
    cheat(records)
    write_lines(path, records)
    return path


@pytest.mark.parametrize("model", ["constant", "motion", "oracle", "second-round"])
def test_nothing_about_frozen_answers_is_doubtful(model):
    results = read_results(CI / f"{model}.jsonl")
    assert examined(results, load_dataset("mini")) == results


@pytest.mark.parametrize(
    ("cheat", "kind", "count"),
    [
        (cheats.references_rewritten, "annotation", 14),
        (cheats.moments_rewritten, "annotation", 14),
        (cheats.keys_made_up, "key", 14),
        (cheats.second_answer_under_one_key, "second", 1),
        (cheats.cut_view_called_full, "key", 14),
        (cheats.made_up_videos, "sample", 20),
        (cheats.hard_videos_called_impossible, "view", 7),
        (cheats.other_question, "prompt", 1),
        (cheats.prompts_left_out_of_the_run, "prompt", 5),
        (cheats.an_answer_twice, "duplicate", 1),
        (cheats.other_data_set, "data", 1),
        (cheats.ends_made_up, "time", 14),
        (seconds_never_told, "key", 3 * 14),  # of one task, in three views
    ],
)
def test_what_is_doubtful_is_named_for_what_it_is(tmp_path, cheat, kind, count):
    results = read_results(changed(tmp_path / "run.jsonl", cheat))
    dataset = None if kind == "data" else load_dataset("mini")
    assert [doubt.kind for doubt in examined(results, dataset).doubts] == [kind] * count


def test_without_the_data_set_keys_are_held_against_the_prompts(tmp_path):
    assert not examined(read_results(CI / "motion.jsonl").model_copy(update={"spec": {**spec("motion")}}), None).doubts
    forged = read_results(changed(tmp_path / "run.jsonl", cheats.one_key_made_up))
    forged = forged.model_copy(update={"spec": {**forged.spec, "dataset": {"name": "other", "sha256": "1"}}})
    assert [doubt.kind for doubt in examined(forged, None).doubts] == ["key"]


def spec(model: str) -> dict[str, object]:
    return {**read_results(CI / f"{model}.jsonl").spec, "dataset": {"name": "other", "sha256": "1"}}


BASE = {"cause": {f"v{n}": 0.5 for n in range(4)}}


@pytest.mark.parametrize(
    ("base", "new", "fields"),
    [
        ({}, {}, []),
        ({"prompts": {}}, {}, ["prompts"]),
        ({}, {"prompts": {}}, ["prompts"]),
        ({"prompts": {}}, {"prompts": {}}, ["prompts"]),
        ({"prompts": {}, "imported": True}, {"prompts": {}, "imported": True}, []),
        ({"prompts": {}, "imported": True}, {}, ["prompts"]),
        ({}, {"prompts": {"cause": ("q",)}}, ["prompts"]),
        ({"dataset_sha256": "1"}, {}, ["dataset"]),
    ],
)
def test_a_run_that_does_not_say_its_prompts_or_data_set_does_not_compare(base, new, fields):
    found = mismatches(base=scored(BASE, **base), new=scored(BASE, **new), names=["cause/gated"])
    assert [mismatch.field for mismatch in found] == fields
