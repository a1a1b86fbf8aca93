"""Collect the content of runs by video and sample: the texts of the page's chunks, and its columns of numbers.

Runs are read one after another. Their texts wait in a temporary file, so that a page may be larger than the memory.
"""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..leaderboard.groups import labels
from ..reading.text import final_answer
from ..records import Label
from ..records.annotations import sample_parts
from ..records.answers import Answer, Failure
from ..records.base import VIEWS, sha256_of
from ..tasks import TASKS
from ..untrusted import one_line
from .entries import run_entry, video_entry
from .run import Metric, MetricKey, Run, column_label, main_metric
from .videos import Videos

# A column of a metric holds whole numbers, each so many to its unit (to the fraction 1 where that is %).
PERCENT_SCALE, UNIT_SCALE = 10_000, 100


class _Texts:
    """Texts on disk, each with the place (start, length in bytes) by which it is read again."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  it goes with this object
        self._size = 0

    def add(self, text: str) -> tuple[int, int]:
        data = text.encode("utf-8", "surrogatepass")
        self._file.seek(self._size)
        self._file.write(data)
        place = (self._size, len(data))
        self._size += len(data)
        return place

    def read(self, place: tuple[int, int]) -> str:
        self._file.seek(place[0])
        return self._file.read(place[1]).decode("utf-8", "surrogatepass")


class Collection:
    """The content of the runs by video: texts ready to be written, and the columns of numbers."""

    def __init__(self, videos: Videos) -> None:
        self.videos = videos
        self.metrics: dict[MetricKey, Metric] = {}
        self.runs: list[dict[str, Any]] = []
        self.common: dict[str, dict[str, Any]] = {}
        self.labels: dict[str, Label | None] = {}
        self.entries: dict[str, dict[int, tuple[int, int]]] = defaultdict(dict)
        self.lacking: dict[str, list[int]] = defaultdict(list)
        self.samples: dict[str, None] = {}
        self.values: dict[MetricKey, dict[int, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
        self.answers = 0
        self._texts = _Texts()

    def add(self, run: Run) -> None:
        """Add a run: its answers and failures, video by video."""
        number = len(self.runs)
        results = run.results
        for metric in run.metrics:
            self.metrics.setdefault(metric.key, metric)
        places = {key: place for place, key in enumerate(self.metrics)}
        answers: dict[str, list[Answer]] = defaultdict(list)
        failures: dict[str, list[Failure]] = defaultdict(list)
        for answer in sorted(results.answers, key=lambda a: (VIEWS.index(a.view), a.id)):
            answers[answer.video].append(answer)
        for failure in results.failures:
            failures[failure.video].append(failure)
        for video in answers.keys() | failures.keys():
            self._add_common(video, answers[video])
            entry = run_entry(run, answers[video], failures[video], places)
            self.entries[video][number] = self._texts.add(compact(entry))
        answered = {answer.id for answer in results.answers if answer.view == "full"}
        owed = set(results.expects.get("full", ()))
        for sample in sorted(owed | answered):
            self.samples[sample] = None
            if (video := sample_parts(sample).video) not in self.common:
                self._add_common(video, [])
            if sample not in answered:
                self.lacking[sample].append(number)
        self._add_values(run, number)
        self.answers += len(results.answers)
        counted = [answer for answer in results.answers if answer.view == "full" and answer.id in owed]
        self.runs.append(_run_value(run, counted, owed=len(owed)))

    def texts(self, media: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        """Yield (video, the text of its entry) in the order of their ids; `media` are the files linked to."""
        for video in sorted(self.common):
            head = compact(self.common[video] | {"media": media.get(video)})
            entries = sorted(self.entries[video].items())
            runs = ",".join(f'"{run}":{self._texts.read(place)}' for run, place in entries)
            yield video, f'{head[:-1]},"runs":{{{runs}}}}}'

    def index(self, places: Mapping[str, tuple[int, int]]) -> dict[str, Any]:
        """Return the index: enough to list, filter and find every sample. `places` are (chunk, place in it)."""
        classes = {video: self.videos.class_of(self._label(video)) for video in places}
        named_classes = sorted(set(classes.values()))
        metrics = list(self.metrics.values())
        tasks = self._tasks()
        main = {task: main_metric(task, metrics) for task in tasks}
        called = labels([(run["model"], run["name"]) for run in self.runs])
        ids = list(places)
        numbers = {video: number for number, video in enumerate(ids)}
        rows = [(*sample_parts(sample)[:2], sample) for sample in self._ordered()]
        return {
            "id": sha256_of([run["sha256"] for run in self.runs])[:16],
            "runs": [run | {"label": label} for run, label in zip(self.runs, called, strict=True)],
            "tasks": tasks,
            "classes": named_classes,
            "metrics": [vars(metric) | {"scale": _scale(metric)} for metric in metrics],
            "main": {task: metrics.index(metric) for task, metric in main.items() if metric},
            "videos": [[video, named_classes.index(classes[video]), *places[video]] for video in ids],
            "names": [sample_parts(sample).name for *_, sample in rows],
            "samples": [
                [numbers[video], tasks.index(task), *self.lacking.get(sample, ())] for video, task, sample in rows
            ],
        }

    def column(self, metric: Metric) -> list[list[int | None]]:
        """Return a metric's values [samples of its task, runs], in the order of the index; None where there is none."""
        columns = [self.values[metric.key][run] for run in range(len(self.runs))]
        samples = (sample for sample in self._ordered() if sample_parts(sample).task == metric.task)
        return [[column.get(sample) for column in columns] for sample in samples]

    def _add_common(self, video: str, answers: Sequence[Answer]) -> None:
        entry = video_entry(video, answers, self.videos.annotations.get(video))
        known = self.common.setdefault(video, entry)
        known["end"] = max(known["end"], entry["end"])
        known["moments"] = known["moments"] or entry["moments"]
        known["curve"] = known["curve"] or entry["curve"]
        known["tasks"] = {**entry["tasks"], **known["tasks"]}
        if self.labels.get(video) is None:
            self.labels[video] = next((answer.label for answer in answers if answer.label), None)

    def _add_values(self, run: Run, number: int) -> None:
        for (sample, view), scored in run.items.items():
            if view != "full" or sample not in self.samples:
                continue
            for score, protocol in scored:
                for column, value in score.values.items():
                    key = (score.task, score.scorer, column_label(column, protocol))
                    if key in self.metrics:
                        self.values[key][number][sample] = round(value * _scale(self.metrics[key]))

    def _label(self, video: str) -> Label | None:
        annotation = self.videos.annotations.get(video)
        return annotation.label if annotation else self.labels.get(video)

    def _tasks(self) -> list[str]:
        present = {sample_parts(sample).task for sample in self.samples}
        return [*(task for task in TASKS if task in present), *sorted(present - TASKS.keys())]

    def _ordered(self) -> list[str]:
        order = {task: place for place, task in enumerate(self._tasks())}
        return sorted(self.samples, key=lambda one: (sample_parts(one).video, order[sample_parts(one).task], one))


def compact(value: object) -> str:
    """Return a value as JSON on one line without blanks."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _scale(metric: Metric) -> int:
    return PERCENT_SCALE if metric.unit == "%" else UNIT_SCALE


def _run_value(run: Run, answers: Sequence[Answer], *, owed: int) -> dict[str, Any]:
    results = run.results
    return {
        "name": one_line(results.name),
        "model": one_line(results.model),
        "sha256": results.sha256,
        "baseline": run.baseline,
        "mode": results.spec.get("mode"),
        "answered": len(answers),
        "owed": owed,
        "empty": sum(not final_answer(answer.answer) for answer in answers),
        "cut_off": sum(answer.cut_off for answer in answers),
        "scored": bool(run.scores),
    }
