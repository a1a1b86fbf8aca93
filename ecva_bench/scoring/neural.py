"""The base of metrics that are networks: weights, devices, batches, and scores that are computed once.

Knows no metric. Subclasses of `NeuralScorer` say which texts of an item the network reads, and what its numbers
are made of; everything between is here. Importing this module, or a scorer built on it, imports no torch.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar, get_args, get_type_hints

from ..checkpoints.finding import Checkpoint, find_checkpoint
from ..devices import usable
from ..errors import CheckpointError, ScoringError, UsageError
from ..libraries import versions_of
from ..records.base import sha256_of
from ..untrusted import well_formed
from ..version import __version__
from .factory import scorer_class
from .protocol import ModelSettings, Protocol, unknown
from .score_cache import default_cache_path, open_cache
from .scorer import Scorable, Scorer

__all__ = [
    "MetricModel",
    "ModelSettings",
    "NeuralScorer",
    "Texts",
    "batch_tokens_on",
    "length_batches",
    "load_network",
    "model_settings",
]

# What a network reads for one number, such as (reference, candidate): key of the score cache, with the weights.
Texts = tuple[str, ...]


class MetricModel(ABC):
    """Loaded weights."""

    @abstractmethod
    def scores(self, inputs: Sequence[Texts], *, batch_tokens: int) -> Iterator[tuple[int, float]]:
        """Yield (place, number) of every input, in any order, each as soon as it is known.

        No batch holds more than `batch_tokens` tokens, padding included, unless one input alone does.
        """


class NeuralScorer(Scorer):
    """A metric that is a network.

    Subclasses give what a `Scorer` does but `score` and `settings`; `default_checkpoint` (a hub id) and the patterns
    of the `files` to download of it; `inputs`, `values` and `load`. Of settings that move the numbers beyond
    `ModelSettings`, they extend `settings` and have a subclass of `ModelSettings` as `settings_type`, or change the
    texts of `inputs`.
    """

    tasks = ("description", "cause", "effect")
    complete = True
    default_checkpoint: ClassVar[str]
    files: ClassVar[tuple[str, ...]]
    packages: ClassVar[tuple[str, ...]] = ("torch", "transformers")
    settings_type: ClassVar[type[ModelSettings]] = ModelSettings

    def __init__(self, protocol: Protocol) -> None:
        super().__init__(protocol)
        self.model_settings = protocol.models.get(self.name, self.settings_type())
        if self.model_settings.device not in ("auto", "cpu"):
            usable(self.model_settings.device)  # now, and not after other metrics have been scored

    @abstractmethod
    def inputs(self, item: Scorable) -> Sequence[Texts]:
        """Return what the network is to read for an item; equal texts are read once."""

    @abstractmethod
    def values(self, item: Scorable, scores: Sequence[float]) -> dict[str, float]:
        """Return the columns of an item from the numbers of its `inputs`."""

    @classmethod
    @abstractmethod
    def load(cls, folder: Path, device: str, dtype: str) -> MetricModel:
        """Return the network in a folder, on a device, with weights of a dtype.

        Raises `CheckpointError` or `ScoringError` where it is another, or a weight is missing.
        """

    def unavailable(self) -> str | None:
        """Return why this cannot be scored here and now, without a download; None where it can."""
        try:
            self._checkpoint(download=False)
        except (ScoringError, CheckpointError) as error:
            return str(error)
        return None

    def score(self, batch: Sequence[Scorable]) -> list[dict[str, float]]:
        """Return the columns of each item, in order; texts scored before, in this run or another, are looked up."""
        wanted = [[tuple(map(well_formed, texts)) for texts in self.inputs(item)] for item in batch]
        scores = self._scores({texts for inputs in wanted for texts in inputs})
        return [
            self.values(item, [scores[texts] for texts in inputs]) for item, inputs in zip(batch, wanted, strict=True)
        ]

    def libraries(self) -> dict[str, str]:
        """Return the versions of the packages that the network runs on."""
        return versions_of(*self.packages)

    def settings(self) -> dict[str, str]:
        """Return the weights with their revision, dtype and kind of device."""
        device = usable(self.model_settings.device)
        return {
            "model": str(self._checkpoint(download=True)),
            "dtype": self.model_settings.dtype,
            "device": device.partition(":")[0],
        }

    def _scores(self, wanted: Collection[Texts]) -> dict[Texts, float]:
        if not wanted:
            return {}
        device = usable(self.model_settings.device)
        checkpoint = self._checkpoint(download=True)
        of_network = [self.name, __version__, checkpoint.revision, self.model_settings.dtype, device.partition(":")[0]]
        identity = [*of_network, self.libraries()]
        # Sorted, so that batches do not depend on the order of the answers.
        keys = {texts: sha256_of([*identity, texts]) for texts in sorted(wanted)}
        with open_cache(default_cache_path()) as stored:
            found = stored.get(keys.values())
            missing = [texts for texts, key in keys.items() if key not in found]
            for texts, value in self._computed(missing, checkpoint, device):
                found[keys[texts]] = value
                stored.put(keys[texts], value)
        return {texts: found[key] for texts, key in keys.items()}

    def _computed(self, inputs: Sequence[Texts], checkpoint: Checkpoint, device: str) -> Iterator[tuple[Texts, float]]:
        """Yield inputs with their numbers as the network gives them; it is not loaded where there are none."""
        if not inputs:
            return
        import torch

        dtype = self.model_settings.dtype
        model = _loaded(type(self), checkpoint.folder, checkpoint.revision, device, dtype)
        tokens = self.model_settings.batch_tokens or batch_tokens_on(device)
        try:
            with self.progress(self.name, "texts") as update:
                for done, (place, value) in enumerate(model.scores(inputs, batch_tokens=tokens), start=1):
                    if not math.isfinite(value):
                        remedy = f"score with --metric-arg {self.name}.dtype=float32"
                        raise ScoringError(f"{self.name} in {dtype} gave {value}", checkpoint, remedy)
                    yield inputs[place], value
                    update(done, len(inputs))
        except torch.OutOfMemoryError:
            remedy = f"score with --metric-arg {self.name}.batch_tokens={max(1, tokens // 4)}: scores so far are stored"
            raise ScoringError(f"{self.name} ran out of memory on {device}", checkpoint, remedy) from None

    def _checkpoint(self, *, download: bool) -> Checkpoint:
        lacking = [package for package in self.packages if not find_spec(package)]
        if lacking:
            raise ScoringError(
                f"the metric needs {', '.join(lacking)}", self.name, "run pip install 'ecva-bench[metrics]'"
            )
        name = self.model_settings.checkpoint or self.default_checkpoint
        option = f"--metric-arg {self.name}.checkpoint="
        return find_checkpoint(name, files=self.files, download=download, option=option)


def load_network(class_name: str, folder: Path, device: str, dtype: str, *, passed_over: Mapping[str, str]) -> Any:
    """Return a network of a class of transformers on a device; the rest is as of `load_pretrained`."""
    import torch

    from ..checkpoints.pretrained import load_pretrained  # it imports torch

    network = load_pretrained(
        class_name,
        folder,
        what="the metric's network",
        dtype=getattr(torch, dtype),
        passed_over=passed_over,
        too_large="score on another device",
    )
    return network.to(device)


def batch_tokens_on(device: str) -> int:
    """Return how many tokens a batch holds where nobody says: more than fit a CPU's caches make it slower there."""
    return 512 if device == "cpu" else 8192


