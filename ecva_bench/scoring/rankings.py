"""Answers that people ranked, one triple per line of a JSONL file; a line that cannot be used is named, not fatal.

    {"triple_id": "t1", "video_id": "0001", "task": "cause", "question": "…", "reference": "…",
     "answers": {"a": "…", "b": "…", "c": "…"},
     "human_ranks": [{"annotator": "x", "ranks": {"a": 1, "b": 2, "c": 2}}]}

Rank 1 is the best; equal ranks are ties. `key_sentences`, `moments` and `label` may be there for scorers that need
them, `curve`, `duration` and `unit` for the task severity; `reference` may be left out. `kinds` says where each answer
is from, and an annotator's `ranks_by` has ranks by criterion, such as `{"correctness": {"a": 1, …}}`. Ranks are joined
with answers by name. Knows the file and nothing of scorers.
"""

from __future__ import annotations

from operator import not_
from pathlib import Path
from statistics import fmean
from typing import Any, Self

from pydantic import Field, FiniteFloat, ValidationError, field_validator, model_validator

from ..errors import DataError, EcvaError
from ..reading.text import final_answer
from ..reading.units import TimeUnit
from ..records import Label, Moment
from ..records.base import Record, first_problem
from ..statistics.ranks import midranks
from ..tasks import find_tasks
from ..untrusted import parse_json


class HumanRanking(Record):
    """One annotator's ranks of the answers, by the answers' names; 1 is the best, equal ranks are ties.

    `ranks_by` are the ranks by single criteria, by the criterion's name.
    """

    annotator: str
    ranks: dict[str, FiniteFloat]
    ranks_by: dict[str, dict[str, FiniteFloat]] = Field(default_factory=dict, exclude_if=not_)


class Triple(Record):
    """Answers to one question about one video, for people to rank; moments in seconds. Two or more answers will do.

    `reference` is what scorers compare with; empty where there is none. `question` is what people were asked; a judge
    is asked the task's own question, as for any run. `kinds` says by an answer's name where it is from: `first_round`,
    `second_round`, `model:NAME`, or any other word. Of the task severity, answers are curves as text, `curve` is the
    one to compare with, as (seconds, importance), and `duration` the video's, in seconds. `unit` is that in which times
    were asked for, by which a bare number in an answer is read.
    """

    triple_id: str
    video_id: str
    task: str
    question: str
    reference: str = ""
    answers: dict[str, str] = Field(min_length=2)
    key_sentences: tuple[str, ...] = ()
    moments: tuple[Moment, ...] = ()
    label: Label | None = None
    kinds: dict[str, str] = Field(default_factory=dict, exclude_if=not_)
    curve: tuple[tuple[FiniteFloat, FiniteFloat], ...] = Field(default=(), exclude_if=not_)
    duration: FiniteFloat | None = Field(default=None, exclude_if=not_)
    unit: TimeUnit | None = Field(default=None, exclude_if=not_)

    @field_validator("task")
    @classmethod
    def _known_task(cls, name: str) -> str:
        try:
            return find_tasks([name])[0].name
        except EcvaError as error:
            raise ValueError(str(error)) from None

    @model_validator(mode="after")
    def _kinds_fit(self) -> Self:
        if self.kinds and self.kinds.keys() != self.answers.keys():
            raise ValueError("kinds are given of other answers than there are")
        return self


