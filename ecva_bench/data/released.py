"""Answer files as the authors release them, read as results: `[{video_file, prompt, output, ...}]`.

They are joined with a dataset by the videos' names, never by position: the files leave videos out and are in the order
of completion. A row whose output is `ERROR`, or no text, is a failure and never an answer. Knows no score.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import DataError, UsageError
from ..names import Name, Names, one_video
from ..records import REFERENCES, Annotation, Answer, Failure, Results, finish_of, sha256_of
from .dataset import Dataset
from .ecva import read_bytes
from .json_forms import cell_text, describe_field, parse_json_file

ERROR = "ERROR"
FINISH = ("finish_reason", "finish", "stop_reason")  # fields of a row in which it may say why its text ends

# What tells the task: words of `task_type` and of file names, and phrases of the authors' prompts.
TASK_WORDS = {
    "description": ("description",),
    "cause": ("cause", "reason"),
    "effect": ("effect", "result", "outcome"),
    "classification": ("classification",),
    "timestamp": ("timestamp", "time_segment"),
}
PROMPT_PHRASES = {
    "classification": ("categories for anomaly detection",),
    "timestamp": ("locate the position of the anomalous segment",),
    "cause": ("root cause", "root reasons"),
    "effect": ("results and effect", "result of the anomal", "outcomes"),
    "description": ("detailed description of the anomalous", "describe any anomaly"),
}


def read_released_answers(path: Path, dataset: Dataset, task: str | None = None) -> Results:
    """Return the answers of a released file as results.

    The task of a row is `task` where given, else found by its `task_type`, its prompt, the rest of the file or the
    file's name. Answers are raw texts, reasoning included; a number is its digits. `expects` has every usable
    annotation with a reference for the file's tasks; answers to others, and second answers, are `extra`, with the raw
    cell as reference. Raises `DataError` for a file that is no list of rows, or whose videos are ambiguous or not of
    the dataset, and `UsageError` where the task cannot be found.
    """
    content = read_bytes(path)
    rows = parse_json_file(content, path)
    _check(rows, path)
    tasks = _tasks_of(rows, path, task)
    videos = _videos_of([row["video_file"] for row in rows], dataset, path)
    usable = {annotation.video: annotation for annotation in dataset.annotations}
    excluded = {annotation.video: annotation for annotation in dataset.excluded}
    asked = sorted(set(tasks))
    expects = [f"{video}/{name}" for name in asked for video in usable if REFERENCES[name](usable[video])]
    owed = set(expects)
    answers: dict[str, Answer] = {}
    extra: list[Answer] = []
    failures: dict[str, Failure] = {}
    for number, (row, name) in enumerate(zip(rows, tasks, strict=True), start=1):
        video = videos[row["video_file"]]
        sample = f"{video}/{name}"
        text = cell_text(row.get("output"))
        if text is None or text.strip() == ERROR:
            if sample in owed:
                failures[sample] = _failure(sample, row, f"{path.name}, row {number}", path)
            continue
        annotation = usable.get(video) or excluded.get(video)
        answer = _answer(sample, row, text, annotation, path)
        if sample in owed and sample not in answers:
            answers[sample] = answer
        else:
            extra.append(answer)
    return Results(
        name=path.name,
        source="released answers",
        sha256=hashlib.sha256(content).hexdigest(),
        model=_model(path),
        expects={"full": tuple(expects)},
        answers=tuple(answers[sample] for sample in expects if sample in answers),
        extra=tuple(extra),
        failures=tuple(failures[sample] for sample in expects if sample in failures and sample not in answers),
        spec={"dataset": {"name": dataset.name, "sha256": dataset.sha256}, "tasks": asked},
    )


def _check(rows: Any, path: Path) -> None:
    """Raise `DataError`, naming the row, for what is no list of released answers."""
    remedy = "each row needs the texts video_file and output"
    if not (isinstance(rows, list) and rows):
        raise DataError("this is no list of released answers", path, remedy)
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, dict):
            raise DataError(f"these are no released answers: row {number} is no object", path, remedy)
        named = row.get("video_file")
        if not (isinstance(named, str) and Name.of(named).stem):
            what = f"these are no released answers: row {number} names no video, {describe_field(row, 'video_file')}"
            raise DataError(what, path, remedy)
    if not any("output" in row for row in rows):
        raise DataError("these are no released answers: no row has an output", path, remedy)


def _videos_of(written: Sequence[str], dataset: Dataset, path: Path) -> dict[str, str]:
    """Return the id of the video that each name means: of one of the dataset's, or, where it means none, its own."""
    annotated = [(annotation.video, annotation.media) for annotation in (*dataset.annotations, *dataset.excluded)]
    names = Names(annotated)
    videos: dict[str, str] = {}
    owners: dict[str, tuple[Name, str]] = {}
    for text in dict.fromkeys(written):
        name, found = Name.of(text), names.find(text)
        if len(found) > 1:
            raise one_video(found[0], found[1], path, text)
        videos[text] = video = found[0] if found else "/".join((*name.folders, name.stem))
        owner, first = owners.get(video, (name, text))
        if name[:2] != owner[:2] or (name.suffix and owner.suffix and name.suffix != owner.suffix):
            raise one_video(first, text, path)
        owners[video] = (owner, first) if owner.suffix else (name, text)
    if not any(names.find(text) for text in videos):
        what = f"no answer is to a video of {dataset.source}: {written[0]!r} here, {annotated[0][1]!r} there"
        raise DataError(what, path, "name the annotations of these videos, or write the names as they do")
    return videos


