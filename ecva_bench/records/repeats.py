"""What becomes of questions that are asked several times: which answers there are, and how much scores differ."""

from __future__ import annotations

from operator import not_

from pydantic import Field

from .base import Count, Measured, Record


class Repeats(Record):
    """The answers behind the questions that a `Coverage` counts, where a run asks some question several times.

    `each` is how often a question is asked at most. `absent` are the ids of samples without an answer whose question
    has another answer; each counts as the worst value in the question's mean where missing answers do.
    """

    each: Count
    owed: Count
    answered: Count
    absent: tuple[str, ...] = Field(default=(), exclude_if=not_)


class Stability(Record):
    """How much the values of one column differ among the answers to one question, over the questions asked repeatedly.

    `answers` have a value. Of the `questions` with two or more values, `changed` is the share in which these are not
    all equal, with its 95 % bootstrap interval over videos, and `deviation` is the mean of the values' standard
    deviations in each, in the column's own unit; both are None without such a question. `hits` counts the ones of a 0/1
    column. `gaps` counts by reason the answers without a value.
    """

    answers: Count
    questions: Count
    changed: Measured | None = None
    interval: tuple[Measured, Measured] | None = None
    deviation: Measured | None = None
    hits: Count | None = None
    gaps: dict[str, Count] = Field(default_factory=dict, exclude_if=not_)
