"""VILA 1.5 with Llama 3 8B (arXiv 2312.07533): SigLIP, four patches to a token, Llama 3."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ecva_bench.answering import ModelCard
from ecva_bench.checkpoints.files import read_json_object, size_in
from ecva_bench.errors import CheckpointError

from ..parts.families.composed import Composed, Seen
from ..parts.language.policy import Policy
from ..parts.options import count
from ..parts.prompts import Piece, Text, TokenIds, Visual, read_template

if TYPE_CHECKING:
    import torch

    from ecva_bench.video import Frames

    from ..parts.language.networks import Networks

SPECIAL = ("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|end_of_text|>")
BREAK = Text("\n")  # behind every frame
END = Text("\n\n")  # of the prompt; a prompt file cannot end so
# <|end_of_text|> ends their turns; <|eot_id|>, which ends Llama's, is there in case.
GREEDY = Policy(max_new_tokens=1024, eos=(128001, 128009), pad=128001)


class Vila(Composed):
    """VILA 1.5 8B. `frames` stands for the number of frames in its config.json."""

    card = ModelCard(
        name="VILA 1.5 8B (Llama 3)",
        paper="arXiv 2312.07533",
        code="NVlabs/VILA",
        code_licence="Apache-2.0",
        weights_licence="CC BY-NC 4.0; Llama 3 Community License",
        hub_ids=("Efficient-Large-Model/Llama-3-VILA1.5-8B", "Efficient-Large-Model/Llama-3-VILA1.5-8b-Fix"),
        frames="8, spread evenly from the first to the last but one",
        visual_tokens="1568: 196 a frame",
        memory="17.0 GB of weights in 16 bits (computed)",
        deviations=(
            "Answers are greedy; `generation=upstream` samples at temperature 0.2, with the top_p of Llama 3's own"
            " settings, which its call does not mention.",
            "Of a video with as many frames as are shown, all are shown; the authors' program fails there and shows"
            " black ones. The same where it has a single frame.",
        ),
    )
    policies: ClassVar = {
        "greedy": GREEDY,
        "upstream": replace(GREEDY, do_sample=True, temperature=0.2, top_p=0.9, top_k=50),
    }
    template = read_template("vila", 1, SPECIAL)
    default_checkpoint = "Efficient-Large-Model/Llama-3-VILA1.5-8B"
    files: ClassVar[Mapping[str, tuple[str, ...]]] = {"model": ("config.json", "*/*.json", "*/*.safetensors")}

    def __init__(self, *, frames: str = "", **options: str) -> None:
        super().__init__(**options)
        self._frames = count("frames", frames) if frames else 0

    @property
    def frames(self) -> int:
        """How many frames the language model is shown; of shorter videos the first ones are black."""
        return self._frames or self.size("num_video_frames")

    def frame_rule(self) -> dict[str, Any]:
        """Return frames from the first to the last but one, all of a short video."""
        return {"rule": "linspace", "at_most": self.frames, "last": False}

    def build(self) -> Networks:
        """Return the networks, each from its own folder."""
        from ecva_bench.checkpoints.filling import fill
        from ecva_bench.checkpoints.tensors import open_weights

        from ..parts.language.loading import load_language
        from ..parts.language.networks import Networks
        from ..parts.language.tokens import open_tokenizer
        from .downsample import MlpDownsample
        from .siglip import load_siglip

        folder, projector = self.checkpoint.folder, self.checkpoint.folder / "mm_projector"
        kind = read_json_object(projector / "config.json").get("mm_projector_type")
        layer = self.config.get("mm_vision_select_layer", -2)
        if (kind, layer) != ("mlp_downsample", -2):
            what = f"projector {kind!r} on layer {layer} is of another kind"
            raise CheckpointError(what, folder, "name a checkpoint of VILA 1.5 8B")
        configs = [folder / part / "config.json" for part in ("vision_tower", "llm")]
        sizes = [size_in(read_json_object(config), "hidden_size", config) for config in configs]
        connector = self.placement.make(lambda: MlpDownsample(*sizes))
        fill(connector, open_weights(projector), projector)
        return Networks(
            tokenizer=open_tokenizer(folder / "llm"),
            tower=load_siglip(folder / "vision_tower", self.placement),
            connector=connector,
            language=load_language(folder / "llm", "Llama", self.placement),
        )

    def see(self, frames: Frames) -> torch.Tensor:
        """Return the tokens of all frames, black ones first where there are too few."""
        pixels = frames.pixels
        black = np.zeros((self.frames - len(pixels), *pixels.shape[1:]), np.uint8)
        features: torch.Tensor = self.networks.connector(self.networks.tower(np.concatenate([black, pixels])))
        return features.flatten(0, 1)

    def prompt(self, question: str, seen: Seen) -> Sequence[Piece]:
        """Return the template, frame by frame, behind the id that the tokenizer puts before the one in its text."""
        size = len(seen.features) // self.frames
        frames = [piece for n in range(self.frames) for piece in (Visual(n * size, (n + 1) * size), BREAK)]
        pieces = self.template.pieces(question)
        place = pieces.index(Visual())
        text = [*pieces[:place], *frames[:-1], *pieces[place + 1 :]]
        return [TokenIds((self.networks.tokenizer.bos,)), *text, END]
