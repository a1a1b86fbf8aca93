"""Who annotates which videos: `ecva.queue/1`, a file for each annotator and a plan of all for who leads the work."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from operator import not_
from pathlib import Path
from typing import Literal

from pydantic import ConfigDict, Field, ValidationError

from ..data.ecva import read_bytes
from ..errors import DataError, UsageError
from ..records.acts import AnnotationAct, AnnotatorName
from ..records.base import Record, VideoId, canonical_json, first_problem
from ..untrusted import parse_json
from ..writing import write_whole
from .acts import latest, read_acts
from .formats.fields import field_texts

QUEUE_SCHEMA = "ecva.queue/1"
_PLAN = "plan"
HIDDEN_SHARE = 0.05  # of an annotator's videos, whose answer is known, and which look like the others


class QueuedVideo(Record):
    """A video that somebody is to annotate, blind or with the work of others before them (`shown`, without names)."""

    model_config = ConfigDict(frozen=True, extra="allow", populate_by_name=True, serialize_by_alias=True)

    schema_: Literal["ecva.queue/1"] = Field(default="ecva.queue/1", alias="schema")
    video: VideoId
    media: str = Field(default="", exclude_if=not_)
    annotator: AnnotatorName
    round: int = Field(default=1, ge=1)
    blind: bool = True
    duration: float | None = Field(default=None, ge=0)
    shown: tuple[AnnotationAct, ...] = Field(default=(), exclude_if=not_)

    def as_act(self) -> AnnotationAct:
        """Return what a tool begins with: nothing, or all that is shown, each text behind its letter."""
        labels = {act.label for act in self.shown}
        texts: dict[str, str] = {}
        for act in self.shown:
            for name, text in field_texts(act).items():
                if name in ("description", "cause", "effect"):
                    texts[name] = "\n".join(filter(None, (texts.get(name), f"{act.annotator}: {text}")))
        return AnnotationAct(
            video=self.video,
            media=self.media,
            annotator=self.annotator,
            round=self.round,
            blind=self.blind,
            duration=self.duration,
            label=next(iter(labels)) if len(labels) == 1 else None,
            moments=tuple(moment for act in self.shown for moment in act.moments),
            key_sentences=tuple(dict.fromkeys(text for act in self.shown for text in act.key_sentences)),
            description=texts.get("description"),
            cause=texts.get("cause"),
            effect=texts.get("effect"),
        )


class PlannedVideo(QueuedVideo):
    """A line of the plan: `part` says why it is there, which its annotator is not told."""

    part: Literal["once", "overlap", "qualification"]


def plan_queue(
    videos: Sequence[QueuedVideo], annotators: Sequence[str], *, overlap: float, seed: int, gold: Iterable[str] = ()
) -> list[PlannedVideo]:
    """Return who annotates what, blind: all videos once, and a random share `overlap` of them by a second person.

    Everybody gets as many videos as the others, give or take two, in random order, and 5 % more from `gold`, videos
    whose answer is known. `UsageError` where nobody could be the second person.
    """
    if len(set(annotators)) < len(annotators) or not all(annotators):
        raise UsageError(f"annotators are named twice, or not at all: {', '.join(annotators)}", remedy="name each once")
    if overlap and len(annotators) < 2:
        raise UsageError("one annotator alone cannot annotate videos twice", remedy="name two, or give --overlap 0")
    order = random.Random(seed)
    shuffled = order.sample(list(videos), len(videos))
    twice = {one.video for one in shuffled[: round(overlap * len(shuffled))]}
    parts: dict[str, list[PlannedVideo]] = {name: [] for name in annotators}
    turn = 0
    for one in shuffled:
        for _ in range(2 if one.video in twice else 1):
            name = annotators[turn % len(annotators)]
            part: Literal["overlap", "once"] = "overlap" if one.video in twice else "once"
            parts[name].append(PlannedVideo.model_validate({**one.model_dump(), "annotator": name, "part": part}))
            turn += 1
    known = sorted({*gold} - {one.video for one in videos})
    for name, own in parts.items():
        hidden = order.sample(known, min(len(known), round(HIDDEN_SHARE * len(own)) or bool(own)))
        own += [PlannedVideo(video=video, annotator=name, part="qualification") for video in hidden]
        order.shuffle(own)
    return [one for own in parts.values() for one in own]


def write_plan(out: Path, plan: Iterable[PlannedVideo], annotators: Sequence[str]) -> dict[Path, int]:
    """Write `plan.jsonl` and each annotator's file, which does not say what the plan does; return the latter's videos.

    Raises `UsageError` where a name cannot be that of a file, and where there is a plan already.
    """
    if any("/" in name or name in (_PLAN, "..", ".") for name in annotators):
        raise UsageError(f"a name cannot be that of a file: {', '.join(annotators)}", remedy="use letters and digits")
    planned = out / f"{_PLAN}.jsonl"
    if planned.exists():
        raise UsageError("there is a plan already, by which people may be working", out, "name another folder")
    plan = list(plan)
    counts = {}
    for name in annotators:
        told = [QueuedVideo.model_validate(one.model_dump(exclude={"part"})) for one in plan if one.annotator == name]
        path = out / f"{name}.jsonl"
        write_whole(path, queue_text(told))
        counts[path] = len(told)
    write_whole(planned, queue_text(plan))
    return counts


def queue_text(items: Iterable[QueuedVideo]) -> str:
    """Return queued videos as lines of a file."""
    return "".join(f"{canonical_json(one.model_dump(mode='json'))}\n" for one in items)


def chosen_acts(path: Path, annotator: str | None, round_: int | None) -> list[AnnotationAct]:
    """Return what was said in a file of a queue or of annotations, by one annotator or in one round where named.

    Raises `DataError` where nothing was, and says who is in the file.
    """
    queued = QUEUE_SCHEMA.encode() in read_bytes(path).partition(b"\n")[0]
    found = [one.as_act() for one in read_queue(path)] if queued else latest(read_acts(path))
    acts = [one for one in found if annotator in (None, one.annotator) and round_ in (None, one.round)]
    if not acts:
        there = ", ".join(sorted({f"{one.annotator} in round {one.round}" for one in found}))
        raise DataError("there is no such annotation", path, f"choose with --annotator and --round: {there}")
    return acts


def read_queue(path: Path) -> list[QueuedVideo]:
    """Return the videos of a file of a queue, or of any file of lines with a `video`; each video is to be there once.

    Raises `DataError`, which names the line.
    """
    found: dict[str, QueuedVideo] = {}
    for number, line in enumerate(read_bytes(path).splitlines(), start=1):
        if not line.strip():
            continue
        try:
            data = parse_json(line)
            if not isinstance(data, dict):
                raise ValueError("it is no object")
            one = QueuedVideo.model_validate({"annotator": "nobody", **data, "schema": QUEUE_SCHEMA})
        except ValidationError as error:
            raise DataError(f"line {number}: {first_problem(error)}", path, "correct that line") from None
        except ValueError as error:
            remedy = 'write one video a line, {"video": "00001", "duration": 12.5}'
            raise DataError(f"line {number} is no video of a queue ({error})", path, remedy) from None
        if one.video in found:
            raise DataError(f"line {number}: video {one.video!r} is there twice", path, "name each video once")
        found[one.video] = one
    return list(found.values())
