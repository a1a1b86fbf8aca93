"""Other packages, or another served model, under one run are events, and whoever reads its scores is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ecva_bench.journal.merging import merge_results
from ecva_bench.journal.results import read_results
from ecva_bench.journal.writer import Journal, write_results
from ecva_bench.leaderboard.compare import Side
from ecva_bench.leaderboard.comparison_tables import notes_on
from ecva_bench.leaderboard.run_notes import judges_text
from ecva_bench.leaderboard.sheet import score_sheets
from ecva_bench.records.answers import Answer, Manifest
from ecva_bench.scoring.score import score_results

OLD, NEW = {"torch": "2.9.0", "transformers": "5.20.0"}, {"torch": "2.9.0", "transformers": "5.21.0"}
IDS = ("1/cause", "2/cause", "3/cause")


def manifest(packages: dict[str, str], *, shard: list[int] | None = None, ids: tuple[str, ...] = IDS) -> Manifest:
    spec = {"model": "m", "selection": {"shard": shard}}
    whole = {"whole": {"full": IDS}} if shard else {}
    return Manifest(run="r", spec=spec, expects={"full": ids}, environment={"packages": packages}, **whole)


def answer(sample: str, served: str = "") -> Answer:
    steps = {"served": served} if served else None
    fields = {"key": f"key {sample}", "id": sample, "video": sample[0], "task": "cause", "steps": steps}
    return Answer.model_validate({**fields, "answer": "a car brakes", "reference": "a car turns"})


def run(path: Path, packages: dict[str, str], *answers: Answer) -> None:
    with Journal(path, manifest(packages)) as journal:
        for one in answers:
            journal.append(one)


def events(path: Path, *names: str) -> list[dict[str, object]]:
    lines = map(json.loads, path.read_text().splitlines())
    return [line["detail"] for line in lines if line["type"] == "event" and line["event"] in names]


def test_a_resume_with_other_packages_is_an_event_that_sheet_and_gate_show(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    run(path, OLD, answer(IDS[0]))
    run(path, OLD, answer(IDS[1]))
    assert not events(path, "packages")
    run(path, NEW, answer(IDS[2]))
    assert events(path, "packages") == [{"packages": NEW, "answers": 2}]
    found = read_results(path)
    assert found.packages == {"transformers": ("5.20.0", "5.21.0")}
    scores = score_results(found, scorers=("rouge",), draws=10)
    told = "several versions of packages gave these answers: transformers 5.20.0 and 5.21.0"
    assert any(told in note for note in score_sheets(scores)[0].notes)
    alone = Side.of(scores)
    assert [told in note for note in notes_on(base=alone, new=alone)] == [True, True]


def test_other_packages_that_gave_no_answer_are_none(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    run(path, OLD)
    run(path, NEW, *map(answer, IDS))  # all answers are theirs
    run(path, OLD)  # nothing is left to ask
    assert read_results(path).packages == {}
    assert events(path, "packages") == [{"packages": NEW, "answers": 0}]


def test_a_package_that_one_side_does_not_name_is_not_taken_for_changed(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    run(path, {"torch": "2.9.0"}, answer(IDS[0]))
    run(path, {**OLD, "pillow": "12.0"}, answer(IDS[1]))
    assert not events(path, "packages")
    assert read_results(path).packages == {}


def test_a_merged_file_knows_the_packages_of_its_parts(tmp_path: Path) -> None:
    parts = []
    for number, packages in ((1, OLD), (2, NEW)):
        ids = IDS[:1] if number == 1 else IDS[1:]
        parts.append(tmp_path / f"{number}.jsonl")
        write_results(parts[-1], manifest(packages, shard=[number, 2], ids=ids), [answer(one) for one in ids])
    merge_results(parts, tmp_path / "whole.jsonl")
    assert read_results(tmp_path / "whole.jsonl").packages == {"transformers": ("5.20.0", "5.21.0")}


def test_answers_of_another_file_bring_their_packages(tmp_path: Path) -> None:
    run(tmp_path / "old.jsonl", OLD, answer(IDS[0]))
    with Journal(tmp_path / "new.jsonl", manifest(NEW), reuse=[tmp_path / "old.jsonl"]) as journal:
        journal.append(answer(IDS[1]))
        journal.append(journal.reusable[f"key {IDS[0]}"])
    assert read_results(tmp_path / "new.jsonl").packages == {"transformers": ("5.21.0", "5.20.0")}


def test_another_served_model_within_a_run_is_an_event_and_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    run(path, OLD, answer(IDS[0], "m-2025"), answer(IDS[1], "m-2025"), answer(IDS[2], "m-2026"))
    assert events(path, "served") == [{"now": "m-2026", "before": ["m-2025"]}]
    scores = score_results(read_results(path), scorers=("rouge",), draws=10)
    assert scores.header.served == ("m-2025", "m-2026")
    assert any("several models gave these answers" in note for note in score_sheets(scores)[0].notes)
    assert any("several models gave these answers" in note for note in Side.of(scores).warnings)


@pytest.mark.parametrize(
    ("signature", "told"),
    [("gpt|judge:j|served:j-1,j-2|v:1", "j-1,j-2"), ("gpt|judge:j|served:j-1|v:1", ""), ("rouge|v:1", "")],
)
def test_several_models_behind_one_judge_are_told(signature: str, told: str) -> None:
    assert judges_text([signature]).endswith(told)
    assert bool(judges_text([signature])) == bool(told)


def test_metrics_that_ran_on_other_libraries_are_told_beside_a_comparison() -> None:
    base, new = (
        Side(name=name, model="m", results_sha256="", libraries={"torch": (version,)})
        for name, version in (("base", "2.9.0"), ("new", "2.10.0"))
    )
    assert notes_on(base=base, new=new) == [
        "beware: metrics ran on torch 2.9.0 in the base, on torch 2.10.0 in the new run"
    ]
    assert notes_on(base=base, new=base) == []
