"""What every family with a processor for videos must do, and the tables of those that do it, short and long.

`python -m tests.adapters.conformance` writes those of `README.md` and of `docs/guides/families.md` anew.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import av
import numpy as np

from ecva_bench.adapters.hf.adapter import Hf
from ecva_bench.adapters.hf.families import family_of
from ecva_bench.answering import Question, create_adapter
from ecva_bench.torchvision import ensure_torchvision
from ecva_bench.video import Video

ensure_torchvision()

from transformers.models.auto import modeling_auto, video_processing_auto  # noqa: E402

from tests.adapters import tiny_families, tiny_hf  # noqa: E402

README = Path(__file__).resolve().parents[2] / "README.md"
PAGE = README.parent / "docs" / "guides" / "families.md"
BEGIN = "<!-- written by `python -m tests.adapters.conformance` -->\n"
END = "<!-- end of the table -->\n"
QUESTIONS = ("Why?", "What does the accident lead to, and when does it end?")
WHEN = Question("When?", task="timestamp", unit="seconds")
RATE, SECONDS = 10, 6
# What those that pass are told of time, by `Family.times`; else in the prompt, or on the frames.
TOLD = {
    "interval": "they are told the seconds between frames",
    "none": "nothing in their prompt tells times, so tasks about times come with each frame's second in words",
}
# Families that do not pass, each with the reason.
NOT_PASSED = {
    "instructblip": "it reads one image and has no chat template",
    "instructblipvideo": "it has no chat template, and its processor takes the video as `images`",
}
# How a family writes seconds, and of how many frames together; else `SPELT`.
SPELT = r"(\d+\.\d+) ?s(?:econds)?\b"
WRITTEN: dict[str, tuple[str, int]] = {
    **dict.fromkeys(("qwen3_vl", "qwen3_vl_moe", "qwen3_5", "qwen3_5_moe", "qwen4_exp", "cosmos3_omni"), (SPELT, 2)),
    **dict.fromkeys(("lfm3_vl", "cohere_compass", "glm46v", "glmga", "glm5_next"), (SPELT, 2)),
    **dict.fromkeys(("minimax_m3_vl", "muse_glimmer", "muse_spark"), (SPELT, 2)),
    "glm4v": (r"<\|end_of_image\|>(\d+)", 2),
    "molmo2": (r"(\d+\.\d) <frame_start>", 1),
    "smolvlm": (r"from (\d\d:\d\d):", 1),
    "kimi_k25": (r"(\d\d:\d\d:\d\d\.\d+)<", 4),
    "gemma4": (r"(\d\d:\d\d) <boi>", 1),
    "gemma4_unified": (r"(\d\d:\d\d) <boi>", 1),
}
# Families whose times stand in a sentence of their own, one for each frame.
ONE_BY_ONE = {
    "video_llama_3": r"Time (\d+\.\d)s:",
    "nemotron_h_omni": r"sampled at (\d+\.\d\d) seconds",
}
NEAR = 0.06  # seconds that a time told may be off by
_MAKERS: dict[str, Callable[[], tuple[Any, Any]]] = {**tiny_hf.FAMILIES, **tiny_families.FAMILIES}


def families() -> list[str]:
    """Return every `model_type` of transformers that writes about videos: it has a processor for them."""
    writing = modeling_auto.MODEL_FOR_MULTIMODAL_LM_MAPPING_NAMES
    return sorted(name for name in video_processing_auto.VIDEO_PROCESSOR_MAPPING_NAMES if name in writing)


def write_clip(path: Path, width: int, height: int, count: int) -> Path:
    """Encode a square that moves over noise."""
    random = np.random.default_rng(1)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"threads": "1"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(count):
            picture = random.integers(90, 120, (height, width, 3), dtype=np.uint8)
            picture[8:24, number % (width - 8) : number % (width - 8) + 8] = 255 - number
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


def clips(folder: Path) -> dict[str, Path]:
    """Write a clip of six seconds, one of one frame, and one five times as high as wide."""
    sizes = {"plain": (64, 48, RATE * SECONDS), "single": (64, 48, 1), "tall": (32, 160, 20)}
    return {name: write_clip(folder / f"{name}.mp4", *size) for name, size in sizes.items()}


def checkpoint(folder: Path, family: str) -> Path:
    """Save the family's tiny model."""
    return tiny_hf.save(folder, *_MAKERS[family]())


@dataclass(frozen=True)
class Asked:
    """What a family's tiny model was shown and told of the clip of six seconds, and what it answered.

    `due` are the least and the most that each number of `told` may be. `step` is the distance between two frames, None
    where the rule has a number of frames only. `others` are the answers about the other clips.
    """

    listed: bool
    frames: list[int]
    count: int
    step: float | None
    told: list[float]
    due: list[tuple[float, float]]
    one_by_one: list[str]
    together: list[str]
    others: dict[str, str]


def ask(family: str, folder: Path, videos: dict[str, Path]) -> Asked:
    """Ask a family's tiny model about the clips, and return what it was shown and told with what its settings say."""
    small = {"max_pixels": "1024"} if family_of(family).pixels else {}
    adapter = create_adapter(f"hf:{folder}", {"max_new_tokens": "4", "device": "cpu", **small})
    if not isinstance(adapter, Hf):
        raise TypeError(type(adapter))
    plain = Video(videos["plain"])
    seen: list[dict[str, Any]] = []
    asked = adapter.model.inputs
    adapter.model.inputs = lambda *given: (seen.append(asked(*given)), seen[-1])[1]  # type: ignore[method-assign]
    one_by_one = [adapter.answer(plain, question) for question in QUESTIONS]
    text = adapter.model.processor.tokenizer.decode(seen[0]["input_ids"][0])
    together = adapter.answer_many(plain, QUESTIONS)
    frames = [int(index) for index in adapter.frame_indices(plain)]
    told, due = _times(adapter, plain, text, seen[0])
    others = {name: adapter.answer(Video(path), QUESTIONS[0]) for name, path in videos.items() if name != "plain"}
    count, step = _frames_of_rule(adapter.family.frames)
    return Asked(adapter.family.listed, frames, count, step, told, due, one_by_one, together, others)


