"""The interface of every model.

An adapter shows a video to its model and asks the model. It knows nothing of results files, resuming or scoring. It
never opens a video file: frames come from `Video`, which decodes them once for all.

    class Mine(Adapter):
        def answer(self, video, question):  # a Video; a Question, which is a str that knows its task
            frames = video.frames_at(self.frame_indices(video))
            if question.task == "timestamp":
                ...  # in question.unit

The harness passes a `Question`, never a plain `str`; other callers should pass `Question.of(text)`. An adapter that
accepts plain strings too begins with `question = Question.of(question)`, which finds the task of every packaged prompt;
for other words `task` is empty. Adapters are never given an annotation's answer: only a `Baseline`, which takes no
rank, sees the samples.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

from ..errors import UsageError
from ..records import Sample
from .model_card import ModelCard
from .question import Question

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from ..checkpoints.check import CheckpointCheck
    from ..video import Video

ADAPTER_GROUP = "ecva_bench.adapters"


class ModelOutput(str):
    """An answer with the steps that led to it and the reason why it ends; both go into the answer's record.

    `steps` is JSON without nulls, or None where there are none; the key `thought` holds the model's reasoning where the
    text does not contain it. `finish` is `stop`, or `length` where the text was cut off.

    >>> import ecva_bench as eb

    >>> output = eb.ModelOutput("A car.", {"thought": "There is a road."}, finish="length")
    >>> output == "A car.", output.steps["thought"], output.finish
    (True, 'There is a road.', 'length')
    """

    __slots__ = ("finish", "steps")
    steps: dict[str, Any] | None
    finish: str

    def __new__(cls, text: str, steps: dict[str, Any] | None = None, *, finish: str = "stop") -> Self:
        """Return the text, with its steps and its end."""
        output = super().__new__(cls, text)
        output.steps, output.finish = steps, finish
        return output


@dataclass(frozen=True)
class QuestionCost:
    """What one question takes at an endpoint: tokens and USD, and USD for each of its `frames`.

    `batch` is the part of the price that a batch endpoint asks. USD are None where the price is unknown. The most there
    can be, unless `measured`; `basis` says by what.
    """

    tokens_in: float
    tokens_out: float
    frames: int
    usd: float | None
    usd_per_frame: float | None
    batch: float
    basis: str
    measured: bool = False


class Adapter(ABC):
    """A model behind `answer(video, question)`. Subclasses import torch and friends inside their methods.

    `tasks` are the tasks that the model can answer, None for all. Only `Baseline` sets `baseline`. A model that has
    weights has a `card`. `scheme` marks a class that stands for many models: a user names one as `scheme:target`, and
    the class takes the target as the keyword option `target`. `immaterial` are options that cannot change an answer (a
    path, a time-out, which of several equal devices): a run can be resumed with other values of them. `independent`
    marks a model that answers each question of a batch as if it were asked alone, so that questions are batched in
    `exact` mode too.

    >>> import ecva_bench as eb

    >>> class Length(eb.Adapter):
    ...     def answer(self, video, question):
    ...         return f"It takes {video.duration:.0f} seconds."
    >>> eb.run(Length, tasks="cause", limit=1).records[0].answer
    'It takes 9 seconds.'
    """

    tasks: ClassVar[tuple[str, ...] | None] = None
    baseline: ClassVar[bool] = False
    card: ClassVar[ModelCard | None] = None
    scheme: ClassVar[bool] = False
    immaterial: frozenset[str] = frozenset()
    independent: ClassVar[bool] = False

    @classmethod
    def of_target(cls, target: str) -> type[Adapter]:
        """Return the class that is made for a target of a `scheme`, which is given the target. Default: this one."""
        return cls

    @property
    def deterministic(self) -> bool:
        """Whether a question that is asked again surely gets the same answer. Default: nobody knows."""
        return False

    @property
    def same_for_all_videos(self) -> bool:
        """Whether a question has one answer for all videos, so that the model is asked it once. Default: it sees them.

        Each repeat of `--samples` is a question of its own here.
        """
        return False

    @property
    def answers_jointly(self) -> bool:
        """Whether an answer may depend on the other questions of its batch; if not, every run is an `exact` one."""
        return not self.independent and type(self).answer_many is not Adapter.answer_many

    @abstractmethod
    def answer(self, video: Video, question: Question) -> str:
        """Return the model's text for one question about one video."""

    def answer_many(self, video: Video, questions: Sequence[Question]) -> list[str]:
        """Return one text per question, in order. Models override it to encode the video once.

        A text may be a `ModelOutput`: its steps are then recorded with the answer.
        """
        return [self.answer(video, question) for question in questions]

    def first_token_probabilities(self, video: Video, question: Question, words: Sequence[str]) -> Sequence[float]:
        """Return how probable it is that the answer begins with each of some words: that of its first token, [words].

        The first token of a word is the first in which the prompt with the word differs from the prompt alone. For the
        task severity asked from likelihoods; a model need not have this. Raises `AdapterError` where two words begin
        with the same token.
        """
        raise UsageError("the model gives no probabilities", type(self).__name__, "ask for its words")

    @property
    def gives_probabilities(self) -> bool:
        """Whether it has `first_token_probabilities`."""
        return type(self).first_token_probabilities is not Adapter.first_token_probabilities

    def describe(self) -> dict[str, Any]:
        """Return what determines the answers, as JSON: checkpoint, revision, dtype, frames, generation.

        It goes into the manifest and into every answer's key. It may change with the first answer, for example where an
        endpoint rejects a parameter, and must stay the same after that.
        """
        return {}

    def asked_with(self, task: str) -> dict[str, str]:
        """Return what goes with the questions of one task alone, by the option that, as `none`, leaves it out.

        For example, words for each frame's second. It goes into the manifest beside the task's prompt and into the keys
        of its answers. Default: nothing.
        """
        return {}

    def adopt(self, description: Mapping[str, Any]) -> None:  # noqa: B027  most descriptions never change
        """Go on as described: a run that is resumed has answers made so. Called before the first question."""

    def served(self) -> list[str]:
        """Return the names of the models that answered so far, where an endpoint reports them. Default: none."""
        return []

    def load(self) -> None:  # noqa: B027  most models that are not networks have nothing to load
        """Load what answering needs. Called once, before the first question, and not at all where none is left to ask.

        An error raised here, such as one about the weights, ends the run at once instead of being recorded for every
        question.
        """

    @classmethod
    def target_rows(cls, target: str) -> list[tuple[str, str]]:
        """Return what to tell a reader of one model of a scheme, as names and texts; no weights are read."""
        return []

    def check_checkpoint(self) -> CheckpointCheck:
        """Return whether the weights' files match the model, by names and shapes alone; nothing is downloaded.

        Raises `UsageError` for a model without weights.
        """
        raise UsageError("the model has no weights that could be checked", type(self).__name__)

    def training_file(self) -> Path | None:
        """Return the record of the model's training, `training.json` beside its weights. Default: None."""
        return None

    def close(self) -> None:  # noqa: B027  most models have nothing to end
        """Release what the model uses, such as a subprocess. Called once, after the last question."""

    def share(self, options: Mapping[str, str], workers: int) -> dict[str, str]:
        """Return the options for each of `workers`: an amount for the whole run, such as a budget, is divided."""
        return dict(options)

    def frame_indices(self, video: Video) -> NDArray[np.int64] | Sequence[int]:
        """Return the frame indices that `answer` will need, so that they can be decoded ahead. Default: none."""
        return ()

    def notes(self, tasks: Collection[str]) -> Sequence[str]:
        """Return what whoever asks questions of some tasks should know of how they are put. Default: nothing.

        For example, that a task is about times, of which the model is told none. It is said before a run.
        """
        return ()

    def warnings(self, video: Video) -> Sequence[str]:
        """Return warnings for readers of the answers about how a video is shown to the model. Default: none.

        For example, that the seconds given to the model are not the frames' own. Called in a background thread.
        """
        return ()

    def usage(self) -> dict[str, Any]:
        """Return requests, tokens and money used since the last call of this. Default: nothing."""
        return {}

    def estimated_usage(self, video: Video, questions: Sequence[Question]) -> dict[str, Any]:
        """Return what asking these will take, in the names of `usage`; it is written down before they are asked.

        A run that is killed meanwhile is taken to have spent it. Default: nothing.
        """
        return {}

    def count_spent(self, spent: Mapping[str, float]) -> None:  # noqa: B027  most models cost nothing
        """Count what the results file has cost before against the budget. Called once, before the first question.

        `spent` are sums in the names of `usage`, and of `Spending.total`.
        """

    def collect(self) -> bool:
        """Have the questions answered that waited (`AnswerPending`); return whether there are answers to be had now.

        Called when all others were asked; those that waited are then asked again. Default: none waits.
        """
        return False

    def question_cost(self, words: int) -> QuestionCost | None:
        """Return what a question of so many bytes takes, for a model that is paid by the token. Default: None."""
        return None

    def check_videos(self, media: Sequence[str]) -> None:  # noqa: B027  most models take any video
        """Raise an `EcvaError` where the model cannot tell a run's videos apart. Called before the first question.

        `media` are the file names of all videos, as the data set has them, such as `day/1.mp4`.
        """


class Baseline(Adapter):
    """A lower or upper bound for comparison. It takes no rank, and only baselines may see the references.

    >>> import ecva_bench as eb

    >>> class First(eb.Baseline):
    ...     def study(self, samples):
    ...         self.said = samples[0].reference
    ...     def answer(self, video, question):
    ...         return self.said
    >>> outcome = eb.run(First, tasks="cause", limit=1)
    >>> outcome.records[0].answer == outcome.records[0].reference
    True
    """

    baseline = True

    @property
    def deterministic(self) -> bool:
        """Whether a question that is asked again surely gets the same answer; one that draws answers says otherwise."""
        return True

    def study(self, samples: Sequence[Sample]) -> None:
        """See all samples of the run, references included. Called before the first question."""
