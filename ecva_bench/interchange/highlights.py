"""Answers about severity as a submission to QVHighlights, so that its evaluation, and others' of its form, can be run.

Its videos are cut into clips of two seconds. A clip's saliency is the mean of the curve's cells in it; the windows are
the spans in which the curve reaches the middle of its range, the most severe first.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from itertools import groupby

import numpy as np

from ..errors import UsageError
from ..reading.curves import above_half, cell_centres, segments_at
from ..reading.severities import read_severities
from ..records.answers import Answer, Results

CLIP_S = 2.0


def highlight_lines(results: Results) -> list[str]:
    """Return a line of JSON for each full video that has an answer about its severity, in order of the videos' ids.

    `qid` numbers them from 0 and `vid` names them. An answer that cannot be read is 0 throughout, which is one window.
    Raises `UsageError` where there is no such answer.
    """
    asked = [one for one in results.answers if one.task == "severity" and one.view == "full" and one.duration]
    if not asked:
        remedy = "ask for them: ecva-bench run --task severity"
        raise UsageError("there is no answer about severity", results.source, remedy)
    ordered = sorted(asked, key=lambda one: one.video)
    prompt = results.spec.get("prompts", {}).get("severity", {})
    return [json.dumps(_line(number, one, prompt), ensure_ascii=False) for number, one in enumerate(ordered)]


def _line(number: int, answer: Answer, prompt: Mapping[str, object]) -> dict[str, object]:
    duration = answer.duration or 0.0
    centres = cell_centres(duration)
    ours = str(prompt.get("id", "")).startswith("ours/")  # which asks for seconds
    found = read_severities(answer.answer, unit="seconds" if ours else None, duration=duration)
    segments = [(*span, severity) for span, severity in zip(found.spans, found.severities, strict=True)]
    curve = segments_at(segments, centres)
    clips = np.minimum(centres // CLIP_S, math.ceil(duration / CLIP_S) - 1).astype(np.int64)
    saliency, last = [], 0.0
    for clip in range(math.ceil(duration / CLIP_S)):
        inside = curve[clips == clip]
        last = float(inside.mean()) if len(inside) else last  # less of a clip than a cell: as the one before
        saliency.append(round(last, 6))
    windows = _windows(curve, duration)
    return {
        "qid": number,
        "query": str(prompt.get("text", "")),
        "vid": answer.video,
        "pred_relevant_windows": windows or [[0.0, round(duration, 3), round(float(curve.mean()), 6)]],
        "pred_saliency_scores": saliency,
    }


def _windows(curve: np.ndarray[tuple[int], np.dtype[np.float64]], duration: float) -> list[list[float]]:
    """Return [start, end, mean] of each span in which a curve [n] reaches the middle of its range, highest first."""
    length = duration / len(curve)
    found = []
    for chosen, cells in groupby(range(len(curve)), key=above_half(curve).tolist().__getitem__):
        if chosen:
            places = list(cells)
            mean = round(float(curve[places].mean()), 6)
            found.append([round(places[0] * length, 3), round((places[-1] + 1) * length, 3), mean])
    return sorted(found, key=lambda window: (-window[2], window[0]))
