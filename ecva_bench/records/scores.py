"""The lines of a scores file, and the file as read: how answers were scored, and the scores."""

from __future__ import annotations

from operator import not_
from typing import Any, Literal

from pydantic import ConfigDict, Field

from .answers import Lacking
from .base import Count, Decimals, Measured, Record, View
from .readings import Reading
from .repeats import Repeats, Stability
from .training import TrainedShare
from .verdicts import NO_VERDICT, JudgedPart, Qualification

SCORES_SCHEMA = "ecva.scores/1"
_QUALIFIED = "qualified:"  # of a signature: yes or no; nothing where the judge was not asked


class ScoresHeader(Record):
    """First line of a scores file: which answers were scored, and how. Two equal scorings write equal files.

    `results_sha256` is the hash of the results file; `settings` are the protocol's switches; `draws` and `seed` are
    those of the bootstrap and of the shuffled-reference floor. `left_out` says of scorers why they could not be
    used, and of single aggregates why they are not defined. `dataset` is the data set's name, where it is known,
    `dataset_sha256` the hash of the annotations the run was made with, and `prompts` are, by task, those of the
    prompts its answers were asked with, where they are known: runs that differ in them do not compare. `asked_with`
    is, by task, what went with its questions as words of their own, such as each frame's second: runs of one model
    that differ in it do not compare either. `served` are the models that answered, where an endpoint names them.
    `lacking` are the parts of a divided run that are in another file. An `imported` run was answered elsewhere, by
    another program. `corrected` counts the answers that were scored by their data set's annotation and not by the
    other one that the results file has. `packages` are those of which several versions gave the answers;
    `libraries` are those that metrics which are networks ran on, with their versions. `videos` are by video the
    beginnings of the hashes of the files that were shown, where they are known. `repaired`: in how many places the
    results file had been changed and was repaired. `trained_on` says of how many questions the model was trained on
    the video, where a record of its training is known. `unseen_only` are the videos whose questions were left out
    because a model was trained on them, where that was asked for. `sealed` says that each line of the scores file
    has a seal.
    """

    type: Literal["scores"] = "scores"
    schema_: str = Field(default=SCORES_SCHEMA, alias="schema")
    name: str
    results: str
    results_sha256: str
    model: str
    baseline: bool = False
    protocol: str
    settings: dict[str, Any]
    seed: int
    draws: int
    version: str
    left_out: dict[str, str] = Field(default_factory=dict)
    dataset: str = Field(default="", exclude_if=not_)
    dataset_sha256: str = ""
    prompts: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    asked_with: dict[str, dict[str, str]] = Field(default_factory=dict, exclude_if=not_)
    lacking: Lacking | None = Field(default=None, exclude_if=not_)
    served: tuple[str, ...] = Field(default=(), exclude_if=not_)
    imported: bool = Field(default=False, exclude_if=not_)
    corrected: Count = Field(default=0, exclude_if=not_)
    packages: dict[str, tuple[str, ...]] = Field(default_factory=dict, exclude_if=not_)
    libraries: dict[str, tuple[str, ...]] = Field(default_factory=dict, exclude_if=not_)
    videos: dict[str, str] = Field(default_factory=dict, exclude_if=not_)
    repaired: Count = Field(default=0, exclude_if=not_)
    trained_on: TrainedShare | None = Field(default=None, exclude_if=lambda found: found is None)
    unseen_only: tuple[str, ...] | None = Field(default=None, exclude_if=lambda videos: videos is None)
    sealed: bool = Field(default=False, exclude_if=not_)

    model_config = ConfigDict(frozen=True, extra="allow", populate_by_name=True, serialize_by_alias=True)


class Coverage(Record):
    """What became of the samples of one task and view that a run owes, counted before any mean.

    `owed` = `answered` + `failed` + `missing`; an `empty` answer is an answer, and so is one that was `cut_off` where
    the model was allowed no more (a file without such answers does not say so). `extra` are answers that were not
    owed and `duplicates` second answers to one sample; neither is scored, but a protocol may count extra answers
    as owed. `samples` is the number the run itself owes and `samples_sha256` identifies them: only rows over the
    same ones compare. `absent` are the ids of those that failed or are missing. `unasked` counts, by reason, samples
    that are not owed because the view cannot be made of their videos. `trained_on` counts those owed about videos that
    the model was trained on. Where questions are asked several times, each counts once, as answered where it has any
    answer; `empty` and `cut_off` count answers all the same, and `repeats` says how many there are.
    """

    type: Literal["coverage"] = "coverage"
    task: str
    view: View
    samples: Count
    samples_sha256: str
    owed: Count
    answered: Count
    failed: Count
    missing: Count
    empty: Count = 0
    cut_off: Count = Field(default=0, exclude_if=not_)
    extra: Count = 0
    duplicates: Count = 0
    trained_on: Count = Field(default=0, exclude_if=not_)
    absent: tuple[str, ...] = ()
    unasked: dict[str, Count] = Field(default_factory=dict, exclude_if=not_)
    repeats: Repeats | None = Field(default=None, exclude_if=lambda found: found is None)

    @property
    def answers_owed(self) -> int:
        """How many answers are owed; several to one question where it is asked several times."""
        return self.repeats.owed if self.repeats else self.owed

    @property
    def answers_given(self) -> int:
        """How many answers there are; several to one question where it is asked several times."""
        return self.repeats.answered if self.repeats else self.answered

    @property
    def all_absent(self) -> tuple[str, ...]:
        """The questions without any answer, and the samples that lack one whose question has another."""
        return (*self.absent, *(self.repeats.absent if self.repeats else ()))


