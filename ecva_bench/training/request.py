"""One stage as a user asks for it: planned, its files read, its folder checked, trained, and recorded."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from ..checkpoints.finding import find_checkpoint
from ..errors import CheckpointError, UsageError
from ..records.training import TRAINING_FILE, TrainedStage, TrainingVideo
from ..tasks import PromptSet
from ..writing import write_whole
from .conversations import Conversation
from .costs import NetworkSizes
from .drawn import DRAWN, DrawnFrames
from .formats import SkippedSample, TrainingSet, read_training_set
from .frames import FrameCache, SampleFrames, ShapesPictures, check_bad, read_all
from .known import READ, KnownFiles
from .networks import START, MakesItsStart, TrainableAdapter
from .planning import TrainingPlan, lengths_of
from .provenance import begun_in, check_same, earlier_stages, stage_record, write_steps, write_training
from .recipe import Recipe
from .training import Trained, is_first, train
from .words import CUT_OFF, PLAIN, Vocabulary, Words

SKIPPED = "skipped.jsonl"  # in the folder of a training: the samples that were left out, each with its reason
MAX_BAD = 0.001  # of the samples, that may be of no use


Progress = Callable[[int, int], None]


def _silent(_done: int, _total: int) -> None:
    return


class _Template(Protocol):
    text: str


@runtime_checkable
class PlannedAdapter(TrainableAdapter, ShapesPictures, Protocol):
    """An adapter whose training can be planned: it tells sizes and words before anything is loaded."""

    is_inspected: bool
    template: _Template

    def vocabulary(self) -> Vocabulary:
        """Return the tokenizer."""

    def tower_sizes(self) -> dict[str, int]:
        """Return the sizes in the vision tower's configuration."""

    def language_config(self) -> dict[str, Any]:
        """Return the config.json of the language model."""


@dataclass(frozen=True)
class PreparedTraining:
    """A stage whose files were read: its folder, the samples to train and those left out, and its record so far.

    The last of `stages` is this one, the others are those of the weights that it starts from.
    """

    out: Path
    kept: tuple[Conversation, ...]
    skipped: tuple[SkippedSample, ...]
    stages: tuple[TrainedStage, ...]
    frames: SampleFrames


