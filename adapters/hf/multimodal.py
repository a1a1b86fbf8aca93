"""A vision language model of transformers with its own processor: from frames and questions to texts.

Knows how a checkpoint is loaded whole and how its processor is asked in its own chat template; `per_video` keeps what
does not depend on the question. Knows no family of models by name, and no video file: frames come in decoded, and the
processor is told not to sample them again.
"""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from numpy.typing import NDArray
from PIL import Image
from transformers.video_utils import VideoMetadata

from ecva_bench.answering import ModelOutput, Question
from ecva_bench.checkpoints.chat_templates import fill_template
from ecva_bench.checkpoints.files import reading
from ecva_bench.checkpoints.pretrained import load_pretrained
from ecva_bench.errors import AdapterError, CheckpointError, OutOfMemory
from ecva_bench.libraries import quiet
from ecva_bench.reading.thoughts import opened_by, template_options

from ..parts.language.beginnings import beginnings, word_probabilities
from ..parts.language.decoding import decoded
from ..parts.language.generation import config_of, own_ends, seeded
from ..parts.language.loading import TOO_LARGE, quantization
from ..parts.language.policy import Policy
from ..parts.placement import Placement
from .per_video import ProcessedPixels, ProcessorInputs, VisualFeatures, batch_of
from .positions import put_text_behind_videos

_untyped: Any = transformers  # much of it has no types


@dataclass(frozen=True, eq=False)
class VideoInput:
    """What a processor is shown of a video.

    pixels: uint8 [T, H, W, 3], RGB. seconds: float64 [T], of the T frames on the timeline shown. rate: frames per
    second of the whole video; total: its number of frames; duration: its seconds. parts: what stands for them in a
    message, one for a video, or one for each frame as an image, with text between. options: of the processor for them.
    words: each frame's second, written behind them for questions about times alone; empty where it is not.
    """

    pixels: NDArray[np.uint8]
    seconds: NDArray[np.float64]
    rate: float
    total: int
    duration: float
    parts: Sequence[Mapping[str, Any]]
    options: Mapping[str, Any]
    words: str = ""

    def content(self, question: str) -> list[Mapping[str, Any]]:
        """Return the parts of the message that asks a question."""
        told = [self.words] if self.words and Question.of(question).unit else []
        return [*self.parts, *({"type": "text", "text": text} for text in (*told, question))]

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
        given = {"video_metadata": [self.metadata], "do_sample_frames": False, "return_metadata": True}
        return {"videos": [self.pixels], "videos_kwargs": {**self.options, **given}}


