"""The typed records that cross rooms. They know their shape and nothing else: no file, no video, no model.

Time is in seconds on the original timeline of a video. Every record is immutable; unknown fields of a newer
minor version are kept, so that rewriting a file loses nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from operator import not_
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

RESULTS_SCHEMA = "ecva.results/1"
SCORES_SCHEMA = "ecva.scores/1"

View = Literal["full", "anomaly", "control"]
Action = Literal["kept", "repaired", "excluded"]

# Scores files and submissions come from others: what no metric gives and no data set has would only overflow later.
Measured = Annotated[float, Field(ge=-1e12, le=1e12)]
Count = Annotated[int, Field(ge=0, le=10**12)]
Decimals = Annotated[int, Field(ge=0, le=12)]


class Record(BaseModel):
    """Base of all records: immutable, tolerant of fields a newer version added; no number is NaN or infinite."""

    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)


class Moment(Record):
    """An annotated anomalous span: `start` <= `end`, in seconds on the original timeline."""

    start: float = Field(ge=0)
    end: float = Field(ge=0)

    @model_validator(mode="after")
    def _ordered(self) -> Moment:
        if self.start > self.end:
            raise ValueError(f"moment ends ({self.end} s) before it starts ({self.start} s)")
        return self

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.end - self.start


class Label(Record):
    """An anomaly class such as `5-1`: major class, sub-class where one was given, severity 1 to 5 where given."""

    major: int = Field(ge=1)
    sub: int | None = Field(default=None, ge=1)
    severity: int | None = Field(default=None, ge=1, le=5)

    @property
    def code(self) -> str:
        """The code as annotators write it: `5-1`, or `5` without a sub-class."""
        return f"{self.major}" if self.sub is None else f"{self.major}-{self.sub}"


class Finding(Record):
    """What a named rule did to one field of one annotation row. Nothing is changed without one."""

    video: str
    field: str
    rule: str
    action: Action
    before: str
    after: str = ""


class Review(Record):
    """The second annotation round: class and moments as a reviewer left them."""

    label: Label | None = None
    moments: tuple[Moment, ...] = ()


class Annotation(Record):
    """Everything annotators said of one video. `None` or empty: not annotated.

    `severity_curve` holds (seconds, importance in [0, 1]) points of the paper's importance curve.
    """

    video: str
    media: str
    label: Label | None = None
    moments: tuple[Moment, ...] = ()
    description: str | None = None
    cause: str | None = None
    effect: str | None = None
    key_sentences: tuple[str, ...] = ()
    severity_curve: tuple[tuple[float, float], ...] = ()
    review: Review | None = None


def format_moments(moments: Iterable[Moment]) -> str:
    """Return moments as text, `[start, end]` each, in seconds: the form our timestamp prompt asks for."""
    return " ".join(f"[{moment.start:g}, {moment.end:g}]" for moment in moments)


# What the annotation answers to each task, None where it has nothing.
REFERENCES: dict[str, Callable[[Annotation], str | None]] = {
    "description": lambda annotation: annotation.description,
    "cause": lambda annotation: annotation.cause,
    "effect": lambda annotation: annotation.effect,
    "classification": lambda annotation: annotation.label.code if annotation.label else None,
    "timestamp": lambda annotation: format_moments(annotation.moments) or None,
}


class Sample(Record):
    """A question about a video, with everything needed to score an answer to it.

    `id` is `<video>/<task>`; `reference` is the annotation's text for the task.
    """

    id: str
    video: str
    media: str
    task: str
    question: str
    prompt: str
    prompt_sha256: str
    reference: str
    key_sentences: tuple[str, ...] = ()
    moments: tuple[Moment, ...] = ()
    label: Label | None = None
    review: Review | None = None


class SeenFrames(Record):
    """The frames a model was shown, once each: seconds on the original timeline, in order.

    `substituted` and `corrupt` name frames by their index on the timeline shown: those replaced by a neighbour
    because they do not decode, and those whose pixels damage in the file may have changed.
    """

    n: int
    timestamps: tuple[float, ...]
    substituted: tuple[int, ...] = ()
    corrupt: tuple[int, ...] = ()


# How endpoints say that a text was cut off: OpenAI, Anthropic and Gemini, Mistral, the Responses API.
_CUT_OFF = {"length", "max_tokens", "model_length", "max_output_tokens", "model_context_window_exceeded"}


def finish_of(reason: str) -> str:
    """Return why a text ends, as answers have it, from a model's or an endpoint's own word; unknown ones are kept."""
    return "length" if reason.casefold() in _CUT_OFF else reason or "stop"


class Answer(Record):
    """One line of a results file: a model's text for one sample and view. It stands alone for scoring.

    `finish` is `stop`, or `length` where the text was cut off. `steps` is for the reader: how a model that works in
    several steps, or thinks aloud (`thought`), came to the text.
    """

    type: Literal["answer"] = "answer"
    key: str
    id: str
    video: str
    task: str
    view: View = "full"
    removed: tuple[Moment, ...] = ()
    answer: str
    finish: str = "stop"
    reference: str
    key_sentences: tuple[str, ...] = ()
    moments: tuple[Moment, ...] = ()
    label: Label | None = None
    duration: float | None = None
    video_sha256: str = ""
    prompt_sha256: str = ""
    frames: SeenFrames | None = None
    steps: dict[str, Any] | None = None
    time: dict[str, float] = Field(default_factory=dict)
    t: str = ""

    @property
    def cut_off(self) -> bool:
        """Whether the text ends where no more was allowed, and not where the model ended it."""
        return finish_of(self.finish) == "length"

    @property
    def served(self) -> str:
        """The model that gave it, in an endpoint's own words; empty where none told."""
        return str((self.steps or {}).get("served") or "")


