"""Acts of annotation made up for tests."""

from __future__ import annotations

from typing import Any

from ecva_bench.records.acts import AnnotationAct
from ecva_bench.records.annotations import Label, Moment


def act(
    video: str, annotator: str, spans: list[tuple[float, float]] | None = None, code: str = "", **more: Any
) -> AnnotationAct:
    """An act with moments (an empty list: nothing found) and a class such as `5-1,4`."""
    label = None
    if code:
        numbers = [int(part) for part in code.replace("-", ",").split(",")]
        label = Label(major=numbers[0], sub=numbers[1], severity=numbers[2] if len(numbers) > 2 else None)
    moments = tuple(Moment(start=start, end=end) for start, end in spans or ())
    anomalous = None if spans is None else bool(spans)
    return AnnotationAct(video=video, annotator=annotator, moments=moments, anomalous=anomalous, label=label, **more)
