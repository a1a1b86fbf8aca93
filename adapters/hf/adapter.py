"""Any vision language model of transformers, as `hf:ID` or `hf:FOLDER`: our frames, its processor, its chat template.

Knows how a family's settings (`families`) and a user's options become frames and what goes with them; leaves the model
to `multimodal`. Importing this module imports no torch.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ecva_bench.answering import Adapter
from ecva_bench.checkpoints.files import read_json_object
from ecva_bench.checkpoints.finding import LANGUAGE_MODEL, Checkpoint, find_checkpoint
from ecva_bench.checkpoints.remote_code import check_code_is_here
from ecva_bench.errors import AdapterError, UsageError
from ecva_bench.tasks import about_times
from ecva_bench.torchvision import ensure_torchvision
from ecva_bench.untrusted import say

from ..parts.media.frames import image_parts, uneven
from ..parts.options import choice, count, positive
from ..parts.seeds import seed_of
from .families import UNLISTED, Family, changed, family_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecva_bench.video import Frames, Video

    from ..parts.placement import Placement
    from .multimodal import Multimodal, VideoInput

FILES = (*LANGUAGE_MODEL, "*.ttf", "*.otf")
BATCH = 8  # questions answered at the same time
WORDS = 512  # most tokens of an answer


class Hf(Adapter):
    """A model of transformers that reads pictures and writes, asked in batches of a video's questions.

    Options, as strings: `model_path`, where the weights lie, in place of the name's own; `frames`, the number or, for a
    rule by time, the most; `fps`, frames a second; `max_pixels` of a frame; `input` (video, images); `max_new_tokens`;
    `temperature`, 0 (greedily) unless answers are to be drawn, one by one; `times` (words, none), whether each frame's
    second is written behind the video as LLaVA-Video's authors do, where the family is not told it: unless told, for
    tasks about times of a family that is told no times; `thinking` (yes, no), whether it thinks aloud before it
    answers, where its chat template has a switch for that;
    `dtype`, `device` and `quantize` as of `Composed`; `trust_remote_code=yes` to run code that lies beside the
    weights. Nothing is read before it is needed; `AdapterError` where something is not as it should be.
    """

    scheme = True
    immaterial = frozenset({"device"})  # what of it matters, the description says

    def __init__(
        self,
        *,
        target: str,
        model_path: str = "",
        frames: str = "",
        fps: str = "",
        max_pixels: str = "",
        input: str = "",
        max_new_tokens: str = "",
        temperature: str = "",
        times: str = "",
        thinking: str = "",
        dtype: str = "auto",
        device: str = "auto",
        quantize: str = "",
        trust_remote_code: str = "no",
    ) -> None:
        self._name = model_path or target
        self._frames = count("frames", frames) if frames else None
        self._fps = positive("fps", fps) if fps else None
        self._max_pixels = count("max_pixels", max_pixels) if max_pixels else None
        self._input = choice("input", input, ("video", "images")) if input else ""
        self._max_new_tokens = count("max_new_tokens", max_new_tokens) if max_new_tokens else WORDS
        self._temperature = positive("temperature", temperature, zero=True) if temperature else 0.0
        self._times = choice("times", times, ("words", "none")) if times else ""
        if self._times == "none":  # as before there were words: what they are is with the prompts of tasks about times
            self.immaterial |= {"times"}
        self._thinking = choice("thinking", thinking, ("yes", "no")) if thinking else ""
        self._wanted = (device, dtype, quantize)
        self._trusted = choice("trust_remote_code", trust_remote_code, ("no", "yes")) == "yes"
        self._shown: tuple[Video, VideoInput] | None = None

    @cached_property
    def checkpoint(self) -> Checkpoint:
        """The weights, found or downloaded."""
        files = (*FILES, "*.py") if self._trusted else FILES
        found = find_checkpoint(self._name, files=files, download=True, option="--model-path")
        if self._trusted:
            check_code_is_here(found.folder)
        return found

    def training_file(self) -> Path | None:
        """Return the record of the model's training, where one lies beside its weights."""
        return self.checkpoint.training_file

    @cached_property
    def kind(self) -> str:
        """The `model_type` of the checkpoint's configuration, by which families are told apart."""
        config = read_json_object(self.checkpoint.folder / "config.json")
        return str(config.get("model_type", ""))

    @cached_property
    def family(self) -> Family:
        """The settings of the model's family, changed by the options."""
        family = family_of(self.kind)
        pixels = family.pixels
        if self._max_pixels:
            if pixels is None:
                remedy = "leave max_pixels out, or give fewer frames"
                raise UsageError(f"frames have one size in the family {self.kind!r}", self.checkpoint.name, remedy)
            pixels = {**pixels, "most": self._max_pixels, "least": min(pixels["least"], self._max_pixels)}
        changed_family = replace(
            family,
            input=self._input or family.input or _input_of(self.checkpoint.folder),
            frames=changed(family.frames, self._frames, self._fps),
            pixels=pixels,
            asked_times=self._times,
        )
        if self._times and not changed_family.takes_words:
            what = f"the family {self.kind!r} is told each frame's second already"
            raise UsageError(what, self.checkpoint.name, "leave times out")
        return changed_family

    @cached_property
    def placement(self) -> Placement:
        """Where the model is put, and as what numbers."""
        from ..parts.placement import place

        device, dtype, quantize = self._wanted
        if quantize and self.quantized:  # transformers would leave them as they are
            what = f"the checkpoint's weights are quantised already ({self.quantized})"
            raise UsageError(what, self.checkpoint.name, "leave quantize out")
        return place(device, dtype, quantize)

    @cached_property
    def quantized(self) -> str:
        """The method by which the checkpoint itself is quantised; nothing where it is not."""
        own = read_json_object(self.checkpoint.folder / "config.json").get("quantization_config")
        return str(own.get("quant_method") or "yes") if isinstance(own, dict) else ""

    @cached_property
    def model(self) -> Multimodal:
        """The model with its processor, loaded once."""
        if ensure_torchvision() == "absent" and self.family.input == "video":
            what = "transformers needs torchvision for models that take videos"
            raise AdapterError(what, self.checkpoint.name, "run pip install 'ecva-bench[vision]'")
        from .multimodal import Multimodal

        return Multimodal(
            self.checkpoint.folder,
            self.placement,
            trusted=self._trusted,
            thinking=self._thinking,
            text_behind=self.family.text_behind,
        )

    @classmethod
    def of_settings(cls, target: str) -> Self:
        """Return a model of which only the settings are there, fetched where it is one of the hub."""
        from .settings import find_settings

        known = cls(target=target)
        known.__dict__["checkpoint"] = find_settings(target)  # in place of the weights, which are found when asked for
        return known

    @classmethod
    def target_rows(cls, target: str) -> list[tuple[str, str]]:
        """Return what the models of the target's family are shown; of a hub id only its settings are fetched."""
        known = cls.of_settings(target)
        return [("family", known.kind), *known.family.rows()]

    def load(self) -> None:
        """Load the model; say it where its family's settings are not its own."""
        self.say_unlisted()
        _ = self.model

    def say_unlisted(self) -> None:
        """Say on the screen what a family that is not listed is shown."""
        if not self.family.listed:
            shown = f"{self.family.frames} as {self.family.input}"
            say(f"{self.checkpoint.name}: the family {self.kind!r} is {UNLISTED} ({shown})", error=True)

    def describe(self) -> dict[str, Any]:
        """Return checkpoint with revision, numbers, frames and generation; no weights are loaded."""
        return {
            **self.placement.describe(),  # first: a device that is not there is refused before weights are fetched
            "checkpoint": f"{self.checkpoint.name}@{self.checkpoint.revision}",
            "family": self.kind,
            **({"quantize": self.quantized} if self.quantized else {}),
            **self.family.describe(),
            **({"text_behind": True} if self.family.text_behind and self.family.input == "video" else {}),
            "generation": {**self._drawing, "max_new_tokens": self._max_new_tokens, **self.thinks},
            "trust_remote_code": self._trusted,
        }

    @property
    def _drawing(self) -> dict[str, Any]:
        return {"policy": "sampling", "temperature": self._temperature} if self._temperature else {"policy": "greedy"}

    @property
    def deterministic(self) -> bool:
        """Whether it answers greedily."""
        return not self._temperature

    @property
    def answers_jointly(self) -> bool:
        """Whether questions are answered together: those that are drawn are answered one by one."""
        return super().answers_jointly and not self._temperature

    @property
    def thinks(self) -> dict[str, str]:
        """What of thinking aloud was asked for, as part of a description."""
        return {"thinking": self._thinking} if self._thinking else {}

    def frame_indices(self, video: Video) -> NDArray[np.int64]:
        """Return the indices the frame rule gives for a video."""
        return self.family.indices(video.positions)

    def asked_with(self, task: str) -> dict[str, str]:
        """Return the words for each frame's second, where tasks about times alone are asked with them."""
        words = self.family.words_about_times if about_times([task]) else None
        return {"times": words.text} if words else {}

    def notes(self, tasks: Collection[str]) -> Sequence[str]:
        """Say how a model whose template tells no times is asked tasks about times."""
        asked, family = " and ".join(about_times(tasks)), self.family
        if not asked or not family.untimed or family.words:
            return ()
        known = "does not tell" if family.times == "none" else "is not known to tell"
        why = f"the chat template of {self.checkpoint.name} {known} when a frame was"
        if family.words_about_times:
            what = f"each frame's second is written behind the video for {asked}"
            return (f"{why}: {what} (--model-arg times=none leaves it out)",)
        return (f"{why}, nor is it written (times=none): answers to {asked} are guesses",)

    def warnings(self, video: Video) -> Sequence[str]:
        """Say where a family that is told one number of seconds between frames is shown frames at uneven times."""
        needs_even_times = self.family.input == "video" and self.family.interval
        return uneven(video, self.frame_indices(video)) if needs_even_times else ()

    def answer(self, video: Video, question: str) -> str:
        """Return the model's answer to one question."""
        return self.answer_many(video, [question])[0]

    def answer_many(self, video: Video, questions: Sequence[str]) -> list[str]:
        """Return the model's answers, the video being encoded once, also over several calls in a row."""
        shown = self._look(video)
        if self._temperature:
            drawn = ((question, seed_of(video, question)) for question in questions)
            return [self.model.draw(shown, one, self._max_new_tokens, self._temperature, seed) for one, seed in drawn]
        answers: list[str] = []
        for start in range(0, len(questions), BATCH):
            answers += self.model.ask(shown, questions[start : start + BATCH], self._max_new_tokens)
        return answers

    def first_token_probabilities(self, video: Video, question: str, words: Sequence[str]) -> list[float]:
        """Return how probable it is that the answer begins with each of some words."""
        return self.model.word_probabilities(self._look(video), question, words, self.checkpoint.name)

    def _video_parts(self, frames: Frames, video: Video) -> list[dict[str, Any]]:
        """Return the parts of a message that show a video as one, with each frame's second behind it where asked."""
        words = self.family.words
        told = [{"type": "text", "text": words.of(frames.positions, video.duration)}] if words else []
        return [{"type": "video"}, *told]

    def _look(self, video: Video) -> VideoInput:
        """Return what is shown of a video; the frames are asked for every time, so that it is recorded which."""
        from .multimodal import VideoInput

        frames = video.frames_at(self.frame_indices(video))
        if self._shown is None or self._shown[0] is not video:
            pictures: list[dict[str, Any]] = [{"type": "image"}] * len(frames)
            words = self.family.words_about_times
            shown = VideoInput(
                pixels=frames.pixels.copy(),  # processors want an array that may be written to
                seconds=frames.positions,
                rate=video.frame_rate,
                total=video.n_frames,
                duration=video.duration,
                parts=self._video_parts(frames, video)
                if self.family.input == "video"
                else image_parts(frames, video, pictures),
                options=self.family.options(len(frames), video.duration),
                words=words.of(frames.positions, video.duration) if words else "",
            )
            self._shown = (video, shown)
        return self._shown[1]


def _input_of(folder: Path) -> str:
    """Return what a checkpoint's processor takes, by its files: a video, or else images."""
    if (folder / "video_preprocessor_config.json").is_file():
        return "video"
    return (
        "video" if "video_processor" in read_json_object(folder / "processor_config.json", optional=True) else "images"
    )
