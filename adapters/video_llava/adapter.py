"""Video-LLaVA 7B (arXiv 2311.10122): LanguageBind's video tower, two layers, Vicuna."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ecva_bench.answering import ModelCard
from ecva_bench.errors import CheckpointError

from ..parts.families.llava import LlavaFamily
from ..parts.language.policy import Policy
from ..parts.prompts import read_template

if TYPE_CHECKING:
    import torch

    from ecva_bench.checkpoints.tensors import Tensors
    from ecva_bench.video import Frames

FRAMES = 8
GREEDY = Policy(max_new_tokens=1024, eos=(2,), pad=0)


class VideoLLaVA(LlavaFamily):
    """The 7B model, from its authors' checkpoint; the one converted for transformers is another model."""

    card = ModelCard(
        name="Video-LLaVA 7B",
        paper="arXiv 2311.10122",
        code="PKU-YuanGroup/Video-LLaVA",
        code_licence="Apache-2.0",
        weights_licence="Apache-2.0; the authors call it a research preview for non-commercial use (LLaMA 2, Vicuna)",
        hub_ids=("LanguageBind/Video-LLaVA-7B", "LanguageBind/LanguageBind_Video_merge"),
        frames="8, spread evenly from the first to the last",
        visual_tokens="2056",
        memory="14.3 GB of weights in 16 bits (computed)",
        deviations=(
            "Answers are greedy, as the evaluation scripts mean it (temperature 0); `generation=upstream` samples as in"
            " the README, at temperature 0.1, with the top_p that Vicuna's settings are known to bring in.",
            "Frames are never mirrored; the authors' transform mirrors every other video at random.",
            "The video tower is the one in the checkpoint, where it holds one. The authors' program takes that of"
            " LanguageBind_Video_merge, which was not trained further.",
            "The checkpoint converted for transformers (Video-LLaVA-7B-hf) has no attention over time, another"
            " activation and other resizing: it is another model and is not read here.",
        ),
    )
    policies: ClassVar = {
        "greedy": GREEDY,
        "upstream": replace(GREEDY, do_sample=True, temperature=0.1, top_p=0.6, top_k=50),
    }
    template = read_template("video-llava", 1)
    default_checkpoint = "LanguageBind/Video-LLaVA-7B"
    default_base = "lmsys/vicuna-7b-v1.5"
    beside = ("model.mm_projector.", "model.video_tower.", "model.image_tower.")
    aspects = ("none",)
    language = "Llama"

    def frame_rule(self) -> dict[str, Any]:
        """Return eight frames from the first to the last."""
        return {"rule": "linspace", "count": FRAMES}

    def connector(self) -> torch.nn.Module:
        """Return the two layers of the checkpoint's sizes."""
        from ..parts.connectors.mlp import mlp2x

        kind = self.config.get("mm_projector_type")
        if kind != "mlp2x_gelu":
            raise CheckpointError(f"the projector {kind!r} is not known", self.checkpoint.folder, "name Video-LLaVA")
        return mlp2x(*self.connector_sizes)

    def tower(self, folder: Path, tensors: Tensors, where: object) -> torch.nn.Module:
        """Return LanguageBind's video tower."""
        from .languagebind import load_languagebind

        return load_languagebind(self.tower_name, folder, tensors, where, self.placement)

    def see(self, frames: Frames) -> torch.Tensor:
        """Return every frame's tokens, class token first, one frame after another."""
        return super().see(frames).flatten(0, 1)