def _tasks_of(rows: list[dict[str, Any]], path: Path, task: str | None) -> list[str]:
    """Return the task of each row."""
    if task is not None:
        if task not in REFERENCES:
            raise UsageError(f"no task is called {task!r}", remedy=f"available: {', '.join(REFERENCES)}")
        return [task] * len(rows)
    named = [
        _match(str(row.get("task_type", "")), TASK_WORDS) or _match(str(row.get("prompt", "")), PROMPT_PHRASES)
        for row in rows
    ]
    known = set(named) - {None}
    default = known.pop() if len(known) == 1 else _match(path.stem, TASK_WORDS)
    found = [name or default for name in named]
    if None in found:
        raise UsageError("the task of these answers is not known", path, "name it with --task")
    return [name for name in found if name is not None]


def _match(text: str, words: dict[str, tuple[str, ...]]) -> str | None:
    text = text.lower()
    return next((name for name, parts in words.items() if any(part in text for part in parts)), None)


def _model(path: Path) -> str:
    """Return the file's name without the task it ends in: `video_llama_reason.json` is by `video_llama`."""
    words = "|".join(word for words in TASK_WORDS.values() for word in words)
    return re.sub(rf"_({words})$", "", path.stem)


def _key(sample: str, text: str, path: Path) -> str:
    return sha256_of({"id": sample, "answer": text, "source": path.name})


def _answer(sample: str, row: dict[str, Any], text: str, annotation: Annotation | None, path: Path) -> Answer:
    video, _, task = sample.rpartition("/")
    about = annotation or Annotation(video=video, media=row["video_file"])
    return Answer(
        key=_key(sample, text, path),
        id=sample,
        video=video,
        task=task,
        answer=text,
        finish=finish_of(next((row[name] for name in FINISH if isinstance(row.get(name), str)), "")),
        reference=REFERENCES[task](about) or str(row.get("human_expert_answer", "")),
        key_sentences=about.key_sentences,
        moments=about.moments,
        label=about.label,
        prompt_sha256=hashlib.sha256(str(row.get("prompt", "")).encode()).hexdigest(),
    )


def _failure(sample: str, row: dict[str, Any], where: str, path: Path) -> Failure:
    video, _, task = sample.rpartition("/")
    held = describe_field(row, "output")
    return Failure(
        key=_key(sample, cell_text(row.get("output")) or held, path),
        id=sample,
        video=video,
        task=task,
        stage="answer",
        error="ReleasedError",
        message=f"{where}: {held} in place of an answer",
    )
