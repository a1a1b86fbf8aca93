"""What an audit looks at: the answers of one file to one task and view, as words and as they are read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, get_args

from ..judging import Judge
from ..reading.look_alikes import words_as_they_look
from ..reading.text import final_answer
from ..records.annotations import sample_parts
from ..records.answers import Answer, Results
from ..records.base import Record, View
from ..records.readings import Reading
from ..records.scores import Coverage
from ..scoring.choice import Choice
from ..scoring.classification import Classification
from ..scoring.detection import Detection
from ..scoring.grounding import Grounding
from ..scoring.join import AnswerGroup
from ..scoring.protocol import get_protocol
from ..scoring.readings import ReadingScorer
from ..scoring.run_facts import offer_none, unit_asked_for
from ..scoring.scorer import Scorable
from ..scoring.second_reader import SecondReader
from ..scoring.timestamp import Timestamp

Rule = Literal[
    "doubtful",
    "identical",
    "reference",
    "label",
    "constant",
    "echo",
    "judge",
    "unjudged",
    "coverage",
    "prompts",
    "unread",
]
RULES: tuple[Rule, ...] = get_args(Rule)  # the most telling first
IDS_KEPT = 5  # of a finding

_READ_BY: dict[str, type[ReadingScorer]] = {
    one.name: one for one in (Classification, Timestamp, Detection, Choice, Grounding)
}


class AuditFinding(Record):
    """What a rule found in `n` of `of` answers of an entry to one task and view; `ids` are the first of them.

    `other` is the entry with the same answers, or with other prompts.
    """

    rule: Rule
    entry: str
    other: str = ""
    task: str
    view: View
    n: int
    of: int
    text: str
    ids: tuple[str, ...] = ()


class EntryCount(Record):
    """The answers of one entry to one task and view: coverage, distinct texts, and the share of the most frequent."""

    entry: str
    model: str
    baseline: bool
    coverage: Coverage
    distinct: int
    most_frequent: float


class AuditedEntry:
    """One file's answers to one task and view, asked for or not; texts are compared as words, by sample id."""

    def __init__(self, results: Results, group: AnswerGroup, everything: AnswerGroup, reader: Judge | None) -> None:
        self.name, self.model, self.group = results.name, results.model, group
        self.baseline = bool(results.spec.get("baseline", False))
        self.answers = everything.answers
        self.words = {answer.id: as_words(answer.answer) for answer in self.answers}
        self.readings = _read(results, self.answers, reader)
        place = (group.task, group.view)
        self.doubts = [one for one in results.doubts if (sample_parts(one.id).task, one.view) == place]

    def finding(self, rule: Rule, ids: Sequence[str], of: int, text: str, *, other: str = "") -> AuditFinding:
        """Return a finding about the answers of these ids."""
        return AuditFinding(
            rule=rule,
            entry=self.name,
            other=other,
            task=self.group.task,
            view=self.group.view,
            n=len(ids),
            of=of,
            text=text,
            ids=tuple(ids[:IDS_KEPT]),
        )

    def count(self) -> EntryCount:
        """Return the counts of the entry."""
        texts = Counter(self.words.values())
        most = max(texts.values(), default=0)
        return EntryCount(
            entry=self.name,
            model=self.model,
            baseline=self.baseline,
            coverage=self.group.coverage(),
            distinct=len(texts),
            most_frequent=most / len(self.answers) if self.answers else 0.0,
        )


def as_words(text: str) -> str:
    """Return the words of a final answer as they look, single blanks between them."""
    return " ".join(words_as_they_look(final_answer(text)))


def _read(results: Results, answers: Sequence[Answer], reader: Judge | None) -> dict[str, Reading]:
    """Return how answers are read, by sample id, where something is read out of them: a class, or spans of time."""
    protocol = replace(get_protocol("standard"), timestamp_unit=unit_asked_for(results))
    made = _READ_BY.get(answers[0].task) if answers else None
    if made is None:
        return {}
    scorer = made(protocol)
    offer_none({answers[0].task: [scorer]}, results)
    scorer.second = SecondReader(reader, protocol) if reader is not None else None
    items = [Scorable.of(answer, candidate=final_answer(answer.answer)) for answer in answers]
    told = [item for item in items if item.candidate]
    return {item.id: reading for item, reading in zip(told, scorer.readings(told), strict=True)}
