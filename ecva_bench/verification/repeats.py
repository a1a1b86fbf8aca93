"""What a submission says of questions that were asked several times, held against itself."""

from __future__ import annotations

from collections.abc import Iterator

from ..leaderboard.submission import Entry
from ..records.annotations import question_of

_Found = tuple[str, object, object]  # a field, what it says, and what it should be


def contradicting_repeats(entry: Entry) -> Iterator[_Found]:
    """Yield where the counts of answers do not fit those of questions, or one of both is told alone."""
    coverage, told = entry.coverage, entry.coverage.repeats
    lacking = [one.column for one in entry.summaries if (one.stability is None) is not (told is None)]
    if lacking:
        yield "stability of columns", ", ".join(lacking), "for all where questions were asked several times, else none"
    if told is None:
        return
    if told.each < 2:
        yield "times a question is asked", told.each, "at least 2"
    most = {"answered": told.each * coverage.answered, "owed": told.each * coverage.owed}
    for name, bound in most.items():
        if getattr(told, name) > bound:
            yield f"answers {name}", getattr(told, name), f"at most {bound}"
    if told.answered < coverage.answered:
        yield "answers answered", told.answered, f"at least {coverage.answered}"
    if told.answered + len(told.absent) > told.owed:
        yield "answers owed", told.owed, f"at least {told.answered + len(told.absent)}"
    if astray := [one for one in told.absent if question_of(one) in coverage.absent]:
        yield f"the absent {astray[0]}", "of an answered question", "of one that has no answer"
    for one in entry.summaries:
        found = one.stability
        if found is None:
            continue
        if not one.n <= found.answers <= told.answered:
            yield f"answers of {one.column}", found.answers, f"{one.n} to {told.answered}"
        if found.questions > one.n:
            yield f"questions of {one.column} with several values", found.questions, f"at most {one.n}"
        if (found.changed is None) is not (found.questions == 0) or not 0 <= (found.changed or 0) <= 1:
            yield f"share of {one.column} that changes", found.changed, "0 to 1, or nothing of no question"
