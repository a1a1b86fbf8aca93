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
from ..records.annotations import question_of, sample_parts
from ..records.answers import Answer, Failure
from ..records.base import VIEWS, sha256_of
from ..tasks import TASKS
from ..untrusted import one_line, parse_json
from .counted import CountedValues, scale_of
from .entries import reading_of, run_entry, video_entry
from .run import Run
from .search import WordIndex, words_of, words_said
from .thumbnails import seen_times
from .videos import Videos


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
        self.counted = CountedValues()
        self.runs: list[dict[str, Any]] = []
        self.common: dict[str, dict[str, Any]] = {}
        self.labels: dict[str, Label | None] = {}
        self.entries: dict[str, dict[int, tuple[int, int]]] = defaultdict(dict)
        self.lacking: dict[str, list[int]] = defaultdict(list)
        self.samples: dict[str, None] = {}
        self.seen: dict[str, set[float]] = defaultdict(set)
        self.answers = 0
        self._texts = _Texts()
        self._words: dict[tuple[str, int], tuple[int, int]] = {}
        self._questions: dict[str, int] = {}
        self._noted: dict[str, list[frozenset[str]]] = {"cut_off": [], "unread": []}

    def add(self, run: Run) -> None:
        """Add a run: its answers and failures, video by video."""
        number = len(self.runs)
        results = run.results
        self.counted.add(run, number)
        places = self.counted.places()
        answers: dict[str, list[Answer]] = defaultdict(list)
        failures: dict[str, list[Failure]] = defaultdict(list)
        for answer in sorted(results.answers, key=lambda a: (VIEWS.index(a.view), a.id)):
            answers[answer.video].append(answer)
        for failure in results.failures:
            failures[failure.video].append(failure)
        for video in answers.keys() | failures.keys():
            self._add_common(video, answers[video])
            self.seen[video] |= seen_times(answers[video])
            entry = run_entry(run, answers[video], failures[video], places)
            self.entries[video][number] = self._texts.add(compact(entry))
            self._words[video, number] = self._texts.add(compact(words_said(entry["answers"])))
        full = [answer for answer in results.answers if answer.view == "full"]
        answered = {question_of(answer.id) for answer in full}
        owed = {question_of(sample) for sample in results.expects.get("full", ())}
        for sample in sorted(owed | answered):
            self.samples[sample] = None
            if (video := sample_parts(sample).video) not in self.common:
                self._add_common(video, [])
            if sample not in answered:
                self.lacking[sample].append(number)
        self.answers += len(results.answers)
        counted = [answer for answer in full if question_of(answer.id) in owed]
        self.runs.append(_run_value(run, counted, owed=len(owed)) | {"questions": self._asked(run)})
        self._noted["cut_off"].append(frozenset(question_of(answer.id) for answer in full if answer.cut_off))
        self._noted["unread"].append(frozenset(_unread(run)))

    def texts(self, media: Mapping[str, str], drawn: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
        """Yield (video, the text of its entry) in the order of their ids.

        `media` are the files linked to, and `drawn` where the pictures of frames are.
        """
        for video in sorted(self.common):
            head = compact(self.common[video] | {"media": media.get(video), "drawn": drawn.get(video)})
            entries = sorted(self.entries[video].items())
            runs = ",".join(f'"{run}":{self._texts.read(place)}' for run, place in entries)
            yield video, f'{head[:-1]},"runs":{{{runs}}}}}'

    def index(self, places: Mapping[str, tuple[int, int]], words: Sequence[str]) -> dict[str, Any]:
        """Return the index: enough to list, filter and find every sample.

        `places` are (chunk, place in it); `words` the first of each part of the index of words.
        """
        classes = {video: self.videos.class_of(self._label(video)) for video in places}
        named_classes = sorted(set(classes.values()))
        metrics = list(self.counted.metrics.values())
        tasks = self._tasks()
        main = {task: self.counted.main(task) for task in tasks}
        called = labels([(run["model"], run["name"]) for run in self.runs])
        ids = list(places)
        numbers = {video: number for number, video in enumerate(ids)}
        rows = [(*sample_parts(sample)[:2], sample) for sample in self.ordered()]
        return {
            "id": sha256_of([run["sha256"] for run in self.runs])[:16],
            "runs": [run | {"label": label} for run, label in zip(self.runs, called, strict=True)],
            "questions": list(self._questions),
            "tasks": tasks,
            "classes": named_classes,
            "metrics": [vars(metric) | {"scale": scale_of(metric)} for metric in metrics],
            "main": {task: metrics.index(metric) for task, metric in main.items() if metric},
            "means": self.counted.means(len(self.runs)),
            "words": words,
            "videos": [[video, named_classes.index(classes[video]), *places[video]] for video in ids],
            "names": [sample_parts(sample).name for *_, sample in rows],
            "samples": [
                [numbers[video], tasks.index(task), *self.lacking.get(sample, ())] for video, task, sample in rows
            ],
        }

    def columns(self) -> Iterator[list[list[int | None]]]:
        """Yield the columns of the metrics in their order: values [samples of its task, runs]."""
        samples = self.ordered()
        for metric in self.counted.metrics.values():
            yield self.counted.column(metric, samples, len(self.runs))

    def noted(self) -> dict[str, list[list[int]]]:
        """Return by what is noted of answers, and by run, the numbers of the samples: `cut_off`, `unread`."""
        samples = self.ordered()
        return {
            name: [[number for number, sample in enumerate(samples) if sample in run] for run in runs]
            for name, runs in self._noted.items()
        }

    def words(self) -> WordIndex:
        """Return the index of all words, as `search` describes it."""
        index = WordIndex()
        holders = len(self.runs) + 1
        of_runs: dict[int, dict[str, list[str]]] = {}
        video = ""
        for number, sample in enumerate(self.ordered()):
            if (found := sample_parts(sample).video) != video:
                video = found
                read = ((run, self._words.get((video, run))) for run in range(len(self.runs)))
                of_runs = {run: parse_json(self._texts.read(place)) for run, place in read if place}
            question = sample.removeprefix(f"{video}/")
            if annotated := self.common[video]["tasks"].get(question):
                text = "\n".join([annotated["reference"], *annotated["keys"]])
                index.add(words_of(text), number * holders)
            for run, said in of_runs.items():
                index.add(said.get(question, ()), number * holders + run + 1)
        return index

    def ordered(self) -> list[str]:
        """Return the ids of the samples in the order in which the page numbers them."""
        order = {task: place for place, task in enumerate(self._tasks())}
        return sorted(self.samples, key=lambda one: (sample_parts(one).video, order[sample_parts(one).task], one))

    def _asked(self, run: Run) -> dict[str, int]:
        """Return by task the number of the question as the run asked it, where that is known."""
        prompts = run.results.spec.get("prompts", {})
        texts = {task: prompt["text"] for task, prompt in prompts.items() if prompt.get("text")}
        return {task: self._questions.setdefault(text, len(self._questions)) for task, text in texts.items()}

    def _add_common(self, video: str, answers: Sequence[Answer]) -> None:
        entry = video_entry(video, answers, self.videos.annotations.get(video))
        known = self.common.setdefault(video, entry)
        known["end"] = max(known["end"], entry["end"])
        known["moments"] = known["moments"] or entry["moments"]
        known["curve"] = known["curve"] or entry["curve"]
        known["tasks"] = {**entry["tasks"], **known["tasks"]}
        if self.labels.get(video) is None:
            self.labels[video] = next((answer.label for answer in answers if answer.label), None)

    def _label(self, video: str) -> Label | None:
        annotation = self.videos.annotations.get(video)
        return annotation.label if annotation else self.labels.get(video)

    def _tasks(self) -> list[str]:
        present = {sample_parts(sample).task for sample in self.samples}
        return [*(task for task in TASKS if task in present), *sorted(present - TASKS.keys())]


def compact(value: object) -> str:
    """Return a value as JSON on one line without blanks."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _unread(run: Run) -> Iterator[str]:
    """Yield the samples whose answer on the full video names nothing that its metric could read."""
    for (sample, view), scored in run.items.items():
        if view == "full" and (reading := reading_of(scored)) and reading.status != "read":
            yield question_of(sample)


def _run_value(run: Run, answers: Sequence[Answer], *, owed: int) -> dict[str, Any]:
    results = run.results
    return {
        "name": one_line(results.name),
        "model": one_line(results.model),
        "sha256": results.sha256,
        "baseline": run.baseline,
        "mode": results.spec.get("mode"),
        "answered": len({question_of(answer.id) for answer in answers}),
        "owed": owed,
        "empty": len({question_of(answer.id) for answer in answers if not final_answer(answer.answer)}),
        "cut_off": len({question_of(answer.id) for answer in answers if answer.cut_off}),
        "scored": bool(run.scores),
        "notes": [f"{task}: {text}" for task, texts in run.judge_notes.items() for text in texts],
    }
