"""The lines of a results file, and the file as read: questions, answers and errors."""

from __future__ import annotations

from collections.abc import Mapping
from operator import not_
from typing import Any, Literal, TypeVar

from pydantic import ConfigDict, Field

from .annotations import Label, Moment, Sample
from .base import Record, SampleIdText, TaskName, VideoId, View
from .training import TrainedOn

RESULTS_SCHEMA = "ecva.results/1"


class SeenFrames(Record):
    """The frames a model was shown, once each: seconds on the original timeline, in order.

    `substituted` and `corrupt` name frames by their index on the timeline shown: those replaced by a neighbour
    because they do not decode, and those whose pixels damage in the file may have changed.
    """

    n: int
    timestamps: tuple[float, ...]
    substituted: tuple[int, ...] = ()
    corrupt: tuple[int, ...] = ()


# Settings of a model at an endpoint that say how much it thinks, and so how long its replies are: in `generation` of a
# run's description, in a judge's calls, and as options.
THINKING = ("reasoning_effort", "thinking_budget", "extra_body")

# How endpoints say that a text was cut off: OpenAI, Anthropic and Gemini, Mistral, the Responses API.
_CUT_OFF = {"length", "max_tokens", "model_length", "max_output_tokens", "model_context_window_exceeded"}


def finish_of(reason: str) -> str:
    """Return why a text ends, in the words of `Answer.finish`; other words of an endpoint are returned unchanged."""
    return "length" if reason.casefold() in _CUT_OFF else reason or "stop"


class SampleAnnotation(Record):
    """What is annotated of a sample that has no answer: the fields of its `Sample`, so that it counts as it would."""

    reference: str = ""
    key_sentences: tuple[str, ...] = Field(default=(), exclude_if=not_)
    moments: tuple[Moment, ...] = Field(default=(), exclude_if=not_)
    label: Label | None = Field(default=None, exclude_if=lambda found: found is None)
    options: tuple[str, ...] = Field(default=(), exclude_if=not_)
    curve: tuple[tuple[float, float], ...] = Field(default=(), exclude_if=not_)

    @classmethod
    def of(cls, told: Sample | Answer) -> SampleAnnotation:
        """Return what a sample, or an answer to it, says."""
        return cls(**{name: getattr(told, name) for name in cls.model_fields})


class Answer(Record):
    """One line of a results file: a model's text for one sample and view. It stands alone for scoring.

    `finish` is `stop`, or `length` where the text was cut off. `steps` is for readers: the intermediate results of a
    model that works in several steps, or its reasoning (`thought`). `options` and `curve` are those of the sample.
    `trained_on`: the video is one that the model was trained on.
    """

    type: Literal["answer"] = "answer"
    key: str
    id: SampleIdText
    video: VideoId
    task: TaskName
    view: View = "full"
    removed: tuple[Moment, ...] = ()
    answer: str
    finish: str = "stop"
    reference: str
    key_sentences: tuple[str, ...] = ()
    moments: tuple[Moment, ...] = ()
    label: Label | None = None
    options: tuple[str, ...] = Field(default=(), exclude_if=not_)
    curve: tuple[tuple[float, float], ...] = Field(default=(), exclude_if=not_)
    duration: float | None = None
    video_sha256: str = ""
    prompt_sha256: str = ""
    frames: SeenFrames | None = None
    steps: dict[str, Any] | None = None
    time: dict[str, float] = Field(default_factory=dict)
    trained_on: bool = Field(default=False, exclude_if=not_)
    t: str = ""

    @property
    def cut_off(self) -> bool:
        """Whether the text ends at a limit of its length instead of where the model ended it."""
        return finish_of(self.finish) == "length"

    @property
    def served(self) -> str:
        """The model that gave it, as the endpoint names it; empty where it names none."""
        return str((self.steps or {}).get("served") or "")


class Failure(Record):
    """One line of a results file: a question that got no answer. Never scored, always counted.

    `trained_on`: the video is one that the model was trained on. `annotated` is what an answer would be held against.
    """

    type: Literal["error"] = "error"
    key: str
    id: SampleIdText
    video: VideoId
    task: TaskName
    view: View = "full"
    stage: str
    error: str
    message: str
    retryable: bool = False
    trained_on: bool = Field(default=False, exclude_if=not_)
    annotated: SampleAnnotation | None = Field(default=None, exclude_if=lambda found: found is None)
    t: str = ""


_Record = TypeVar("_Record", Answer, Failure, Answer | Failure)


def mark_trained(record: _Record, found: TrainedOn | None) -> _Record:
    """Return a record marked as one about a video that the model was trained on, or itself where it was not."""
    if found is None or record.video not in found.seen:
        return record
    return record.model_copy(update={"trained_on": True})


class Unasked(Record):
    """One line of a results file: a question about a view that cannot be made of the video.

    No model can be asked it, because the annotation and the video alone decide that. It is neither owed nor an error.
    """

    type: Literal["unasked"] = "unasked"
    key: str
    id: SampleIdText
    video: VideoId
    task: TaskName
    view: View
    reason: str
    t: str = ""


class Event(Record):
    """One line of a results file: something that happened to the run as a whole."""

    type: Literal["event"] = "event"
    event: str
    detail: dict[str, Any] = Field(default_factory=dict)
    t: str = ""


class End(Record):
    """Last line of a run that was not interrupted.

    `empty` and `cut_off` count such answers among `answers`; `unasked` counts questions about views that cannot be
    made.
    """

    type: Literal["end"] = "end"
    status: Literal["complete", "incomplete"]
    answers: int
    errors: int
    missing: int
    unasked: int = Field(default=0, exclude_if=not_)
    empty: int = Field(default=0, exclude_if=not_)
    cut_off: int = Field(default=0, exclude_if=not_)
    t: str = ""

    @property
    def useless(self) -> bool:
        """Whether there are answers, and all of them are empty, or all were cut off."""
        return bool(self.answers) and self.answers in (self.empty, self.cut_off)


