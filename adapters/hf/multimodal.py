"""A vision language model of transformers with its own processor: from frames and questions to texts.

Knows how a checkpoint is loaded whole, how its processor is asked in its own chat template, and how what does not
depend on the question is computed once per video: the processed pixels and the visual features. Knows no family of
models by name, and no video file: frames come in decoded, and the processor is told not to sample them again.
"""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from numpy.typing import NDArray
from PIL import Image
from transformers.video_utils import VideoMetadata

from ecva_bench.answering import ModelOutput
from ecva_bench.checkpoints.files import reading
from ecva_bench.checkpoints.pretrained import load_pretrained, quiet
from ecva_bench.errors import CheckpointError, OutOfMemory
from ecva_bench.reading.thoughts import opened_by, template_options

from ..parts.language.decoding import decoded
from ..parts.language.generation import config_of
from ..parts.language.loading import TOO_LARGE, quantization
from ..parts.language.policy import Policy
from ..parts.placement import Placement

_untyped: Any = transformers  # much of it has no types

ProcessorInputs = dict[str, Any]


@dataclass(frozen=True, eq=False)
class VideoInput:
    """What a processor is shown of a video.

    pixels: uint8 [T, H, W, 3], RGB. seconds: float64 [T], of the T frames on the timeline shown. rate: frames per
    second of the whole video; total: its number of frames; duration: its seconds. parts: what stands for them in a
    message, one for a video, or one for each frame as an image, with text between. options: of the processor for them.
    """

    pixels: NDArray[np.uint8]
    seconds: NDArray[np.float64]
    rate: float
    total: int
    duration: float
    parts: Sequence[Mapping[str, Any]]
    options: Mapping[str, Any]

    @property
    def metadata(self) -> VideoMetadata:
        """The frames' places in time, as processors read them: seconds are indices over frames a second.

        On a variable frame rate, or after a cut, the places so come out as fractions of a frame; the seconds are right.
        """
        places: list[Any] = [_place(seconds, self.rate) for seconds in self.seconds.tolist()]
        height, width = self.pixels.shape[1:3]
        return VideoMetadata(
            total_num_frames=self.total,
            fps=self.rate,
            width=width,
            height=height,
            duration=self.duration,
            video_backend="pyav",
            frames_indices=places,
        )

    @functools.cached_property
    def arguments(self) -> dict[str, Any]:
        """Return what a processor is called with beside the text."""
        if {"type": "video"} not in self.parts:
            images = [Image.fromarray(frame) for frame in self.pixels]
            return {"images": [images], "images_kwargs": dict(self.options)}
        given = {"video_metadata": [self.metadata], "do_sample_frames": False}
        return {"videos": [self.pixels], "videos_kwargs": {**self.options, **given}}


