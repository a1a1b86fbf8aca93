"""The triples that are found in published judgements, and what is left out of them. Knows no form."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ...data.cells import Note
from ...data.described.description import Format, RowKeys
from ...data.described.tables import Row, read_table
from ...errors import DataError
from ...scoring.rankings import RankedTriple, RankingProblem, Rankings, problem_of
from ...wording import counted

AGAIN = "get the file again, as it was published"


class FoundTriples:
    """The triples of a source, what was left out of it, and what is to be said of it."""

    def __init__(self, source: Path) -> None:
        self.source = source
        self.triples: dict[str, RankedTriple] = {}
        self.problems: list[RankingProblem] = []
        self.tied = 0
        self.notes: list[str] = []

    def rows(self, path: Path, kind: Format, columns: Sequence[str]) -> Iterator[tuple[int, Row]]:
        """Yield the records of a table with their numbers, from 1; `DataError` where a column is not there."""

        def report(number: int, name: str, note: Note) -> None:
            self.leave_out(number, f"{note.before:.200} ({note.rule})", record=self.place(path, name))

        for number, row in read_table(path, RowKeys(format=kind), report):
            missing = [name for name in columns if name not in row]
            if missing and kind != "json":  # the records of JSON have fields of their own
                raise DataError(f"it has no column {missing[0]!r}", path, AGAIN)
            yield number, row

    def place(self, path: Path, record: str) -> str:
        """Return how a record is called, with its file where the source is a folder."""
        inside = f"{path.relative_to(self.source)}, " if self.source in path.parents else ""
        return f"{inside}{record:.200}"

    def leave_out(self, number: int, reason: str, *, record: str, triple: str = "") -> None:
        """Note a record that cannot be used."""
        self.problems.append(RankingProblem(line=number, triple=triple, reason=reason, record=record))

    def add(
        self,
        name: str,
        answers: Mapping[str, str],
        ranks: Sequence[Sequence[float]],
        *,
        number: int,
        record: str,
        video: str = "",
        question: str = "",
        reference: str = "",
    ) -> None:
        """Take a triple; `ranks` are those of each annotator in the order of the answers, 1 the best."""
        of_answers = [math.fsum(of_one) for of_one in zip(*ranks, strict=True)]
        if len(of_answers) > 1 and len(set(of_answers)) == 1:
            self.tied += 1
            return
        people = [
            {"annotator": f"person {count}", "ranks": dict(zip(answers, one, strict=True))}
            for count, one in enumerate(ranks, start=1)
        ]
        given = {"triple_id": name, "video_id": video or name, "task": "description", "question": question}
        try:
            triple = RankedTriple.model_validate(
                {**given, "reference": reference, "answers": dict(answers), "human_ranks": people}
            )
        except ValueError as error:
            self.leave_out(number, problem_of(error), record=record, triple=name)
            return
        self.triples[name] = triple

    def rankings(self, *, ordered: bool) -> Rankings:
        """Return what was found; `DataError` where there is no triple."""
        if not self.triples:
            first = f"{self.problems[0].place}: {self.problems[0].reason}" if self.problems else AGAIN
            raise DataError("there is no triple to evaluate on", self.source, first)
        if self.tied:
            self.notes.append(f"{counted(self.tied, 'record')} left out: people see no difference")
        return Rankings(
            source=str(self.source),
            triples=tuple(self.triples.values()),
            problems=tuple(self.problems),
            ordered=ordered,
            notes=tuple(self.notes),
        )


def ranks_of(scores: Sequence[float]) -> list[float]:
    """Return ranks by scores, of which the highest is the best."""
    return [-score for score in scores]


def finite_score(value: object) -> float:
    """Return a finite number; `ValueError` that shows what stands in its place."""
    try:
        number = float(str(value))
    except (TypeError, ValueError):
        raise ValueError(f"the score is no number: {value!r:.100}") from None
    if not math.isfinite(number):
        raise ValueError(f"the score is no number: {value!r:.100}")
    return number
