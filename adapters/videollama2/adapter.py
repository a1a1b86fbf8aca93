"""VideoLLaMA 2 7B (arXiv 2406.07476): CLIP, a spatial-temporal convolution connector, Mistral."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from ecva_bench.answering import ModelCard
from ecva_bench.errors import CheckpointError

from ..parts.families.llava import LlavaFamily
from ..parts.language.policy import Policy
from ..parts.options import choice
from ..parts.prompts import read_template

if TYPE_CHECKING:
    import torch

# The authors' two releases of the sampling rule, which differ by at most one frame.
SAMPLING = {"v1.0": "bounds", "main": "middles"}
PADDING = {"stc_connector": 1, "stc_connector_v35": 0}

GREEDY = Policy(max_new_tokens=1024, eos=(2,), pad=2)


class VideoLLaMA2(LlavaFamily):
    """The 7B models of 8 and of 16 frames; `sampling` is the release of the frame rule, `v1.0` or `main`."""

    card = ModelCard(
        name="VideoLLaMA 2 7B",
        paper="arXiv 2406.07476",
        code="DAMO-NLP-SG/VideoLLaMA2",
        code_licence="Apache-2.0",
        weights_licence="Apache-2.0; the authors call it a research preview for non-commercial use",
        hub_ids=("DAMO-NLP-SG/VideoLLaMA2-7B", "DAMO-NLP-SG/VideoLLaMA2-7B-16F"),
        frames="8, or 16 (16F): the middles of equal segments",
        visual_tokens="845, or 1521 (16F)",
        memory="16.1 GB of weights in 16 bits",
        deviations=(
            "Answers are greedy, as in the authors' library; `generation=upstream` samples as the script of their first"
            " release does, at temperature 0.2.",
            "Frames are cropped to a square, as in the authors' library; training padded them (`aspect=pad`).",
            "The prompt is that of the release the weights came out with; the library has since taken it from the"
            " tokenizer's settings.",
        ),
    )
    policies: ClassVar = {
        "greedy": GREEDY,
        "upstream": replace(GREEDY, do_sample=True, temperature=0.2, top_k=50),
    }
    template = read_template("videollama2", 1)
    default_checkpoint = "DAMO-NLP-SG/VideoLLaMA2-7B"
    default_base = "mistralai/Mistral-7B-Instruct-v0.2"
    language = "Mistral"

    def __init__(self, *, sampling: str = "v1.0", **options: str) -> None:
        super().__init__(**options)
        self._rounded = SAMPLING[choice("sampling", sampling, SAMPLING)]

    def frame_rule(self) -> dict[str, Any]:
        """Return the middles of as many segments as the checkpoint was trained with."""
        return {"rule": "midpoints", "count": self.size("num_frames", 8), "rounded": self._rounded}

    def connector(self) -> torch.nn.Module:
        """Return the convolution connector of the checkpoint's sizes."""
        from .stc import Stc

        kind = str(self.config.get("mm_projector_type"))
        if kind not in PADDING:
            what = f"the projector {kind!r} is none of {', '.join(PADDING)}"
            raise CheckpointError(what, self.checkpoint.folder, "name a checkpoint of VideoLLaMA 2")
        return Stc(*self.connector_sizes, padding=PADDING[kind])
