"""The outcome of a gate as text: a line per check, and tables. Prints and writes nothing.

Numbers are shown as in all tables: fractions in percent, their differences in percentage points (pp).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from ..wording import counted
from .comparison_tables import UNMOVED, movers_table, notes_on, p_cell
from .gate import Check, Gate
from .history import sparkline
from .pairing import OF_SETS, Mismatch
from .sheet import in_unit, number_cell
from .table import Cell, Table
from .verdict import Case

_HEADER: tuple[str, ...] = ("verdict", "metric", "unit", "base", "new", "gain", "tolerated loss", "p (Holm)", "videos")


def gate_cases(found: Gate) -> list[Case]:
    """Return a case per check, or per mismatch where the runs cannot be compared, and one per rise in poor answers."""
    cases = [_invalid(mismatch) for mismatch in found.mismatches]
    cases += [Case(name=check.name, verdict=check.verdict, text=sentence(check)) for check in found.checks]
    return cases + [Case(name=one.name, verdict="WARN", text=one.sides) for one in found.shortfalls]


def sentence(check: Check) -> str:
    """Return a check in one line: gain, interval, tolerance, videos, and where to look or what is needed."""
    interval = " [{}, {}]".format(*(_gain(check, bound) for bound in check.interval)) if check.interval else ""
    tolerated = f"{in_unit(check.tolerated, check.unit):.{check.decimals}f}"
    parts = [f"{_gain(check, check.gain)} {_unit(check)}{interval}", f"tolerated loss {tolerated}"]
    parts.append(f"n = {counted(check.videos, 'video')}")
    if check.verdict in ("FAIL", "WARN"):
        if one := check.worst_class:
            parts.append(f"worst class: {one.name} {_gain(check, one.gain)} (n = {one.n})")
        if check.worst:
            parts.append(f"see {', '.join(check.worst)}")
    if check.verdict == "INCONCLUSIVE":
        parts.append(_undecided(check))
    return "; ".join(parts)


def gate_tables(found: Gate, history: Mapping[str, Sequence[float]] | None = None) -> list[Table]:
    """Return a gate as tables: the checks and the videos that moved most, or the mismatches if runs cannot be compared.

    `history` are the means of the last gates by column, oldest first; they are drawn as a line.
    """
    title = f"{found.verdict}: {found.new.model} ({found.new.name}) against {found.base.model} ({found.base.name})"
    if found.mismatches:
        differing = tuple((Cell(m.field), Cell(m.where), Cell(m.base), Cell(m.new)) for m in found.mismatches)
        notes = ["the two runs cannot be compared", *notes_on(base=found.base, new=found.new), *_rises(found)]
        if all(mismatch.field in OF_SETS for mismatch in found.mismatches):
            notes.append("--on intersection leaves out what only one of them has")
        return [Table(title=title, header=("what differs", "of", "base", "new"), rows=differing, notes=tuple(notes))]
    header = _HEADER
    rows = tuple(map(_row, found.checks))
    if history:
        header = (*header, "last runs")
        lines = (Cell(sparkline(history.get(check.name, ()))) for check in found.checks)
        rows = tuple((*row, line) for row, line in zip(rows, lines, strict=True))
    checks = Table(title=title, header=header, rows=rows, notes=_notes(found))
    return [checks, *([movers_table(found.movers)] if found.movers else [])]


def _invalid(mismatch: Mismatch) -> Case:
    return Case(name=f"{mismatch.field} of {mismatch.where}", verdict="INVALID", text=mismatch.sides)


def _row(check: Check) -> tuple[Cell, ...]:
    return (
        Cell(check.verdict),
        Cell(check.name),
        Cell(check.unit),
        number_cell(check.base, check.unit, check.decimals),
        number_cell(check.new, check.unit, check.decimals),
        number_cell(check.gain, check.unit, check.decimals, check.interval),
        number_cell(check.tolerated, check.unit, check.decimals),
        p_cell(check.p_tolerated),
        Cell(str(check.videos), check.videos),
    )


def _notes(found: Gate) -> tuple[str, ...]:
    calibration = [
        f"noise floor of {one.name}: {in_unit(found.floors[one.name], one.unit):.{one.decimals}f} {_unit(one)}, from "
        f"{counted(len(found.calibration) + 1, 'run')} of the base's system"
        for one in found.checks
        if one.name in found.floors
    ]
    return (
        "gain: new less base, a minus is worse, with its 95 % interval; verdicts are one-sided at "
        f"{100 * found.level:g} %, corrected after Holm for {counted(len(found.checks), 'check')}; p is that of "
        "a loss no larger than tolerated",
        f"paired bootstrap over videos, seed {found.seed}, {found.draws} draws; on {found.on} samples",
        *calibration,
        *notes_on(base=found.base, new=found.new),
        *found.unjudgeable,
        *_rises(found),
        *(f"{check.name}: {_undecided(check)}" for check in found.checks if check.verdict == "INCONCLUSIVE"),
        *(() if found.movers else (UNMOVED,)),
    )


def _rises(found: Gate) -> list[str]:
    return [f"WARN: {'more ' if one.rose else 'fewer '}{one.name}: {one.sides}" for one in found.shortfalls]


def _undecided(check: Check) -> str:
    """Return what would decide a check: more videos, or a larger margin."""
    if check.tolerable is None:
        return "too few videos to tell anything"
    margin = f"these videos can tell a loss of {in_unit(check.tolerable, check.unit):.2f} {_unit(check)} from none"
    if check.needed is None:
        return f"{margin}: tolerate that with --margin {check.name}={_rounded_up(check.tolerable)}"
    return f"{margin}; to pass where nothing changed takes about {counted(check.needed, 'video')}"


def _rounded_up(margin: float) -> str:
    """Return a margin rounded up to two digits."""
    step = 10.0 ** (math.floor(math.log10(margin)) - 1)
    return f"{math.ceil(margin / step) * step:.2g}"


def _gain(check: Check, value: float) -> str:
    return f"{in_unit(value, check.unit):+.{check.decimals}f}"


def _unit(check: Check) -> str:
    return "pp" if check.unit == "%" else check.unit