class Failure(Record):
    """One line of a results file: an answer that could not be had. Never scored, always counted."""

    type: Literal["error"] = "error"
    key: str
    id: str
    video: str
    task: str
    view: View = "full"
    stage: str
    error: str
    message: str
    retryable: bool = False
    t: str = ""


class Unasked(Record):
    """One line of a results file: a question about a view that cannot be made of the video.

    No model can be asked it, for that depends on the annotation and the video alone: it is neither owed nor an error.
    """

    type: Literal["unasked"] = "unasked"
    key: str
    id: str
    video: str
    task: str
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
    """Last line of a run that came to an end by itself.

    Of the `answers`, so many are `empty` and were `cut_off`; `unasked` are questions about views that cannot be made.
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


class Lacking(Record):
    """Parts of a run divided by `--shard` that a file does not hold: their numbers, from 1, and how many there are."""

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
        """What is to be said of them: `part 2 of 4 is absent`."""
        return f"{self} {'is' if len(self.parts) == 1 else 'are'} absent"


class Manifest(Record):
    """First line of a results file: how the run was made, and which answers it owes.

    `spec` is what a resumed run must repeat; `environment` may differ and is for the reader. `requested` is what of
    `spec` was asked for and could not be had, as the first answer showed: a resumed run repeats it in its place.
    `expects` lists the ids of the samples asked, per view. `unasked` says of others why they are not: by id, or by
    `id@view` where it is one view. Of a run divided by `--shard`, `whole` lists what all parts together owe, where that
    is known, and `lacking` are the parts that a merged file does not hold.
    """

    type: Literal["run"] = "run"
    schema_: str = Field(default=RESULTS_SCHEMA, alias="schema")
    run: str
    spec: dict[str, Any]
    requested: dict[str, Any] = Field(default_factory=dict, exclude_if=not_)
    expects: dict[View, tuple[str, ...]]
    unasked: dict[str, str] = Field(default_factory=dict)
    whole: dict[View, tuple[str, ...]] = Field(default_factory=dict, exclude_if=not_)
    lacking: Lacking | None = None
    environment: dict[str, Any] = Field(default_factory=dict)
    t: str = ""

    model_config = ConfigDict(frozen=True, extra="allow", populate_by_name=True, serialize_by_alias=True)

    def settled(self, description: Mapping[str, Any], environment: Mapping[str, Any]) -> Manifest:
        """Return it with the model's description as its first answer showed it, and with more of the environment."""
        requested = self.requested
        if description != self.spec["description"]:
            requested = {"description": self.spec["description"], **requested}
        spec = {**self.spec, "description": dict(description)}
        found = {"spec": spec, "requested": requested, "environment": {**self.environment, **environment}}
        return self.model_copy(update=found)


_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def canonical_json(value: Any) -> str:
    """Return the one JSON text of a value: keys sorted, no spaces, UTF-8, no NaN. Hashes are taken over it."""
    return _CANONICAL.encode(value)


def sha256_of(value: Any) -> str:
    """Return the hex SHA-256 of a value's canonical JSON."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


class Results(Record):
    """A results file as read: what it owes, what it holds. The input of scoring, whatever the file's format was.

    `expects` lists the sample ids owed, per view; `answers` hold one answer per key; `extra` are answers to
    samples the data set excludes or the run did not ask (kept for protocols that count them); `failures`
    hold the last failure of every sample that has no answer. `unasked` says, per view and sample id, why a view cannot
    be made of the video. `lacking` are the parts of the run that are elsewhere; their questions are among those owed
    only where the file knows them.
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
    lacking: Lacking | None = None
    spec: dict[str, Any] = Field(default_factory=dict)