class Multimodal:
    """A model and its processor, loaded from a folder for inference."""

    def __init__(
        self, folder: Path, placement: Placement, *, trusted: bool, thinking: str = "", text_behind: bool = False
    ) -> None:
        """Load both; code that lies beside the weights is run only where it is `trusted`.

        `thinking` is as of `template_options`, `text_behind` as of a `Family`. Raises `CheckpointError` where the
        folder holds another kind of model, weights are missing, or there is no chat template, and `UsageError` where
        that has no switch for thinking.
        """
        with reading("the processor", folder), quiet():
            self.processor = _untyped.AutoProcessor.from_pretrained(folder, trust_remote_code=trusted)
        if not getattr(self.processor, "chat_template", None):
            remedy = "put its authors' chat_template.jinja beside the weights, or take a checkpoint tuned for chat"
            raise CheckpointError("the processor has no chat template", folder, remedy)
        self._template_options = template_options(self.processor.chat_template, thinking)
        self.network = _load(folder, placement, trusted)
        if text_behind:
            put_text_behind_videos(self.network.base_model)
        self._device = self.network.get_input_embeddings().weight.device
        self._dtype = placement.dtype
        tokenizer = self._tokenizer = getattr(self.processor, "tokenizer", self.processor)
        self._eos = own_ends(self.network, tokenizer)
        self._pad: int = self._eos[0] if tokenizer.pad_token_id is None else tokenizer.pad_token_id
        self.network.generation_config = _untyped.GenerationConfig()
        self._pixels = [ProcessedPixels(self.processor, name) for name in ("image_processor", "video_processor")]
        self._features = VisualFeatures(self.network.base_model)
        self._shown: VideoInput | None = None
        self._takes_kinds = "mm_token_type_ids" in inspect.signature(self.network.forward).parameters

    def ask(self, shown: VideoInput, questions: Sequence[str], max_new_tokens: int) -> list[ModelOutput]:
        """Return one answer per question, in order, all generated in one batch, each token the most probable.

        What was computed of `shown` is kept until another is shown. Raises `OutOfMemory`.
        """
        return self._generated(shown, questions, Policy(max_new_tokens=max_new_tokens, eos=self._eos, pad=self._pad))

    def draw(self, shown: VideoInput, question: str, max_new_tokens: int, temperature: float, seed: int) -> ModelOutput:
        """Return an answer of which each token is drawn, at a temperature above 0. Raises `OutOfMemory`."""
        greedy = Policy(max_new_tokens=max_new_tokens, eos=self._eos, pad=self._pad)
        policy = replace(greedy, do_sample=True, temperature=temperature, seed=seed)
        with seeded(seed, self._device):
            return self._generated(shown, [question], policy)[0]

    def _generated(self, shown: VideoInput, questions: Sequence[str], policy: Policy) -> list[ModelOutput]:
        self._turn_to(shown)
        rows = [self.inputs(shown, question) for question in questions]
        inputs = batch_of(rows, self._pad)
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

    def _turn_to(self, shown: VideoInput) -> None:
        """Drop what was computed of another video."""
        if shown is not self._shown:
            for once in self._pixels:
                once.forget()
            self._features.forget()
            self._shown = shown

    def word_probabilities(self, shown: VideoInput, question: str, words: Sequence[str], name: str) -> list[float]:
        """Return how probable it is that the answer to a question begins with each of some words.

        Raises `AdapterError` where two words begin with one token, and for a model with a decoder of its own.
        """
        if self.network.config.is_encoder_decoder:
            raise AdapterError("the model's decoder is its own, and has no probabilities here", name, "ask for words")
        self._turn_to(shown)
        text, inputs = self._prompt(shown, question), self.inputs(shown, question)
        self._features.expect(inputs, 1)
        special = self._is_to_begin(text)

        def encode(said: str) -> list[int]:
            return list(self._tokenizer(text + said, add_special_tokens=special).input_ids)

        def following(said: tuple[int, ...]) -> Callable[[int], float]:
            found = self._next(inputs, said)
            return lambda token: float(found[token])

        return word_probabilities(beginnings(encode, words, name), following)

    def _next(self, inputs: ProcessorInputs, said: tuple[int, ...]) -> torch.Tensor:
        """Return how probable each id is to come next, after what has been said: float32 [vocabulary]."""
        given, length = dict(inputs), inputs["input_ids"].shape[1]
        for name, value in inputs.items():  # ids, which of them count, and of which kind each is
            if said and isinstance(value, torch.Tensor) and value.shape == (1, length):
                more = list(said) if name == "input_ids" else [int(name == "attention_mask")] * len(said)
                given[name] = torch.cat([value, value.new_tensor([more])], dim=1)
        policy = Policy(max_new_tokens=1, eos=self._eos, pad=self._pad)
        with torch.inference_mode():
            generated = self.network.generate(
                **given,
                generation_config=config_of(policy, self._tokenizer),
                output_logits=True,
                return_dict_in_generate=True,
            )
        return torch.softmax(generated.logits[0][0].float(), dim=-1).cpu()

    def _is_to_begin(self, text: str) -> bool:
        """Return whether the token that begins a text is to be added: a template may write it itself."""
        begins = self._tokenizer.bos_token
        return not (begins and text.startswith(begins))

    def _answer_of(self, opening: str, ids: list[int]) -> ModelOutput:
        text = opening + decoded(self._tokenizer, ids, self._eos)
        return ModelOutput(text, finish="length" if set(ids).isdisjoint(self._eos) else "stop")

    def inputs(self, shown: VideoInput, question: str) -> ProcessorInputs:
        """Return what the model reads for one question: tensors on its device, pixels in its numbers."""
        text = self._prompt(shown, question)
        found = self.processor(
            text=[text],
            text_kwargs={
                "add_special_tokens": self._is_to_begin(text),
                **({"return_mm_token_type_ids": True} if self._takes_kinds else {}),
            },
            return_tensors="pt",
            **shown.arguments,
        )
        return {name: self._placed(name, value) for name, value in found.items() if name != "video_metadata"}

    def _prompt(self, shown: VideoInput, question: str) -> str:
        message = {"role": "user", "content": shown.content(question)}
        return fill_template(self.processor, [message], **self._template_options)

    def _placed(self, name: str, value: Any) -> Any:
        if not isinstance(value, torch.Tensor):
            return value
        return value.to(self._device, self._dtype if "pixel" in name and value.is_floating_point() else None)


def _place(seconds: float, rate: float) -> int | float:
    """Return the number that over `rate` is `seconds`, and never less, for some families cut off to whole seconds."""
    place = seconds * rate
    if abs(place - round(place)) < 1e-6:
        return round(place)
    return place if place / rate >= seconds else math.nextafter(place, math.inf)


def _load(folder: Path, placement: Placement, trusted: bool) -> Any:
    """Return the network; every weight it has must be in the checkpoint. Of one that also speaks, what writes."""
    with reading("the checkpoint's config.json", folder), quiet():
        config = _untyped.AutoConfig.from_pretrained(folder, trust_remote_code=trusted)
    kind = "AutoModelForMultimodalLM"  # of recent versions: the types of the other, and omni models
    return load_pretrained(
        kind if hasattr(transformers, kind) else "AutoModelForImageTextToText",
        folder,
        config=getattr(config, "thinker_config", config),
        what="the model",
        dtype=placement.dtype,
        passed_over={"": "some checkpoints hold more than transformers runs, such as heads for several tokens at once"},
        too_large=TOO_LARGE,
        device_map="auto" if placement.spread else {"": placement.device},
        quantization_config=quantization(placement) if placement.quantize else None,
        trust_remote_code=trusted,
    )
