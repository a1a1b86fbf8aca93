"""Frames ranked by spans, against the definitions over all pairs and all thresholds, written out."""

from __future__ import annotations

import numpy as np
import pytest

from ecva_bench.records import Moment
from ecva_bench.records.annotations import NO_MOMENTS, format_moments
from ecva_bench.records.answers import Answer, Results
from ecva_bench.records.scores import Scores
from ecva_bench.scoring.score import score_results
from ecva_bench.statistics.rankings import average_precision, roc_area


def pairs_won(scores: np.ndarray, positive: np.ndarray) -> float:
    """ROC area as the share of all pairs, in n squared."""
    wins = [(a > b) + (a == b) / 2 for a in scores[positive] for b in scores[~positive]]
    return float(np.mean(wins))


def precision_at_each_threshold(scores: np.ndarray, positive: np.ndarray) -> float:
    total, before = 0.0, 0.0
    for threshold in sorted(set(scores.tolist()), reverse=True):
        called = scores >= threshold
        recall = positive[called].sum() / positive.sum()
        total += positive[called].mean() * (recall - before)
        before = recall
    return total


@pytest.mark.parametrize("levels", [1, 2, 3, 50])
def test_areas_are_those_of_the_definitions(levels: int) -> None:
    random = np.random.default_rng(levels)
    scores, positive = random.integers(levels, size=80).astype(float), random.random(80) < 0.3
    assert roc_area(scores, positive) == pytest.approx(pairs_won(scores, positive), abs=1e-12)
    assert average_precision(scores, positive) == pytest.approx(
        precision_at_each_threshold(scores, positive), abs=1e-12
    )


def test_a_constant_score_says_nothing() -> None:
    positive = np.array([True, False, False, False])
    assert (roc_area(np.ones(4), positive), average_precision(np.ones(4), positive)) == (0.5, 0.25)


VIDEOS = {  # duration, annotated, answer
    "a": (10.0, [(2.0, 4.0)], "[2, 4]"),
    "b": (10.0, [(2.0, 4.0)], "[3, 5] and [3.5, 4]"),
    "c": (10.0, [(0.0, 10.0)], "[0, 5]"),
    "d": (12.0, [], "[1, 4]"),
    "e": (8.0, [], "none"),
    "f": (10.0, [(5.0, 6.0)], "No abnormal event takes place."),
    "g": (10.0, [(5.0, 6.0)], "A man walks."),
}


def results() -> Results:
    answers = []
    for video, (duration, spans, text) in VIDEOS.items():
        moments = tuple(Moment(start=start, end=end) for start, end in spans)
        place = {"key": video, "id": f"{video}/timestamp", "video": video, "task": "timestamp", "duration": duration}
        answers.append(Answer(**place, answer=text, reference=format_moments(moments) or NO_MOMENTS, moments=moments))
    owed = {"full": tuple(answer.id for answer in answers)}
    return Results(name="m", source="r", sha256="0" * 64, model="m", expects=owed, answers=tuple(answers))


def scored() -> Scores:
    return score_results(results(), timestamp_unit="seconds")


def covering(duration: float, spans: list[tuple[float, float]]) -> np.ndarray:
    instants = [(frame + 0.5) / 10 for frame in range(round(duration * 10))]
    return np.array([sum(start <= t < end for start, end in spans) for t in instants], dtype=float)


def test_videos_are_ranked_each_and_all_together_beside_a_prior() -> None:
    scores = scored()
    own = {s.video: s for s in scores.scores if s.scorer == "frame-ranking"}
    named = {"a": [(2, 4)], "b": [(3, 5), (3.5, 4)], "c": [(0, 5)], "d": [(1, 4)], "e": [], "f": [], "g": []}
    truth = {video: covering(duration, spans) > 0 for video, (duration, spans, _) in VIDEOS.items()}
    said = {video: covering(VIDEOS[video][0], spans) for video, spans in named.items()}
    assert own["a"].values == {"frame_auc": 1.0, "frame_ap": 1.0}
    assert own["b"].values["frame_auc"] == pytest.approx(pairs_won(said["b"], truth["b"]))
    assert own["b"].values["frame_ap"] == pytest.approx(precision_at_each_threshold(said["b"], truth["b"]))
    assert own["c"].reason == "every frame is abnormal"
    assert own["d"].reason == own["e"].reason == "no frame is abnormal"
    assert own["f"].values == {"frame_auc": 0.5, "frame_ap": pytest.approx(0.1)}
    assert own["g"].values == {"frame_auc": 0.0, "frame_ap": 0.0}
    found = {one.column: one.value for one in scores.aggregates if one.scorer == "frame-ranking"}
    together, pooled = np.concatenate(list(truth.values())), np.concatenate(list(said.values()))
    assert found["auc_pooled"] == pytest.approx(pairs_won(pooled, together))
    assert found["ap_pooled"] == pytest.approx(precision_at_each_threshold(pooled, together))
    assert found["base_rate"] == pytest.approx(together.mean())
    assert found["flagged"] == pytest.approx(3 / 20)

    def middle(duration: float) -> np.ndarray:
        instants = (np.arange(round(duration * 10)) + 0.5) / 10
        return np.exp(-0.5 * ((instants - duration / 2) / (duration / 4)) ** 2)

    curves = [middle(duration) for duration, _, _ in VIDEOS.values()]
    assert found["auc_middle"] == pytest.approx(pairs_won(np.concatenate(curves).round(12), together), abs=1e-6)


def test_a_normal_video_has_no_overlap_to_score() -> None:
    (summary,) = (s for s in scored().summaries if s.column == "iou")
    assert summary.reasons == {"no moment annotated": 2}


def test_frames_are_ranked_only_where_times_are_scored() -> None:
    """Normal videos of a run must not stand in the way of scoring its other tasks."""
    run = results()
    cause = Answer(key="k", id="a/cause", video="a", task="cause", answer="A car.", reference="A car brakes.")
    owed = {"full": (*run.expects["full"], cause.id)}
    run = run.model_copy(update={"answers": (*run.answers, cause), "expects": owed})
    assert {one.scorer for one in score_results(run, tasks=["cause"]).summaries} == {"bleu", "rouge"}
    assert "frame-ranking" in {one.scorer for one in score_results(run).summaries}
