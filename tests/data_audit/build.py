"""Data sets made by chance alone, in which no rule finds anything, and faults to plant in them."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from ecva_bench.data import Dataset
from ecva_bench.data_audit.findings import DataAudit, DataFinding
from ecva_bench.records import Annotation, Label, Moment
from ecva_bench.records.annotations import Query
from ecva_bench.taxonomy import load_taxonomy

CLASSES = 4
OPTIONS = 4


def clean(count: int, seed: int, name: str = "clean", words: int = 600) -> Dataset:
    """Videos whose every text, key, class and span is drawn: nothing says anything about anything else."""
    draw = random.Random(f"{name} {seed}")
    vocabulary = ["".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=draw.randint(3, 9))) for _ in range(words)]

    def text(fewest: int, most: int) -> str:
        return " ".join(draw.choices(vocabulary, k=draw.randint(fewest, most)))

    annotations = []
    for number in range(count):
        start = draw.uniform(0, 300)
        choice = Query(
            task="choice",
            name="q",
            text=f"{text(6, 12)}?",
            options=tuple(text(4, 12) for _ in range(OPTIONS)),
            answer=draw.randrange(OPTIONS),
        )
        sentence = Query(task="grounding", name="s", text=text(8, 14), moments=(span(start, draw.uniform(2, 40)),))
        annotations.append(
            Annotation(
                video=f"{name}{number:05}",
                media=f"{name}{number:05}.mp4",
                label=Label(major=draw.randint(1, CLASSES)),
                moments=(span(start, draw.uniform(2, 60)),),
                description=text(20, 40),
                cause=text(10, 20),
                anomalous=draw.random() < 0.5,
                queries=(choice, sentence),
            )
        )
    return Dataset(name, f"{name}.json", "0" * 64, load_taxonomy("cuva"), tuple(annotations))


def span(start: float, length: float) -> Moment:
    return Moment(start=round(start, 1), end=round(start + length, 1))


def changed(dataset: Dataset, change: Callable[[int, Annotation], dict[str, Any]]) -> Dataset:
    """The set with fields of each annotation changed, by its number."""
    found = [one.model_copy(update=change(n, one)) for n, one in enumerate(dataset.annotations)]
    return replace(dataset, annotations=tuple(found))


def asked(dataset: Dataset, change: Callable[[int, Query], dict[str, Any]]) -> Dataset:
    """The set with fields of each choice changed."""

    def queries(n: int, one: Annotation) -> dict[str, Any]:
        return {"queries": (one.queries[0].model_copy(update=change(n, one.queries[0])), *one.queries[1:])}

    return changed(dataset, queries)


def of_rule(audit: DataAudit, rule: str) -> list[DataFinding]:
    return [finding for finding in audit.findings if finding.rule == rule]


def read_vau_bench(path: Path) -> Dataset:
    """A file of VAU-Bench: the letter before what stands in the key, a span where both times are seconds."""
    annotations = []
    for row in csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline="")):
        key = "ABCD".find(row["Correct Option"][0])
        options = tuple(row[f"Option {n}"] for n in range(1, 5))
        times = [float(row[name]) for name in ("Start Time", "End Time") if row[name]]
        spans = (Moment(start=times[0], end=times[1]),) if len(times) == 2 and 0 <= times[0] <= times[1] else ()
        asked = Query(task="choice", name="", text=row["Question"], options=options, answer=max(key, 0))
        name = Path(row["Video Name"]).stem
        annotations.append(
            Annotation(video=name, media=row["Video Name"], moments=spans, queries=(asked,) if key >= 0 else ())
        )
    return Dataset("vau-bench", str(path), "0" * 64, load_taxonomy("cuva"), tuple(annotations))
