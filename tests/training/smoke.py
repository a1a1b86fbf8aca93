"""A tiny AnomShield trained from random weights on the embedded split: the first proof that the whole loop is right.

Vocabulary, language model and tower are made here; stage 1 trains the connector on descriptions, stage 3 connector and
LoRA on the question for the class.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import sentencepiece
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from transformers import CLIPVisionConfig, CLIPVisionModel, MistralConfig, MistralForCausalLM

import ecva_bench as eb
from ecva_bench.adapters.anomshield.adapter import AnomShield
from ecva_bench.adapters.parts.towers.clip import squares
from ecva_bench.data import Dataset
from ecva_bench.tasks import TASKS, prompt_for
from ecva_bench.training.conversations import Conversation, Turn
from ecva_bench.training.networks import FramesOf
from ecva_bench.training.recipe import Recipe
from ecva_bench.training.training import Trained, train

FRAMES, SIDE = 8, 56
QUESTION = prompt_for(TASKS["classification"]).text
TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


def write_parts(folder: Path, data: Dataset, seed: int = 0) -> None:
    """Write `base`, a language model of 64 channels with 1,000 pieces, and `tower`, a CLIP of 32: random weights."""
    texts = [QUESTION, AnomShield.template.text]
    texts += [str(text) for one in data.annotations for text in (one.description, one.cause, one.effect)]
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([line for text in texts for line in text.splitlines() if line]),
        model_writer=model,
        vocab_size=1000,
        model_type="bpe",
        byte_fallback=True,
        character_coverage=1.0,
        hard_vocab_limit=False,
        minloglevel=2,
        pad_id=-1,
        unk_id=0,
        bos_id=1,
        eos_id=2,
    )
    torch.manual_seed(seed)
    pieces = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue()).vocab_size()
    language = MistralForCausalLM(
        MistralConfig(
            vocab_size=pieces,
            hidden_size=64,
            intermediate_size=112,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            initializer_range=0.1,
            sliding_window=None,
        )
    )
    language.save_pretrained(folder / "base")
    (folder / "base" / "tokenizer.model").write_bytes(model.getvalue())
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 3, "num_attention_heads": 4}
    config = CLIPVisionConfig(**sizes, image_size=SIDE, patch_size=14)
    tower = CLIPVisionModel(config)
    with torch.no_grad():
        for parameter in tower.parameters():
            if parameter.ndim > 1:
                parameter *= 4  # so that clips differ
    config.save_pretrained(folder / "tower")
    save_file(dict(tower.state_dict()), folder / "tower" / "model.safetensors", {"format": "pt"})


def captions(data: Dataset) -> list[Conversation]:
    """The split's descriptions."""
    return [_about(data, one.video, "Describe the video.", str(one.description)) for one in data.annotations]


def classes(data: Dataset) -> list[Conversation]:
    """The split's classes, asked for and answered as its task has it."""
    return [_about(data, one.video, QUESTION, f"[{one.label.major}]") for one in data.annotations]


def _about(data: Dataset, video: str, question: str, answer: str) -> Conversation:
    turns = (Turn("user", f"<video>\n{question}"), Turn("assistant", answer))
    return Conversation(video, data.videos / f"{video}.mp4", "video", turns)


def frames_of(recipe: Recipe, *, blank: bool = False, side: int = SIDE) -> FramesOf:
    """Frames of clips, kept; `blank` ones are black."""
    kept: dict[Path, NDArray[np.uint8]] = {}

    def frames(conversation: Conversation) -> NDArray[np.uint8]:
        path = conversation.path
        assert path
        if path not in kept:
            video = eb.Video(path)
            indices = eb.samplers.midpoints(video.n_frames, recipe.frames, rounded="bounds")
            kept[path] = squares(video.frames_at(indices).pixels, side, pad=recipe.shaping == "pad")
        return np.zeros_like(kept[path]) if blank else kept[path]

    return frames


def recipe(stage: int, **other: Any) -> Recipe:
    """The recipe of a stage; `other` are keys that differ."""
    first = {"template": "plain", "frames": 1, "shaping": "crop", "rates": {"connector": 1e-2}, "steps": 12}
    third = {
        "template": "mistral",
        "frames": FRAMES,
        "shaping": "pad",
        "rates": {"connector": 5e-3, "language": 1e-2},
        "lora": {"r": 16, "alpha": 32, "targets": TARGETS},
        "steps": 90,
    }
    common = {"name": "smoke", "model": "anomshield", "stage": stage, "precision": "float32", "save_steps": 30}
    size = {"batch": 14, "micro_batch": 14, "clip": 1.0, "drop_path": 0.0}
    return Recipe.model_validate({**common, **size, **(third if stage == 3 else first), **other})


def learn(folder: Path, data: Dataset, *, seed: int = 0, blank: bool = False, **other: Any) -> Trained:
    """Train stages 1 and 3 into `folder/1` and `folder/3`; `other` are keys of stage 3."""
    write_parts(folder, data, seed)
    parts = {"base": str(folder / "base"), "vision_tower": str(folder / "tower"), "hard_prompt": "no", "device": "cpu"}
    first, third = recipe(1, seed=seed), recipe(3, seed=seed, **other)
    train(first, captions(data), AnomShield(**parts), frames_of(first, blank=blank), folder / "1")
    adapter = AnomShield(model_path=str(folder / "1"), **parts)
    return train(third, classes(data), adapter, frames_of(third, blank=blank), folder / "3")
