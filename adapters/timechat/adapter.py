"""TimeChat 7B (arXiv 2312.02051): EVA-CLIP-g, a Q-Former told each frame's second, a sliding one, LLaMA 2."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from ecva_bench.answering import ModelCard

from ..parts.families.composed import Seen
from ..parts.families.qformer import OverLanguageModel
from ..parts.language.policy import Policy
from ..parts.options import count
from ..parts.prompts import Piece, TokenIds, read_template

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

    from ecva_bench.video import Frames

    from ..parts.language.networks import Networks

PARTS = (
    "Qformer.",
    "query_tokens",
    "video_Qformer.",
    "video_query_tokens",
    "video_frame_position_embedding.",
    "llama_proj.",
    "llama_model.",
)
HOME = "llama-2-7b-chat-hf"  # the folder of the language model in Video-LLaMA's release

GREEDY = Policy(max_new_tokens=512, eos=(2,), pad=2)
MOST_FRAMES = 96


class TimeChat(OverLanguageModel):
    """The 7B model, over LLaMA 2. `alpha` is how much of its LoRA is added, over its rank of 32."""

    card = ModelCard(
        name="TimeChat 7B",
        paper="arXiv 2312.02051",
        code="RenShuhuai-Andy/TimeChat",
        code_licence="BSD-3-Clause",
        weights_licence="a research preview for non-commercial use; LLaMA 2 community licence",
        hub_ids=(
            "ShuhuaiRen/TimeChat-7b",
            "ShuhuaiRen/TimeChat-7b-paper",
            "Salesforce/instructblip-vicuna-7b",
            "DAMO-NLP-SG/Video-LLaMA-2-7B-Finetuned",
        ),
        frames="96, at most those there are: the first of each of equal segments",
        visual_tokens="96: 32 of each window of 32 frames",
        memory="15.9 GB of weights in 16 bits, computed from the number of parameters",
        deviations=(
            "Answers are greedy; the authors' program always samples (`generation=upstream`: top_p 0.8).",
            "The LoRA is added with alpha 20, as the authors advise for questions; training had 32 (`alpha=32`).",
            "Frames are scaled to 224 x 224 after their colours became RGB, not before.",
            "A frame's second is that of its time stamp, not its index over the mean frame rate.",
            "Vision is computed in the one dtype chosen; the authors' runs in float16 beside bfloat16.",
        ),
    )
    policies: ClassVar = {"greedy": GREEDY, "upstream": replace(GREEDY, do_sample=True, top_p=0.8, top_k=50)}
    template = read_template("timechat", 1)
    default_checkpoint = "ShuhuaiRen/TimeChat-7b"
    default_base = "DAMO-NLP-SG/Video-LLaMA-2-7B-Finetuned"
    files: ClassVar[Mapping[str, tuple[str, ...]]] = {
        **OverLanguageModel.files,
        "base": (f"{HOME}/*.json", f"{HOME}/*.model", f"{HOME}/*.bin", f"{HOME}/*.safetensors"),
    }
    home, kind = HOME, "Llama"
    lora = ("q_proj", "k_proj", "v_proj", "o_proj")
    instruction = read_template("timechat-frame", 1)
    text_length = 32
    needs_lavis = True

    def __init__(self, *, alpha: str = "20", **options: str) -> None:
        super().__init__(**options)
        self._alpha = count("alpha", alpha)

    def frame_rule(self) -> dict[str, Any]:
        """Return the first frame of each of 96 segments."""
        return {"rule": "starts", "at_most": MOST_FRAMES}

    def build(self) -> Networks:
        """Return the networks: the checkpoint's own over the frozen half of InstructBLIP and the language model."""
        from ecva_bench.checkpoints.filling import parted
        from ecva_bench.checkpoints.tensors import open_weights

        from ..parts.connectors.qformer import load_qformer
        from ..parts.language.networks import Networks
        from ..parts.language.tokens import open_tokenizer
        from ..parts.layouts.lavis import open_lavis, tower_tensors
        from ..parts.layouts.sizes import check_widths, load_embedding, load_linear, tensor_of
        from ..parts.media.images import squeezed
        from ..parts.towers.eva import load_eva
        from .sliding import SlidingQFormer

        file, placement, lavis = self.file, self.placement, self.checkpoints["lavis"].folder
        own = open_weights(file)
        parts = parted(own, PARTS, "TimeChat", file)
        tower = load_eva(tower_tensors([open_lavis(lavis)]), lavis, placement, squeezed, norm=True)
        image = load_qformer(parts["Qformer."], tensor_of(own, "query_tokens", file), file, placement)
        frames = load_embedding(own, "video_frame_position_embedding", file, placement)
        video = load_qformer(parts["video_Qformer."], tensor_of(own, "video_query_tokens", file), file, placement)
        proj = load_linear(own, "llama_proj", file, placement)
        language = self.language(own, "llama_model.", self._alpha)
        joined = {
            "Qformer, tokens read": (image.encoder, tower.width),
            "video_frame_position_embedding, columns": (frames.embedding_dim, image.width),
            "video_frame_position_embedding, rows": (min(frames.num_embeddings, MOST_FRAMES), MOST_FRAMES),
            "video_Qformer, tokens read": (video.encoder, image.width),
            "llama_proj, columns": (proj.in_features, video.width),
            "llama_proj, rows": (proj.out_features, language.config.hidden_size),
        }
        check_widths(joined, "TimeChat", file)
        connector = SlidingQFormer(image, frames, video, proj)
        return self.worded(Networks(open_tokenizer(self.base), tower, connector, language))

    def see(self, frames: Frames) -> torch.Tensor:
        """Return the visual tokens: frames are read beside their seconds, and never beside a question."""
        tokens = self.networks.tower(frames.pixels)
        text = self.instruction.text
        ids, mask = self.text([text.replace("{second}", second) for second in seconds(frames.positions)])
        return self.networks.connector(tokens, ids.to(tokens.device), mask.to(tokens.device))

    def prompt(self, question: str, seen: Seen) -> Sequence[Piece]:
        """Return the template with the number of frames and their seconds."""
        times = seconds(seen.positions)
        text = self.template.text.replace("{count}", str(len(times))).replace("{seconds}", ", ".join(times))
        return [TokenIds((self.networks.tokenizer.bos,)), *replace(self.template, text=text).pieces(question)]

    def describe(self) -> dict[str, Any]:
        """Return what the family does, and how much LoRA is added."""
        return {**super().describe(), "alpha": self._alpha}


def seconds(positions: NDArray[np.float64]) -> list[str]:
    """Return seconds as the authors write them: `12.0`, rounded to tenths."""
    return [str(round(float(position), 1)) for position in positions]
