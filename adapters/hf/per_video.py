"""What is computed once per video, however many questions are asked: processed pixels and visual features.

Knows how a processor's part and a network's methods are stood in for, and how the rows of several questions become one
batch; no checkpoint and no template.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import transformers

_untyped: Any = transformers  # much of it has no types

ProcessorInputs = dict[str, Any]


class ProcessedPixels:
    """One part of a processor, that for images or for videos, which remembers what it made of the frames shown."""

    def __init__(self, processor: Any, name: str) -> None:
        self._part = getattr(processor, name, None)
        self._made: dict[str, Any] | None = None
        if self._part is not None:
            setattr(processor, name, self)

    def __call__(self, *pictures: Any, **options: Any) -> Any:
        """Return what the part makes of the frames shown, as it was made at the first call."""
        if self._made is None:
            self._made = dict(self._part(*pictures, **options))  # type: ignore[misc]  # it is there: it was called
        return _untyped.BatchFeature(dict(self._made))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._part, name)

    def forget(self) -> None:
        """Drop what is remembered."""
        self._made = None


class VisualFeatures:
    """Visual features of the frames shown, computed at the first question, and repeated for a batch of several."""

    def __init__(self, model: Any) -> None:
        """Stand before the methods by which every model of transformers turns pixels into features."""
        self._kept: dict[str, Any] = {}
        self._row: ProcessorInputs = {}
        self._copies = 1
        self._at_work = False
        for name in ("get_image_features", "get_video_features"):
            if method := getattr(model, name, None):
                setattr(model, name, self._before(method, name))

    def forget(self) -> None:
        """Drop what is kept."""
        self._kept = {}

    def expect(self, row: ProcessorInputs, copies: int) -> None:
        """Prepare for a batch of so many copies of what one row shows."""
        self._row, self._copies = row, copies

    def _before(self, method: Callable[..., Any], name: str) -> Callable[..., Any]:
        signature = inspect.signature(method)

        @functools.wraps(method)
        def features(*args: Any, **kwargs: Any) -> Any:
            given = signature.bind(*args, **kwargs)
            if self._at_work or not self._is_all_shown(given.arguments):  # one of the methods may call the other
                return method(*args, **kwargs)
            if name not in self._kept:
                given.arguments |= {key: self._row[key] for key in given.arguments if key in self._row}
                self._at_work = True
                try:
                    self._kept[name] = method(*given.args, **given.kwargs)
                finally:
                    self._at_work = False
            return _repeated(self._kept[name], self._copies)

        return features

    def _is_all_shown(self, given: Mapping[str, Any]) -> bool:
        """Return whether a method is asked for all that is shown, in every copy: only of that are features kept."""
        tensors = {name: value for name, value in given.items() if isinstance(value, torch.Tensor)}
        return bool(tensors) and all(
            name in self._row and len(value) == len(self._row[name]) * self._copies for name, value in tensors.items()
        )


def _repeated(output: Any, copies: int) -> Any:
    """Return features for several copies of what was shown: what stands for a picture is repeated, in order."""
    if copies == 1:
        return output
    fields = dict(output)
    fields["pooler_output"] = _copies(output.pooler_output, copies)
    if layers := fields.get("deepstack_features"):
        fields["deepstack_features"] = [_copies(layer, copies) for layer in layers]
    return type(output)(**fields)


def batch_of(rows: Sequence[ProcessorInputs], pad: int) -> ProcessorInputs:
    """Return rows, each a batch of one, as one batch: texts padded on the left, what is shown repeated."""
    length = max(row["input_ids"].shape[1] for row in rows)
    batch = {}
    for name, first in rows[0].items():
        if isinstance(first, torch.Tensor) and first.shape[:2] == rows[0]["input_ids"].shape:
            fill = pad if name == "input_ids" else 0
            batch[name] = torch.cat([_padded(row[name], length, fill) for row in rows])
        else:
            batch[name] = _copies(first, len(rows))
    return batch


def _padded(values: torch.Tensor, length: int, fill: int) -> torch.Tensor:
    """Return [1, length, …] for [1, n, …], filled on the left."""
    missing = values.new_full((1, length - values.shape[1], *values.shape[2:]), fill)
    return torch.cat([missing, values], dim=1)


def _copies(values: Any, copies: int) -> Any:
    """Return tensors repeated along their first dimension, lists along their only one."""
    if copies == 1:
        return values
    return torch.cat([values] * copies) if isinstance(values, torch.Tensor) else [*values] * copies