def length_batches(lengths: Sequence[int], batch_tokens: int) -> list[list[int]]:
    """Return the places of `lengths` in batches of like lengths, the longest first.

    A batch's longest length times its size is at most `batch_tokens`, or it holds one place alone.
    """
    batches: list[list[int]] = []
    for place in sorted(range(len(lengths)), key=lambda place: -lengths[place]):
        if batches and (len(batches[-1]) + 1) * lengths[batches[-1][0]] <= batch_tokens:
            batches[-1].append(place)
        else:
            batches.append([place])
    return batches


def model_settings(changes: Mapping[str, str]) -> dict[str, ModelSettings]:
    """Return settings by scorer from `{"bleurt.checkpoint": "FOLDER", "unieval.device": "cpu"}`.

    Raises `UsageError` for a scorer that is no network, an unknown setting or a value it does not take.
    """
    found: dict[str, ModelSettings] = {}
    for name, text in changes.items():
        scorer, _, setting = name.partition(".")
        kind = scorer_class(scorer)
        if not issubclass(kind, NeuralScorer):
            raise UsageError(f"the scorer {scorer!r} runs no model", name, "leave this setting out")
        hints = get_type_hints(kind.settings_type)
        if setting not in hints:
            raise unknown(f"setting of {scorer}", setting, [field.name for field in fields(kind.settings_type)])
        change: dict[str, Any] = {setting: _read(text, hints[setting], name)}
        found[scorer] = replace(found.get(scorer, kind.settings_type()), **change)
    return found


def _read(text: str, hint: Any, name: str) -> object:
    """Read a setting's value as its type has it."""
    choices: dict[str, object]
    if int in (hint, *get_args(hint)):
        if text.isdecimal() and int(text) > 0:
            return int(text)
        raise UsageError(f"{text!r} is no number above 0", name, "write one, such as 8192")
    if hint is bool:
        choices = {"true": True, "false": False}
    else:
        choices = {choice: choice for choice in get_args(hint) if isinstance(choice, str)} or {text: text}
    if text not in choices:
        raise UsageError(f"{text!r} is no value of this setting", name, f"choose from {', '.join(choices)}")
    return choices[text]


@cache
def _loaded(kind: type[NeuralScorer], folder: Path, revision: str, device: str, dtype: str) -> MetricModel:
    """Return the network of a checkpoint, loaded once per process; `revision` tells contents of one folder apart."""
    return kind.load(folder, device, dtype)
