"""Severity columns against golden figures, definitions written out, and answers whose scores are known by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ecva_bench.reading.curves import (
    cell_centres,
    equal_spans,
    middle,
    points_at,
    segments_at,
    segments_of_cells,
    severity_text,
)
from ecva_bench.scoring import get_protocol
from ecva_bench.scoring.curves import CellReference, curve_columns, moment_columns, pooled_columns
from ecva_bench.scoring.floor import rotate_references
from ecva_bench.scoring.score import score_results
from ecva_bench.scoring.severity import PseudoReference, Severity
from tests.scoring.build import answer, item, moments, results

# What the golden files call a column, where that is not its name here.
CALLED = {
    "hit1_very_good": "hit1",
    "ap_very_good": "highlight_ap",
    "ap_good": "highlight_ap_good",
    "ap_fair": "highlight_ap_fair",
}
CURVE = ((0.0, 0.0), (3.0, 0.3), (7.0, 1.0), (8.8, 0.4), (12.0, 0.2))
FRAME = ("frame_auc", "frame_ap", "iou_half", "iou_best")


def values_of(curve: dict[str, Any], centres: Any) -> Any:
    if "points" in curve:
        return points_at(curve["points"], centres)
    return segments_at([(start, end, 10 * value) for start, end, value in curve["segments"]], centres)


def golden_pair(case: dict[str, Any]) -> tuple[Any, CellReference]:
    centres = cell_centres(case["duration"])
    abnormal = segments_at([(start, end, 1.0) for start, end in case["moments"]], centres) > 0
    truth = values_of(case["reference"], centres) if case["reference"] else None
    return values_of(case["predicted"], centres), CellReference(truth, abnormal, case["duration"] / len(centres))


def test_columns_are_the_golden_ones(shared_golden: Path) -> None:
    golden = json.loads((shared_golden / "severity/metrics.json").read_text())
    pairs = {case["name"]: golden_pair(case) for case in golden["items"]}
    for case in golden["items"]:
        predicted, reference = pairs[case["name"]]
        found = {**curve_columns(predicted, reference), **moment_columns(predicted, reference)}
        expected = {CALLED.get(name, name): value for name, value in case["expected"].items() if value is not None}
        assert expected.pop("cells") == len(predicted), case["name"]
        assert expected.pop("frame_base") == pytest.approx(reference.abnormal.mean(), abs=1e-12)
        assert found == pytest.approx(expected, abs=1e-9), case["name"]
    of_random = [pair for name, pair in pairs.items() if name.startswith("random")]
    pooled = pooled_columns([predicted for predicted, _ in of_random], [reference for _, reference in of_random])
    assert pooled["auc_pooled"] == pytest.approx(golden["pooled"]["auc_pooled"], abs=1e-9)
    assert pooled["ap_pooled"] == pytest.approx(golden["pooled"]["ap_pooled"], abs=1e-9)
    assert pooled["base_rate"] == pytest.approx(golden["pooled"]["base_pooled"], abs=1e-9)


@pytest.mark.parametrize("levels", [1, 2, 40])
def test_a_pick_among_ties_is_an_expectation_and_weights_are_copies(levels: int) -> None:
    random = np.random.default_rng(levels)
    truth, predicted = random.random(30), random.integers(levels, size=30) / levels
    found = curve_columns(predicted, CellReference(truth, truth > 0.5, 1.0))
    best = [cell for cell in range(30) if predicted[cell] == max(predicted)]
    very_good = [4 * value / max(truth) >= 3.5 for value in truth]
    assert found["hit1"] == pytest.approx(sum(very_good[cell] for cell in best) / len(best))
    once = CellReference(None, truth > 0.5, 1.0)
    twice = CellReference(None, np.concatenate([truth > 0.5] * 2), 1.0)
    weighed = pooled_columns([predicted, predicted], [once, replace(once, seconds=2.0)])
    copied = pooled_columns([predicted, np.concatenate([predicted] * 2)], [once, twice])
    assert weighed == pytest.approx(copied, abs=1e-12)


def scored(text: str, **fields: Any) -> tuple[dict[str, float], dict[str, str]]:
    scorer = Severity(get_protocol("standard"))
    given = {"task": "severity", "duration": 12.0, "curve": CURVE, "moments": moments((3.0, 8.8)), **fields}
    one = item(text, "reference", **given)
    assert scorer.obstacle(one) is None
    values = scorer.score([one])[0]
    return values, {name: gap.reason for name, gap in scorer.gaps(one).items() if name not in values}


def test_the_curve_itself_is_perfect_and_a_constant_says_nothing() -> None:
    itself = severity_text(segments_of_cells(points_at(CURVE, cell_centres(12.0)), 12.0))
    values, gaps = scored(itself)
    assert gaps == {}
    assert [values[name] for name in ("hit1", "highlight_ap", "spearman", "kendall", "parsed")] == [1.0] * 5
    assert values["closeness"] == pytest.approx(1.0, abs=1e-6)
    values, _ = scored("0 12 5")
    assert (values["spearman"], values["kendall"], values["frame_auc"], values["iou_half"]) == (0, 0, 0.5, 0)
    assert values["hit1"] == values["highlight_ap"] == pytest.approx(0.1)  # two of twenty cells


@pytest.mark.parametrize("text", ["", "I see a street.", "0 12 11", "0 6 ?\n6 12 ?"])
def test_an_answer_that_is_not_read_is_the_worst_in_every_column(text: str) -> None:
    values, gaps = scored(text)
    worst = {column.name: column.worst for column in Severity.columns}
    assert values == worst
    assert worst["spearman"] == -1
    assert gaps == {}


def test_segments_are_clipped_overlaps_take_the_higher_and_gaps_are_0() -> None:
    centres = cell_centres(12.0)
    assert segments_at([(-5, 3, 2.0), (2, 4, 8.0), (8, 99, 5.0)], centres).tolist() == [
        0.8 if 2 <= t < 4 else 0.2 if t < 3 else 0.5 if t >= 8 else 0.0 for t in centres
    ]


@pytest.mark.parametrize(
    ("fields", "reasons"),
    [
        ({"curve": ()}, {"no importance curve"}),
        ({"curve": ((0.0, 0.4),)}, {"the importance curve is constant"}),
        ({"curve": ((0.0, 0.0), (12.0, 0.0))}, {"the importance curve is constant"}),
        ({"curve": ((0.0, 0.9), (12.0, 1.0))}, {"every cell is of the level"}),
        ({"moments": ()}, {"no cell is within a moment"}),
        ({"moments": moments((0.0, 12.0))}, {"every cell is within a moment"}),
        ({"moments": moments((3.0, 3.0))}, {"no cell is within a moment"}),
        ({"moments": (), "curve": ((0.0, 0.4),)}, {"the importance curve is constant", "no cell is within a moment"}),
    ],
)
def test_what_the_annotation_lacks_is_scored_for_nobody(fields: dict[str, Any], reasons: set[str]) -> None:
    values, gaps = scored("0 6 2\n6 12 7", **fields)
    assert set(gaps.values()) == reasons
    assert values.keys() | gaps.keys() == {column.name for column in Severity.columns}


def test_nothing_annotated_is_an_obstacle_and_a_normal_video_is_none() -> None:
    scorer = Severity(get_protocol("standard"))
    why = scorer.obstacle(item("0 5 7", task="severity", duration=None, curve=CURVE)) or ""
    assert why.startswith("duration not known: name the videos' folder (import --videos)")
    assert "neither" in str(scorer.obstacle(item("0 5 7", task="severity", duration=5.0)))
    assert scorer.obstacle(item("0 5 7", "none", task="severity", duration=5.0)) is None


def test_cells_are_at_least_twenty_and_at_most_a_second_long() -> None:
    assert len(cell_centres(0.04)) == len(cell_centres(20.0)) == 20
    assert len(cell_centres(20.2)) == 21
    assert cell_centres(613.4)[-1] + cell_centres(613.4)[0] == pytest.approx(613.4)
    assert middle(20) == pytest.approx(middle(20)[::-1])
    assert equal_spans(10.0, 3) == [(0.0, 3.333), (3.333, 6.667), (6.667, 10.0)]


def test_the_floor_brings_the_curves_of_other_videos_to_the_same_duration() -> None:
    batch = [
        item(
            "", "a", video="a", task="severity", duration=10.0, curve=((0.0, 0.0), (10.0, 1.0)), moments=moments((2, 4))
        ),
        item("", "b", video="b", task="severity", duration=40.0, curve=((20.0, 1.0),), moments=moments((20.0, 40.0))),
    ]
    one, other = rotate_references(batch, seed=0, stretch=True)
    assert (one.curve, one.moments) == (((5.0, 1.0),), moments((5.0, 10.0)))
    assert (other.curve, other.moments) == (((0.0, 0.0), (40.0, 1.0)), moments((8.0, 16.0)))


def test_a_curve_that_a_program_made_is_called_a_pseudo_reference_and_agreement_with_oneself_is_marked() -> None:
    made = {"made_by": "open_clip:ViT-L-14-quickgelu/openai|x", "sha256": "a" * 64}
    fields: dict[str, Any] = {"task": "severity", "duration": 12.0, "curve": CURVE, "moments": moments((3.0, 8.8))}
    for tower, marked in (("openai/clip-vit-large-patch14@main", True), ("a tower of its own", False)):
        spec = {"curves": made, "description": {"checkpoints": {"tower": tower}}}
        found = score_results(results([answer("v", "0 6 2\n6 12 7", **fields)], spec=spec))
        signature = found.summaries[0].signature
        assert "|reference:pseudo-reference,open_clip-ViT-L-14-quickgelu/openai-x,aaaaaaaaaaaa|" in signature
        assert ("|beware:self-agreement" in signature) is marked
    plain = score_results(results([answer("v", "0 6 2\n6 12 7", **fields)]))
    assert "pseudo" not in plain.summaries[0].signature
    assert PseudoReference("a tool", "b", "clip").settings() == {"reference": "pseudo-reference,a-tool,b"}


def test_what_ranks_is_hit1() -> None:
    assert [column.name for column in Severity.columns][:2] == ["hit1", "highlight_ap"]