class Multimodal:
    """A model and its processor, loaded from a folder for inference."""

    def __init__(self, folder: Path, placement: Placement, *, trusted: bool, thinking: str = "") -> None:
        """Load both; code that lies beside the weights is run only where it is `trusted`.

        `thinking` is as of `template_options`. Raises `CheckpointError` where the folder holds another kind of model,
        weights are missing, or there is no chat template, and `UsageError` where that has no switch for thinking.
        """
        with reading("the processor", folder), quiet():
            self.processor = _untyped.AutoProcessor.from_pretrained(folder, trust_remote_code=trusted)
        if not getattr(self.processor, "chat_template", None):
            remedy = "put its authors' chat_template.jinja beside the weights, or take a checkpoint tuned for chat"
            raise CheckpointError("the processor has no chat template", folder, remedy)
        self._template_options = template_options(self.processor.chat_template, thinking)
        self.network = _load(folder, placement, trusted)
        self._device = self.network.get_input_embeddings().weight.device
        self._dtype = placement.dtype
        tokenizer = self._tokenizer = getattr(self.processor, "tokenizer", self.processor)
        self._eos = _ends(self.network, tokenizer)
        self._pad: int = self._eos[0] if tokenizer.pad_token_id is None else tokenizer.pad_token_id
        self.network.generation_config = _untyped.GenerationConfig()
        self._pixels = [_Once(self.processor, name) for name in ("image_processor", "video_processor")]
        self._features = _Features(self.network.base_model)
        self._shown: VideoInput | None = None

    def ask(self, shown: VideoInput, questions: Sequence[str], max_new_tokens: int) -> list[ModelOutput]:
        """Return one answer per question, in order, all generated in one batch, each token the most probable.

        What was computed of `shown` is kept until another is shown. Raises `OutOfMemory`.
        """
        if shown is not self._shown:
            for once in self._pixels:
                once.forget()
            self._features.forget()
            self._shown = shown
        rows = [self.inputs(shown, question) for question in questions]
        inputs = _batch(rows, self._pad)
        policy = Policy(max_new_tokens=max_new_tokens, eos=self._eos, pad=self._pad)
        self._features.expect(rows[0], len(rows))
        try:
            with torch.inference_mode():
                sequences = self.network.generate(**inputs, generation_config=config_of(policy, self._tokenizer))
        except torch.OutOfMemoryError:
            size = "{} questions of {} tokens".format(*inputs["input_ids"].shape)
            remedy = "give frames, max_pixels, quantize or device=spread with --model-arg"
            raise OutOfMemory(f"the model ran out of memory at {size}", str(self._device), remedy) from None
        # A decoder of its own begins with a token that may be one of those that end an answer.
        prompt = 1 if self.network.config.is_encoder_decoder else inputs["input_ids"].shape[1]
        opening = opened_by(self._prompt(shown, questions[0]))
        return [self._answer_of(opening, row) for row in sequences[:, prompt:].tolist()]

    def _answer_of(self, opening: str, ids: list[int]) -> ModelOutput:
        text = opening + decoded(self._tokenizer, ids, self._eos)
        return ModelOutput(text, finish="length" if set(ids).isdisjoint(self._eos) else "stop")

    def inputs(self, shown: VideoInput, question: str) -> ProcessorInputs:
        """Return what the model reads for one question: tensors on its device, pixels in its numbers."""
        text = self._prompt(shown, question)
        begins = self._tokenizer.bos_token
        special = not (begins and text.startswith(begins))  # a template may write it itself
        found = self.processor(
            text=[text], text_kwargs={"add_special_tokens": special}, return_tensors="pt", **shown.arguments
        )
        return {name: self._placed(name, value) for name, value in found.items()}

    def _prompt(self, shown: VideoInput, question: str) -> str:
        message = {"role": "user", "content": [*shown.parts, {"type": "text", "text": question}]}
        text: str = self.processor.apply_chat_template(
            [message], add_generation_prompt=True, tokenize=False, **self._template_options
        )
        return text

    def _placed(self, name: str, value: Any) -> Any:
        if not isinstance(value, torch.Tensor):
            return value
        return value.to(self._device, self._dtype if "pixel" in name and value.is_floating_point() else None)


class _Once:
    """One part of a processor, that for images or for videos, which remembers what it made of the frames shown."""

    def __init__(self, processor: Any, name: str) -> None:
        self._part = getattr(processor, name, None)
        self._made: dict[str, Any] | None = None
        if self._part is not None:
            setattr(processor, name, self)

    def __call__(self, *pictures: Any, **options: Any) -> Any:
        if self._made is None:
            self._made = dict(self._part(*pictures, **options))  # type: ignore[misc]  # it is there: it was called
        return _untyped.BatchFeature(dict(self._made))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._part, name)

    def forget(self) -> None:
        self._made = None


