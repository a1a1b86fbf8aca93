"""A video language model put together: vision tower, connector, language model, conversation template.

Knows how a video becomes visual tokens once and how its questions become one batch; leaves to a model's module which
networks, which frames and which words, and to the rooms beside it how each is done. Importing this module imports no
torch.

    class MyModel(Composed):
        card, policies, template, files = ...
        def frame_rule(self): ...              # which frames, as data
        def build(self): ...                   # the networks
        def see(self, frames): ...             # what does not depend on the question; once per video
        def visual(self, seen, question): ...  # visual tokens; the same, unless the connector reads the question
        def prompt(self, question, seen): ...  # pieces: text, ids, places of the visual tokens
        def finish(self, text): ...            # the answer in the generated text

Only `frame_rule` and `build` have no default.
"""

from __future__ import annotations

import copy
import dataclasses
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ecva_bench.answering import ModelOutput
from ecva_bench.answering.question import repeat_of
from ecva_bench.checkpoints.check import CheckpointCheck
from ecva_bench.errors import AdapterError, CheckpointError
from ecva_bench.records.base import sha256_of
from ecva_bench.torchvision import ensure_torchvision
from ecva_bench.video import samplers

from ..language.beginnings import beginnings, word_probabilities
from ..language.policy import Policy
from ..options import choice, count
from ..prompts import Piece, Template, Text, TokenIds, Visual, encode
from .has_checkpoints import HasCheckpoints

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

    from ecva_bench.video import Frames, Video

    from ..language.networks import Networks
    from ..placement import Placement

BATCH = 8  # questions answered at the same time


@dataclass(frozen=True, eq=False)
class Seen:
    """A video as a model has seen it.

    features: what `see` returned. timestamps and positions: float64 [T], seconds of the T frames on the original
    timeline and on the one shown. identity: a hash of the video's bytes, its view and the frames.
    """

    features: torch.Tensor
    timestamps: NDArray[np.float64]
    positions: NDArray[np.float64]
    identity: str


