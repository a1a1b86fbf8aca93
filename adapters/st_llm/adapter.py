"""ST-LLM 7B (arXiv 2404.00308): EVA-CLIP-g, InstructBLIP's Q-Former, Vicuna; the language model looks along time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, ClassVar

from ecva_bench.answering import ModelCard

from ..parts.families.composed import Seen
from ..parts.families.qformer import QFormerFamily, within
from ..parts.language.policy import Policy
from ..parts.options import choice, count
from ..parts.prompts import Piece, TokenIds, read_template

if TYPE_CHECKING:
    from pathlib import Path

    from ecva_bench.checkpoints.tensors import Tensors

    from ..parts.language.networks import Networks

OWN = "model.stllm_model."  # what is before the names of all but the language model
HOME = "conversation_weight"
RESIDUAL = ("down_proj", "up_proj")
KNOWN = ("visual_encoder.", "ln_vision.", "Qformer.", "query_tokens", "llama_proj.", "mvm_decoder.", "embed_tokens.")
END = 2  # the authors registered it as the id that begins a text, too
TEMPLATES = {"video": read_template("st-llm", 1), "question": read_template("st-llm-question", 1)}
GREEDY = Policy(max_new_tokens=300, eos=(END,), pad=END, repetition_penalty=1.5, repeated=(1,), stop=("###",))


class StLlm(QFormerFamily):
    """Both releases, told apart by their weights: `conversation_weight` (64 frames) and `QA_weight` (16, BT-Adapter).

    `--model-path` names the folder of one, or where both lie, of which the first is taken. `frames` is how many are
    shown in place of theirs; `conversation` is `video`, or `question`, without instructions, as the scripts of QA ask.
    """

    card = ModelCard(
        name="ST-LLM 7B",
        paper="arXiv 2404.00308",
        code="TencentARC/ST-LLM",
        code_licence="Apache-2.0",
        weights_licence="not stated; made from Vicuna 1.1, so under LLaMA's research terms",
        hub_ids=("farewellthree/ST_LLM_weight",),
        frames="64 (conversation) or 16 (QA), at most those there are: the middles of equal segments",
        visual_tokens="512: 32 of each of 16 frames",
        memory="15.8 GB of weights in 16 bits, computed from the number of parameters",
        deviations=(
            "Answers are greedy, with the repetition penalty that the authors' program always sets;"
            " `generation=upstream` searches with 5 beams, as their scripts do.",
            "Where a video has fewer than 16 frames, the authors' program ends with an error; here the last frame"
            " stands for the one behind it.",
            "Generation ends where a text comes to `###`, at which the authors cut it; their criterion sees one beam.",
            "A prompt of more than 2000 tokens is not cut.",
        ),
    )
    policies: ClassVar = {"greedy": GREEDY, "upstream": replace(GREEDY, num_beams=5)}
    template = TEMPLATES["video"]
    default_checkpoint = "farewellthree/ST_LLM_weight"
    files: ClassVar[Mapping[str, tuple[str, ...]]] = {
        **QFormerFamily.files,
        "model": (f"{HOME}/*.json", f"{HOME}/*.model", f"{HOME}/*.bin"),  # a hub has both releases: one is enough
    }
    text_length = 256

    def __init__(self, *, frames: str = "", conversation: str = "video", **options: str) -> None:
        super().__init__(**options)
        self._frames = count("frames", frames) if frames else 0
        self.template = TEMPLATES[choice("conversation", conversation, TEMPLATES)]

    @property
    def folder(self) -> Path:
        """Where the model lies: the authors have one folder for each release in one place."""
        return within(self.checkpoint.folder, HOME)

    @cached_property
    def own(self) -> Tensors:
        """What the checkpoint holds beside the language model."""
        from ecva_bench.checkpoints.tensors import open_weights, under

        return under(open_weights(self.folder), OWN)

    @property
    def _branched(self) -> bool:
        return any("BTAdapter" in name for name in self.own)

    @property
    def needs_lavis(self) -> bool:
        """Return whether the checkpoint lacks tower or Q-Former, which were saved with it or not."""
        from ..parts.layouts.lavis import QFORMER, TOWER

        return not all(any(name.startswith(part) for name in self.own) for part in (TOWER, QFORMER))

    def frame_rule(self) -> dict[str, Any]:
        """Return the middles of as many segments as the checkpoint was trained with."""
        frames = self._frames or (16 if self._branched else 64)
        return {"rule": "midpoints", "at_most": frames, "rounded": "bounds"}

    def build(self) -> Networks:
        """Return the networks; what there is of branch and residual, the checkpoint's names show."""
        from ecva_bench.checkpoints.filling import parted
        from ecva_bench.checkpoints.tensors import layered

        from ..parts.connectors.qformer import Projected, load_qformer
        from ..parts.language.loading import load_language
        from ..parts.language.networks import Networks
        from ..parts.language.tokens import open_tokenizer
        from ..parts.layouts.lavis import QFORMER, QUERIES, first, open_lavis, tower_tensors
        from ..parts.layouts.sizes import check_widths, load_linear, tensor_of
        from ..parts.media.images import cropped
        from ..parts.towers.eva import load_eva
        from .bt_adapter import load_branched
        from .residual import GlobalResidual

        folder, placement, own = self.folder, self.placement, self.own
        parted(own, KNOWN if self._branched else (*KNOWN, "down_proj.", "up_proj."), "ST-LLM", folder)
        sources = [own, open_lavis(self.checkpoints["lavis"].folder)] if self.needs_lavis else [own]
        queries = tensor_of(layered(*sources), QUERIES, folder)
        ends = [] if self._branched else [load_linear(own, name, folder, placement) for name in RESIDUAL]
        load_tower = load_branched if self._branched else partial(load_eva, norm=True)
        tower = load_tower(tower_tensors(sources), folder, placement, cropped)
        qformer = load_qformer(first(sources, QFORMER), queries, folder, placement)
        proj = load_linear(own, "llama_proj", folder, placement)
        language = load_language(folder, "Llama", placement, beside=(OWN,))
        hidden = language.config.hidden_size
        joined = {
            "Qformer, tokens read": (qformer.encoder, tower.width),
            "llama_proj, columns": (proj.in_features, qformer.width),
            "llama_proj, rows": (proj.out_features, hidden),
        }
        if ends:
            down, up = ends
            joined["down_proj, columns"] = (down.in_features, hidden)
            joined["up_proj, columns"] = (up.in_features, down.out_features)
            joined["up_proj, rows"] = (up.out_features, hidden)
        check_widths(joined, "ST-LLM", folder)
        connector = Projected(qformer, proj, GlobalResidual(*ends) if ends else None)
        return self.worded(Networks(open_tokenizer(folder), tower, connector, language))

    def prompt(self, question: str, seen: Seen) -> Sequence[Piece]:
        """Return the visual tokens, and only behind them what begins a text, and the text."""
        video, *text = self.template.pieces(question)
        return [video, TokenIds((END,)), *text]

    def finish(self, text: str) -> str:
        """Return what follows the last `Assistant:`."""
        return text.rpartition("Assistant:")[2].strip()