class _Features:
    """Visual features of the frames shown, computed at the first question, and repeated for a batch of several."""

    def __init__(self, model: Any) -> None:
        """Stand before the methods by which every model of transformers turns pixels into features."""
        self._kept: dict[str, Any] = {}
        self._row: ProcessorInputs = {}
        self._copies = 1
        self._at_work = False
        for name in ("get_image_features", "get_video_features"):
            if method := getattr(model, name, None):
                setattr(model, name, self._before(method, name))

    def forget(self) -> None:
        """Drop what is kept."""
        self._kept = {}

    def expect(self, row: ProcessorInputs, copies: int) -> None:
        """Prepare for a batch of so many copies of what one row shows."""
        self._row, self._copies = row, copies

    def _before(self, method: Callable[..., Any], name: str) -> Callable[..., Any]:
        signature = inspect.signature(method)

        @functools.wraps(method)
        def features(*args: Any, **kwargs: Any) -> Any:
            given = signature.bind(*args, **kwargs)
            if self._at_work or not self._is_all_shown(given.arguments):  # one of the methods may call the other
                return method(*args, **kwargs)
            if name not in self._kept:
                given.arguments |= {key: self._row[key] for key in given.arguments if key in self._row}
                self._at_work = True
                try:
                    self._kept[name] = method(*given.args, **given.kwargs)
                finally:
                    self._at_work = False
            return _repeated(self._kept[name], self._copies)

        return features

    def _is_all_shown(self, given: Mapping[str, Any]) -> bool:
        """Return whether a method is asked for all that is shown, in every copy: only of that are features kept."""
        tensors = {name: value for name, value in given.items() if isinstance(value, torch.Tensor)}
        return bool(tensors) and all(
            name in self._row and len(value) == len(self._row[name]) * self._copies for name, value in tensors.items()
        )


def _place(seconds: float, rate: float) -> int | float:
    """Return the number that over `rate` is `seconds`, and never less, for some families cut off to whole seconds."""
    place = seconds * rate
    if abs(place - round(place)) < 1e-6:
        return round(place)
    return place if place / rate >= seconds else math.nextafter(place, math.inf)


def _repeated(output: Any, copies: int) -> Any:
    """Return features for several copies of what was shown: what stands for a picture is repeated, in order."""
    if copies == 1:
        return output
    fields = dict(output)
    fields["pooler_output"] = _copies(output.pooler_output, copies)
    if layers := fields.get("deepstack_features"):
        fields["deepstack_features"] = [_copies(layer, copies) for layer in layers]
    return type(output)(**fields)


def _batch(rows: Sequence[ProcessorInputs], pad: int) -> ProcessorInputs:
    """Return rows, each a batch of one, as one batch: texts padded on the left, what is shown repeated."""
    length = max(row["input_ids"].shape[1] for row in rows)
    batch = {}
    for name, first in rows[0].items():
        if isinstance(first, torch.Tensor) and first.shape[:2] == rows[0]["input_ids"].shape:
            fill = pad if name == "input_ids" else 0
            batch[name] = torch.cat([_padded(row[name], length, fill) for row in rows])
        else:
            batch[name] = _copies(first, len(rows))
    return batch


def _padded(values: torch.Tensor, length: int, fill: int) -> torch.Tensor:
    """Return [1, length, …] for [1, n, …], filled on the left."""
    missing = values.new_full((1, length - values.shape[1], *values.shape[2:]), fill)
    return torch.cat([missing, values], dim=1)


def _copies(values: Any, copies: int) -> Any:
    """Return tensors repeated along their first dimension, lists along their only one."""
    if copies == 1:
        return values
    return torch.cat([values] * copies) if isinstance(values, torch.Tensor) else [*values] * copies


def _load(folder: Path, placement: Placement, trusted: bool) -> Any:
    """Return the network; every weight it has must be in the checkpoint."""
    return load_pretrained(
        "AutoModelForImageTextToText",
        folder,
        what="the model",
        dtype=placement.dtype,
        passed_over={"": "some checkpoints hold more than transformers runs, such as heads for several tokens at once"},
        too_large=TOO_LARGE,
        device_map="auto" if placement.spread else {"": placement.device},
        quantization_config=quantization(placement) if placement.quantize else None,
        trust_remote_code=trusted,
    )


def _ends(model: Any, tokenizer: Any) -> tuple[int, ...]:
    """Return the ids that end an answer, by the checkpoint's own word: of its settings only this is taken."""
    named = [model.generation_config.eos_token_id, model.config.get_text_config().eos_token_id, tokenizer.eos_token_id]
    ends = {number for some in named if some is not None for number in (some if isinstance(some, list) else [some])}
    if not ends:
        raise CheckpointError(
            "the checkpoint names no token that ends an answer", model.name_or_path, "mend its config"
        )
    return tuple(sorted(ends))
