"""mPLUG-Owl 7B (arXiv 2304.14178): a CLIP-like tower, a visual abstractor, BLOOMZ or LLaMA."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from ecva_bench.answering import ModelCard
from ecva_bench.errors import CheckpointError

from ..parts.families.composed import Composed
from ..parts.language.policy import Policy
from ..parts.options import choice
from ..parts.prompts import Piece, TokenIds, Visual, read_template

if TYPE_CHECKING:
    import torch

    from ecva_bench.video import Frames

    from ..parts.families.composed import Seen
    from ..parts.language.networks import Networks


@dataclass(frozen=True)
class Variant:
    """A released model: its language model, and whether it was trained on video or sees frames as pictures."""

    hub_id: str
    language: str
    temporal: bool
    template: str


VARIANTS = {
    "bloomz": Variant("MAGAer13/mplug-owl-bloomz-7b-multilingual", "Bloom", False, "mplug-owl-images"),
    "llama-video": Variant("MAGAer13/mplug-owl-llama-7b-video", "Llama", True, "mplug-owl-video"),
}
BESIDE = ("vision_model.", "abstractor.", "query_tokens", "temporal_query_tokens")

GREEDY = Policy(max_new_tokens=511, eos=(2,), pad=2)


class MplugOwl(Composed):
    """Both 7B models; `variant` is `bloomz` or `llama-video`."""

    card = ModelCard(
        name="mPLUG-Owl 7B",
        paper="arXiv 2304.14178",
        code="X-PLUG/mPLUG-Owl",
        code_licence="MIT, files Apache-2.0",
        weights_licence="BigScience BLOOM RAIL 1.0 (bloomz); LLaMA's, for research (llama-video)",
        hub_ids=tuple(variant.hub_id for variant in VARIANTS.values()),
        frames="4: the first middle of 4 equal segments and whole steps from there",
        visual_tokens="260, 65 a frame (bloomz); 65 (llama-video)",
        memory="14.9 GB of weights in 16 bits (bloomz), 14.3 GB (llama-video); computed",
        deviations=(
            "There is no BLOOMZ model for video: that for pictures sees the frames as four pictures.",
            "Answers are greedy; `generation=upstream` samples among 5 tokens, as the authors' README does.",
            "Frames are scaled after they became RGB, not before; see `parts/media/images.py`.",
            "In bfloat16 the convolutions over time stay in bfloat16; the authors' program does them in float16.",
            "Kept: the class token doubles in every layer of the video model, as in training.",
        ),
    )
    policies: ClassVar = {"greedy": GREEDY, "upstream": replace(GREEDY, do_sample=True, top_k=5)}

    def __init__(self, *, variant: str = "bloomz", model_path: str = "", **options: str) -> None:
        self._variant = VARIANTS[choice("variant", variant, VARIANTS)]
        super().__init__(model_path=model_path or self._variant.hub_id, **options)
        self.template = read_template(self._variant.template, 1)

    def frame_rule(self) -> dict[str, Any]:
        """Return four frames in steps of a whole number of frames."""
        return {"rule": "midpoints", "count": 4, "rounded": "steps"}

    def build(self) -> Networks:
        """Return the networks of one set of shards; every name in it has its place or is an error."""
        from ecva_bench.checkpoints.tensors import open_weights

        from ..parts.language.loading import load_language
        from ..parts.language.networks import Networks
        from ..parts.language.tokens import open_tokenizer
        from ..parts.layouts.sizes import check_widths
        from .abstractor import load_abstractor
        from .bloom import norm_words_only
        from .owl_vit import load_owl_vit

        folder, kind = self.checkpoint.folder, self._variant.language
        config, sizes = self.section("text_config"), self.section("visual_abstractor_config")
        if config.get("model_type", "llama") != kind.lower():
            what = f"the language model is a {config.get('model_type')}, and that of this variant a {kind}"
            raise CheckpointError(what, folder, f"choose another of --model-arg variant={'|'.join(VARIANTS)}")
        tensors = open_weights(folder)
        language = load_language(
            folder, kind, self.placement, config=config, beside=BESIDE, key_mapping={r"^language_model\.": ""}
        )
        if kind == "Bloom":
            norm_words_only(language)
        vision = self.section("vision_config")
        temporal = self._variant.temporal
        tower = load_owl_vit(tensors, vision, folder, self.placement, temporal=temporal)
        connector = load_abstractor(tensors, sizes, folder, self.placement, temporal=temporal)
        joined = {
            "query_tokens, columns": (connector.query_tokens.shape[2], tower.width),
            "visual_fc, rows": (connector.visual_fc.out_features, language.config.hidden_size),
        }
        check_widths(joined, "mPLUG-Owl", folder)
        return Networks(open_tokenizer(folder), tower, connector, language)

    def see(self, frames: Frames) -> torch.Tensor:
        """Return [65, hidden] of a video, or [4 * 65, hidden] of its frames, each a picture of its own."""
        tokens = self.networks.tower(frames.pixels)
        found = self.networks.connector(tokens.flatten(0, 1)[None] if self._variant.temporal else tokens)
        return found.flatten(0, 1)

    def prompt(self, question: str, seen: Seen) -> Sequence[Piece]:
        """Return the first id and the template; where it has several places for visual tokens, each is a frame's."""
        pieces = self.template.pieces(question)
        each = len(seen.features) // sum(isinstance(piece, Visual) for piece in pieces)
        starts = iter(range(0, len(seen.features), each))
        parts = [Visual(start := next(starts), start + each) if isinstance(p, Visual) else p for p in pieces]
        return [TokenIds((self.networks.tokenizer.bos,)), *parts]
