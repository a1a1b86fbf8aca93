"""The one interface every model wears, and the registry that finds models by name.

An adapter knows how to show a video to its model and how to ask. It knows nothing of files of results, resuming
or scoring; it never opens a video file itself, because frames come from `Video`, exact and shared.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

from .. import registry
from ..errors import AdapterError, UsageError
from ..records import Sample
from .card import Card

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..video import Video
    from .models import Fit

GROUP = "ecva_bench.adapters"


class Told(str):
    """An answer that says how it was come by: `steps`, as JSON without nulls, goes into the answer's record."""

    __slots__ = ("steps",)
    steps: dict[str, Any]

    def __new__(cls, text: str, steps: dict[str, Any]) -> Self:
        """Return the text, with its steps."""
        told = super().__new__(cls, text)
        told.steps = steps
        return told


class Adapter(ABC):
    """A model behind `answer(video, question)`. Subclasses import torch and friends inside their methods.

    `tasks` names the tasks the model can be asked, None for all. `baseline` marks rows that are a floor or a
    ceiling rather than a contestant. A model that has weights has a `card`.
    """

    tasks: ClassVar[tuple[str, ...] | None] = None
    baseline: ClassVar[bool] = False
    card: ClassVar[Card | None] = None

    @abstractmethod
    def answer(self, video: Video, question: str) -> str:
        """Return the model's text for one question about one video."""

    def answer_many(self, video: Video, questions: Sequence[str]) -> list[str]:
        """Return one text per question, in order. Models override it to encode the video once.

        A text may be a `Told`, so that the steps that led to it are recorded.
        """
        return [self.answer(video, question) for question in questions]

    def describe(self) -> dict[str, Any]:
        """Return what determines the answers, as JSON: checkpoint, revision, dtype, frames, generation.

        It goes into the manifest and into every answer's key.
        """
        return {}

    def load(self) -> None:  # noqa: B027  most models that are not networks have nothing to load
        """Load what answering needs. Called once, before the first question that is asked.

        What is wrong with a model's weights so ends a run at once, and is not written down for every question. Where
        nothing is left to ask, nothing is loaded.
        """

    def fit(self) -> Fit:
        """Return whether the files of the weights fit the model, by names and shapes alone; nothing is downloaded.

        Raises `UsageError` for a model without weights.
        """
        raise UsageError("the model has no weights that could be checked", type(self).__name__)

    def frame_indices(self, video: Video) -> NDArray[np.int64] | Sequence[int]:
        """Return the indices `answer` will ask `video` for, so that they can be decoded ahead. Default: none."""
        return ()

    def study(self, samples: Sequence[Sample]) -> None:  # noqa: B027  most models have nothing to do here
        """See the samples before the run. Only baselines look: a model that does is no longer measured."""


def create(name: str, options: dict[str, str] | None = None) -> Adapter:
    """Return the adapter registered as `name`, built with keyword `options`.

    Raises `UsageError` for an unknown name and `AdapterError` where the target is no Adapter or refuses an option.
    """
    try:
        target = registry.load(GROUP, name)
    except ImportError as error:
        raise AdapterError(
            f"the model needs a package that is not installed ({error})",
            f"model {name!r}",
            "install it, for models of this project with: pip install 'ecva-bench[models]'",
        ) from error
    if not (isinstance(target, type) and issubclass(target, Adapter)):
        raise AdapterError("the registered object is no Adapter class", f"model {name!r}", f"mend {target!r}")
    try:
        return target(**(options or {}))
    except TypeError as error:
        raise AdapterError(f"the model refused its options ({error})", f"model {name!r}", "see --model-arg") from error
