"""A scored run for other programs: its scores, the answers they are of, and what must be said of both elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from ..errors import ResultsError, UsageError
from ..hub_ids import is_hub_id
from ..records.answers import Results
from ..records.scores import Scores, Summary
from ..writing import holds, write_whole


class Bounds(NamedTuple):
    """The lowest and highest value that a column can have; either may be infinite."""

    low: float
    high: float


@dataclass(frozen=True)
class ScoredRun:
    """A run with its scores. `values` are by column and sample those that a column's mean is over.

    `bounds` are those of the columns, by scorer and column, where its metric is known.
    """

    scores: Scores
    results: Results
    values: Mapping[str, Mapping[str, float]]
    bounds: Mapping[tuple[str, str], Bounds] = field(default_factory=dict)

    @property
    def dataset(self) -> str:
        """The name of its data set; empty where it is not known."""
        return self.scores.header.dataset

    @property
    def checkpoint(self) -> str:
        """The hub's id of the model's weights, `OWNER/NAME`; empty where they are of a folder, or not known."""
        description = self.results.spec.get("description")
        said = description.get("checkpoint") if isinstance(description, Mapping) else None
        name = said.partition("@")[0] if isinstance(said, str) else ""
        return name if is_hub_id(name) else ""

    @property
    def last(self) -> str:
        """When the last answer was given, as ISO 8601; empty where the file does not say."""
        return max((*(one.t for one in self.results.answers), *(one.t for one in self.results.failures)), default="")

    def summaries(self) -> Iterator[tuple[Summary, float]]:
        """Yield each column that has a mean, with that mean: a missing answer counts as the worst."""
        for summary in self.scores.summaries:
            if summary.zero_filled is not None:
                yield summary, summary.zero_filled

    def questions(self, summary: Summary) -> int:
        """Return how many questions a column's mean is over: those that the metric gave no value for are left out."""
        return len(self.values.get(column_id(summary), {}))

    def valueless(self) -> list[str]:
        """Return the columns for which no answer has a value: no form has a place for them."""
        return [column_id(summary) for summary in self.scores.summaries if summary.zero_filled is None]

    def caveats(self) -> list[str]:
        """Return what makes the run's numbers other than those of a model that was asked everything, in words."""
        header = self.scores.header
        seen = header.trained_on
        found = [
            "a baseline, not a model" if header.baseline else "",
            "answered by another program" if header.imported else "",
            f"trained on the videos of {seen.questions} of {seen.of} questions" if seen and seen.questions else "",
            "without the questions about videos that a model was trained on" if header.unseen_only is not None else "",
            f"{header.lacking.text}" if header.lacking else "",
            f"repaired in {header.repaired} places" if header.repaired else "",
        ]
        return [one for one in found if one]


def column_id(summary: Summary) -> str:
    """Return the name of a column within its run: `cause.rougeL`, with the view unless it is the full video."""
    view = [] if summary.view == "full" else [summary.view]
    return ".".join([summary.task, *view, summary.column])


def check_repository(text: str, option: str) -> str:
    """Return the id of a repository, `OWNER/NAME`; `UsageError` for anything else."""
    if not is_hub_id(text):
        raise UsageError(f"{text!r:.80} is no repository's id", option, "write OWNER/NAME, as the hub has it")
    return text


def write_new(files: Mapping[Path, str]) -> list[Path]:
    """Write files and return their paths; one that is there with the same content stays.

    Raises `ResultsError` where one is there with another content, before any is written, or where it cannot be written.
    """
    try:
        for path, text in files.items():
            if path.exists() and not holds(path, text):
                what = "a file of another export, or one changed since, has the name of one of this"
                raise ResultsError(what, path, "name a new folder with --out")
        for path, text in files.items():
            write_whole(path, text)
    except OSError as error:
        raise ResultsError("the export cannot be written", error.filename, f"name another --out ({error})") from error
    return list(files)