class Composed(HasCheckpoints):
    """A model made of a vision tower, a connector and a language model.

    Options, as strings: `model_path`, a folder or hub id; `generation`, a policy's name; `max_new_tokens` in its place;
    `dtype` (auto, float32, float16, bfloat16); `device` (auto, cpu, cuda, cuda:N, spread); `quantize` (8bit, 4bit: the
    language model alone). Nothing is read before it is needed; `AdapterError` or
    `CheckpointError` where something is not as it should be.
    """

    immaterial = frozenset({"device"})  # what of it matters, the description says

    policies: ClassVar[Mapping[str, Policy]]
    template: Template  # of the class, or of an instance whose options choose it

    def __init__(
        self,
        *,
        model_path: str = "",
        generation: str = "greedy",
        max_new_tokens: str = "",
        dtype: str = "auto",
        device: str = "auto",
        quantize: str = "",
    ) -> None:
        super().__init__(model_path)
        self.generation = choice("generation", generation, self.policies)
        self.policy = self.policies[generation]
        if max_new_tokens:
            self.policy = dataclasses.replace(self.policy, max_new_tokens=count("max_new_tokens", max_new_tokens))
        self._wanted = (device, dtype, quantize)
        self._kept_of: Video | None = None
        self._kept: dict[bytes, Seen] = {}

    @property
    def deterministic(self) -> bool:
        """Whether it answers greedily."""
        return not self.policy.do_sample

    @property
    def answers_jointly(self) -> bool:
        """Whether questions are answered together: where a policy samples, `ask` answers one by one."""
        return super().answers_jointly and not self.policy.do_sample

    # What a model gives

    @abstractmethod
    def build(self) -> Networks:
        """Return the networks, read from `self.checkpoints`, placed as `self.placement` says."""

    @abstractmethod
    def frame_rule(self) -> dict[str, Any]:
        """Return the frame rule as data: `rule`, a sampler's name, and what it takes, such as `count`.

        `at_most` stands for `count` where of a shorter video only as many frames are taken as it has.
        """

    def see(self, frames: Frames) -> torch.Tensor:
        """Return what does not depend on the question; by default tower and connector: [tokens, hidden]."""
        features: torch.Tensor = self.networks.connector(self.networks.tower(frames.pixels))
        return features

    def visual(self, seen: Seen, question: str) -> torch.Tensor:
        """Return the visual tokens [tokens, hidden] for a question; by default what `see` returned."""
        return seen.features

    def prompt(self, question: str, seen: Seen) -> Sequence[Piece]:
        """Return what the language model reads; by default the template after the id that begins a sequence."""
        return [TokenIds((self.networks.tokenizer.bos,)), *self.template.pieces(question)]

    def attending(self, visuals: Sequence[torch.Tensor], ids: torch.Tensor) -> AbstractContextManager[object]:
        """Return a context for generation in which a language model with cross-attention sees `visuals`.

        `ids` is int64 [batch, length], -1 where padding or visual tokens stand. By default there is nothing to do.
        """
        return nullcontext()

    def finish(self, text: str) -> str:
        """Return the answer from the generated text, which is cut at the policy's stop strings already."""
        return text.strip()

    # What a model is given

    @cached_property
    def placement(self) -> Placement:
        """Where networks are put, and as what numbers."""
        from ..placement import place

        device, dtype, quantize = self._wanted
        return place(device, dtype, quantize)

    @cached_property
    def networks(self) -> Networks:
        """The networks, built once."""
        ensure_torchvision()
        return self.build()

    def load(self) -> None:
        """Build the networks."""
        _ = self.networks

    def check_checkpoint(self) -> CheckpointCheck:
        """Return whether the files fit the networks: `build`, with tensors that have names and shapes alone.

        Raises an error where the model's own weights are not on this machine; what else ends `build` ends the
        comparison.
        """
        from ecva_bench.checkpoints.inspection import count_parameters, inspecting

        from ..placement import NOWHERE

        ensure_torchvision()
        twin = copy.copy(self)
        twin.placement, twin.is_inspected = NOWHERE, True
        with inspecting() as parts:
            _ = twin.checkpoint
            try:
                built = twin.build()
            except (AdapterError, CheckpointError) as error:
                return CheckpointCheck(tuple(parts), None, str(error))
        return CheckpointCheck(tuple(parts), count_parameters(built.tower, built.connector, built.language))

    def frame_indices(self, video: Video) -> NDArray[np.int64]:
        """Return the indices the frame rule gives for a video; of `at_most` frames a short video has fewer."""
        rule = self.frame_rule()
        name = rule.pop("rule")
        if "at_most" in rule:
            rule["count"] = min(rule.pop("at_most"), video.n_frames)
        shown = video.positions if name == "at_fps" else video.n_frames
        return samplers.get(name)(shown, **rule)

    def look(self, video: Video, indices: NDArray[np.int64] | None = None) -> Seen:
        """Return a video as seen through the frames at `indices`, those of the frame rule where none are given.

        What was seen of the last video is kept. The frames are taken from the video in any case, so that it is
        recorded which ones an answer rests on.
        """
        import torch

        frames = video.frames_at(self.frame_indices(video) if indices is None else indices)
        if self._kept_of is not video:
            self._kept_of, self._kept = video, {}
        key = frames.indices.tobytes()
        if key not in self._kept:
            cuts = [[moment.start, moment.end] for moment in video.removed]
            others = [video.pictures] if video.pictures else []
            identity = sha256_of([video.sha256, cuts, frames.indices.tolist(), *others])
            with torch.inference_mode():
                features = self.see(frames)
            self._kept[key] = Seen(features, frames.timestamps, frames.positions, identity)
        return self._kept[key]

    def ask(self, pairs: Sequence[tuple[Seen, str]], policy: Policy | None = None) -> list[ModelOutput]:
        """Return one answer per question about what was seen, in order, by the adapter's policy or another.

        Questions go in batches, whatever each is about; where a policy samples, one by one, each with a seed of its
        own, so that an answer does not depend on what else is asked.
        """
        import torch

        from ..language.generation import generate

        policy = policy or self.policy
        tokenizer = self.networks.tokenizer
        size = 1 if policy.do_sample else BATCH
        answers: list[ModelOutput] = []
        for start in range(0, len(pairs), size):
            batch = pairs[start : start + size]
            again = [repeat for _, question in batch if (repeat := repeat_of(question))]
            seed = sha256_of([policy.seed, *((seen.identity, question) for seen, question in batch), *again])
            with torch.inference_mode():
                texts = generate(
                    self.networks,
                    [encode(self.prompt(question, seen), tokenizer) for seen, question in batch],
                    [self.visual(seen, question) for seen, question in batch],
                    policy,
                    seed=int(seed[:15], 16),
                    attending=self.attending,
                )
            answers += [ModelOutput(self.finish(policy.cut(text)), finish=text.finish) for text in texts]
        return answers

    def answer(self, video: Video, question: str) -> str:
        """Return the model's answer to one question."""
        return self.answer_many(video, [question])[0]

    def answer_many(self, video: Video, questions: Sequence[str]) -> list[str]:
        """Return the model's answers, the video being encoded once."""
        seen = self.look(video)
        return [*self.ask([(seen, question) for question in questions])]

    def first_token_probabilities(self, video: Video, question: str, words: Sequence[str]) -> list[float]:
        """Return how probable it is that the answer begins with each of some words."""
        import torch

        from ..language.generation import next_probabilities

        seen, networks = self.look(video), self.networks
        *pieces, last = self.prompt(question, seen)

        def sequence(said: str) -> list[int | Visual]:
            text = Text(last.text + said) if isinstance(last, Text) else Text(said)
            tail = [text] if isinstance(last, Text) else [last, *([text] if said else [])]
            return encode([*pieces, *tail], networks.tokenizer)

        with torch.inference_mode():
            visual = self.visual(seen, question)

        def following(said: tuple[int, ...]) -> Callable[[int], float]:
            with torch.inference_mode():
                found = next_probabilities(
                    networks, [*sequence(""), *said], visual, self.policy, attending=self.attending
                )
            return lambda token: float(found[token])

        return word_probabilities(beginnings(sequence, words, self.checkpoint.name), following)

    def describe(self) -> dict[str, Any]:
        """Return checkpoints with revisions, numbers, frames, template and generation; no weights are loaded."""
        return {
            **self.placement.describe(),  # first: a device that is not there is refused before weights are fetched
            "checkpoints": {role: f"{found.name}@{found.revision}" for role, found in self.checkpoints.items()},
            "frames": self.frame_rule(),
            "template": self.template.describe(),
            "generation": {"policy": self.generation, **self.policy.describe()},
        }
