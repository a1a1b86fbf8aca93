"""VideoChat2 with Mistral 7B (arXiv 2311.17005): UMT, a Q-Former that reads all frames at once, Mistral."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ecva_bench.answering import ModelCard

from ..parts.families.qformer import OverLanguageModel
from ..parts.language.policy import Policy
from ..parts.prompts import read_template

if TYPE_CHECKING:
    import torch

    from ecva_bench.video import Frames

    from ..parts.language.networks import Networks

TOWER, NORM = "vision_encoder.encoder.", "vision_layernorm."
PARTS = (TOWER, NORM, "qformer.", "query_tokens", "extra_query_tokens", "mistral_proj.", "mistral_model.")
ALPHA = 32  # over the LoRA's rank of 16

GREEDY = Policy(max_new_tokens=512, eos=(2,), pad=2)


class VideoChat2(OverLanguageModel):
    """The model of stage 3, not the later one for high definition, over Mistral."""

    card = ModelCard(
        name="VideoChat2 7B (Mistral)",
        paper="arXiv 2311.17005",
        code="OpenGVLab/Ask-Anything",
        code_licence="MIT",
        weights_licence="MIT; Mistral: Apache-2.0",
        hub_ids=("OpenGVLab/VideoChat2_stage3_Mistral_7B", "mistralai/Mistral-7B-Instruct-v0.2"),
        frames="16: the first middle of equal segments, and whole segments from there",
        visual_tokens="96",
        memory="15.4 GB of weights in 16 bits, computed from the number of parameters",
        deviations=(
            "Colours are normalised by CLIP's mean and deviation, as in the authors' demo; training used ImageNet's.",
            "The Q-Former reads the demo's fixed instruction and never the question.",
        ),
    )
    policies: ClassVar = {"greedy": GREEDY, "upstream": GREEDY}
    template = read_template("videochat2", 1)
    default_checkpoint = "OpenGVLab/VideoChat2_stage3_Mistral_7B"
    default_base = "mistralai/Mistral-7B-Instruct-v0.2"
    files: ClassVar[Mapping[str, tuple[str, ...]]] = {
        **OverLanguageModel.files,
        "base": ("*.json", "*.model", "model*.safetensors"),
    }
    kind = "Mistral"
    lora = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj", "lm_head")
    instruction = read_template("videochat2-instruction", 1)
    text_length = 512

    def frame_rule(self) -> dict[str, Any]:
        """Return 16 frames."""
        return {"rule": "midpoints", "count": 16, "rounded": "steps"}

    def build(self) -> Networks:
        """Return the networks: all but the language model are the checkpoint's own."""
        import torch

        from ecva_bench.checkpoints.filling import parted
        from ecva_bench.checkpoints.tensors import open_weights

        from ..parts.connectors.qformer import Projected, load_qformer
        from ..parts.language.networks import Networks
        from ..parts.language.tokens import open_tokenizer
        from ..parts.layouts.sizes import check_widths, load_linear, tensor_of
        from ..parts.media.images import cropped
        from .umt import load_umt

        file, placement = self.file, self.placement
        own = open_weights(file)
        parts = parted(own, PARTS, "VideoChat2", file)
        queries = [tensor_of(own, name, file) for name in ("query_tokens", "extra_query_tokens")]
        tower = load_umt(parts[TOWER], parts[NORM], file, placement, cropped)
        qformer = load_qformer(parts["qformer."], torch.cat(queries, dim=1), file, placement)
        proj = load_linear(own, "mistral_proj", file, placement)
        language = self.language(own, "mistral_model.", ALPHA)
        joined = {
            "qformer, tokens read": (qformer.encoder, tower.width),
            "mistral_proj, columns": (proj.in_features, qformer.width),
            "mistral_proj, rows": (proj.out_features, language.config.hidden_size),
        }
        check_widths(joined, "VideoChat2", file)
        return self.worded(Networks(open_tokenizer(self.base), tower, Projected(qformer, proj), language))

    def see(self, frames: Frames) -> torch.Tensor:
        """Return the visual tokens, what the Q-Former reads beside its fixed instruction."""
        tokens = self.networks.tower(frames.pixels)
        ids, _ = self.text([self.instruction.text])
        return self.networks.connector(tokens[None], ids.to(tokens.device))
