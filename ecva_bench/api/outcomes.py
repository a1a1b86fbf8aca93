"""What the functions of `calls` return: records, the file they are in, and the same as rows or as a data frame."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UsageError
from ..leaderboard.by_view import view_scores
from ..leaderboard.compare import Comparison, Effect
from ..leaderboard.comparison_tables import comparison_tables
from ..leaderboard.forms import as_markdown, as_text
from ..leaderboard.headline import scored_tables
from ..leaderboard.published import published_tables
from ..leaderboard.submission import submission
from ..leaderboard.table import Table
from ..records.answers import Answer, End, Results
from ..records.scores import Scores, Summary
from ..wording import counted

if TYPE_CHECKING:
    import pandas

Row = dict[str, Any]


class Outcome(ABC):
    """What a function returns: `rows` are plain dictionaries, one a line of a table; `str` is what a terminal shows."""

    @abstractmethod
    def rows(self) -> list[Row]:
        """Return the table as one dictionary a line."""

    @abstractmethod
    def __str__(self) -> str:
        """Return what the command line prints."""

    def to_frame(self) -> pandas.DataFrame:
        """Return `rows` as a data frame of pandas; `UsageError` where that is not installed."""
        try:
            import pandas
        except ImportError:
            raise UsageError("pandas is not installed", remedy="pip install pandas, or use rows()") from None
        return pandas.DataFrame(self.rows())


@dataclass(frozen=True)
class RunOutcome(Outcome):
    """Answers of a run in the results file `path`. `end` counts them, and says whether any are missing.

    >>> import ecva_bench as eb

    >>> outcome = eb.run("constant", tasks="cause", limit=2)
    >>> print(outcome)
    constant-mini.jsonl: 2 answers, 0 errors, 0 missing
    >>> outcome.rows()[0]["task"]
    'cause'
    """

    path: Path
    results: Results
    end: End

    @property
    def records(self) -> tuple[Answer, ...]:
        """The answers, as they are in the file."""
        return self.results.answers

    def rows(self) -> list[Row]:
        """Return one row per answer; times are in seconds."""
        return [
            {
                "id": answer.id,
                "video": answer.video,
                "task": answer.task,
                "view": answer.view,
                "answer": answer.answer,
                "reference": answer.reference,
                "finish": answer.finish,
                "duration": answer.duration,
                "seconds": sum(answer.time.values()),
            }
            for answer in self.records
        ]

    def __str__(self) -> str:
        end = self.end
        return f"{self.path}: {counted(end.answers, 'answer')}, {counted(end.errors, 'error')}, {end.missing:,} missing"


@dataclass(frozen=True)
class Scored(Outcome):
    """Scores of a run in the scores file `path`.

    >>> import ecva_bench as eb

    >>> scored = eb.score(eb.run("oracle", tasks="cause", limit=2), scorers="rouge")
    >>> scored.rows()[0]["metric"], scored.rows()[0]["mean"]
    ('rouge1', 1.0)
    >>> scored.answers()[0]["rougeL"]
    1.0
    """

    path: Path
    scores: Scores

    @property
    def records(self) -> tuple[Summary, ...]:
        """What each metric comes to on each task and view."""
        return self.scores.summaries

    def rows(self) -> list[Row]:
        """Return one row per metric, task and view; fractions are in [0, 1] where `unit` is %.

        `n` and `of` count questions. Of those that were asked several times, `unstable` is the share whose score
        changes, and `sd_within` the mean standard deviation within a question.
        """
        return [
            {
                "model": self.scores.header.model,
                "task": one.task,
                "view": one.view,
                "metric": one.column,
                "mean": one.mean,
                "low": one.interval[0] if one.interval else None,
                "high": one.interval[1] if one.interval else None,
                "missing_as_worst": one.zero_filled,
                "floor": one.floor,
                "unit": one.unit,
                "n": one.n,
                "of": one.expected,
                "signature": one.signature,
                **({"unstable": one.stability.changed, "sd_within": one.stability.deviation} if one.stability else {}),
            }
            for one in self.records
        ]

    def answers(self) -> list[Row]:
        """Return one row per answer and scorer, with its values by metric."""
        return [
            {"id": one.id, "task": one.task, "view": one.view, "scorer": one.scorer, "reason": one.reason, **one.values}
            for one in self.scores.scores
        ]

    def by_view(self) -> list[Row]:
        """Return one row per task and view: the score, and what it loses against the full video, with intervals.

        Empty for a run that was asked about none of the views `still`, `shuffled` and `blank`.
        """
        return [one.model_dump() for one in view_scores(submission(self.scores))]

    def __str__(self) -> str:
        return "\n".join(map(as_text, scored_tables(self.scores, published=published_tables())))


@dataclass(frozen=True)
class Compared(Outcome):
    """How a new run differs from its base.

    >>> import ecva_bench as eb

    >>> runs = [eb.run(name, tasks="cause", limit=2, out=f"{name}.jsonl") for name in ("constant", "oracle")]
    >>> base, new = [eb.score(run, scorers="rouge") for run in runs]
    >>> [row["new"] for row in eb.compare(base=base, new=new).rows()]
    [1.0]
    """

    comparison: Comparison

    @property
    def records(self) -> tuple[Effect, ...]:
        """The difference in every metric compared, in its own unit, with its 95 % interval."""
        return self.comparison.effects

    def rows(self) -> list[Row]:
        """Return one row per metric and task."""
        return [effect.model_dump() for effect in self.records]

    def __str__(self) -> str:
        return "\n".join(map(as_text, comparison_tables([self.comparison])))


@dataclass(frozen=True)
class Leaderboard(Outcome):
    """Ranked runs: one table per task, view, protocol and set of samples.

    >>> import ecva_bench as eb

    >>> published = eb.leaderboard(task="cause")
    >>> "VILA" in [row["model"] for row in published.rows()]
    True
    """

    records: Sequence[Table]

    def rows(self) -> list[Row]:
        """Return one row per model of each table, by the table's columns; numbers where there are some."""
        return [
            {
                "table": table.title,
                **{
                    name: cell.text if cell.value is None else cell.value
                    for name, cell in zip(table.header, row, strict=True)
                },
            }
            for table in self.records
            for row in table.rows
        ]

    def __str__(self) -> str:
        return "\n".join(map(as_text, self.records))

    def _repr_markdown_(self) -> str:
        """Return what a notebook shows."""
        return "\n".join(map(as_markdown, self.records))
