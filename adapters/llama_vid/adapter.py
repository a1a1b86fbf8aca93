"""LLaMA-VID 7B (arXiv 2311.17043): EVA-CLIP-g, a Q-Former that reads the question, two tokens a frame, Vicuna."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, ClassVar

from ecva_bench.answering import ModelCard
from ecva_bench.errors import CheckpointError

from ..parts.families.qformer import QFormerFamily
from ..parts.language.policy import Policy
from ..parts.options import count
from ..parts.prompts import read_template

if TYPE_CHECKING:
    from ecva_bench.checkpoints.tensors import Tensors

    from ..parts.language.networks import Networks

CONNECTOR, TOWER = ("vlm_att_", "mm_projector."), "vision_tower."
GREEDY = Policy(max_new_tokens=1024, eos=(2,), pad=0)


class LlamaVid(QFormerFamily):
    """The 7B and 13B models. `frames` is the most that are shown, without it one a second of the whole video.

    Where the checkpoint holds no tower, `lavis` may also be a folder with `eva_vit_g.pth` alone.
    """

    card = ModelCard(
        name="LLaMA-VID 7B",
        paper="arXiv 2311.17043",
        code="dvlab-research/LLaMA-VID",
        code_licence="Apache-2.0",
        weights_licence="CC BY-NC 4.0",
        hub_ids=(
            "YanweiLi/llama-vid-7b-full-224-video-fps-1",
            "YanweiLi/llama-vid-13b-full-224-video-fps-1",
            "YanweiLi/llama-vid-7b-full-224-long-video",
        ),
        frames="1 a second",
        visual_tokens="2 a frame",
        memory="15.9 GB of weights in 16 bits (computed)",
        deviations=(
            "Answers are greedy; `generation=upstream` samples at temperature 0.2, with the top_p of the checkpoint's"
            " settings, which the authors' call does not mention.",
            "The Q-Former has the numbers of the language model; the authors' is in float16 always.",
        ),
    )
    policies: ClassVar = {
        "greedy": GREEDY,
        "upstream": replace(GREEDY, do_sample=True, temperature=0.2, top_p=0.6, top_k=50),
    }
    template = read_template("llama-vid", 1)
    default_checkpoint = "YanweiLi/llama-vid-7b-full-224-video-fps-1"
    files: ClassVar[Mapping[str, tuple[str, ...]]] = QFormerFamily.files
    text_length = 256

    def __init__(self, *, frames: str = "", **options: str) -> None:
        super().__init__(**options)
        self._cap = count("frames", frames) if frames else None

    def frame_rule(self) -> dict[str, Any]:
        """Return one frame a second, or fewer where there are too many."""
        return {"rule": "at_fps", "fps": 1.0, "cap": self._cap}

    @cached_property
    def own(self) -> Tensors:
        """What the checkpoint holds, without the `model.` before the names."""
        from ecva_bench.checkpoints.tensors import open_weights, under

        return under(open_weights(self.checkpoint.folder), "model.")

    @property
    def needs_lavis(self) -> bool:
        """Return whether the checkpoint lacks the tower, which may or may not have been saved with it."""
        return not any(TOWER in name for name in self.own)

    def build(self) -> Networks:
        """Return the networks; the language model is what is left of the checkpoint's names."""
        from ecva_bench.checkpoints.tensors import after_last, renamed

        from ..parts.language.loading import load_language
        from ..parts.language.networks import Networks
        from ..parts.language.tokens import open_tokenizer
        from ..parts.layouts.lavis import open_eva
        from ..parts.layouts.sizes import check_widths, shape_of
        from ..parts.media.images import cropped
        from ..parts.towers.eva import load_eva
        from .context import load_context

        folder, placement = self.checkpoint.folder, self.placement
        kinds = [str(self.config.get(kind, "")) for kind in ("bert_type", "mm_projector_type")]
        if "qformer_pretrain" not in kinds[0] or "layer" in kinds[0] or kinds[1] != "mlp2x_gelu":
            raise CheckpointError(
                f"a connector of another kind ({', '.join(kinds)})", folder, "name one of LLaMA-VID's"
            )
        place = self.checkpoints["lavis"].folder if self.needs_lavis else folder
        tower = open_eva(place) if self.needs_lavis else after_last(self.own, TOWER)
        connector = renamed(self.own, lambda name: name if name.startswith(CONNECTOR) else None)
        eva = load_eva(tower, place, placement, partial(cropped, rounded=False), norm=False)
        context = load_context(connector, self.config.get("compress_type"), folder, placement)
        beside = tuple(f"model.{name}" for name in (*CONNECTOR, TOWER))
        language = load_language(folder, "Llama", placement, beside=beside)
        width, hidden = eva.width, language.config.hidden_size
        joined = {
            "vlm_att_encoder, tokens read": (context.qformer.encoder, width),
            "vlm_att_projector, columns": (context.query.in_features, context.qformer.width),
            "vlm_att_projector, rows": (context.query.out_features, context.key.out_features),
            "vlm_att_key_projector, columns": (context.key.in_features, width),
            "vlm_att_val_projector, columns": (context.value.in_features, width),
            "vlm_att_val_projector, rows": (context.value.out_features, hidden),
            "mm_projector, columns": (context.norm.normalized_shape[0], width),
            "mm_projector, rows": (shape_of(connector, "mm_projector.2.weight", folder)[0], hidden),
        }
        check_widths(joined, "LLaMA-VID's connector", folder)
        return self.worded(Networks(open_tokenizer(folder), eva, context, language))