class ScoresHeader(Record):
    """First line of a scores file: which answers were scored, and how. Two equal scorings write equal files.

    `results_sha256` is the hash of the results file; `settings` are the protocol's switches; `draws` and `seed`
    are those of the bootstrap and of the shuffled-reference floor. `left_out` says of scorers why they could not
    be used. `dataset_sha256` is the hash of the annotations the run was made with, and `prompts` are, by task, those
    of the prompts its answers were asked with: runs that differ in them do not compare. `served` are the models that
    answered, where an endpoint names them. `lacking` are the parts of a divided run that are in another file.
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
    dataset_sha256: str = ""
    prompts: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    lacking: Lacking | None = Field(default=None, exclude_if=not_)
    served: tuple[str, ...] = Field(default=(), exclude_if=not_)

    model_config = ConfigDict(frozen=True, extra="allow", populate_by_name=True, serialize_by_alias=True)


class Coverage(Record):
    """What became of the samples of one task and view that a run owes, counted before any mean.

    `owed` = `answered` + `failed` + `missing`; an `empty` answer is an answer, and so is one that was `cut_off` where
    the model was allowed no more (a file without such answers does not say so). `extra` are answers that were not
    owed and `duplicates` second answers to one sample; neither is scored, but a protocol may count extra answers
    as owed. `samples` is the number the run itself owes and `samples_sha256` identifies them: only rows over the
    same ones compare. `absent` are the ids of those that failed or are missing. `unasked` counts, by reason, samples
    that nobody owes, for the view cannot be made of their videos.
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
    absent: tuple[str, ...] = ()
    unasked: dict[str, Count] = Field(default_factory=dict, exclude_if=not_)


class Summary(Record):
    """One column of one scorer over one task and view; values are fractions where `unit` is %, else in that unit.

    `n` of `expected` samples were scored: those owed, less the `unscorable`, whose annotation lacks what the metric
    needs (`reasons` counts why), and the `exempt`, named by id: the column needs an edited view that cannot be made of
    their videos. `unscored` have an answer the scorer gave no value for (`gaps` counts why), exempt or not. `mean` is
    over the scored; in `zero_filled` those without an answer get the `worst` value, 0 where higher is better; it is
    None where there are answers and the scorer gave no value for any. Intervals are 95 % bootstrap intervals over
    videos. `floor` is the mean against other samples' references. `hits` counts the ones of a 0/1 column.
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
    mean: Measured | None
    interval: tuple[Measured, Measured] | None = None
    zero_filled: Measured | None
    zero_filled_interval: tuple[Measured, Measured] | None = None
    floor: Measured | None = None
    hits: Count | None = None


class Aggregate(Record):
    """A number over all scored items of a task and view that is no mean of item values, such as macro recall."""

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


class JudgedPart(Record):
    """What a judge said to one question about an answer: a number per verdict asked for, and why in its own words."""

    values: tuple[float, ...]
    rationale: str = ""


class Reading(Record):
    """How a text was read: what, from which characters, by which rule, and what else it could have meant.

    `status`: `read`; `unread`, nothing of the kind is named; `ambiguous`, several are and none as the answer;
    `out of range`, what is named is not on offer; `no unit`, a bare number whose unit nothing says. Only what is `read`
    has a value. `labels` are classes, the answer first; `spans` are (start, end) in seconds, in the text's order;
    `order` is a ranking. `places` are the characters [start, end) that it was read from, in the answer as it is
    recorded. `others` are, in the text's own words, what was named beside it. `by` names the judge that read what
    the rules could not.
    """

    status: Literal["read", "unread", "ambiguous", "out of range", "no unit"] = "read"
    rule: str = Field(default="", exclude_if=not_)
    labels: tuple[Label, ...] = Field(default=(), exclude_if=not_)
    spans: tuple[tuple[float, float], ...] = Field(default=(), exclude_if=not_)
    order: tuple[int, ...] = Field(default=(), exclude_if=not_)
    places: tuple[tuple[int, int], ...] = Field(default=(), exclude_if=not_)
    others: tuple[str, ...] = Field(default=(), exclude_if=not_)
    by: str = Field(default="", exclude_if=not_)


class Score(Record):
    """What one scorer says of one answer. `unscored` is never 0: it has no values and a reason.

    `gaps` says why single columns have no value; those `unanswered` lack an answer the model owes and count as missing.
    `parts` are what a judge said, by the name of its prompt or question; a score without a judge is written without
    them. `reading` is how the answer's text was read, where the scorer reads something out of it.
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