class Summary(Record):
    """One column of one scorer over one task and view; values are fractions where `unit` is %, else in that unit.

    `n` of `expected` samples were scored: those owed, less the `unscorable`, whose annotation lacks what the metric
    needs (`reasons` counts why), and the `exempt`, named by id: the column needs an edited view that cannot be made of
    their videos, or the answer is missing and the annotation gives nobody a value, or the metric takes no such video.
    `unscored` have an answer the scorer gave no value for (`gaps` counts why), exempt or not. `mean` is over the
    scored; in `zero_filled` those without an answer get the `worst` value, 0 where higher is better; it is None where
    there are answers and the scorer gave no value for any. Of the `unjudgeable`, named by id, the reference has no
    value either: they are unscored here, and count for no run beside this one. Intervals are 95 % bootstrap intervals
    over videos. `floor` is the mean against other samples' references. `hits` counts the ones of a 0/1 column. A
    `balanced` mean is the mean over the strata of the scores; `absent_strata` are by id those of samples without an
    answer. One whose stratum is not known is in each. Where questions are asked several times, samples here are
    questions, the value of each is the mean over its answers, and `stability` says how much these differ.
    `qualification` says of a judge's column how far it is to be believed, where the judge was asked.
    """

    type: Literal["summary"] = "summary"
    task: str
    view: View
    scorer: str
    column: str
    signature: str
    unit: str = "%"
    decimals: Decimals = 2
    higher_is_better: bool = True
    worst: Measured = 0.0
    n: Count
    expected: Count
    unscored: Count = 0
    unscorable: Count = 0
    reasons: dict[str, Count] = Field(default_factory=dict)
    gaps: dict[str, Count] = Field(default_factory=dict)
    exempt: tuple[str, ...] = Field(default=(), exclude_if=not_)
    unjudgeable: tuple[str, ...] = Field(default=(), exclude_if=not_)
    mean: Measured | None
    interval: tuple[Measured, Measured] | None = None
    zero_filled: Measured | None
    zero_filled_interval: tuple[Measured, Measured] | None = None
    floor: Measured | None = None
    hits: Count | None = None
    balanced: bool = Field(default=False, exclude_if=not_)
    absent_strata: dict[str, str] = Field(default_factory=dict, exclude_if=not_)
    stability: Stability | None = Field(default=None, exclude_if=lambda found: found is None)
    qualification: Qualification | None = Field(default=None, exclude_if=lambda found: found is None)

    @property
    def judged(self) -> bool:
        """Whether a judge was asked for the values."""
        return "|judge:" in self.signature

    @property
    def disqualified(self) -> bool:
        """Whether the judge failed its controls: the number is shown, and takes no rank."""
        return f"|{_QUALIFIED}no" in self.signature

    @property
    def unjudged(self) -> int:
        """How many answers a judge was asked about and gave no verdict on."""
        gaps = self.stability.gaps if self.stability else self.gaps
        return sum(count for reason, count in gaps.items() if reason.startswith(NO_VERDICT))

    @property
    def answers(self) -> int:
        """How many answers have a value; several of one question where it is asked several times."""
        return self.stability.answers if self.stability else self.n


class Aggregate(Record):
    """A number over all scored items of a task and view that is no mean of item values, such as macro recall.

    A `blind` one is what a rule that never looks reaches in the scorer's first column.
    """

    type: Literal["aggregate"] = "aggregate"
    task: str
    view: View
    scorer: str
    column: str
    signature: str
    description: str
    unit: str = "%"
    decimals: Decimals = 2
    value: Measured
    blind: bool = Field(default=False, exclude_if=not_)


class Score(Record):
    """The result of one scorer for one answer. `unscored` is never 0: it has no values, but a reason.

    `gaps` says why single columns have no value; those `unanswered` lack an answer the model owes and count as missing.
    `parts` are a judge's replies, by the name of its prompt or question; a score without a judge has none. `reading` is
    how the answer's text was read, where the scorer reads something out of it. `stratum` is what balanced columns take
    the sample for.
    """

    type: Literal["score"] = "score"
    key: str
    id: str
    video: str
    task: str
    view: View
    scorer: str
    status: Literal["ok", "unscored"] = "ok"
    reason: str = ""
    values: dict[str, Measured] = Field(default_factory=dict)
    gaps: dict[str, str] = Field(default_factory=dict)
    unanswered: tuple[str, ...] = Field(default=(), exclude_if=not_)
    stratum: str = Field(default="", exclude_if=not_)
    parts: dict[str, JudgedPart] = Field(default_factory=dict, exclude_if=not_)
    reading: Reading | None = Field(default=None, exclude_if=not_)


class Scores(Record):
    """A scores file as read from `source` (empty where it was made here). The input of leaderboards and reports."""

    header: ScoresHeader
    coverage: tuple[Coverage, ...]
    summaries: tuple[Summary, ...]
    aggregates: tuple[Aggregate, ...]
    scores: tuple[Score, ...]
    source: str = ""


def signature_parts(signature: str) -> tuple[str, ...]:
    """Return the parts of a signature that move numbers: not whether the judge qualified, nor whether it was asked."""
    return tuple(part for part in signature.split("|") if not part.startswith(_QUALIFIED))


def settings_of(signature: str) -> tuple[str, ...]:
    """Return those parts but for the metric's version: the numbers tell whether that matters."""
    return tuple(part for part in signature_parts(signature) if not part.startswith("v:"))
