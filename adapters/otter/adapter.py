"""Otter 7B for video (arXiv 2305.03726): CLIP, a perceiver, LLaMA with gated cross-attention."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from ecva_bench.answering import ModelCard
from ecva_bench.checkpoints.files import size_in
from ecva_bench.errors import CheckpointError

from ..parts.families.composed import Composed
from ..parts.language.policy import Policy
from ..parts.prompts import read_template

if TYPE_CHECKING:
    import torch

    from ..parts.language.networks import Networks
    from ..parts.language.tokens import SentencePieces

END, IMAGE, ANSWER = ADDED = ("<|endofchunk|>", "<image>", "<answer>")  # in the order in which the authors add them
LAYERS = "lang_encoder.model.layers."
GATED = "gated_cross_attn_layer."

FRAMES = 16
GREEDY = Policy(
    max_new_tokens=512,
    eos=(END,),
    pad=0,  # not 2, which may be said without an end: what is padded counts where three in a row are not said twice
    no_repeat_ngram_size=3,
    forbidden=("User:", "GPT1:", "GFT:", "GPT:"),
)


class Otter(Composed):
    """The 7B model for dense captions; `tokenizer` stands for LLaMA's where the checkpoint has none."""

    card = ModelCard(
        name="Otter 7B (OTTER-Video, dense captions)",
        paper="arXiv 2305.03726",
        code="Luodian/Otter",
        code_licence="MIT",
        weights_licence="MIT; LLaMA's, for research only",
        hub_ids=("luodian/OTTER-Video-LLaMA7B-DenseCaption",),
        frames="16: the first of equal segments",
        visual_tokens="64, looked at by cross-attention",
        memory="16.4 GB of weights in 16 bits (computed)",
        deviations=(
            "Answers are greedy; `generation=upstream` takes the best of 3 beams, as the authors' program does.",
            "Kept: no three words in a row are said twice or repeated from the question; of a video with fewer frames"
            " than 16 the first is shown 16 times; the words of an answer do not look at the video themselves.",
        ),
    )
    policies: ClassVar = {"greedy": GREEDY, "upstream": replace(GREEDY, num_beams=3)}
    template = read_template("otter", 1, (IMAGE, ANSWER))
    default_checkpoint = "luodian/OTTER-Video-LLaMA7B-DenseCaption"
    files: ClassVar = {
        "model": ("*.json", "*.model", "*.safetensors", "*.bin"),
        "tokenizer": ("tokenizer.model", "added_tokens.json"),
    }

    def __init__(self, *, tokenizer: str = "luodian/llama-7b-hf", **options: str) -> None:
        super().__init__(**options)
        self._tokenizer = tokenizer

    def extras(self) -> dict[str, str]:
        """Return where the tokenizer lies, unless it is beside the weights."""
        beside = (self.checkpoint.folder / "tokenizer.model").is_file()
        return {} if beside else {"tokenizer": self._tokenizer}

    def frame_rule(self) -> dict[str, Any]:
        """Return the first frames of 16 segments of whole length."""
        return {"rule": "starts", "count": FRAMES, "whole": True}

    def finish(self, text: str) -> str:
        """Return the answer without quotation marks around it."""
        return text.strip().strip('"')

    @cached_property
    def words(self) -> SentencePieces:
        """LLaMA's vocabulary with the tokens the authors add."""
        from ..parts.language.tokens import SentencePieces

        return SentencePieces(self.checkpoints.get("tokenizer", self.checkpoint).folder, ADDED)

    def build(self) -> Networks:
        """Return the networks of one set of shards; every name in it has its place or is an error."""
        from transformers import CLIPVisionConfig

        from ecva_bench.checkpoints.tensors import open_weights, renamed, under

        from ..parts.language.loading import load_language
        from ..parts.language.networks import Networks
        from ..parts.layouts.sizes import check_widths, shape_of
        from ..parts.towers.clip import CONFIGS, clip_of
        from .gated import load_gated
        from .perceiver import load_perceiver

        folder, config = self.checkpoint.folder, dict(self.section("text_config"))
        tensors = open_weights(folder)
        config["vocab_size"] = shape_of(tensors, "lang_encoder.model.embed_tokens.weight", folder)[0]
        if config["vocab_size"] < self.words.size:
            what = f"the vocabulary has {self.words.size} tokens and the weights {config['vocab_size']}"
            raise CheckpointError(what, folder, "take the tokenizer of the model's own release")
        every = self.size("cross_attn_every_n_layers", 4)
        before = range(every - 1, size_in(config, "num_hidden_layers", folder / "config.json", 32), every)
        gated = renamed(under(tensors, LAYERS), lambda name: name.replace(GATED, "") if f".{GATED}" in name else None)
        language = load_language(
            folder,
            "Llama",
            self.placement,
            config=config,
            beside=("vision_encoder.", "perceiver.", *(f"model.layers.{layer}.{GATED}" for layer in before)),
            key_mapping={r"^lang_encoder\.": "", r"\.decoder_layer\.": "."},
        )
        language.gated = load_gated(gated, before, folder, self.placement)
        sizes = {**CONFIGS["clip-vit-large-patch14"], **self.section("vision_config")}
        seeing, reading = under(tensors, "vision_encoder."), under(tensors, "perceiver.")
        tower = clip_of(CLIPVisionConfig.from_dict(sizes), seeing, folder, self.placement, last=True)
        perceiver = load_perceiver(reading, folder, self.placement)
        rows, width = perceiver.frame_embs.shape
        joined = {
            "perceiver.latents, columns": (perceiver.latents.shape[1], tower.width),
            "perceiver.frame_embs, columns": (width, tower.width),
            "perceiver.frame_embs, rows": (min(rows, FRAMES), FRAMES),
            f"{GATED}attn.to_kv, columns": (language.gated.media, width),
            f"{GATED}attn.to_q, columns": (language.gated.width, language.config.hidden_size),
        }
        check_widths(joined, "Otter", folder)
        return Networks(self.words, tower, perceiver, language)

    def attending(self, visuals: Sequence[torch.Tensor], ids: torch.Tensor) -> AbstractContextManager[object]:
        """Let the language model look at what the perceiver made of the video, from the place that names it on."""
        import torch

        language, pictures = self.networks.language, torch.stack(list(visuals))[:, None]
        blocks: AbstractContextManager[None] = language.gated.attending(language, pictures, self.words.id_of(IMAGE))
        return blocks
