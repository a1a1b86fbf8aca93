"""Video-ChatGPT 7B (arXiv 2306.05424): CLIP, means over space and over time, LLaVA-Lightning (LLaMA)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from ecva_bench.answering import ModelCard

from ..parts.families.composed import Composed, Seen
from ..parts.language.policy import Policy
from ..parts.options import choice
from ..parts.prompts import Piece, Text, TokenIds, Visual, read_template

if TYPE_CHECKING:
    import torch

    from ecva_bench.video import Frames

    from ..parts.language.networks import Networks
    from ..parts.prompts import Template

FILE = "video_chatgpt-7B.bin"
ADDED = 3  # tokens the model has beside the base's: a patch of the video, its start, its end
BLANKS = ("cut", "kept")

GREEDY = Policy(max_new_tokens=1024, eos=(2,), pad=0)


class VideoChatGPT(Composed):
    """The 7B model: its projector and embeddings, on top of a language model of its own. Options:

    `base`, the language model, whole or with its delta merged; `vision_tower`, CLIP; `conversation`, the template;
    `blanks`, whether blanks beside the video are `cut`, as the authors' tokenizer did, or `kept`.
    """

    card = ModelCard(
        name="Video-ChatGPT 7B",
        paper="arXiv 2306.05424",
        code="mbzuai-oryx/Video-ChatGPT",
        code_licence="CC BY 4.0",
        weights_licence="CC BY 4.0 for the projector; its base is made from LLaMA, for research only",
        hub_ids=("MBZUAI/Video-ChatGPT-7B", "mmaaz60/LLaVA-7B-Lightening-v1-1", "openai/clip-vit-large-patch14"),
        frames="at most 100: the middles of equal segments",
        visual_tokens="356",
        memory="14.1 GB of weights in 16 bits (computed)",
        deviations=(
            "Answers are greedy; `generation=upstream` samples as the authors' scripts do, at temperature 0.2.",
            "An answer ends at `</s>`. The authors' program waits for the id that the base's settings name, which is"
            " another.",
            "The authors take any of the characters `</s>` off an answer's end, a final s among them: kept with"
            " `generation=upstream` alone.",
            "The three added tokens cannot be said; in the authors' program their output weights are random.",
        ),
    )
    policies: ClassVar = {
        "greedy": GREEDY,
        "upstream": replace(GREEDY, do_sample=True, temperature=0.2, top_k=50),
    }
    conversations: ClassVar = {
        "video-chatgpt_v1": read_template("video-chatgpt", 1),
        "vicuna_v1_1": read_template("video-chatgpt-vicuna", 1),
    }
    files: ClassVar = {
        "model": (FILE,),
        "base": ("*.json", "*.model", "pytorch_model*.bin"),
        "vision_tower": ("*.json", "pytorch_model.bin"),
    }
    default_checkpoint = "MBZUAI/Video-ChatGPT-7B"

    def __init__(
        self,
        *,
        base: str = "mmaaz60/LLaVA-7B-Lightening-v1-1",
        vision_tower: str = "openai/clip-vit-large-patch14",
        conversation: str = "",
        blanks: str = "cut",
        **options: str,
    ) -> None:
        super().__init__(**options)
        self._extras = {"base": base, "vision_tower": vision_tower}
        conversation = conversation or next(iter(self.conversations))
        self.template = self.conversations[choice("conversation", conversation, self.conversations)]
        self._blanks = choice("blanks", blanks, BLANKS)

    def extras(self) -> dict[str, str]:
        """Return the language model and the tower."""
        return self._extras

    def frame_rule(self) -> dict[str, Any]:
        """Return the middles of a hundred segments, of fewer where a video has fewer frames."""
        return {"rule": "midpoints", "at_most": 100, "rounded": "bounds"}

    def build(self) -> Networks:
        """Return the networks; the model's own file has the projector and the embeddings of all tokens."""
        from torch import nn

        from ecva_bench.checkpoints.filling import fill
        from ecva_bench.checkpoints.tensors import open_weights, renamed

        from ..parts.language.loading import load_language
        from ..parts.language.networks import Networks
        from ..parts.language.tokens import open_tokenizer
        from ..parts.towers.clip import load_clip

        file, base = self.checkpoint.folder / FILE, self.checkpoints["base"].folder
        found = self.checkpoints["vision_tower"]
        tower = load_clip(found.name, found.folder, open_weights(found.folder), found.folder, self.placement)
        language = load_language(base, "Llama", self.placement, beside=("model.mm_projector.", "model.vision_tower."))
        words, hidden = language.get_input_embeddings().weight.shape
        own = self.placement.make(
            lambda: nn.ModuleDict(
                {"embed_tokens": nn.Embedding(words + ADDED, hidden), "mm_projector": nn.Linear(tower.width, hidden)}
            )
        )
        fill(own, renamed(open_weights(file), lambda name: name.removeprefix("model.")), file)
        language.set_input_embeddings(own["embed_tokens"])
        return Networks(open_tokenizer(base), tower, own["mm_projector"], language)

    def see(self, frames: Frames) -> torch.Tensor:
        """Return a token per frame, then a token per patch."""
        from ..parts.media.images import nearest
        from .pooling import pooled

        tower: Any = self.networks.tower
        return self.networks.connector(pooled(tower(nearest(frames.pixels, tower.side))))

    def words(self, question: str) -> Template:
        """Return the template for a question."""
        return self.template

    def prompt(self, question: str, seen: Seen) -> Sequence[Piece]:
        """Return the template with the video between the tokens of its start and its end."""
        added = len(self.networks.language.get_input_embeddings().weight) - ADDED
        before, after = (piece.text for piece in self.words(question).pieces(question) if isinstance(piece, Text))
        if self._blanks == "cut":
            before, after = before.rstrip(), after.lstrip()
        start, end = TokenIds((added + 1,)), TokenIds((added + 2,))
        return [TokenIds((self.networks.tokenizer.bos,)), Text(before), start, Visual(), end, Text(after)]

    def finish(self, text: str) -> str:
        """Return the answer; with `upstream`, without any of the characters `</s>` at its end."""
        return text.strip().rstrip("</s>").strip() if self.generation == "upstream" else text.strip()

    def describe(self) -> dict[str, Any]:
        """Return what `Composed` does, and what becomes of blanks beside the video."""
        return {**super().describe(), "blanks": self._blanks}
