"""The evaluation of QVHighlights, written from its description: saliency of clips of two seconds, and windows.

Of saliency: for each query and each of three raters the average precision, interpolated from the side of recall, 0
where the rater has no positive; and whether the first of the highest clips is positive for any rater. Of windows: the
VOC-2011 average precision of the ten best, matched one to one, at ten thresholds; and whether the first fits the best
truth, with the hull as the union.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

LEVELS = {"Fair": 2, "Good": 3, "VeryGood": 4}
RANGES = {"full": (0, 1e9), "short": (0, 10), "middle": (10, 30), "long": (30, 1e9)}
THRESHOLDS = [round(0.5 + 0.05 * step, 2) for step in range(10)]

Window = Sequence[float]


def interpolated_precision(positive: Sequence[bool], scores: Sequence[float]) -> float:
    if not any(positive):
        return 0.0
    steps = []
    for threshold in sorted(set(scores), reverse=True):
        called = [y for y, score in zip(positive, scores, strict=True) if score >= threshold]
        steps.append((sum(called) / sum(positive), sum(called) / len(called)))
    total, before = 0.0, 0.0
    for place, (recall, _) in enumerate(steps):
        total += (recall - before) * max(precision for _, precision in steps[place:])
        before = recall
    return total


def overlap(one: Window, other: Window, *, hull: bool = False) -> float:
    shared = max(0.0, min(one[1], other[1]) - max(one[0], other[0]))
    covered = max(one[1], other[1]) - min(one[0], other[0]) if hull else one[1] - one[0] + other[1] - other[0] - shared
    return shared / covered if covered else 0.0


def window_precision(truth: Sequence[Window], predicted: Sequence[Window], threshold: float) -> float:
    taken: set[int] = set()
    hits = []
    for window in sorted(predicted, key=lambda one: -one[2])[:10]:
        order = sorted(range(len(truth)), key=lambda place: -overlap(window, truth[place]))
        free = [p for p in order if p not in taken and overlap(window, truth[p]) >= threshold]
        taken.update(free[:1])
        hits.append(bool(free))
    found = np.cumsum(hits)
    steps = [(found[n] / len(truth), found[n] / (n + 1)) for n in range(len(hits))]
    total, before = 0.0, 0.0
    for place, (recall, _) in enumerate(steps):
        total += (recall - before) * max(precision for _, precision in steps[place:])
        before = recall
    return float(total)


def evaluate(truth: Sequence[Any], submission: Sequence[Any]) -> dict[str, dict[str, Any]]:
    """Return the figures by part, in percent with two decimals."""
    said = {line["qid"]: line for line in submission}
    found: dict[str, dict[str, Any]] = {}
    for name, (low, high) in RANGES.items():
        kept = {q["qid"]: [w for w in q["relevant_windows"] if low < w[1] - w[0] <= high] for q in truth}
        pairs = [(windows, said[qid]["pred_relevant_windows"]) for qid, windows in kept.items() if windows]
        if not pairs:  # where theirs fails
            continue
        precisions = {f"{t:g}": np.mean([window_precision(w, p, t) for w, p in pairs]) for t in THRESHOLDS}
        precisions["average"] = np.mean(list(precisions.values()))
        firsts = {
            f"{t:g}": np.mean([max(overlap(p[0], one, hull=True) for one in w) >= t for w, p in pairs])
            for t in THRESHOLDS
        }
        found[name] = {"MR-mAP": _percent(precisions), "MR-R1": _percent(firsts)}
    for name, level in LEVELS.items():
        precisions_, hits = [], []
        for query in truth:
            clips = int(query["duration"] / 2)
            raters = np.zeros((clips, 3))
            raters[query["relevant_clip_ids"]] = query["saliency_scores"]
            scores = (list(said[query["qid"]]["pred_saliency_scores"]) + [0.0] * clips)[:clips]
            precisions_ += [interpolated_precision((raters[:, one] >= level).tolist(), scores) for one in range(3)]
            hits.append(raters[int(np.argmax(scores))].max() >= level)
        found[f"HL-min-{name}"] = _percent({"HL-mAP": np.mean(precisions_), "HL-Hit1": np.mean(hits)})
    return found


def _percent(values: dict[str, Any]) -> dict[str, float]:
    return {name: round(100 * float(value), 2) for name, value in values.items()}