class Lacking(Record):
    """Parts of a run divided by `--shard` that are not in a file: their numbers from 1, and the number of all parts."""

    parts: tuple[int, ...]
    of: int

    def __str__(self) -> str:
        """Return the parts in words: `part 2 of 4`, or `parts 2 to 5, 7 of 8`."""
        runs: list[list[int]] = []
        for part in self.parts:
            if runs and part == runs[-1][-1] + 1:
                runs[-1].append(part)
            else:
                runs.append([part])
        named = [f"{run[0]} to {run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs]
        return f"{'part' if len(self.parts) == 1 else 'parts'} {', '.join(named)} of {self.of}"

    @property
    def text(self) -> str:
        """A sentence about them: `part 2 of 4 is absent`."""
        return f"{self} {'is' if len(self.parts) == 1 else 'are'} absent"


class Manifest(Record):
    """First line of a results file: how the run was made, and which answers it owes.

    `spec` are the settings that a resumed run must repeat; `environment` may differ and is for readers. `requested` are
    the original values of settings that were not granted, as the first answer showed: a resumed run repeats those.
    `expects` lists the ids of the samples owed, by view. `unasked` says why others are not asked, by id, or by
    `id@view` where that concerns one view. For a run divided by `--shard`, `whole` lists what all parts together owe,
    where that is known, and `lacking` are the parts that are not in a merged file. `name` is what tables call the run,
    where that is not the model's name. `references` are by id what the annotation answers to samples of tasks whose
    accuracy is balanced over it, so that one without an answer counts in its own class. `annotated` is by id what is
    annotated of samples of which answers made elsewhere have none. `trained_on` says which of the
    videos the model was trained on, where a record of its training is known. `sealed` says that each line of the file
    has a seal.
    """

    type: Literal["run"] = "run"
    schema_: str = Field(default=RESULTS_SCHEMA, alias="schema")
    run: str
    name: str = Field(default="", exclude_if=not_)
    spec: dict[str, Any]
    requested: dict[str, Any] = Field(default_factory=dict, exclude_if=not_)
    expects: dict[View, tuple[str, ...]]
    unasked: dict[str, str] = Field(default_factory=dict)
    whole: dict[View, tuple[str, ...]] = Field(default_factory=dict, exclude_if=not_)
    references: dict[str, str] = Field(default_factory=dict, exclude_if=not_)
    annotated: dict[str, SampleAnnotation] = Field(default_factory=dict, exclude_if=not_)
    lacking: Lacking | None = None
    trained_on: TrainedOn | None = Field(default=None, exclude_if=lambda found: found is None)
    environment: dict[str, Any] = Field(default_factory=dict)
    t: str = ""
    sealed: bool = Field(default=False, exclude_if=not_)

    model_config = ConfigDict(frozen=True, extra="allow", populate_by_name=True, serialize_by_alias=True)

    def settled(self, description: Mapping[str, Any], environment: Mapping[str, Any]) -> Manifest:
        """Return a copy with the model's description after its first answer, and with more of the environment."""
        requested = self.requested
        if description != self.spec["description"]:
            requested = {"description": self.spec["description"], **requested}
        spec = {**self.spec, "description": dict(description)}
        found = {"spec": spec, "requested": requested, "environment": {**self.environment, **environment}}
        return self.model_copy(update=found)


class Doubt(Record):
    """What in a results file contradicts its data set, or the file itself, about one question.

    `annotation`: the file has another reference, class, moment, key sentence or option than the data set, which counts;
    `sample`: the data set has no such question; `key`: it is not the hash of what determines the answer; `second`: the
    key has another answer already; `duplicate`: it has the same; `prompt`, `view`, `time` and `data`: what is said of
    them, or of the data set, cannot be.
    """

    kind: Literal["annotation", "sample", "key", "second", "duplicate", "prompt", "view", "time", "data"]
    id: str
    view: View
    text: str


class Results(Record):
    """A results file as read: the answers it owes and has. The input of scoring, whatever the file's format was.

    `expects` lists the sample ids owed, by view; `answers` has one answer per key; `extra` are answers to samples that
    the data set excludes or the run did not ask (for protocols that count them); `failures` has the last failure of
    every sample without an answer. `unasked` says, by view and sample id, why a view cannot be made of the video.
    `lacking` are the parts of the run in other files; their questions are among those owed only if the file lists them.
    `annotated` is by id what is annotated of samples without an answer, as far as the file or the data set says it.
    `doubts` say what contradicts the data set or the file itself, as far as it was looked for. `packages` are those of
    which several versions gave answers, with the versions. `sealed`: a change of the file since it was written would
    have been noticed. `repaired`: in how many places it was, and was repaired. `trained_on`: which of the videos the
    model was trained on, as far as that is known. `unseen_only`: the videos whose questions were left out because a
    model was trained on them; None where that was not asked for.
    """

    name: str
    source: str
    sha256: str
    model: str
    expects: dict[View, tuple[str, ...]]
    answers: tuple[Answer, ...]
    extra: tuple[Answer, ...] = ()
    failures: tuple[Failure, ...] = ()
    unasked: dict[View, dict[str, str]] = Field(default_factory=dict)
    annotated: dict[str, SampleAnnotation] = Field(default_factory=dict)
    lacking: Lacking | None = None
    spec: dict[str, Any] = Field(default_factory=dict)
    doubts: tuple[Doubt, ...] = ()
    packages: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    sealed: bool = False
    repaired: int = 0
    trained_on: TrainedOn | None = None
    unseen_only: tuple[str, ...] | None = None
