"""The parts from which the training `mini` begins: a vocabulary, a language model and a tower with random weights."""

from __future__ import annotations

import io
import string
from collections.abc import Iterable
from pathlib import Path

from ...torchvision import ensure_torchvision
from ...writing import write_whole
from ..conversations import Conversation
from .samples import half, prompts

PIECES = 1100
HALVES = 30  # times from 0.0 to 14.5 are pieces of their own
BLANK = "\u2581"  # SentencePiece's blank

TOWER = {
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "image_size": 64,
    "patch_size": 16,
    "initializer_range": 0.05,
}
LANGUAGE = {
    "hidden_size": 128,
    "intermediate_size": 320,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "initializer_range": 0.05,
    "sliding_window": None,
}


def write_parts(folder: Path, conversations: Iterable[Conversation], template: str, seed: int) -> tuple[Path, Path]:
    """Write `base`, a language model with its vocabulary, and `tower` to a folder, and return both.

    `template` is what questions are asked by. The same seed and conversations give the same weights and vocabulary.
    """
    ensure_torchvision()
    import torch
    from transformers import CLIPVisionConfig, CLIPVisionModel, MistralConfig, MistralForCausalLM

    base, tower = folder / "base", folder / "tower"
    vocabulary, pieces = make_vocabulary((answer for one in conversations for _, answer in one.rounds), template)
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        MistralForCausalLM(MistralConfig.from_dict({**LANGUAGE, "vocab_size": pieces})).save_pretrained(base)
        CLIPVisionModel(CLIPVisionConfig.from_dict({**TOWER})).save_pretrained(tower)
    write_whole(base / "tokenizer.model", vocabulary)
    return base, tower


def make_vocabulary(answers: Iterable[str], template: str) -> tuple[bytes, int]:
    """Return a `tokenizer.model` trained on answers, and its size.

    Sentences that are always the same, the prompts and what stands around them, are pieces of their own, as times are:
    so a sequence has a third of the positions. Other words are spelled.
    """
    from sentencepiece import SentencePieceProcessor, SentencePieceTrainer

    system, _, end = template.partition("{video}\n{question}")
    always = [
        system,
        end,
        "\nThe last frame is at about",
        " seconds.\n",
        *(text for text in prompts().values() if "{" not in text),
    ]
    written = io.BytesIO()
    SentencePieceTrainer.train(
        sentence_iterator=iter([*answers]),
        model_writer=written,
        vocab_size=PIECES,
        model_type="bpe",
        normalization_rule_name="identity",
        user_defined_symbols=[
            "\n",
            *(half(place / 2) for place in range(HALVES)),
            *map(str, range(12)),
            *(text.replace(" ", BLANK) for text in always),
        ],
        character_coverage=1.0,
        required_chars=string.ascii_letters + string.punctuation,
        hard_vocab_limit=False,
        num_threads=1,
        minloglevel=2,
        unk_id=0,
        bos_id=1,
        eos_id=2,
        pad_id=-1,
    )
    return written.getvalue(), SentencePieceProcessor(model_proto=written.getvalue()).vocab_size()
