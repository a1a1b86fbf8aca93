"""Chat-UniVi 7B (arXiv 2311.08046): CLIP, tokens merged by density into events and three scales, Vicuna."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from ecva_bench.answering import ModelCard
from ecva_bench.errors import CheckpointError

from ..parts.families.llava import LlavaFamily
from ..parts.language.policy import Policy
from ..parts.options import choice, count
from ..parts.prompts import read_template

if TYPE_CHECKING:
    import torch

    from ecva_bench.video import Frames

    from .merging import Rates

TEMPLATES = {"v1": read_template("chat-univi", 1), "simple": read_template("chat-univi-simple", 1)}
RATES = (*(f"spatial_cluster_rate{step}" for step in range(3)), "temporal_cluster_rate")
STOP = {"v1": (), "simple": ("###",)}
GREEDY = Policy(max_new_tokens=1024, eos=(2,), pad=0)


class ChatUniVi(LlavaFamily):
    """Both 7B models. `frames` is the most that are shown; `conversation` is `v1` (evaluation) or `simple` (README)."""

    card = ModelCard(
        name="Chat-UniVi 7B",
        paper="arXiv 2311.08046",
        code="PKU-YuanGroup/Chat-UniVi",
        code_licence="Apache-2.0",
        weights_licence="not stated; the authors call it a research preview for non-commercial use (LLaMA 2, Vicuna)",
        hub_ids=("Chat-UniVi/Chat-UniVi", "Chat-UniVi/Chat-UniVi-7B-v1.5"),
        frames="1 a second, at most 64",
        visual_tokens="112 an event, and an event for every 16 frames: at most 448",
        memory="14.1 GB of weights in 16 bits (computed)",
        deviations=(
            "Which tokens are the centres of clusters the authors' program decides with the help of unseeded noise, and"
            " which frames those of events, up to 48 frames, by noise alone. Here it depends on the frames shown: it is"
            " the same every time.",
            "The noise is added in 32 bits always; in 16 bits there would be none.",
            "Answers are greedy; `generation=upstream` samples at temperature 0.2, with the top_p that Vicuna's"
            " settings are known to bring in.",
            "Tower and merging have the numbers of the language model; the authors mix two kinds of 16 bits.",
        ),
    )
    policies: ClassVar = {
        "greedy": GREEDY,
        "upstream": replace(GREEDY, do_sample=True, temperature=0.2, top_p=0.6, top_k=50),
    }
    template = TEMPLATES["v1"]
    default_checkpoint = "Chat-UniVi/Chat-UniVi"
    default_base = "lmsys/vicuna-7b-v1.5"
    beside = (*LlavaFamily.beside, "model.ctm", "model.block")  # the merging's, which it does not use
    aspects = ("none",)
    language = "Llama"

    def __init__(self, *, frames: str = "64", conversation: str = "v1", **options: str) -> None:
        super().__init__(**options)
        self._frames = count("frames", frames)
        self.template = TEMPLATES[choice("conversation", conversation, TEMPLATES)]
        self.policy = replace(self.policy, stop=STOP[conversation])

    def frame_rule(self) -> dict[str, Any]:
        """Return one frame a second, or fewer where there are too many."""
        return {"rule": "at_fps", "fps": 1.0, "cap": self._frames}

    def connector(self) -> torch.nn.Module:
        """Return the layer behind the merging."""
        from torch.nn import Linear

        if not self.section("config").get("use_cluster"):
            raise CheckpointError("the model does not merge tokens", self.checkpoint.folder, "name one of Chat-UniVi's")
        _ = self.rates
        return Linear(*self.connector_sizes)

    @property
    def rates(self) -> Rates:
        """How many clusters are made."""
        from .merging import Rates

        first, second, third, temporal = map(self._rate, RATES)
        return Rates((first, second, third), temporal)

    def _rate(self, name: str) -> float:
        found = self.section("config").get(name)
        if not (isinstance(found, int | float) and 0 < found < float("inf")):
            what = f"{name} is {found!r:.50}, and no number above 0"
            raise CheckpointError(what, self.checkpoint.folder / "config.json", "take the config.json of the release")
        return found

    def see(self, frames: Frames) -> torch.Tensor:
        """Return the merged tokens of the frames, their events in order; noise depends on the frames and the seed."""
        import torch

        from .merging import merge_tokens

        drawn = hashlib.sha256(f"{self.policy.seed} ".encode() + frames.pixels.tobytes()).digest()
        generator = torch.Generator().manual_seed(int.from_bytes(drawn[:7]))
        tokens = merge_tokens(
            self.networks.tower(frames.pixels), self.rates, lambda n, m: torch.rand(n, m, generator=generator)
        )
        return self.networks.connector(tokens)
