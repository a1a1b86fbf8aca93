"""Answers with the value a careful reader takes from them, and whether another reader took the same.

`corpus/` holds those written for this project; its README says by which rules they are judged.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ecva_bench.reading.thoughts import without_thought
from ecva_bench.reading.units import TimeUnit

CORPUS = Path(__file__).parent / "corpus"
FILES = {"class": "class_answers", "spans": "span_answers"}  # in `corpus/`, and the names of the cases
NEAR = 0.05  # seconds that an end of a span may be off: a frame, or a rounding
Spans = tuple[tuple[float, float], ...]
Value = int | Spans | None  # a class or none; spans or no spans


@dataclass(frozen=True)
class Answer:
    """What a model says, its thought left out, with the class or the spans (seconds) that are meant.

    `duration` (seconds) and `frame_rate` (per second) are the video's, where they are known.
    """

    id: str
    style: str
    text: str
    value: Value
    sub: int | None = None
    unit: TimeUnit = "seconds"
    duration: float | None = None
    frame_rate: float | None = None


def own(kind: str, *, unseen: bool = False) -> list[Answer]:
    """Return the answers of the corpus, `class` or `spans`: those in sight while rules were written, or the others."""
    name = f"unseen_{FILES[kind]}" if unseen else FILES[kind]
    return [answer_of(row, kind) for row in json.loads((CORPUS / f"{name}.json").read_text("utf-8"))]


def of_case(folder: Path, kind: str) -> list[Answer]:
    """Return the answers of a case: a file of answers and one of expected values; its videos last 30 s."""
    expected = json.loads((folder / "expected.json").read_text("utf-8"))
    rows = [row for file in sorted(folder.glob("answers*.json")) for row in json.loads(file.read_text("utf-8"))]
    return [answer_of({"duration": 30.0, **row, kind: expected[row["id"]]}, kind) for row in rows]


def answer_of(row: dict[str, Any], kind: str) -> Answer:
    """Return a row of a file as an answer."""
    return Answer(
        id=row["id"],
        style=row["style"],
        text=without_thought(row["answer"])[0],
        value=row["class"] if kind == "class" else tuple((float(start), float(end)) for start, end in row["spans"]),
        sub=row.get("sub"),
        unit=row.get("unit", "seconds"),
        duration=row.get("duration"),
        frame_rate=row.get("frame_rate"),
    )


def verdict(meant: Value, read: Value) -> Literal["right", "other", "unread"]:
    """Say whether what was read is what was meant, another value, or nothing where something was meant.

    Spans are right if there are as many, each end within `NEAR`; one that is said twice counts once.
    """
    if _same(meant, read):
        return "right"
    return "unread" if read in (None, ()) else "other"


def _same(meant: Value, read: Value) -> bool:
    if not isinstance(meant, tuple) or not isinstance(read, tuple):
        return meant == read
    pairs = sorted(set(meant)), sorted(set(read))
    return len(pairs[0]) == len(pairs[1]) and all(
        abs(a - b) <= NEAR for one, other in zip(*pairs, strict=True) for a, b in zip(one, other, strict=True)
    )
