"""How the models of a family are shown a video: settings that are data (`families.json`), and what follows from them.

Knows rules of frames, bounds of pixels and what a prompt tells of time; no checkpoint and no network.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecva_bench.untrusted import parse_json
from ecva_bench.video import samplers

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FAMILIES = Path(__file__).with_name("families.json")
UNLISTED = "not listed: shown a default, which may not be its authors'"
_TIMES = {
    "seconds": "in the prompt, in seconds",
    "mm:ss": "in the prompt, in minutes and whole seconds",
    "hh:mm:ss": "in the prompt, in hours, minutes and seconds",
    "interval": "the seconds between frames, as numbers beside the prompt",
    "drawn": "drawn on the frames",
    "none": "none; in words, for tasks about times",
    "unknown": "not known; in words, for tasks about times",
}


@dataclass(frozen=True)
class TimeWords:
    """How each frame's second is written behind a video: a `text` with `times`, each as `time`, `between` them."""

    source: str
    text: str
    time: str
    between: str

    def of(self, seconds: NDArray[np.float64], duration: float) -> str:
        """Return the words for frames at some seconds of a video of a duration in seconds."""
        times = self.between.join(self.time.format(seconds=second) for second in seconds)
        return self.text.format(duration=duration, count=len(seconds), times=times)


@dataclass(frozen=True)
class Family:
    """How the models of a family are shown a video.

    frames: the frame rule, a sampler's name as `rule` and what it takes, and `least`, the number of frames below which
    as many are spread evenly. input: a video, or images, each after its time. pixels: the `least` and the `most` of a
    frame, and what the processor's own bounds are `of`, a frame or the whole video; None where the family's frames have
    one size. processor, images: further options of its processor for videos, and for images. config: what replaces
    settings of the checkpoint's configuration, which an engine's own processor reads. interval: it is told one number
    of seconds between frames, not each frame's, or it is not known. rate: that number comes from the frames a second,
    which its processor must be told. text_behind: a text after the video begins behind its last moment in the model's
    positions, where transformers has it begin earlier. times: how the prompt tells when a frame was: each frame's
    `seconds`, `mm:ss` or `hh:mm:ss`, one `interval`, `drawn` on the frame, `none`, or `unknown`. source: whose settings
    these are. listed: whether they are this family's own. authors_words: what its authors write of times themselves,
    where the template has none. own_code: whether transformers lacks it, and its checkpoints bring their code.
    asked_times: what a user asked of words for each frame's second behind the video: `words` for every question,
    `none` for none; empty for those about times, where nothing else tells them.
    """

    source: str
    frames: dict[str, Any]
    input: str = ""
    pixels: dict[str, Any] | None = None
    processor: dict[str, Any] = field(default_factory=dict)
    images: dict[str, Any] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    interval: bool = False
    rate: bool = False
    text_behind: bool = False
    times: str = "unknown"
    listed: bool = True
    own_code: bool = False
    authors_words: str = ""
    asked_times: str = ""

    def describe(self) -> dict[str, Any]:
        """Return what determines the answers."""
        settings = {"input": self.input, "frames": self.frames, "pixels": self.pixels, "processor": self._processor}
        asked: dict[str, Any] = {"times": self.words.text} if self.words else {}
        asked |= {"config": self.config} if self.config else {}
        return {**settings, **asked, **({} if self.listed else {"settings": UNLISTED})}

    @property
    def untimed(self) -> bool:
        """Whether nothing that is known tells the family when a frame was, not even how far apart frames are."""
        return self.takes_words and self.times != "interval"

    @property
    def takes_words(self) -> bool:
        """Whether nothing tells the family when each frame was."""
        return self.input == "video" and self.times in {"none", "interval", "unknown"}

    @property
    def words(self) -> TimeWords | None:
        """How each frame's second is written behind the video for every question; None where it is not."""
        return _time_words() if self.asked_times == "words" else None

    @property
    def words_about_times(self) -> TimeWords | None:
        """How it is written for questions about times alone; None where it is not, or for every question."""
        return _time_words() if self.untimed and not self.asked_times else None

    def rows(self) -> list[tuple[str, str]]:
        """Return what a reader is told of it: names and texts."""
        rule = ", ".join(f"{name} {value}" for name, value in self.frames.items())
        bound = self.pixels and "{least} to {most} of a frame".format(**self.pixels)
        times = _TIMES[self.times] if self.input == "video" else "each image comes after its second, in words"
        listed = [] if self.listed else [("settings", UNLISTED)]
        return [
            *listed,
            ("input", self.input),
            ("frames", rule),
            ("pixels", bound or "as the processor has them"),
            ("times", times),
            *([("the words", f"{words.text.strip()} ({words.source})")] if (words := self.words_about_times) else []),
            *([("its authors", self.authors_words)] if self.authors_words else []),
            ("source", self.source),
        ]

    @property
    def _processor(self) -> dict[str, Any]:
        """The further options of the processor that apply to what it is given."""
        return self.processor if self.input == "video" else self.images

    def indices(self, positions: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the frames the rule gives for the seconds of all frames, on the timeline shown."""
        rule = dict(self.frames)
        least = rule.pop("least", 1)
        sampler = samplers.get(rule.pop("rule"))
        found = sampler(positions if sampler is samplers.at_fps else len(positions), **rule)
        return found if len(found) >= least else samplers.linspace(len(positions), least)

    def options(self, frames: int, seconds: float | None = None) -> dict[str, Any]:
        """Return the processor's options for so many frames of a video of so many seconds, where these are known."""
        if self.rate and seconds and self.input == "video":
            return {**replace(self, rate=False).options(frames), "fps": frames / seconds}
        if self.pixels is None:
            return dict(self._processor)
        whole = frames if self.pixels["of"] == "video" and self.input == "video" else 1
        size = {"shortest_edge": self.pixels["least"] * whole, "longest_edge": self.pixels["most"] * whole}
        return {"size": size, **self._processor}


def family_of(kind: str) -> Family:
    """Return the settings for a `model_type`, its own or those of every family that is not listed."""
    data = parse_json(FAMILIES.read_text(encoding="utf-8"))
    listed = kind in data["families"]
    return Family(**data["families"][kind] if listed else data["unlisted"], listed=listed)


@cache
def _time_words() -> TimeWords:
    """Return how each frame's second is written behind a video, for a family that is told none."""
    return TimeWords(**parse_json(FAMILIES.read_text(encoding="utf-8"))["time_words"])


def changed(rule: dict[str, Any], frames: int | None, fps: float | None) -> dict[str, Any]:
    """Return a frame rule with `fps` frames a second, if given, and `frames` frames, or at most as many by time."""
    rule = dict(rule)
    if fps:
        rule = {"rule": "at_fps", "fps": fps, **{name: rule[name] for name in ("least", "cap") if name in rule}}
    if frames:
        rule["cap" if rule["rule"] == "at_fps" else "count"] = frames
        if "least" in rule:
            rule["least"] = min(rule["least"], frames)
    return rule
