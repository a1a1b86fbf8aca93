"""How well a curve of importance fits another, and the moments annotated: over cells, within a video and over all.

Works on arrays [n], the values at the centres of a video's cells; knows no text and no file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..reading.curves import above_half, is_constant
from ..statistics.rankings import average_precision, roc_area
from ..statistics.ranks import spearman, tau_b

LEVELS = {"fair": 2, "good": 3, "very_good": 4}  # of 0 to 4, as QVHighlights' saliency

_Floats = npt.NDArray[np.float64]
_Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class CellReference:
    """What is annotated of a video's cells: their importance [n], None where no curve is, and which are abnormal [n].

    `seconds` is how long a cell is.
    """

    importance: _Floats | None
    abnormal: _Bools
    seconds: float


def curve_columns(predicted: _Floats, reference: CellReference) -> dict[str, float]:
    """Return what a predicted curve [n] reaches against the curve annotated; what nobody can be scored on is left out.

    `spearman` and `kendall` (tau-b) of a constant prediction are 0. `hit1` is the share of the cells of the highest
    level among those that the prediction puts first, which is what a random pick of them hits; `highlight_ap` is their
    average precision, `highlight_ap_fair` and `highlight_ap_good` that of lower levels. `closeness` is 1 less the mean
    absolute difference.
    """
    truth = reference.importance
    if truth is None:
        return {}
    found: dict[str, float] = {}
    if not is_constant(truth):
        found["spearman"] = spearman(predicted.tolist(), truth.tolist()) or 0.0
        found["kendall"] = tau_b(predicted.tolist(), truth.tolist())
        best = predicted == predicted.max()
        for level, positive in highlights(truth).items():
            if not positive.all():
                suffix = "" if level == "very_good" else f"_{level}"
                found[f"hit1{suffix}"] = float(positive[best].mean())
                found[f"highlight_ap{suffix}"] = average_precision(predicted, positive)
    if predicted.min() >= 0 and predicted.max() <= 1:
        found["closeness"] = 1 - float(np.abs(predicted - truth).mean())
    return found


def moment_columns(predicted: _Floats, reference: CellReference) -> dict[str, float]:
    """Return what a predicted curve [n] reaches against the moments; what nobody can be scored on is left out.

    `iou_half` is the overlap of the abnormal cells with those of at least the middle of the prediction's range, 0 of a
    constant prediction; `iou_best` that at the best threshold, for diagnosis.
    """
    abnormal = reference.abnormal
    found: dict[str, float] = {}
    if not abnormal.any():
        return found
    if not abnormal.all():
        found["frame_auc"] = roc_area(predicted, abnormal)
        found["frame_ap"] = average_precision(predicted, abnormal)
    chosen = above_half(predicted)
    found["iou_half"] = _overlap(chosen, abnormal)
    found["iou_best"] = max(_overlap(predicted >= threshold, abnormal) for threshold in np.unique(predicted))
    return found


def pooled_columns(predicted: Sequence[_Floats], references: Sequence[CellReference]) -> dict[str, float]:
    """Return the ROC area and average precision over the cells of all videos, each weighing its seconds, and the base.

    The first two are left out where all cells are of one kind.
    """
    abnormal = np.concatenate([reference.abnormal for reference in references])
    weights = np.concatenate([np.full(len(reference.abnormal), reference.seconds) for reference in references])
    found = {"base_rate": float(np.average(abnormal, weights=weights))}
    if abnormal.any() and not abnormal.all():
        scores = np.concatenate(predicted)
        found["auc_pooled"] = roc_area(scores, abnormal, weights)
        found["ap_pooled"] = average_precision(scores, abnormal, weights)
    return found


def highlights(importance: _Floats) -> Mapping[str, _Bools]:
    """Return which cells [n] are of each level or a higher one: the level is `floor(4 r / max r + 0.5)`."""
    levels = np.floor(4 * importance / importance.max() + 0.5)
    return {name: levels >= level for name, level in LEVELS.items()}


def _overlap(chosen: _Bools, abnormal: _Bools) -> float:
    return float((chosen & abnormal).sum() / (chosen | abnormal).sum())
