"""A submission: what a leaderboard needs to know of one scored run, in one file that can be read and reviewed.

It holds how the answers and the scores were made, what they came to, and the value of every video, so that intervals,
ranks and tables are pure functions of it; the answers themselves stay where they are and are named by their hash.
Knows records and the file's form (schema `ecva.submission/1`).
"""

from __future__ import annotations

import json
import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from operator import not_
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, PrivateAttr, ValidationError, field_validator

from ..errors import ResultsError, UsageError
from ..records.annotations import sample_parts
from ..records.answers import Answer, Results
from ..records.base import Count, Measured, Record, View, sha256_of
from ..records.identity import DatasetIdentity
from ..records.scores import Aggregate, Coverage, Scores, ScoresHeader, Summary
from ..records.seals import check_json, sealed_json
from ..untrusted import parse_json
from ..writing import write_whole
from .values import check_mean, sample_strata, sample_values
from .verified import Verification

SCHEMA: Literal["ecva.submission/1"] = "ecva.submission/1"
PARTS_SHOWN = 5
DECIMALS = 6  # of a video's value: finer than any interval, and a file of a few hundred kilobytes


class Effort(Record):
    """What the answers of one task and view took, each a mean over them; None where the results file does not say.

    `seconds` are those of decoding and answering; `words` is the length of an answer; `frames` are the fewest and the
    most shown of a video.
    """

    seconds: Measured | None = None
    words: Measured | None = None
    frames: tuple[Count, Count] | None = None


class Entry(Record):
    """One task and view of a submission. `values` hold, by column, the value of every video that was scored.

    Where a task has several questions about a video, they are by sample id instead, and so are
    the `strata` of balanced columns. They are what the mean
    `zero_filled` is over, in the column's own unit, rounded to 6 decimals. `answers_sha256` is the hash of the answers'
    texts by sample, and of nothing else: equal answers have equal hashes.
    """

    task: str
    view: View
    coverage: Coverage
    summaries: tuple[Summary, ...]
    aggregates: tuple[Aggregate, ...] = ()
    values: dict[str, dict[str, Measured]]
    strata: dict[str, str] = Field(default_factory=dict, exclude_if=not_)
    answers_sha256: str | None = None
    effort: Effort = Effort()

    def video_of(self, place: str) -> str:
        """Return the video that a key of `values` is about."""
        parts = sample_parts(place)
        return parts.video if parts.task == self.task and parts.name else place


# The folders of an absolute path, or one below the home or a Windows drive, that a text is or has after a mark.
_PLACE = re.compile(r"(?:(?<=^)|(?<=[\s:=,@'\"(]))(?:~|[A-Za-z]:)?[/\\](?![/\\])(?:[^\s/\\:,'\"]+[/\\])*(?=[^\s/\\])")


class _PromptAsked(Record):
    """What boards read of a prompt: its set, task and version, and what the questions were asked with."""

    id: str = ""
    asked_with: dict[str, str] = Field(default_factory=dict, alias="with")


class _Settings(Record):
    """What boards read of a run's settings."""

    dataset: DatasetIdentity = DatasetIdentity()
    prompts: dict[str, _PromptAsked] = Field(default_factory=dict)


