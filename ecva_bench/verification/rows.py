"""Submissions held against themselves, the metrics' columns and the data set, without their answers.

What is found is a contradiction: a submission that was written by this program has none, whatever its model said.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple, get_args

from ..data import Dataset, load_dataset
from ..data.dataset import EMBEDDED
from ..errors import EcvaError, ResultsError
from ..interchange.lookup import Lookup
from ..leaderboard.submission import DECIMALS, Entry, Submission, place_of
from ..reading.units import TimeUnit
from ..records.annotations import sample_parts
from ..records.base import sha256_of
from ..records.repeats import Stability
from ..records.scores import Aggregate, Summary
from ..records.twins import original_of
from ..scoring.factory import available, scorer_class
from ..scoring.protocol import get_protocol
from ..scoring.scorer import Column, Scorer
from ..statistics.intervals import bootstrap_interval
from ..version import __version__
from .keys import packaged_prompt
from .repeats import contradicting_repeats

FEWEST_DRAWS, MOST_DRAWS = 1_000, 100_000
_ROUNDED = 10.0**-DECIMALS  # of a value; so much may a mean of values be beside the true one, too
_INTERVAL = 0.02  # of the range of values: a tie between two quantiles may fall either way after rounding


class Contradiction(NamedTuple):
    """A field of a submission, what it says, and what it should be."""

    field: str
    stated: object
    should: object

    def __str__(self) -> str:
        return f"{self.field} is {_short(self.stated)}, should be {_short(self.should)}"


def check_row(found: Submission, where: object, dataset: Dataset | None = None) -> None:
    """Raise `ResultsError` with the first contradiction of a submission: where, field, and what it should be."""
    for one in contradictions(found, dataset):
        remedy = "submit the run again, from its results file"
        raise ResultsError(f"the submission contradicts itself or its data set: {one}", where, remedy)


def contradictions(found: Submission, dataset: Dataset | None = None) -> Iterator[Contradiction]:
    """Yield what in a submission cannot be, the most general first."""
    yield from _of_header(found, dataset)
    yield from _of_prompts(found)
    places = Counter((entry.task, entry.view) for entry in found.entries)
    for (task, view), count in places.items():
        if count > 1:
            yield Contradiction(f"entries of {task} ({view})", count, 1)
    lookup = None if dataset is None else Lookup(dataset)
    for video, major in found.classes.items():
        about = lookup.annotations.get(video) if lookup else None
        if lookup and about is None:
            yield Contradiction(f"the video {video}", "named", f"none of {lookup.dataset.name}")
        if lookup and major != (right := about.label.major if about and about.label else None):
            yield Contradiction(f"class of {video}", major, right)
    scorers = metrics_here(found)
    for entry in found.entries:
        name = f"{entry.task} ({entry.view})"
        checks = (_of_coverage(found, entry), _of_columns(found, entry, scorers), _of_samples(entry, lookup))
        for check in checks:
            for one in check:
                yield one._replace(field=f"{one.field} of {name}")


def _of_header(found: Submission, dataset: Dataset | None) -> Iterator[Contradiction]:
    header, told = found.scores, found.dataset
    if found.spec and header.dataset_sha256 != told.sha256:
        yield Contradiction("dataset_sha256 of the scores", header.dataset_sha256, told.sha256)
    if found.spec and header.baseline != bool(found.spec.get("baseline", False)):
        yield Contradiction("baseline of the scores", header.baseline, not header.baseline)
    if found.spec and header.imported != ("imported" in found.spec):
        yield Contradiction("imported of the scores", header.imported, not header.imported)
    if told.name in EMBEDDED and told.sha256 != (right := load_dataset(told.name).sha256):
        yield Contradiction(f"hash of the data set {told.name}", told.sha256, right)
    if dataset is not None and told.sha256 == dataset.sha256 and told.current != dataset.name:
        yield Contradiction("name of the data set", told.name, dataset.name)
    if not FEWEST_DRAWS <= header.draws <= MOST_DRAWS:  # of one draw, an interval has no width
        yield Contradiction("draws", header.draws, f"{FEWEST_DRAWS} to {MOST_DRAWS}")
    try:
        rules = get_protocol(header.protocol)
    except EcvaError as error:
        yield Contradiction("protocol", header.protocol, str(error))
        return
    units = (None, *get_args(TimeUnit))
    if header.settings.get("timestamp_unit") not in units:
        yield Contradiction("timestamp_unit", header.settings["timestamp_unit"], f"one of {units}")
    for name in ("anomeval", "models"):
        if not isinstance(header.settings.get(name, {}), dict):
            yield Contradiction(name, header.settings[name], "settings by name")
    for name, value in header.settings.items():
        if isinstance(value, bool) and value != getattr(rules, name, value):
            yield Contradiction(f"{name} of the protocol {rules.name}", value, not value)


def _of_prompts(found: Submission) -> Iterator[Contradiction]:
    """Yield where the prompts of the scores are not those of the run, or not what they are called."""
    header, told = found.scores, found.spec.get("prompts", {})
    for prompt in told.values():
        named = packaged_prompt(str(prompt.get("id", "")))
        if named is not None and prompt.get("sha256") != named.sha256:
            yield Contradiction(f"hash of the prompt {prompt['id']}", prompt.get("sha256"), named.sha256)
    for entry in found.entries:
        hashes, sha256 = header.prompts.get(entry.task, ()), told.get(entry.task, {}).get("sha256")
        if not header.imported and sha256 and entry.coverage.answered and hashes != (sha256,):
            yield Contradiction(f"prompts of {entry.task}", ", ".join(hashes) or "none", sha256)


def _of_coverage(found: Submission, entry: Entry) -> Iterator[Contradiction]:
    one = entry.coverage
    if (one.task, one.view) != (entry.task, entry.view):
        yield Contradiction("coverage", f"{one.task} ({one.view})", f"{entry.task} ({entry.view})")
    if one.owed != one.answered + one.failed + one.missing:
        yield Contradiction("owed", one.owed, one.answered + one.failed + one.missing)
    if len(set(one.absent)) != one.failed + one.missing:
        yield Contradiction("samples named absent", len(set(one.absent)), one.failed + one.missing)
    if not get_protocol(found.scores.protocol).include_extra and one.samples != one.owed:
        yield Contradiction("samples", one.samples, one.owed)
    yield from (Contradiction(*found_there) for found_there in contradicting_repeats(entry))
    for name, count in (("empty", one.empty), ("cut_off", one.cut_off)):
        if count > one.answers_given:
            yield Contradiction(name, count, f"at most {one.answers_given}")
    stated = {summary.column for summary in entry.summaries}
    if len(stated) != len(entry.summaries):
        yield Contradiction("summaries", len(entry.summaries), f"{len(stated)}, one a column")
    if entry.values.keys() != stated:
        yield Contradiction("columns with values", ", ".join(entry.values), ", ".join(sorted(stated)))


def metrics_here(found: Submission) -> dict[str, type[Scorer]]:
    """Return the metrics of a submission that are installed here, by name."""
    named = {one.scorer for entry in found.entries for one in entry.summaries}
    return {name: scorer_class(name) for name in named.intersection(available())}


def _of_columns(found: Submission, entry: Entry, scorers: dict[str, type[Scorer]]) -> Iterator[Contradiction]:
    for summary in entry.summaries:
        checks = [_of_counts(entry, summary), _of_values(found, entry, summary)]
        if kind := scorers.get(summary.scorer):
            checks.insert(0, _of_column(entry, summary, kind, known=found.scores.version == __version__))
        for check in checks:
            for one in check:
                yield one._replace(field=f"{one.field} of {summary.column}")
    failed = {one.scorer for one in entry.summaries if one.qualification and not one.qualification.qualifies}
    for summary in entry.summaries:
        if summary.disqualified != (summary.scorer in failed):
            yield Contradiction(f"qualified, of {summary.column},", not summary.disqualified, summary.disqualified)
    for aggregate in entry.aggregates:
        if kind := scorers.get(aggregate.scorer):
            yield from _of_aggregate(aggregate, kind)


def _of_column(entry: Entry, summary: Summary, kind: type[Scorer], *, known: bool) -> Iterator[Contradiction]:
    """Yield where a column is not what its metric says of it, or a number is outside its bounds.

    Another version's metric may have other columns; of this version's all are `known`.
    """
    columns, several = {column.name: column for column in kind.columns}, entry.coverage.repeats is not None
    column = columns.get(summary.column)
    if column is None:
        if known:
            yield Contradiction(f"a column of {kind.name}", summary.column, f"one of {', '.join(columns)}")
        return
    if entry.task not in kind.tasks:
        yield Contradiction("task", entry.task, f"one of {', '.join(kind.tasks)}")
    if not summary.signature.startswith(f"{kind.name}|"):
        yield Contradiction("signature", summary.signature, f"{kind.name}|…")
    for name in ("unit", "decimals", "higher_is_better", "worst", "balanced"):
        if getattr(summary, name) != getattr(column, name):
            yield Contradiction(name, getattr(summary, name), getattr(column, name))
    numbers: dict[str, float | None] = {
        "mean": summary.mean,
        "zero_filled": summary.zero_filled,
        "floor": summary.floor,
    }
    numbers |= {f"value of {place}": value for place, value in entry.values.get(summary.column, {}).items()}
    for name, value in numbers.items():
        if value is not None and not _within(value, column):
            yield Contradiction(name, value, f"{column.low:g} to {column.high:g}")
        elif column.binary and name.startswith("value of") and not several and value not in (0.0, 1.0):
            yield Contradiction(name, value, "0 or 1")
    whole = column.binary and not column.balanced and not several  # a mean of several answers is no 0 or 1
    hits = round(summary.n * (summary.mean or 0.0)) if whole else None
    if hits != summary.hits:
        yield Contradiction("hits", summary.hits, hits)


def _of_aggregate(aggregate: Aggregate, kind: type[Scorer]) -> Iterator[Contradiction]:
    for column in kind.aggregates:
        if column.name == aggregate.column and not _within(aggregate.value, column):
            yield Contradiction(aggregate.column, aggregate.value, f"{column.low:g} to {column.high:g}")


def _within(value: float, column: Column) -> bool:
    slack = _ROUNDED * max(1.0, abs(value))
    return column.low - slack <= value <= column.high + slack


def _of_counts(entry: Entry, summary: Summary) -> Iterator[Contradiction]:
    coverage, values = entry.coverage, entry.values.get(summary.column, {})
    if (summary.task, summary.view) != (entry.task, entry.view):
        yield Contradiction("place", f"{summary.task} ({summary.view})", f"{entry.task} ({entry.view})")
    if summary.n + summary.unscored + summary.unscorable > coverage.answered:
        yield Contradiction(
            "scored, unscored and unscorable answers",
            summary.n + summary.unscored + summary.unscorable,
            f"at most {coverage.answered}",
        )
    if not summary.exempt and summary.expected + summary.unscorable > coverage.owed:
        yield Contradiction("expected", summary.expected, f"at most {coverage.owed - summary.unscorable}")
    if len(values) > coverage.owed:
        yield Contradiction("values", len(values), f"at most {coverage.owed}")
    unjudgeable = set(summary.unjudgeable)
    if len(unjudgeable) != len(summary.unjudgeable) or len(unjudgeable) > summary.unscored:
        yield Contradiction("unjudgeable samples", len(summary.unjudgeable), f"at most {summary.unscored}")
    for sample in sorted(unjudgeable):
        if place_of(sample) in values or sample in coverage.absent:
            why = "scored" if place_of(sample) in values else "absent"
            yield Contradiction(f"the unjudgeable {sample}", why, "answered, without a value")
    absent = set(map(place_of, coverage.absent)) - set(map(place_of, summary.exempt))
    for place in absent & values.keys():
        if values[place] != summary.worst:
            yield Contradiction(f"value of {place}, which was not answered", values[place], summary.worst)
    answered = len(values.keys() - absent)
    if values and not summary.n <= answered <= summary.n + summary.unscored:
        yield Contradiction("values of answers", answered, summary.n)


def _of_values(found: Submission, entry: Entry, summary: Summary) -> Iterator[Contradiction]:
    """Yield where a mean or an interval is not that of the values beside it, but for what reading sees to.

    That is the mean `zero_filled`, and all of balanced columns.
    """
    if summary.balanced:
        return
    values = entry.values.get(summary.column, {})
    absent = set(map(place_of, entry.coverage.absent))
    given = {place: value for place, value in values.items() if place not in absent}
    kinds = [("zero_filled_interval", summary.zero_filled_interval, values)]
    if len(given) == summary.n and not (summary.stability and _lacks(entry, summary.stability)):
        kinds.append(("interval", summary.interval, given))
        mean = math.fsum(given.values()) / len(given) if given else None
        if (mean is None) != (summary.mean is None) or not math.isclose(mean or 0, summary.mean or 0, abs_tol=_ROUNDED):
            yield Contradiction("mean", summary.mean, mean)
    for name, told, of in kinds:
        clusters = [original_of(entry.video_of(place)) for place in of]
        right = bootstrap_interval(list(of.values()), clusters, seed=found.scores.seed, draws=found.scores.draws)
        if not _alike(told, right, max(of.values(), default=0) - min(of.values(), default=0)):
            yield Contradiction(name, told, right)


def _lacks(entry: Entry, stability: Stability) -> bool:
    """Whether some question has fewer values than answers owed, so that its value has the worst among them."""
    return bool(entry.coverage.repeats and entry.coverage.repeats.absent) or bool(stability.gaps)


def _alike(told: tuple[float, float] | None, right: tuple[float, float] | None, spread: float) -> bool:
    if told is None or right is None:
        return told is right
    return all(abs(one - other) <= _INTERVAL * spread + _ROUNDED for one, other in zip(told, right, strict=True))


def _of_samples(entry: Entry, lookup: Lookup | None) -> Iterator[Contradiction]:
    """Yield samples that the data set does not have, and a hash of samples that is not theirs where all are named."""
    coverage = entry.coverage
    named = {_sample(place, entry) for values in entry.values.values() for place in values} | set(coverage.absent)
    named |= {sample for summary in entry.summaries for sample in summary.unjudgeable}
    for one in sorted(named):
        parts = sample_parts(one)
        if parts.task != entry.task:
            yield Contradiction(f"task of {one}", parts.task, entry.task)
        elif lookup is not None and lookup.sample(one) is None:
            yield Contradiction(f"the sample {one}", "named", f"none of {lookup.dataset.name}")
    if len(named) > coverage.owed:
        yield Contradiction("samples that have values or are absent", len(named), coverage.owed)
    elif len(named) == coverage.owed == coverage.samples and sha256_of(sorted(named)) != coverage.samples_sha256:
        yield Contradiction("samples_sha256", coverage.samples_sha256, sha256_of(sorted(named)))


def _sample(place: str, entry: Entry) -> str:
    """Return the sample that a key of `values` is."""
    return place if entry.video_of(place) != place else f"{place}/{entry.task}"


def _short(value: object) -> str:
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 70 else f"{text[:70]}…"
