"""Label Studio: tasks with suggestions, the labelling configuration, and its JSON export.

Its frames are counted from 1 and the last one is included, at the frame rate of the configuration. That is each file's
own here, which the task's data holds (`frame_rate`). Form: https://labelstud.io/guide/export and tags/timelinelabels.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...errors import DataError
from ...names import ids_of
from ...records.acts import AnnotationAct
from .fields import FIELDS, MOMENT, act_of, field_texts

TOOL = "label-studio"
EXPORT_JSON = "export the project as JSON (not JSON-MIN)"


def frames_of(start: float, end: float, rate: float) -> tuple[int, int]:
    """Return the first and the last frame of a span in seconds, counted from 1: a span has at least one frame."""
    first = round(start * rate) + 1
    return first, max(first, round(end * rate))


def seconds_of(first: int, last: int, rate: float) -> tuple[float, float]:
    """Return when the first frame begins and the last one ends, in seconds."""
    return (first - 1) / rate, last / rate


def write_label_studio(acts: Sequence[AnnotationAct], rates: Mapping[str, float]) -> dict[str, str]:
    """Return the content of `tasks.json` and `config.xml`; `rates` are the videos' frame rates."""
    tasks = [_task(act, rates[act.video]) for act in acts]
    return {"tasks.json": json.dumps(tasks, ensure_ascii=False, indent=1) + "\n", "config.xml": _config()}


def read_label_studio(data: list[Any], path: Path, annotator: str | None, rate: float | None) -> list[AnnotationAct]:
    """Return the acts of an export; `rate` is the frame rate of videos whose task states none.

    A skipped task is no annotation. `DataError` where a task is not as Label Studio writes it.
    """
    found = []
    for number, task in enumerate(data, start=1):
        where = f"task {number}"
        if not isinstance(task, dict) or not isinstance(task.get("data"), dict):
            raise DataError(f"{where} is no task of Label Studio", path, EXPORT_JSON)
        facts = task["data"]
        media = next((facts[name] for name in ("media", "video") if isinstance(facts.get(name), str)), "")
        video = facts.get("video_id") or next(iter(ids_of([media], path).values()), "")
        own_rate = facts.get("frame_rate", rate)
        annotations = task.get("annotations")
        if not isinstance(annotations, list):
            raise DataError(f"{where} has no list of annotations", path, EXPORT_JSON)
        for one in annotations:
            if not isinstance(one, dict) or not isinstance(one.get("result"), list):
                raise DataError(f"an annotation of {where} has no result", path, EXPORT_JSON)
            if one.get("was_cancelled"):
                continue
            spans, texts = _said(one["result"], own_rate, path, where)
            duration, spent = facts.get("duration"), one.get("lead_time")
            more = {"media": media, "duration": duration, "seconds_spent": spent, "tool": TOOL}
            who = annotator or who_annotated(one, path, where)
            more["anomalous"] = bool(spans)  # it was submitted as it stands
            found.append(act_of(path, str(video), who, spans, texts, t=str(one.get("created_at") or ""), **more))
    return found


def _task(act: AnnotationAct, rate: float) -> dict[str, Any]:
    facts = {"video": act.media or f"{act.video}.mp4", "video_id": act.video, "frame_rate": rate}
    if act.duration is not None:
        facts["duration"] = act.duration
    task: dict[str, Any] = {"data": facts}
    result = list(_result(act, rate))
    if result:
        task["predictions"] = [{"model_version": act.annotator, "result": result}]
    return task


def _result(act: AnnotationAct, rate: float) -> Iterator[dict[str, Any]]:
    for number, moment in enumerate(act.moments, start=1):
        first, last = frames_of(moment.start, moment.end, rate)
        value = {"ranges": [{"start": first, "end": last}], "timelinelabels": [MOMENT]}
        yield {
            "id": f"m{number}",
            "from_name": "moments",
            "to_name": "video",
            "type": "timelinelabels",
            "value": value,
        }
    for name, text in field_texts(act).items():
        yield {
            "id": name,
            "from_name": name,
            "to_name": "video",
            "type": "textarea",
            "value": {"text": [text]},
        }


def _said(
    result: Sequence[Any], rate: object, path: Path, where: str
) -> tuple[list[tuple[float, float]], dict[str, str]]:
    """Return the spans in seconds and the texts by field of an annotation's result."""
    spans, texts = [], {}
    for region in result:
        try:
            kind, value = region["type"], region["value"]
            if kind == "timelinelabels":
                frames = [(one["start"], one["end"]) for one in value["ranges"]]
            elif kind == "textarea":
                texts[str(region["from_name"])] = "\n".join(map(str, value["text"]))
            elif kind == "choices":
                texts[str(region["from_name"])] = str(value["choices"][0])
        except (TypeError, KeyError, IndexError) as error:
            what = f"a result of {where} is not as Label Studio writes it ({error})"
            raise DataError(what, path, EXPORT_JSON) from None
        if kind != "timelinelabels":
            continue
        if not isinstance(rate, int | float) or isinstance(rate, bool) or not rate > 0:
            what = f"{where} states no frame rate, and its moments are in frames"
            raise DataError(what, path, "say that of the labelling configuration with --frame-rate")
        for first, last in frames:
            if not (isinstance(first, int) and isinstance(last, int) and 1 <= first <= last):
                what = f"{where} has frames {first!r:.20} to {last!r:.20}, and frames are counted from 1"
                raise DataError(what, path, "mend the region in Label Studio")
            spans.append(seconds_of(first, last, rate))
    return spans, texts


def who_annotated(one: Mapping[str, Any], path: Path, where: str) -> str:
    """Return who made an annotation of an export; `DataError` where it does not say."""
    by = one.get("completed_by")
    name = by.get("email") or by.get("id") if isinstance(by, dict) else by
    if not name:
        raise DataError(f"{where} does not say who annotated it", path, "name the annotator with --annotator")
    return str(name)


def _config() -> str:
    """Return the labelling configuration, whose frame rate is each task's own."""
    areas = "\n".join(
        f'  <Header value="{name.replace("_", " ")}"/>\n'
        f'  <TextArea name="{name}" toName="video" maxSubmissions="1" editable="true"/>'
        for name in FIELDS
    )
    return (
        "<View>\n"
        f'  <TimelineLabels name="moments" toName="video"><Label value="{MOMENT}"/></TimelineLabels>\n'
        '  <Video name="video" value="$video" frameRate="$frame_rate" timelineHeight="120"/>\n'
        f"{areas}\n</View>\n"
    )
