"""AnomShield (arXiv 2412.07183, Sec. IV): CLIP, a Mamba connector, Mistral, and the hard prompt in front of them.

Knows how the parts make an answer; the connector's mathematics are in `connector`, the hard prompt's in `hard_prompt`.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ecva_bench.answering import ModelCard, ModelOutput
from ecva_bench.errors import CheckpointError, JudgeError, ModelGone

from ..parts.families.llava import LlavaFamily
from ..parts.language.policy import Policy
from ..parts.options import choice
from ..parts.prompts import Text, TokenIds, encode, read_template
from . import hard_prompt
from .backends import BACKENDS, select
from .hard_prompt import Ranking, VideoSegment

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

    from ecva_bench.judging import Judge, JudgePrompt
    from ecva_bench.video import Frames, Video

CONNECTORS = {"mamba": "mamba_scan", "mlp": "mlp2x_gelu"}  # and what the trainers call them
TOWERS = ("clip-vit-large-patch14", "clip-vit-large-patch14-336")
ANSWERING = 16  # frames, where a checkpoint does not say how many
CAPTION = read_template("anomshield-caption", 1)
RANKING = {"8": read_template("anomshield-ranking-8", 1), "4": read_template("anomshield-ranking-4", 1)}
SELF = "self"

GREEDY = Policy(max_new_tokens=1024, eos=(2,), pad=2)
TO_RANK = replace(GREEDY, max_new_tokens=128)


class AnomShield(LlavaFamily):
    """The paper's own model. Options beside those of `LlavaFamily`:

    `hard_prompt`, `no` for frames spread over the whole video; `segments`, 8 as in the paper or 4 as in the authors'
    scripts; `ranker`, `self` or a judge's name, as `--judge` takes it; `connector`, `mlp` for a checkpoint trained
    without the Mamba block; `backend`, what computes that block.
    """

    card = ModelCard(
        name="AnomShield",
        paper="arXiv 2412.07183",
        code="Dulpy/ECVA",
        code_licence="no licence file; the files taken from LLaVA and VideoLLaMA 2 say Apache-2.0",
        weights_licence="no weights are released; Mistral 7B Instruct v0.2 is under Apache-2.0, CLIP under MIT",
        hub_ids=(),
        frames="32 for the captions, then 16 of the two best of 8 segments; 16 without the hard prompt",
        visual_tokens="256 for an answer, 64 for each caption",
        memory="15.1 GB of weights in 16 bits; 1.4 GB of cache for the captions at their longest (computed)",
        deviations=(
            "Answers and captions are greedy; `generation=upstream` samples both at temperature 0.2, as the authors'"
            " scripts do.",
            "The paper's 8 segments are the default; `segments=4` gives those of the authors' scripts, which look at"
            " the same frames twice instead of sampling anew.",
            "Segments are ranked against the question that is asked; the authors' scripts rank once, against the"
            " question for the description, and use that for all tasks.",
            "The default ranker is the model itself; the scripts' is gpt-4o-mini, a judge grades captions by a prompt"
            " of ours.",
            "Both chosen segments are seen; a loop in the authors' script ends after the first of them.",
            "A ranking that cannot be read gives frames of the whole video, and the record says so; the scripts leave"
            " the video out.",
            "The scripts load a projector with `strict=False`; here every name must fit.",
        ),
    )
    policies: ClassVar = {
        "greedy": GREEDY,
        "upstream": replace(GREEDY, do_sample=True, temperature=0.2, top_k=50),
    }
    template = read_template("anomshield", 1)
    default_base = "mistralai/Mistral-7B-Instruct-v0.2"
    default_tower = f"openai/{TOWERS[0]}"
    language = "Mistral"

    def __init__(
        self,
        *,
        hard_prompt: str = "yes",
        segments: str = "8",
        ranker: str = SELF,
        connector: str = "mamba",
        backend: str = "auto",
        aspect: str = "pad",
        **options: str,
    ) -> None:
        super().__init__(aspect=aspect, **options)
        self._hard = choice("hard_prompt", hard_prompt, ("yes", "no")) == "yes"
        self._segments = choice("segments", segments, RANKING)
        self._ranker = ranker
        self._connector = choice("connector", connector, CONNECTORS)
        self._backend = choice("backend", backend, BACKENDS)
        self._captioned: tuple[list[str], list[str]] = ([], [])

    # The networks

    @property
    def tower_name(self) -> str:
        """Folder or hub id of the vision tower; for a folder of the authors' own machine, that of its hub id."""
        name, known = super().tower_name, Path(super().tower_name).name
        return f"openai/{known}" if known in TOWERS and not Path(name).is_dir() else name

    def connector(self) -> torch.nn.Module:
        """Return the connector of the checkpoint's sizes."""
        from .connector import MambaConnector
        from .pooled_mlp import PooledMlp

        kind, wanted = self.config.get("mm_projector_type"), CONNECTORS[self._connector]
        if kind != wanted:
            fitting = [option for option, trained in CONNECTORS.items() if trained == kind]
            remedy = f"give --model-arg connector={fitting[0]}" if fitting else "name a checkpoint of AnomShield"
            raise CheckpointError(f"the projector is {kind!r} and not {wanted!r}", self.checkpoint.folder, remedy)
        if self._connector == "mlp":
            return PooledMlp(*self.connector_sizes)
        return MambaConnector(*self.connector_sizes, backend=self._backend)

    @property
    def projector_type(self) -> str:
        """What the trainers call the connector that the option names."""
        return CONNECTORS[self._connector]

    def see(self, frames: Frames) -> torch.Tensor:
        """Return [tokens, hidden] of frames seen as one video."""
        features: torch.Tensor = self.networks.connector(self.networks.tower(frames.pixels)[None])[0]
        return features

    # The frames

    @property
    def _frames_of_answer(self) -> int:
        """How many frames an answer rests on: as in training, but 16 where that was on pictures alone (1 frame)."""
        trained = self.size("num_frames", ANSWERING)
        return ANSWERING if trained == 1 else trained

    def frame_rule(self) -> dict[str, Any]:
        """Return the rule of the first look, or of the only one; by how many frames the checkpoint was trained with."""
        count = hard_prompt.COARSE if self._hard else self._frames_of_answer
        return {"rule": "midpoints", "count": count, "rounded": "bounds"}

    def answer_many(self, video: Video, questions: Sequence[str]) -> list[str]:
        """Return the model's answers; with the hard prompt each tells its steps, and captions are made once."""
        if not self._hard:
            return super().answer_many(video, questions)
        segments = hard_prompt.segments_of(video, int(self._segments))
        captions = self._captions(video, segments)
        rankings = [self._rank(question, captions) for question in questions]
        seen = [self.look(video, self._frames(video, ranking)) for ranking in rankings]
        texts = self.ask(list(zip(seen, questions, strict=True)))
        return [
            ModelOutput(
                text, hard_prompt.steps(segments, captions, ranking, one.timestamps.tolist()), finish=text.finish
            )
            for text, ranking, one in zip(texts, rankings, seen, strict=True)
        ]

    @property
    def gives_probabilities(self) -> bool:
        """Whether probabilities are those of its answers: with the hard prompt these come of a second look."""
        return not self._hard

    def _captions(self, video: Video, segments: Sequence[VideoSegment]) -> list[str]:
        """Return a caption for each segment; those of the last video are kept."""
        seen = [self.look(video, segment.frames) for segment in segments]
        identities = [one.identity for one in seen]
        if self._captioned[0] != identities:
            captions = self.ask([(one, CAPTION.text) for one in seen])
            self._captioned = identities, [str(caption) for caption in captions]
        return self._captioned[1]

    def _frames(self, video: Video, ranking: Ranking) -> NDArray[np.int64]:
        """Return the indices of the frames an answer rests on."""
        if ranking.order:
            return hard_prompt.closer(video.n_frames, int(self._segments), ranking.chosen)
        return hard_prompt.evenly(video.n_frames, self._frames_of_answer)

    # The ranking

    def _rank(self, question: str, captions: Sequence[str]) -> Ranking:
        if self._ranker != SELF:
            try:
                return hard_prompt.ranked_by_judge(self._judge, self._judge_prompt, question, captions)
            except (JudgeError, CheckpointError) as error:  # it cannot be asked at all; saying nothing is no error
                raise ModelGone(error.what, error.where, error.remedy) from error
        words = hard_prompt.ranking_prompt(RANKING[self._segments].text, question, captions)
        return hard_prompt.ranking_in(self.say(words), len(captions))

    def say(self, words: str) -> str:
        """Return what the language model says to words alone, greedily, in Mistral's own chat format."""
        import torch

        from ..parts.language.generation import generate

        tokenizer = self.networks.tokenizer
        sequence = encode([TokenIds((tokenizer.bos,)), Text(f"[INST] {words} [/INST]")], tokenizer)
        nothing = torch.empty((0, self.networks.language.config.hidden_size))
        with torch.inference_mode():
            (text,) = generate(self.networks, [sequence], [nothing], TO_RANK, seed=0, attending=self.attending)
        return text.strip()

    @cached_property
    def _judge_prompt(self) -> JudgePrompt:
        from ecva_bench.judging.prompts import load_prompt

        return load_prompt("judge/caption-relevance", 1)

    @cached_property
    def _judge(self) -> Judge:
        """The judge that ranks, opened once and closed with the model; its calls are stored as any judge's are."""
        from ecva_bench.judging import open_judge

        judge = open_judge(self._ranker)
        weakref.finalize(self, judge.close)
        return judge

    def describe(self) -> dict[str, Any]:
        """Return what `LlavaFamily` does, the connector, and the hard prompt with its prompts."""
        return {
            **super().describe(),
            "connector": self._describe_connector(),
            "hard_prompt": self._describe_hard_prompt() if self._hard else "no",
        }

    def _describe_connector(self) -> dict[str, str]:
        """Return the kind of connector and the backend that really computes it, which has to run here."""
        if self._connector == "mlp":
            return {"kind": "mlp"}
        return {"kind": "mamba", "backend": select(self._backend, self.placement.device).name}

    def _describe_hard_prompt(self) -> dict[str, Any]:
        ranking = RANKING[self._segments].describe()
        if self._ranker != SELF:
            prompt = self._judge_prompt
            ranking = {"id": f"{prompt.id}.v{prompt.version}", "sha256": prompt.sha256}
        return {
            "segments": int(self._segments),
            "chosen": hard_prompt.CHOSEN,
            "frames_each": hard_prompt.DENSE,
            "ranker": self._ranker,
            "caption": CAPTION.describe(),
            "ranking": ranking,
        }
