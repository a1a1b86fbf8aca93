"""The one interface every model wears.

An adapter knows how to show a video to its model and how to ask. It knows nothing of files of results, resuming
or scoring; it never opens a video file itself, because frames come from `Video`, exact and shared.

    class Mine(Adapter):
        def answer(self, video, question):  # a Video; a Question, which is a str that knows its task
            frames = video.frames_at(self.frame_indices(video))
            if question.task == "timestamp":
                ...  # in question.unit

The harness asks with a `Question`, never with a plain `str`. Whoever calls an adapter asks with `Question.of(text)`; an
adapter that wants to take a plain `str` too begins with `question = Question.of(question)`, which knows the task of
every packaged prompt, and of other words none (`task` is empty). Nothing that an adapter is handed holds an
annotation's answer: only a `Baseline`, which takes no rank, sees the samples.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

from ..errors import UsageError
from ..records import Sample
from .model_card import ModelCard
from .question import Question

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..checkpoints.check import CheckpointCheck
    from ..video import Video

GROUP = "ecva_bench.adapters"


class ModelOutput(str):
    """An answer with the steps that led to it and the reason why it ends; both go into the answer's record.

    `steps` is JSON without nulls, or None where there are none; the key `thought` holds the model's reasoning where the
    text does not contain it. `finish` is `stop`, or `length` where the text was cut off.
    """

    __slots__ = ("finish", "steps")
    steps: dict[str, Any] | None
    finish: str

    def __new__(cls, text: str, steps: dict[str, Any] | None = None, *, finish: str = "stop") -> Self:
        """Return the text, with its steps and its end."""
        output = super().__new__(cls, text)
        output.steps, output.finish = steps, finish
        return output


class Adapter(ABC):
    """A model behind `answer(video, question)`. Subclasses import torch and friends inside their methods.

    `tasks` names the tasks the model can be asked, None for all. `baseline` is for `Baseline` to set. A model that has
    weights has a `card`. `scheme` marks a class that stands for
    many models: one is named as `scheme:target`, and the class takes the target as the keyword option `target`.
    `immaterial` names options that can change no answer (a path, a time-out, which of several equal devices): a run is
    resumed whatever they say. `independent` marks a model that answers each of many questions as if it were asked
    alone, so that they are asked together in `exact` mode too.
    """

    tasks: ClassVar[tuple[str, ...] | None] = None
    baseline: ClassVar[bool] = False
    card: ClassVar[ModelCard | None] = None
    scheme: ClassVar[bool] = False
    immaterial: ClassVar[frozenset[str]] = frozenset()
    independent: ClassVar[bool] = False

    @property
    def answers_jointly(self) -> bool:
        """Whether an answer may depend on what is asked together with it: otherwise every run is an `exact` one."""
        return not self.independent and type(self).answer_many is not Adapter.answer_many

    @abstractmethod
    def answer(self, video: Video, question: Question) -> str:
        """Return the model's text for one question about one video."""

    def answer_many(self, video: Video, questions: Sequence[Question]) -> list[str]:
        """Return one text per question, in order. Models override it to encode the video once.

        A text may be a `ModelOutput`: its steps are then recorded with the answer.
        """
        return [self.answer(video, question) for question in questions]

    def describe(self) -> dict[str, Any]:
        """Return what determines the answers, as JSON: checkpoint, revision, dtype, frames, generation.

        It goes into the manifest and into every answer's key. What nobody knows before, such as a parameter that an
        endpoint turns down, may change it with the first answer, and no more after that.
        """
        return {}

    def adopt(self, description: Mapping[str, Any]) -> None:  # noqa: B027  most descriptions never change
        """Answer as a run has begun that has answers by this description. Called before the first question."""

    def served(self) -> list[str]:
        """Return what answered so far, in its own words, where that is for it to say. Default: nothing."""
        return []

    def load(self) -> None:  # noqa: B027  most models that are not networks have nothing to load
        """Load what answering needs. Called once, before the first question that is asked.

        What is wrong with a model's weights so ends a run at once, and is not written down for every question. Where
        nothing is left to ask, nothing is loaded.
        """

    def check_checkpoint(self) -> CheckpointCheck:
        """Return whether the files of the weights fit the model, by names and shapes alone; nothing is downloaded.

        Raises `UsageError` for a model without weights.
        """
        raise UsageError("the model has no weights that could be checked", type(self).__name__)

    def close(self) -> None:  # noqa: B027  most models have nothing to end
        """End what the model started, such as a program of its own. Called once, after the last question."""

    def share(self, options: Mapping[str, str], workers: int) -> dict[str, str]:
        """Return the options this was made with for each of `workers`: an amount for the whole run is divided."""
        return dict(options)

    def frame_indices(self, video: Video) -> NDArray[np.int64] | Sequence[int]:
        """Return the indices `answer` will ask `video` for, so that they can be decoded ahead. Default: none."""
        return ()

    def warnings(self, video: Video) -> Sequence[str]:
        """Return what a reader of the answers should know of how a video is shown to the model. Default: nothing.

        Such as seconds the model is told that are not the frames' own. It is asked in the background, as above.
        """
        return ()

    def usage(self) -> dict[str, Any]:
        """Return what asking has cost since this was last called: requests, tokens, money. Default: nothing."""
        return {}

    def check_videos(self, media: Sequence[str]) -> None:  # noqa: B027  most models take any video
        """Raise an `EcvaError` where the model cannot tell a run's videos apart. Called before anything is asked.

        `media` are the file names of all videos, as the data set has them, such as `day/1.mp4`.
        """


class Baseline(Adapter):
    """A floor or a ceiling rather than a contestant: it takes no rank, and it alone may see the references."""

    baseline = True

    def study(self, samples: Sequence[Sample]) -> None:
        """See all samples of the run, references included. Called before the first question."""
