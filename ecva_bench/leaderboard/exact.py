"""Whether scores reproduce to the last digit, without tolerance or statistics.

For stored answers and judge calls, where any difference comes from a change of the code.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from ..records.base import Record
from ..records.scores import Scores
from ..wording import counted
from .compare import Side
from .table import Cell, Table
from .verdict import Case, GateVerdict, worst

IDS_SHOWN = 3
VALUE_SHOWN = 60  # characters
# No part of how scores were made: where the file lay, a name (what the data set is, its hash says), how it is kept, and
# what the hash of the answers says.
_PLACE = {"results", "dataset", "sealed", "videos"}


class Reproduction(Record):
    """The outcome: a case per metric, task and view, and one for how the scores were made."""

    verdict: GateVerdict
    base: Side
    new: Side
    cases: tuple[Case, ...]


def reproduce(*, base: Scores, new: Scores) -> Reproduction:
    """Return whether `new` holds exactly what `base` does: every value of every sample, every mean, every count.

    INVALID where the scores are of other answers: then nothing is to be reproduced.
    """
    if new.header.results_sha256 != base.header.results_sha256:
        text = f"other answers were scored: {base.header.results_sha256[:12]}, {new.header.results_sha256[:12]}"
        cases = [Case(name="answers", verdict="INVALID", text=text)]
    else:
        first, second = _parts(base), _parts(new)
        names = dict.fromkeys([*first, *second])
        cases = [_case(name, base=first.get(name, {}), new=second.get(name, {})) for name in names]
    return Reproduction(
        verdict=worst(case.verdict for case in cases), base=Side.of(base), new=Side.of(new), cases=tuple(cases)
    )


def _case(name: str, *, base: Mapping[str, Any], new: Mapping[str, Any]) -> Case:
    changed = [key for key in dict.fromkeys([*base, *new]) if base.get(key) != new.get(key)]
    if not changed:
        return Case(name=name, verdict="PASS", text=f"{counted(len(base), 'value')} reproduced")
    shown = "; ".join(f"{key}: {_short(base.get(key))} became {_short(new.get(key))}" for key in changed[:IDS_SHOWN])
    return Case(name=name, verdict="FAIL", text=f"{len(changed)} of {counted(len(base), 'value')} changed: {shown}")


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= VALUE_SHOWN else f"{text[:VALUE_SHOWN]}…"


def _parts(scores: Scores) -> dict[str, dict[str, Any]]:
    """Return the content of a scores file, without its path, as named parts of values by key."""
    parts: dict[str, dict[str, Any]] = defaultdict(dict)
    parts["how"] = scores.header.model_dump(exclude=_PLACE)
    for coverage in scores.coverage:
        parts[f"{coverage.task}@{coverage.view}/coverage"] = coverage.model_dump()
    for aggregate in scores.aggregates:
        parts[f"{aggregate.task}@{aggregate.view}/{aggregate.column}"] = aggregate.model_dump()
    for summary in scores.summaries:
        parts[f"{summary.task}@{summary.view}/{summary.column}"] = summary.model_dump()
    for score in scores.scores:
        place = f"{score.task}@{score.view}"
        for column in score.values.keys() | score.gaps.keys():
            parts[f"{place}/{column}"][score.id] = score.values.get(column, score.gaps.get(column))
        parts[f"{place}/{score.scorer}/records"][score.id] = score.model_dump(exclude={"values", "gaps"})
    return dict(parts)


def reproduction_table(found: Reproduction) -> Table:
    """Return what did not reproduce, and how much did."""
    failed = [case for case in found.cases if case.verdict != "PASS"]
    return Table(
        title=f"{found.verdict}: {found.new.name} against {found.base.name}, to the last digit",
        header=("verdict", "part", "what changed"),
        rows=tuple((Cell(case.verdict), Cell(case.name), Cell(case.text)) for case in failed),
        notes=(f"{len(found.cases) - len(failed)} of {counted(len(found.cases), 'part')} reproduced",),
    )
