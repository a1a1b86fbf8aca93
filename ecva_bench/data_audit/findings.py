"""What an audit of data sets says: the records of its file, and the table of its rules with their thresholds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import not_
from typing import NamedTuple

from pydantic import ConfigDict, Field

from ..blind.choice import BlindRule
from ..records.base import Record
from ..statistics.intervals import DRAWS, Estimate, estimate

DATA_AUDIT_SCHEMA = "ecva.data-audit/1"
SEED = 0
EXAMPLES = 3
BLIND_MARGIN = 0.05  # by which the low end of a blind rule's interval may pass chance, where answers are right or wrong
BLIND_MOST = 0.5  # that it may reach where answers are right in part: overlap of spans, shared words
DIGITS_P = 0.001  # probability below which the last two digits of times are no chance
FEWEST = 50  # questions below which a blind rule is no finding
# How much wider than 95 % the interval is for a finding. Some rule of twenty is high by chance, and hits that were
# learnt in folds spread up to 1.45 times as far as independent ones (simulated): four standard errors cover both.
WIDER = 2.0
_DRAWN_CELLS = 5_000_000  # of a bootstrap: with more than 2,500 videos there are fewer draws, for time

Interval = tuple[float, float] | None


class DataRule(NamedTuple):
    """What a rule of the audit finds, and the share of cases above which a finding counts with `--strict`."""

    meaning: str
    tolerated: float = 0.0


DATA_RULES: dict[str, DataRule] = {
    "blind-rule": DataRule("a rule that never looks is more than 5 points above chance, or above 50 % overlap"),
    "name-tells": DataRule("the words of the video's name tell as much: keep names from models"),
    # questions with options
    "key-missing": DataRule("a question with options has no key"),
    "key-beyond": DataRule("the key names an option that there is not"),
    "options-empty": DataRule("an option has no text, or a question fewer than two options"),
    "options-equal": DataRule("two options of a question are equal, but for case and spaces"),
    "key-in-question": DataRule("the question has the text of the key, and of no other option", 0.01),
    # times
    "times-beyond-video": DataRule("a span ends more than a second after its video", 0.01),
    "times-mmss": DataRule("no seconds above 59: minutes and seconds (0300) were read as seconds (300)"),
    "times-instant": DataRule("a span starts and ends at the same time", 0.01),
    # texts
    "text-repeated": DataRule("videos share a text of 8 words or more, but for case, spaces and punctuation", 0.01),
    "text-near": DataRule("videos share a text of 8 words or more, but for few words (4 of 5 word triples)", 0.01),
    "question-repeated": DataRule("a question comes twice about a video, with the same options in any order"),
    "error-text": DataRule("the text is a message of a program, or a refusal, and no annotation"),
    "placeholder": DataRule("the text stands for nothing: -1, nan, null, n/a"),
    "language": DataRule("the text is in another script than most texts of its field", 0.01),
    # videos and sets
    "file-repeated": DataRule("two videos of a set have the same file, byte for byte"),
    "video-shared": DataRule("a video id is in two sets"),
    "file-shared": DataRule("two sets have the same video file, byte for byte"),
    "text-shared": DataRule("two sets share a text of 8 words or more, equal or near"),
    # the reader's findings, under their own names
    "repaired": DataRule("the reader of the file repaired rows, by the rule that is named"),
    "excluded": DataRule("the reader of the file left rows or fields out, by the rule that is named"),
}


class BlindScore(Record):
    """What a rule that never looks reaches in a task: the mean of `metric` over `n` questions, beside `chance`, and the
    `limit` above which it is a finding.

    A `learnt` rule was made on other videos than it is scored on. `interval` is a 95 % bootstrap interval over videos.
    """

    task: str
    rule: str
    description: str
    learnt: bool = False
    metric: str
    n: int
    value: float
    interval: Interval = None
    chance: float
    limit: float

    @property
    def above(self) -> bool:
        """Whether the interval, `WIDER` times as wide, is above `limit`; of `FEWEST` questions at least."""
        if self.n < FEWEST or self.interval is None:
            return False
        return self.value - WIDER * (self.value - self.interval[0]) > self.limit


class DataFinding(Record):
    """What a rule of `DATA_RULES` found in `n` of `of` cases; `share` is the interval of n / of, drawn by video.

    `other` is the second data set, for what two sets share. `above`: whether the share is above what is tolerated.
    """

    rule: str
    dataset: str
    other: str = Field(default="", exclude_if=not_)
    task: str = Field(default="", exclude_if=not_)
    n: int
    of: int
    share: Interval = None
    text: str = ""
    examples: tuple[str, ...] = ()
    p_value: float | None = Field(default=None, exclude_if=lambda value: value is None)
    above: bool = True


class Balance(Record):
    """How the values of one kind are spread: `counts`, the share of the largest, and how many there are in effect.

    `effective` is the exponential of the entropy: as many equally frequent values would be as hard to guess.
    """

    what: str
    counts: dict[str, int]
    majority: float
    interval: Interval = None
    effective: float


class OptionLengths(Record):
    """The mean length in characters of right and of other options, for keys at one place, or all (`place` empty)."""

    task: str
    place: str
    n: int
    key: float
    others: float


def blind_score(
    task: str,
    rule: BlindRule,
    metric: str,
    values: Sequence[float],
    videos: Sequence[str],
    *,
    chance: float,
    limit: float | None = None,
) -> BlindScore:
    """Return the score of a rule from its value for every question; the limit is chance plus `BLIND_MARGIN` if None."""
    found = estimate(values, videos, seed=SEED, draws=draws_for(videos))
    return score_of(task, rule, metric, found, chance=chance, limit=limit)


def score_of(
    task: str, rule: BlindRule, metric: str, found: Estimate, *, chance: float, limit: float | None = None
) -> BlindScore:
    """Return the score of a rule from its mean and interval, as `blind_score` does."""
    return BlindScore(
        task=task,
        rule=rule.name,
        description=rule.description,
        learnt=rule.learnt,
        metric=metric,
        n=found.n,
        value=found.mean or 0.0,
        interval=found.interval,
        chance=chance,
        limit=chance + BLIND_MARGIN if limit is None else limit,
    )


class DatasetAudit(Record):
    """One data set: what is in it, blind rules by task, balances, lengths of options, findings."""

    name: str
    source: str
    sha256: str
    videos: int
    questions: dict[str, int]
    blind: tuple[BlindScore, ...]
    balances: tuple[Balance, ...]
    lengths: tuple[OptionLengths, ...]
    notes: tuple[str, ...] = ()


class DataAudit(Record):
    """An audit of one or several data sets; `rules` are the meanings of those that found something."""

    schema_: str = Field(default=DATA_AUDIT_SCHEMA, alias="schema")
    seed: int = SEED
    datasets: tuple[DatasetAudit, ...]
    findings: tuple[DataFinding, ...]
    rules: dict[str, str]

    model_config = ConfigDict(frozen=True, populate_by_name=True, serialize_by_alias=True)

    @property
    def ok(self) -> bool:
        """Whether no finding is above its threshold."""
        return not any(finding.above for finding in self.findings)


def draws_for(videos: Sequence[str]) -> int:
    """Return how many draws of so many videos an interval is made of."""
    return max(200, min(DRAWS, _DRAWN_CELLS // max(1, len(set(videos)))))


def share_of(hits: Sequence[bool], videos: Sequence[str]) -> tuple[float, Interval]:
    """Return the share of hits, with its interval over videos."""
    found = estimate([float(hit) for hit in hits], videos, seed=SEED, draws=draws_for(videos))
    return found.mean or 0.0, found.interval


def finding_of(
    rule: str,
    dataset: str,
    cases: Sequence[tuple[str, bool]],
    examples: Iterable[str],
    *,
    task: str = "",
    text: str = "",
    other: str = "",
) -> list[DataFinding]:
    """Return the finding of a rule over (video, whether it is a case of it), none where no case is."""
    n = sum(hit for _, hit in cases)
    if not n:
        return []
    _, share = share_of([hit for _, hit in cases], [video for video, _ in cases])
    shown = tuple(example for _, example in zip(range(EXAMPLES), examples, strict=False))
    above = n / len(cases) > DATA_RULES[rule].tolerated
    finding = DataFinding(
        rule=rule,
        dataset=dataset,
        other=other,
        task=task,
        n=n,
        of=len(cases),
        share=share,
        text=text,
        examples=shown,
        above=above,
    )
    return [finding]