class Submission(Record):
    """One scored run. `scores` is the header of its scores file, `spec` the settings of the run, from its manifest.

    `classes` are the videos' annotated classes, `class_names` their names where the questions listed them; `usd` and
    `hardware` what the submitter says of the run's cost. `sealed`: the file has a seal. `sealed_answers`: so has each
    line of the results file.
    """

    schema_: Literal["ecva.submission/1"] = Field(default=SCHEMA, alias="schema")
    scores: ScoresHeader
    spec: dict[str, Any] = Field(default_factory=dict)
    classes: dict[str, int] = Field(default_factory=dict)
    class_names: dict[int, str] = Field(default_factory=dict, exclude_if=not_)
    hardware: str | None = None
    usd: Measured | None = Field(default=None, ge=0)
    entries: tuple[Entry, ...]
    sealed: bool = Field(default=False, exclude_if=not_)
    sealed_answers: bool = Field(default=False, exclude_if=not_)
    _verification: Verification | None = PrivateAttr(default=None)  # no file says it of itself
    _file: Path | None = PrivateAttr(default=None)

    model_config = Record.model_config | {"populate_by_name": True, "serialize_by_alias": True}

    @field_validator("spec")
    @classmethod
    def _legible(cls, spec: dict[str, Any]) -> dict[str, Any]:
        _Settings.model_validate(spec)
        return spec

    @property
    def kind(self) -> str:
        """What the run is, in a word; one that was imported was answered elsewhere, and little is known of how.

        Where it was looked at, also how far its scores are verified; and on what share of the questions the model was
        trained, where that is known.
        """
        kind = "baseline" if self.scores.baseline else "imported" if self.scores.imported else "run"
        seen = self.scores.trained_on
        if seen is not None and seen.questions:
            kind += f", trained on {100 * seen.questions / seen.of:.0f} % of it"
        return f"{kind}, {self._verification.text}" if self._verification else kind

    @property
    def verification(self) -> Verification | None:
        """How far the scores were computed again; None where nobody looked."""
        return self._verification

    def with_verification(self, found: Verification) -> Submission:
        """Return a copy that knows how far its scores were computed again."""
        copy = self.model_copy()
        copy._verification = found
        return copy

    @property
    def file(self) -> Path | None:
        """The file it was read from as one of a folder; None for any other."""
        return self._file

    def with_file(self, path: Path) -> Submission:
        """Return a copy that knows its file."""
        copy = self.model_copy()
        copy._file = path
        return copy

    @property
    def dataset(self) -> DatasetIdentity:
        """The data set, as the run's manifest or its scores have it; nameless where neither has one."""
        told = DatasetIdentity(name=self.scores.dataset, sha256=self.scores.dataset_sha256)
        return _Settings.model_validate(self.spec).dataset if self.spec.get("dataset") else told


def submission(
    scores: Scores, results: Results | None = None, *, hardware: str | None = None, usd: float | None = None
) -> Submission:
    """Return the submission of a scored run; without its results, one that says nothing of how answers were made.

    Raises `ResultsError` where the scores are not of these results, or do not give their own means, and `UsageError`
    for a cost that is no amount.
    """
    if usd is not None and not math.isfinite(usd):
        raise UsageError(f"{usd} is no cost", remedy="say how many US dollars the run cost")
    if results is not None and results.sha256 != scores.header.results_sha256:
        raise ResultsError("the scores are of another results file", results.source, "score the answers again")
    header = scores.header.model_dump(by_alias=True, exclude={"sealed"})
    answers: dict[tuple[str, str], list[Answer]] = defaultdict(list)
    for answer in results.answers if results else ():
        answers[answer.task, answer.view].append(answer)
    return Submission(
        scores=ScoresHeader.model_validate(_without_places(header)),
        spec=_published(results.spec) if results else {},
        classes={a.video: a.label.major for found in answers.values() for a in found if a.label},
        class_names=listed_classes(results.answers if results else ()),
        hardware=hardware,
        usd=usd,
        entries=tuple(_entry(scores, coverage, answers[coverage.task, coverage.view]) for coverage in scores.coverage),
        sealed=True,
        sealed_answers=results is not None and results.sealed,
    )


def listed_classes(answers: Iterable[Answer]) -> dict[int, str]:
    """Return the names of classes by number, as questions listed them; empty where they are those of all prompts."""
    listed = next((one.options for one in answers if one.task == "classification" and one.options), ())
    return dict(enumerate(listed, start=1))


