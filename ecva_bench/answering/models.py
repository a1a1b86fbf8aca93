"""The registered models: their cards, and whether their weights are on this machine.

Reads no weights, imports no network and sends no request to a hub.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from importlib.metadata import EntryPoint
from typing import Any

from .. import registry
from ..checkpoints.finding import WEIGHTS, find_checkpoint
from ..errors import CheckpointError, EcvaError, UsageError
from .adapter import ADAPTER_GROUP, Adapter, Baseline
from .factory import model_class, options_of
from .model_card import ModelCard


@dataclass(frozen=True)
class ModelEntry:
    """A registered model. Where one entry stands for many models, its name ends in `:…`.

    `card` is None for models without weights; `problem` says why one cannot be used.
    `here` are the hub ids of the card whose weights are in the hub's cache, or in a folder of that name.
    `options` are the names that `--model-arg` takes.
    """

    name: str
    summary: str = ""
    baseline: bool = False
    card: ModelCard | None = None
    here: tuple[str, ...] = ()
    problem: str = ""
    options: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return all of it as JSON, and the billions of parameters."""
        return {**asdict(self), "parameters": self.card.parameters if self.card else None}


def list_models() -> list[ModelEntry]:
    """Return every registered model, by name. One that cannot be imported is listed with the reason."""
    return [_listed(registry.find(ADAPTER_GROUP, name)) for name in registry.names(ADAPTER_GROUP)]


def find_model(name: str) -> ModelEntry:
    """Return one model, registered or in a file (`./my.py:Mine`); `UsageError` where there is none of the name."""
    if name in registry.names(ADAPTER_GROUP):
        return _listed(registry.find(ADAPTER_GROUP, name))
    found = registry.resolve(ADAPTER_GROUP, name)
    model = model_class(found)
    return _of(model, found.name, (model.__doc__ or "").partition("\n")[0])


def target_rows(name: str) -> list[tuple[str, str]]:
    """Return what is to be told of one model of a scheme (`hf:ID`), as names and texts; empty for other models.

    The settings of a model of the hub are fetched; raises `AdapterError` where they are not to be had.
    """
    if name in registry.names(ADAPTER_GROUP):
        return []
    found = registry.resolve(ADAPTER_GROUP, name)
    return model_class(found).target_rows(found.target) if found.target else []


def weights_here(hub_id: str) -> bool:
    """Return whether the weights of a hub id are in the hub's cache, or in a folder of that name."""
    try:
        find_checkpoint(hub_id, files=WEIGHTS, download=False, identify=False, option="")
    except CheckpointError:
        return False
    return True


def _listed(entry: EntryPoint) -> ModelEntry:
    try:
        with registry.no_exit(UsageError, entry.name):
            target = model_class(registry.resolve(ADAPTER_GROUP, entry.name))
    except Exception as error:  # however the package of someone else is broken, it hides no others
        reason = str(error) if isinstance(error, EcvaError) else f"{type(error).__name__}: {error}"
        return ModelEntry(entry.name, problem=reason)
    return _of(target, entry.name, registry.summary(entry))


def _of(model: type[Adapter], name: str, summary: str) -> ModelEntry:
    here = tuple(filter(weights_here, model.card.hub_ids)) if model.card else ()
    options = tuple(options_of(model))
    return ModelEntry(
        name + ":…" * model.scheme, summary, issubclass(model, Baseline), model.card, here, options=options
    )
