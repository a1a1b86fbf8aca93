"""PandaGPT 7B and 13B (arXiv 2305.16355): ImageBind, one linear layer, Vicuna with a LoRA."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar

from ecva_bench.answering import ModelCard
from ecva_bench.errors import UsageError
from ecva_bench.video import samplers

from ..parts.families.composed import Composed
from ..parts.language.policy import Policy
from ..parts.prompts import read_template

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from ecva_bench.video import Video

    from ..parts.language.networks import Networks

ALPHA = 32  # of the LoRA, whose rank is 32
LORA_IN = ("q_proj", "k_proj", "v_proj", "o_proj")
PROJECTION = "llama_proj."
LANGUAGE = "llama_model."

GREEDY = Policy(max_new_tokens=256, eos=(2, 2277), pad=2)  # 2277 is `##`, with which the next turn would begin


class PandaGPT(Composed):
    """The models of both sizes. Options beside those of `Composed`:

    `imagebind`, a folder with `imagebind_huge.pth`; `base`, Vicuna v0 (for 13B that of 13B), or LLaMA where `delta`
    names what Vicuna's authors published to be added to it.
    """

    card = ModelCard(
        name="PandaGPT 7B, 13B",
        paper="arXiv 2305.16355",
        code="yxuansu/PandaGPT",
        code_licence="Apache-2.0",
        weights_licence="CC BY-NC 4.0; ImageBind CC BY-NC-SA 4.0; Vicuna v0 under LLaMA's, for research",
        hub_ids=("openllmplayground/pandagpt_7b_max_len_1024", "openllmplayground/pandagpt_13b_max_len_400"),
        frames="10: the first and the last of 5 clips of 2 s, in three crops each",
        visual_tokens="1",
        memory="14.8 GB of weights in 16 bits; 27.3 GB of 13B (computed)",
        deviations=(
            "Answers are greedy; `generation=upstream` samples at top_p 0.01, as the authors' demo does.",
            "The authors cut off the last two tokens of every answer, which are the beginning of the next turn unless"
            " the answer ended otherwise; here only that beginning is cut off.",
            "The video's sound is not heard; in the authors' demo it is a file of its own.",
        ),
    )
    policies: ClassVar = {"greedy": GREEDY, "upstream": replace(GREEDY, do_sample=True, top_p=0.01, top_k=50)}
    template = read_template("pandagpt", 1)
    default_checkpoint = "openllmplayground/pandagpt_7b_max_len_1024"
    files: ClassVar = {
        "model": ("pytorch_model.pt",),
        "base": ("*.json", "*.model", "*.safetensors", "*.bin"),
        "delta": ("*.json", "*.model", "*.safetensors", "*.bin"),
        "imagebind": ("imagebind_huge.pth",),
    }

    def __init__(
        self, *, imagebind: str = "", base: str = "Vision-CAIR/vicuna-7b", delta: str = "", **options: str
    ) -> None:
        super().__init__(**options)
        self._imagebind = imagebind
        self._language = {"base": base, **({"delta": delta} if delta else {})}

    def extras(self) -> dict[str, str]:
        """Return the language model's folders and ImageBind's."""
        if not self._imagebind:
            remedy = "download imagebind_huge.pth as ImageBind's README says, name its folder: --model-arg imagebind=…"
            raise UsageError("PandaGPT's own weights do not see", self.model_path, remedy)
        return {**self._language, "imagebind": self._imagebind}

    def frame_rule(self) -> dict[str, Any]:
        """Return both ends of five clips of two seconds."""
        return {"rule": "clip_ends", "count": 5, "seconds": 2.0}

    def frame_indices(self, video: Video) -> NDArray[np.int64]:
        """Return the frames of the clips, by the rate as containers state it, a fraction of whole numbers."""
        rate = float(Fraction(video.frame_rate).limit_denominator(100_000))
        return samplers.clip_ends(video.n_frames, 5, frame_rate=rate, seconds=2.0)

    def build(self) -> Networks:
        """Return the networks; every name of the model's own file has its place or is an error."""
        from torch.nn import Linear

        from ecva_bench.checkpoints.filling import fill, report_problems
        from ecva_bench.checkpoints.tensors import open_weights, under

        from ..parts.language.lora import WRAPPED, add_lora, lora_of
        from ..parts.language.networks import Networks
        from ..parts.language.tokens import open_tokenizer
        from .imagebind import load_imagebind

        folders = {role: found.folder for role, found in self.checkpoints.items()}
        file, seeing = folders["model"] / "pytorch_model.pt", folders["imagebind"] / "imagebind_huge.pth"
        own = open_weights(file)
        known = (LANGUAGE + WRAPPED, PROJECTION)
        report_problems({"unexpected": sorted(name for name in own if not name.startswith(known))}, "PandaGPT", file)
        tower = load_imagebind(open_weights(seeing), seeing, self.placement)
        language = self._vicuna(folders)
        add_lora(language, lora_of(own, LANGUAGE), ALPHA, file, modules=LORA_IN)
        connector = self.placement.make(lambda: Linear(tower.out, language.config.hidden_size))
        fill(connector, under(own, PROJECTION), file)
        tokenizer = open_tokenizer(*(folders[role] for role in reversed(self._language)))
        return Networks(tokenizer=tokenizer, tower=tower, connector=connector, language=language)

    def _vicuna(self, folders: Mapping[str, Path]) -> Any:
        """Return the language model without the LoRA."""
        from ..parts.language.loading import load_language
        from .delta import load_sum

        if "delta" in folders:
            return load_sum(folders["delta"], folders["base"], "Llama", self.placement)
        return load_language(folders["base"], "Llama", self.placement)
