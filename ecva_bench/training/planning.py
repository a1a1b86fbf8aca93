"""What a stage will take, before anything is loaded: samples, tokens, steps, FLOPs, bytes, hours, disk, licences."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from ..names import first_few
from ..wording import counted, duration, size
from .conversations import Conversation
from .costs import GPUS, NetworkSizes, kept_bytes, sample_flops, weight_bytes
from .formats import SkippedSample, TrainingSet
from .recipe import Recipe
from .sources import tell_sets
from .words import CUT_OFF, Words

_BYTES_A_TOKEN = 4  # of English text, where no vocabulary is at hand


@dataclass(frozen=True)
class SampleLength:
    """The positions of a sample in the language model, visual tokens included, and how many ids are learned."""

    positions: int
    supervised: int


@dataclass(frozen=True)
class TrainingPlan:
    """A plan. `padded` and `packed` are positions of an epoch; `estimated` says why lengths are no counts."""

    recipe: Recipe
    sets: tuple[TrainingSet, ...]
    lengths: tuple[SampleLength, ...]
    skipped: tuple[SkippedSample, ...]
    videos: int
    sizes: NetworkSizes
    estimated: str = ""

    @property
    def steps(self) -> int:
        """Optimizer steps of one process: of several, each epoch's last may be smaller."""
        if self.recipe.steps is not None:
            return self.recipe.steps
        a_batch = self.recipe.batch // self.recipe.micro_batch
        an_epoch = math.ceil(math.ceil(len(self.lengths) / self.recipe.micro_batch) / a_batch)
        return math.ceil((self.recipe.epochs or 1) * an_epoch)

    @property
    def shown(self) -> float:
        """How many samples are shown, again and again."""
        if self.recipe.steps is not None:
            return float(self.recipe.steps * self.recipe.batch)
        return (self.recipe.epochs or 1) * len(self.lengths)

    @cached_property
    def packed(self) -> int:
        """Positions of an epoch without padding."""
        return sum(one.positions for one in self.lengths)

    @cached_property
    def padded(self) -> int:
        """Positions of an epoch where each micro-batch is padded to its longest sample, in one random order."""
        lengths = [one.positions for one in self.lengths]
        random.Random(self.recipe.seed).shuffle(lengths)
        step = self.recipe.micro_batch
        parts = [lengths[start : start + step] for start in range(0, len(lengths), step)]
        return sum(max(part) * len(part) for part in parts)

    @cached_property
    def flops(self) -> float:
        """FLOPs of the whole stage."""
        if not self.lengths:
            return 0.0
        read = (self.packed if self.recipe.packing else self.padded) / len(self.lengths)
        learned = sum(one.supervised for one in self.lengths) / len(self.lengths)
        return sample_flops(self.recipe, self.sizes, read, learned).sum * self.shown

    @property
    def frame_bytes(self) -> int:
        """Bytes of the frame cache."""
        return self.videos * (self.recipe.frames * self.sizes.side**2 * 3 + 128)

    @property
    def text(self) -> str:
        """The plan as lines for a terminal."""
        return "\n".join([*self._data(), *self._arithmetic(), *self._machine(), *self._terms()])

    def _data(self) -> list[str]:
        recipe = self.recipe
        lines = [f"recipe {recipe.id} ({recipe.sha256[:12]}): {recipe.title}"]
        for one in self.sets:
            lines.append(f"data {one.name} ({one.sha256[:12]}): {counted(one.given, 'sample')}")
        reasons = Counter(one.reason for one in self.skipped)
        usable = f"samples: {len(self.lengths):,} to train, {len(self.skipped):,} that cannot be used"
        lines.append(usable + (", as far as can be told without opening a file" if self.videos else ""))
        for reason, count in reasons.most_common():
            files = dict.fromkeys(one.file or one.id for one in self.skipped if one.reason == reason)
            named = first_few(list(files))
            lines.append(f"  {count:,} x {reason}: {named}")
        return lines

    def _arithmetic(self) -> list[str]:
        learned = sum(one.supervised for one in self.lengths)
        saved = 1 - self.packed / self.padded if self.padded else 0.0
        about = f" (estimated, by {self.estimated})" if self.estimated else ""
        epochs = f", {self.recipe.epochs:g} epochs" if self.recipe.epochs else ""
        way = "packed" if self.recipe.packing else "padded"
        return [
            f"tokens: {learned:,} supervised an epoch{about}",
            f"positions: {self.padded:,} padded, {self.packed:,} packed ({saved:.1%} less); rows are {way}",
            f"steps: {self.steps:,} of {counted(self.recipe.batch, 'sample')}{epochs}",
            f"arithmetic: {self.flops / 1e12:,.1f} TFLOP in all",
        ]

    def _machine(self) -> list[str]:
        longest = max((one.positions for one in self.lengths), default=0)
        memory = weight_bytes(self.recipe, self.sizes)
        kept = kept_bytes(self.recipe, self.sizes, longest)
        parts = f"{size(memory)} of weights and optimizer, at most {size(kept)} kept for a micro-batch"
        lines = [f"memory of a GPU, modelled: {parts}"]
        for name, (number, speed, share) in GPUS.items():
            time = duration(self.flops / (number * speed * share))
            lines.append(f"  {name}: {time}, modelled at {share:.0%} of {speed / 1e12:g} TFLOP/s, data not the limit")
        if self.videos:
            lines.append(f"frame cache: {size(self.frame_bytes)} for {counted(self.videos, 'video')}, decoded once")
        return lines

    def _terms(self) -> list[str]:
        said = [f"  {key}: {reason}" for key, reason in self.recipe.reasons.items()]
        lines = ["who chose what:", *said] if said else []
        if self.recipe.deviations:
            lines += ["otherwise than as published, on purpose:", *(f"  {one}" for one in self.recipe.deviations)]
        if self.recipe.data:
            lines += ["public sets that the recipe was made for:", *tell_sets(self.recipe.data)]
        return lines


def lengths_of(
    conversations: Sequence[Conversation], recipe: Recipe, words: Words | None, sizes: NetworkSizes
) -> tuple[list[SampleLength], list[SkippedSample]]:
    """Return the length of each sample as it is trained, and those cut off before their answer.

    Without a vocabulary, lengths are estimated by those of the texts.
    """
    visual = recipe.frames * sizes.tokens
    found: list[SampleLength] = []
    skipped: list[SkippedSample] = []
    for one in conversations:
        if words is None:
            learned = sum(len(answer.encode()) for _, answer in one.rounds) // _BYTES_A_TOKEN + 1
            asked = 0 if recipe.template == "plain" else sum(len(text.encode()) for text, _ in one.rounds)
            found.append(SampleLength(learned + asked // _BYTES_A_TOKEN + visual * (one.kind != "words"), learned))
            continue
        tokens = words(one).cut(recipe.max_length)
        places = sum(number < 0 for number in tokens.ids)
        if tokens.supervised:
            found.append(SampleLength(len(tokens.ids) + places * (visual - 1), tokens.supervised))
        else:
            skipped.append(SkippedSample(one.id, str(one.path or ""), CUT_OFF))
    return found, skipped