def _published(spec: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a run without its machine's paths; what was asked stays to the letter."""
    return {name: value if name == "prompts" else _without_places(value) for name, value in spec.items()}


def _without_places(value: Any) -> Any:
    """Return JSON in which each path of a machine is its last part: where something lay is not for others to know."""
    if isinstance(value, dict):
        return {name: _without_places(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_places(item) for item in value]
    return _PLACE.sub("", value) if isinstance(value, str) else value


def _entry(scores: Scores, coverage: Coverage, answers: Sequence[Answer]) -> Entry:
    place = (coverage.task, coverage.view)
    summaries = tuple(summary for summary in scores.summaries if (summary.task, summary.view) == place)
    return Entry(
        task=coverage.task,
        view=coverage.view,
        coverage=coverage,
        summaries=summaries,
        aggregates=tuple(one for one in scores.aggregates if (one.task, one.view) == place),
        values={
            summary.column: {
                place_of(sample): round(value, DECIMALS) for sample, value in sample_values(scores, summary).items()
            }
            for summary in summaries
        },
        strata={
            place_of(sample): stratum
            for summary in summaries
            for sample, stratum in sample_strata(scores, summary).items()
        },
        answers_sha256=sha256_of({a.id: a.answer.strip() for a in answers}) if answers else None,
        effort=_effort(answers),
    )


def place_of(sample: str) -> str:
    """Return a sample by its video alone, where it is the only one of the task and video; else its id."""
    parts = sample_parts(sample)
    return sample if parts.name else parts.video


def _effort(answers: Sequence[Answer]) -> Effort:
    if not answers:
        return Effort()
    frames = [answer.frames.n for answer in answers if answer.frames]
    timed = [sum(answer.time.values()) for answer in answers if answer.time]
    return Effort(
        seconds=round(sum(timed) / len(timed), 3) if timed else None,
        words=round(sum(len(answer.answer.split()) for answer in answers) / len(answers), 1),
        frames=(min(frames), max(frames)) if frames else None,
    )


def submission_path(found: Submission, folder: Path) -> Path:
    """Return where a submission goes; `UsageError` where the run does not say its data set."""
    if not (found.spec.get("dataset") and found.dataset.current):
        raise UsageError("the run does not say which data set it is of", found.scores.results, "submit a results file")
    return folder / _stem(found.dataset.current) / "submissions" / f"{_stem(found.scores.name)}.json"


def write_submission(found: Submission, folder: Path, *, replace: bool = False) -> Path:
    """Write a submission to `<folder>/<data set>/submissions/<name>.json` and return the path.

    The name is the results file's; the same submission writes the same bytes. Raises `UsageError` where the run does
    not say its data set, and `ResultsError` where another submission has the name, unless it is of the same model and
    to be replaced, or where nothing can be written.
    """
    path = submission_path(found, folder)
    if path.exists():
        _check_place(read_submission(path), found, path, replace)
    content = sealed_json(found.model_dump(mode="json", by_alias=True))
    text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    try:
        write_whole(path, text)
    except OSError as error:
        raise ResultsError("the submission cannot be written", path, f"name another folder ({error})") from None
    return path


def _check_place(there: Submission, found: Submission, path: Path, replace: bool) -> None:
    """Refuse to overwrite a submission, unless it says the same or is of the same model and to be replaced."""
    if there.scores.model != found.scores.model:
        raise ResultsError("the name belongs to a submission of another model", path, "rename the results file")
    old, new = _parts(there), _parts(found)
    differing = [name for name in dict.fromkeys([*old, *new]) if old.get(name) != new.get(name)]
    if differing and not replace:
        more = f" and {len(differing) - PARTS_SHOWN} more" if len(differing) > PARTS_SHOWN else ""
        raise ResultsError(
            f"another submission has this name (other {', '.join(differing[:PARTS_SHOWN])}{more})",
            path,
            "replace it with --replace, or rename the results file to keep both",
        )


def _parts(one: Submission) -> dict[str, object]:
    """Return what a submission says, by a name for each part."""
    content = one.model_dump(mode="json", exclude={"scores", "entries", "sealed", "sealed_answers"})
    for entry in one.entries:
        place = f"{entry.task} ({entry.view})"
        content |= {f"{part} of {place}": said for part, said in entry.model_dump(mode="json").items()}
    return one.scores.model_dump(mode="json") | content


def read_submission(path: Path) -> Submission:
    """Return a submission; `ResultsError` where the file is none, or its values do not give its means.

    `SealBroken` where it was changed since it was written.
    """
    try:
        content = parse_json(path.read_bytes())
        found = Submission.model_validate(check_json(content, path) if isinstance(content, dict) else content)
    except OSError as error:
        raise ResultsError("the submission cannot be read", path, f"name another file ({error.strerror})") from None
    except ValueError as error:
        reason = str(error.errors()[0]["msg"] if isinstance(error, ValidationError) else error)
        raise ResultsError(f"this is no submission ({reason})", path, "write one with `ecva-bench submit`") from None
    for entry in found.entries:
        for summary in entry.summaries:
            values = entry.values.get(summary.column, {})
            check_mean(summary, values, entry.strata, str(path), tolerance=10**-DECIMALS)
    return found


def read_submissions(folder: Path, read: Callable[[Path], Submission] = read_submission) -> list[Submission]:
    """Return the submissions in `<folder>/submissions`, ordered by file name; none where there is no such folder."""
    paths = sorted((folder / "submissions").glob("*.json"))
    for path in paths:
        if not path.resolve().is_relative_to(folder.resolve()):
            raise ResultsError("a submission is a link out of its folder", path, "put the file itself there")
    return [read(path).with_file(path) for path in paths]


def _stem(name: str) -> str:
    """Return a name as a file may have it: letters, digits, dots, dashes and underscores."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip(".-") or "unnamed"