@dataclass(frozen=True)
class TrainingRequest:
    """A stage as asked for. `start` is the folder of the stage before; `adapter` has its weights, where there is one.

    `data` are files and data sets, `media` the folder of their pictures and videos; without any, a recipe whose set is
    drawn has that. Raises `UsageError` where there is nothing to learn from, and for a model that cannot be trained.
    """

    recipe: Recipe
    adapter: object
    data: tuple[str, ...]
    media: Path | None = None
    start: Path | None = None
    prompts: PromptSet = "ours"
    cache: Path | None = None
    max_bad: float = MAX_BAD
    threads: int = 1
    machine: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.data and DRAWN not in self.recipe.data:
            raise UsageError("there is nothing to learn from", remedy="name files or data sets with --data")

    @cached_property
    def model(self) -> PlannedAdapter:
        """The adapter as one that can be trained; `UsageError` where it cannot."""
        if not isinstance(self.adapter, PlannedAdapter):
            raise UsageError("of this model no training is known", self.recipe.model, "train anomshield")
        return self.adapter

    @cached_property
    def sets(self) -> tuple[TrainingSet, ...]:
        """What `data` gives, read once."""
        if self._drawn is not None:
            return (self._drawn.set,)
        return tuple(read_training_set(one, self.media, self.prompts) for one in self.data)

    @cached_property
    def _drawn(self) -> DrawnFrames | None:
        """The recipe's scenes, where no data are given."""
        return None if self.data else DrawnFrames(self.recipe, self.model, self.cache)

    @property
    def _given(self) -> int:
        return sum(one.given for one in self.sets)

    @property
    def _conversations(self) -> list[Conversation]:
        return [one for each in self.sets for one in each.conversations]

    @property
    def _skipped(self) -> list[SkippedSample]:
        return [one for each in self.sets for one in each.skipped]

    @property
    def lora_base(self) -> Path | None:
        """The folder to start from, where this stage is a LoRA in its language model: a run is told it as `base`."""
        whole = self.start is not None and (self.start / "model.safetensors").is_file()
        return self.start if whole and self.recipe.lora else None

    @property
    def unknown_before(self) -> str:
        """What is to be said of weights to start from of which no record says what they were trained on, else empty."""
        if self.start is None or earlier_stages(self.start):
            return ""
        return f"{self.start} has no {TRAINING_FILE}: what its weights have seen is not known, and the new one says so"

    def plan(self, out: Path | None = None) -> TrainingPlan:
        """Return what the stage will take; no weights are loaded, nothing is downloaded and no video is opened.

        Raises `TrainingError` where the folder `out` holds another training.
        """
        if out is not None:
            begun_in(out, self.recipe)
        self.model.is_inspected = True
        sizes, estimated, words = NetworkSizes(), "", None
        try:
            sizes = NetworkSizes.of(self.model.language_config(), self.model.tower_sizes())
            words = self._words()
        except CheckpointError as error:
            estimated = f"Mistral 7B's sizes and 4 bytes a token: {error.what}"
        conversations = self._conversations
        lengths, cut = lengths_of(conversations, self.recipe, words, sizes)
        videos = {one.path for one in conversations if one.kind == "video" and self.data}
        return TrainingPlan(
            self.recipe, self.sets, tuple(lengths), (*self._skipped, *cut), len(videos), sizes, estimated
        )

    def prepare(self, out: Path, progress: Progress = _silent) -> PreparedTraining:
        """Read every file once, check the folder, and write down there what is to be trained.

        `progress` is told how many files are read. Raises `TrainingError` where too many samples cannot be used, and
        where the folder holds another training, and `UsageError` for a later stage that would start from nothing.
        """
        self._check_start()
        begun = begun_in(out, self.recipe)
        if self.start is None and isinstance(self.model, MakesItsStart):
            self.model.make_start(out / START, self.recipe.seed)
        words = self._words()  # first: without a vocabulary there is nothing to read for
        kept, bad, frames = self._read(out, progress)
        short = {one for one in kept if not words(one).cut(self.recipe.max_length).supervised}
        cut = [SkippedSample(one.id, str(one.path or ""), CUT_OFF) for one in kept if one in short]
        kept = [one for one in kept if one not in short]
        skipped = [*self._skipped, *bad, *cut]
        check_bad(skipped, self._given, self.max_bad)
        named = {path: name for one in self.sets for path, name in one.named.items()}
        media: dict[Path, TrainingVideo] = {
            path: frames.seen(path, named.get(path, ("", "")))
            for one in kept
            if (path := one.path) is not None and (path in named or one.kind == "picture")
        }
        stage = stage_record(self.recipe, self.sets, kept, skipped, media, self._started_from)
        check_same(begun, stage, out)
        if begun is not None:  # weights of so many steps lie there
            stage = stage.model_copy(update={"steps": begun.steps, "t": begun.t})
        earlier = earlier_stages(self.start)
        if self.unknown_before:
            stage = stage.model_copy(update={"earlier_unknown": True})
        ready = PreparedTraining(out, tuple(kept), tuple(skipped), (*earlier, stage), frames)
        if is_first():
            write_training(out, self.recipe.answers_as, ready.stages)
            lines = (json.dumps({"id": one.id, "file": one.file, "reason": one.reason}) + "\n" for one in skipped)
            write_whole(out / SKIPPED, lines)
        return ready

    def train(self, ready: PreparedTraining, progress: Progress = _silent) -> Trained:
        """Train what was prepared, or what is left of it, and return what it came to; see `training.train`."""
        found = train(self.recipe, ready.kept, self.model, ready.frames, ready.out, progress, **self.machine)
        if is_first():
            write_steps(ready.out, ready.out, found.steps)
        return found

    def _read(self, out: Path, progress: Progress) -> tuple[list[Conversation], list[SkippedSample], SampleFrames]:
        """Read every file once and return the samples that can be used, the others, and what has their frames."""
        if self._drawn is not None:
            return self._conversations, [], self._drawn
        cache = FrameCache(self.recipe, self.model, self.cache, KnownFiles(out / READ, writes=is_first()))
        return *read_all(cache, self._conversations, self.threads, progress), cache

    @property
    def _started_from(self) -> str:
        if self.start is None:
            return ""
        files = ("*.json", "*.model", "*.safetensors", "*.bin")
        return str(find_checkpoint(str(self.start), files=files, download=False, option="--from"))

    def _check_start(self) -> None:
        whole = "language" in self.recipe.rates and self.recipe.lora is None  # it may begin with all of it
        if self.start is None and self.recipe.stage > 1 and (not whole or isinstance(self.model, MakesItsStart)):
            remedy = f"name the folder of stage {self.recipe.stage - 1} with --from"
            raise UsageError("this stage goes on from another one", self.recipe.id, remedy)

    def _words(self) -> Words:
        template = PLAIN if self.recipe.template == PLAIN else self.model.template.text
        return Words(template, self.model.vocabulary())
