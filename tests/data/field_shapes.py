"""Annotation files in the shapes of the field's data sets. Every row is made up; only names of columns are theirs."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping
from pathlib import Path

VAU = (
    *("Video Name", "Question", "Option 1", "Option 2", "Option 3", "Option 4", "Correct Option", "Key Object"),
    *("Description", "Reasoning", "Anomaly Class", "Start Time", "End Time"),
)
NOTHING = ("-1",) * 10  # what stands where a video has no annotation


def vau_row(name: str, key: str = "A", kind: str = "Fire", start: str = "1.0", end: str = "3.0") -> tuple[str, ...]:
    options = ("a pan burns", "a dog barks", "it rains", "nothing happens")
    return (name, f"What happens in {name}?", *options, key, "pan", f"In {name} a pan burns.", "Nobody watched it.",
            kind, start, end)  # fmt: skip


def table(folder: Path, name: str, *rows: tuple[str, ...], delimiter: str = ",") -> Path:
    path = folder / name
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)
    return path


def written(folder: Path, name: str, value: object) -> Path:
    path = folder / name
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def lines(folder: Path, name: str, *values: object) -> Path:
    path = folder / name
    path.write_text("".join(f"{json.dumps(value)}\n" for value in values), encoding="utf-8")
    return path


def vau_bench(folder: Path) -> Path:
    return table(folder, "test.csv", VAU, vau_row("14.mp4", end="102.0"), vau_row("Fire_1.mp4", "B. a dog barks"),
                 vau_row("calm_1.mp4", kind="Normal", start="0.0", end="0.0"),
                 ("empty_1.mp4", *NOTHING, "-1.0", "-1.0"))  # fmt: skip


def hivau(folder: Path) -> Path:
    def row(kind: str, task: str, name: str, text: str) -> dict[str, object]:
        return {
            "id": 0,
            "type": kind,
            "task": task,
            "video": f"ucf-crime/{kind}s/test/{name}",
            "prompt": "…",
            "anwser": text,
        }

    return lines(
        folder, "instructions.jsonl",
        row("clip", "caption", "a_E0C0.mp4", "A man runs."), row("clip", "caption", "a_E0C0.mp4", "A man runs."),
        row("event", "judgement", "a_E0.mp4", "An anomaly exists, specifically a theft."),
        row("event", "analysis", "a_E0.mp4", "It is a theft because he takes a bag."),
        row("video", "judgement", "b.mp4", "No anomaly exists in the video."),
        row("video", "judgement", "c.mp4", "Judge for yourself."), row("video", "description", "c.mp4", "A street."),
    )  # fmt: skip


def hivau_raw(folder: Path) -> Path:
    def video(label: list[str], split: dict[str, str]) -> dict[str, object]:
        return {"n_frames": 90, "fps": 30.0, "label": label, "events": [[0.5, 1.5], [2.0, 2.5]], "clips": [],
                "clips_caption": [], "events_summary": [], "video_summary": "…", "events_summary_split": [],
                "video_summary_split": split}  # fmt: skip

    said = {"judgement": "An anomaly exists.", "description": "He takes a bag.", "analysis": "It is not his."}
    return written(folder, "database_test.json", {"a_x264": video(["Stealing"], said), "b_x264": video([], {})})


def uca(folder: Path) -> Path:
    one = {"duration": 9.0, "timestamps": [[0.5, 2.0], [2.0, 3.5]], "sentences": ["A car comes.", " It stops."]}
    uneven = {"duration": 9.0, "timestamps": [[0.5, 2.0]], "sentences": ["A car comes.", "It stops."]}
    return written(folder, "sentences.json", {"a_x264": one, "b_x264": {**one, "duration": 5.0}, "c_x264": uneven})


def dota(folder: Path) -> Path:
    def clip(kind: str) -> dict[str, object]:
        return {"video_start": 1, "video_end": 40, "anomaly_start": 10, "anomaly_end": 25, "anomaly_class": kind,
                "num_frames": 40, "subset": "val"}  # fmt: skip

    return written(folder, "metadata.json", {"a_1": clip("ego: turning"), "b_2": clip("other: falling")})


def smarthome(folder: Path) -> Path:
    head = ("Title", "Category", "Anomaly Tag", "Video Description", "Reasoning behind Normality/Anomalies")
    return table(folder, "annotation.csv", head, ("s_1", "Pets", "Normal", "A cat sleeps.", "Cats sleep."),
                 ("s_2", "Pets", "Abnormal", "A cat opens a door.", "Cats do not."),
                 ("s_3", "Pets", "Vague Abnormal", "A cat looks.", "It may be."))  # fmt: skip


def trafficqa(folder: Path) -> Path:
    head = ["record_id", "vid_id", "vid_filename", "perspective", "q_body", "q_type", "option0", "option1", "option2",
            "option3", "answer"]  # fmt: skip
    return lines(folder, "questions.jsonl", head,
                 [1, 7, "a.mp4", 1, "How many cars?", "U", "one", "", "two", "", 2],
                 [2, 7, "a.mp4", 1, "Does it rain?", "U", "yes", "no", "", "", 1],
                 [3, 8, "b.mp4", 1, "Does it snow?", "U", "yes", "no", "", "", 2])  # fmt: skip


def tar(folder: Path) -> Path:
    items = [
        {"item_id": f"i{n}", "video_id": "set/a.mp4", "question": f"Is it {n}?", "answer": answer, "reasoning": "…"}
        for n, answer in enumerate(("Yes", "No"))
    ]
    return written(folder, "bcq.json", {"metadata": {"task": "bcq"}, "items": items})


def ucf_txt(folder: Path) -> Path:
    path = folder / "times.txt"
    path.write_text("Fire1_x264.mp4  Arson  30  60  -1  -1\nStreet2_x264.mp4  Normal  -1  -1  -1  -1\n")
    return path


def ucf_json(folder: Path) -> Path:
    def video(name: str, label: list[int], said: str) -> dict[str, object]:
        return {"video": name, "temporal_label": label, "length": 120, "QA": [{"q": "Is there any?", "a": said}]}

    return written(folder, "eval.json", [video("frames/Arson/Fire1_x264.mp4", [30, 60, 75, 90], "Yes."),
                                         video("frames/Normal/Street2_x264.mp4", [-1, -1, -1, -1], "No.")])  # fmt: skip


def xd_txt(folder: Path) -> Path:
    path = folder / "annotations.txt"
    path.write_text("v=x__#1_label_B2-G-0 24 48 60 72\nv=y__#1_label_G-0-0.mp4 12 36\n")
    return path


def xd_json(folder: Path) -> Path:
    def video(name: str, label: list[int], length: int, said: str) -> dict[str, object]:
        return {"video": name, "temporal_label": label, "length": length, "label": said}

    return written(folder, "labels.json", [video("v=x__#1_label_B2-G-0.mp4", [24, 48, 60, 72], 0, "1"),
                                           video("film__#00_label_A", [-1, -1], 90, "0"),
                                           video("v=x__#1_label_B2-G-0", [-1, -1], 99, "0")])  # fmt: skip


# The name of each set, and what writes a file in its shape.
SHAPES: Mapping[str, tuple[str, Callable[[Path], Path]]] = {
    "vau-bench": ("vau-bench", vau_bench),
    "hivau-70k": ("hivau-70k", hivau),
    "hivau-70k raw": ("hivau-70k", hivau_raw),
    "uca": ("uca", uca),
    "dota": ("dota", dota),
    "smarthome-bench": ("smarthome-bench", smarthome),
    "sutd-trafficqa": ("sutd-trafficqa", trafficqa),
    "tar": ("tar", tar),
    "ucf-crime": ("ucf-crime", ucf_txt),
    "ucf-crime by VERA": ("ucf-crime", ucf_json),
    "xd-violence": ("xd-violence", xd_txt),
    "xd-violence by VERA": ("xd-violence", xd_json),
}