def _frames_of_rule(rule: Mapping[str, Any]) -> tuple[int, float | None]:
    """Return how many frames, and how far apart, a rule's numbers mean for a clip of even times."""
    if "fps" not in rule:
        return int(rule["count"]), None
    count = min(rule.get("cap", 10**6), int(SECONDS * rule["fps"]))
    if count < (least := rule.get("least", 1)):
        return least, (RATE * SECONDS - 1) / (least - 1)
    return count, RATE / rule["fps"]


def _times(
    adapter: Hf, video: Video, text: str, inputs: dict[str, Any]
) -> tuple[list[float], list[tuple[float, float]]]:
    """Return what the prompt, or what goes with it, says of time, and what it may say of the frames shown.

    Of times that are drawn: how much a pixel changes where the clip is a minute later. Of families that are told none:
    what a question about times is asked with, where others are asked without.
    """
    seconds = [float(second) for second in video.positions[adapter.frame_indices(video)]]
    kind, times = adapter.kind, adapter.family.times
    if kind in ONE_BY_ONE:
        return [float(value) for value in re.findall(ONE_BY_ONE[kind], text)], [_about(second) for second in seconds]
    if times in {"seconds", "mm:ss", "hh:mm:ss"}:
        pattern, together = WRITTEN.get(kind, (SPELT, 1))
        coarse = 1 if times == "mm:ss" or kind == "glm4v" else NEAR
        groups = [seconds[start : start + together] for start in range(0, len(seconds), together)]
        told = [_seconds(value) for value in re.findall(pattern, text)]
        return told, [(group[0] - coarse, group[-1] + NEAR) for group in groups]
    if times == "interval":
        found = next(inputs[name] for name in ("second_per_grid_ts", "video_second_per_grid") if name in inputs)
        return [float(found[0])], [_about(2 * float(np.diff(seconds).mean()))]
    if times == "drawn":
        shown = replace(adapter._look(video), seconds=np.array(seconds) + 60)
        adapter.model._turn_to(shown)
        later = adapter.model.inputs(shown, QUESTIONS[0])["pixel_values_videos"]
        change = float((later - inputs["pixel_values_videos"]).abs().max())
        return [change], [(float(np.nextafter(0, 1)), np.inf)]
    if unwanted := re.findall(r"\d\.\d|\d\d:\d\d|second", text.split(QUESTIONS[0])[0]):
        return [np.nan for _ in unwanted], []
    timed = adapter.model.processor.tokenizer.decode(adapter.model.inputs(adapter._look(video), WHEN)["input_ids"][0])
    return [float(value) for value in re.findall(r"(\d+\.\d\d)s\b", timed)], [_about(second) for second in seconds]


def _about(seconds: float) -> tuple[float, float]:
    return seconds - NEAR, seconds + NEAR


def _seconds(written: str) -> float:
    """Return the seconds of `12.5`, `00:12` or `00:00:12.500`."""
    total = 0.0
    for part in written.split(":"):
        total = total * 60 + float(part)
    return total


def table() -> str:
    """Return the rows of every family, those that are shown the same in one."""
    rows: dict[tuple[str, str], list[str]] = {}
    for name in families():
        if name not in NOT_PASSED:
            settings = dict(family_of(name).rows())
            rows.setdefault((settings["frames"].removeprefix("rule "), settings["times"]), []).append(f"`{name}`")
    lines = ["| families that pass | frames | times |", "| --- | --- | --- |"]
    lines += [f"| {', '.join(names)} | {frames} | {times} |" for (frames, times), names in rows.items()]
    lines += ["", "| families that do not | why |", "| --- | --- |"]
    lines += [f"| `{name}` | {why} |" for name, why in NOT_PASSED.items()]
    count = len(families())
    return f"{count - len(NOT_PASSED)} of {count} families pass.\n\n" + "\n".join(lines) + "\n"


def short_table() -> str:
    """Return a row for the families that are told of time in the same way, and one for those that do not pass."""
    groups: dict[str, list[str]] = {}
    for name in families():
        if name not in NOT_PASSED:
            groups.setdefault(TOLD.get(family_of(name).times, ""), []).append(f"`{name}`")
    lines = [f"| of {len(families())} families | which |", "| --- | --- |"]
    for told in ("", *TOLD.values()):
        how = told or "their prompt or their frames tell each frame's time"
        lines.append(f"| {len(groups[told])} pass; {how} | {', '.join(groups[told])} |")
    failed = "; ".join(f"`{name}`: {why}" for name, why in NOT_PASSED.items())
    return "\n".join([*lines, f"| {len(NOT_PASSED)} do not | {failed} |"]) + "\n"


def page_with(text: str, part: str) -> str:
    """Return a page with its table replaced."""
    before, _, rest = text.partition(BEGIN)
    return before + BEGIN + part + END + rest.partition(END)[2]


if __name__ == "__main__":
    for page, part in ((README, short_table()), (PAGE, table())):
        page.write_text(page_with(page.read_text(encoding="utf-8"), part), encoding="utf-8")