class RankedTriple(Triple):
    """A triple as people ranked it."""

    human_ranks: tuple[HumanRanking, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _ranked(self) -> Self:
        names = [ranking.annotator for ranking in self.human_ranks]
        if len(set(names)) < len(names):
            raise ValueError("an annotator ranks twice")
        for ranking in self.human_ranks:
            if ranking.ranks.keys() != self.answers.keys():
                raise ValueError(f"annotator {ranking.annotator!r} ranks other answers than there are")
        if len(set(self.gold())) == 1:
            raise ValueError("people tie all answers, so there is nothing to agree with")
        return self

    def ranks(self) -> dict[str, list[float]]:
        """Return each annotator's ranks in the order of `answers`; ties share the mean of their ranks (1, 2.5, 2.5)."""
        return {one.annotator: midranks([one.ranks[name] for name in self.answers]) for one in self.human_ranks}

    def gold(self, *, without: str | None = None) -> list[float]:
        """Return the mean rank of each answer, in the order of `answers`, over all annotators or all but one."""
        chosen = [ranks for annotator, ranks in self.ranks().items() if annotator != without]
        return [fmean(ranks) for ranks in zip(*chosen, strict=True)]


class RankingProblem(Record):
    """A line of a rankings file that was left out, and why. `record` says where it stands if not on a line."""

    line: int
    triple: str
    reason: str
    record: str = Field(default="", exclude_if=not_)

    @property
    def place(self) -> str:
        """Where it stands, for people: `line 7`, or the record's name."""
        return self.record or f"line {self.line}"


class Rankings(Record):
    """A rankings file as read: the triples that can be used, and the lines that cannot.

    `ordered`: the answers stand in the order in which people saw them. `notes` say how judgements that were published
    in another form were made triples.
    """

    source: str
    triples: tuple[RankedTriple, ...]
    problems: tuple[RankingProblem, ...]
    ordered: bool = True
    notes: tuple[str, ...] = ()

    @property
    def unit(self) -> TimeUnit | None:
        """The unit in which times were asked for, where it is the same in all triples."""
        units = {triple.unit for triple in self.triples}
        return next(iter(units)) if len(units) == 1 else None


def read_rankings(path: Path, *, criterion: str = "") -> Rankings:
    """Return the triples of a file and a problem per line left out; `DataError` where no line can be used.

    With a criterion, an annotator's ranks are those by it, and who gave none is left out.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise DataError("the rankings cannot be read", path, error.strerror) from None
    triples: dict[str, RankedTriple] = {}
    problems = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        name = ""
        try:
            data = parse_json(line)
            if not isinstance(data, dict):
                raise ValueError("the line is no JSON object")
            name = str(data["triple_id"])
            if name in triples:
                raise ValueError("the triple was there before")
            triples[name] = _apart(RankedTriple.model_validate(_by_criterion(data, criterion) if criterion else data))
        except (ValueError, KeyError) as error:
            problems.append(RankingProblem(line=number, triple=name, reason=problem_of(error)))
    if not triples:
        first = f"line {problems[0].line}: {problems[0].reason}" if problems else "the file is empty"
        other = "; leave --criterion out, or name another" if criterion else ""
        raise DataError("there is no triple to evaluate on", path, first + other)
    return Rankings(source=str(path), triples=tuple(triples.values()), problems=tuple(problems))


def _apart(triple: RankedTriple) -> RankedTriple:
    """Return the triple if no answer is its reference: whoever writes both may have taken one for the other."""
    same = [name for name, answer in triple.answers.items() if triple.reference and same_text(answer, triple.reference)]
    if same:
        raise ValueError(f"answer {same[0]!r} is the reference, and would be compared with itself")
    return triple


def _by_criterion(data: dict[str, Any], criterion: str) -> dict[str, Any]:
    """Return a line with the ranks by one criterion in the place of those by all."""
    given = data.get("human_ranks")
    rows = [row for row in given if isinstance(row, dict)] if isinstance(given, list) else []
    by = [(row, row["ranks_by"]) for row in rows if isinstance(row.get("ranks_by"), dict)]
    ranks = [{"annotator": row.get("annotator"), "ranks": found[criterion]} for row, found in by if criterion in found]
    if not ranks:
        raise ValueError(f"nobody ranks by {criterion}")
    return {**data, "human_ranks": ranks}


def problem_of(error: Exception) -> str:
    """Return what is wrong with a line in a few words that name the field."""
    if isinstance(error, ValidationError):
        return first_problem(error).removeprefix("the record: ")
    return f"no field {error}" if isinstance(error, KeyError) else str(error)


def same_text(one: str, other: str) -> bool:
    """Return whether two answers say the same but for letter case and blanks."""
    return _plain(one) == _plain(other)


def _plain(text: str) -> str:
    return " ".join(final_answer(text).casefold().split())
