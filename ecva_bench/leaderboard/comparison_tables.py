"""Comparisons of runs as tables, and as a sentence for each pair that can be pasted into a text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

from ..wording import counted, versions
from .compare import ALPHA, Comparison, Effect, Mover, Side
from .sheet import in_unit, number_cell, value_text
from .table import Cell, Table

UNMOVED = "no video moved"
_COMPARED = {
    "owed": "all samples that both runs were asked, one without an answer at its worst value",
    "all": "all samples, one without an answer at its worst value",
    "intersection": "what both answered",
}


def comparison_tables(found: Sequence[Comparison]) -> list[Table]:
    """Return what comparisons found as tables: the differences, then, of two runs alone, the videos that moved most."""
    first = found[0]
    alone = len(found) == 1
    notes = [
        "difference: new less base, a minus is worse, with its 95 % interval",
        f"paired by question over {_COMPARED[first.on]}",
        f"bootstrap over videos, seed {first.seed}, {first.draws} draws; p (Holm): corrected for "
        f"{counted(first.tests, 'comparison')}",
        f"detectable: the true difference that so many videos show in 80 % of cases, at {100 * ALPHA:g} %, uncorrected",
        *(note if alone else f"{_sides(one)}: {note}" for one in found for note in _notes(one)),
        *([UNMOVED] if alone and not first.movers else []),
        *_not_compared(found),
    ]
    header = ("metric", "unit", "base", "new", "difference", "p", "p (Holm)", "detectable", "n", "videos")
    differences = Table(
        title=f"{first.new.model} ({first.new.name}) against {first.base.model} ({first.base.name})"
        if alone
        else f"{counted(len(found), 'pair')} of runs",
        header=header if alone else ("new run", "base run", *header),
        rows=tuple(
            (*([] if alone else map(Cell, _names(one))), *_effect_row(effect))
            for one in found
            for effect in one.effects
        ),
        notes=tuple(notes),
    )
    return [differences, *([movers_table(first.movers)] if alone and first.movers else [])]


def _not_compared(found: Sequence[Comparison]) -> list[str]:
    """Return which pairs of the runs are not among the comparisons, in at most one note."""
    runs = {(side.results_sha256, side.name): side for one in found for side in (one.base, one.new)}
    there = {frozenset((one.base.results_sha256, one.new.results_sha256)) for one in found}
    pairs = combinations(runs.values(), 2)
    left = [pair for pair in pairs if frozenset(side.results_sha256 for side in pair) not in there]
    named = "; ".join(f"{new.model} ({new.name}) against {base.model} ({base.name})" for base, new in left)
    return [f"not compared, for they share no sample or metric: {named}"] if left else []


def _notes(found: Comparison) -> list[str]:
    """Return what must be known of one comparison."""
    return [
        *(
            f"{one.task} answers not read: base {_counts(one.base)} of {one.base_of}, "
            f"new {_counts(one.new)} of {one.new_of}"
            for one in found.unread
        ),
        *(
            f"{name}: {counted(n, 'sample')} left out, for only one of the runs has them"
            for name, n in found.apart.items()
        ),
        *notes_on(base=found.base, new=found.new),
        *found.unjudgeable,
        *(f"beware: {mismatch.text}" for mismatch in found.mismatches),
        *(f"beware: {one.name}: {one.sides}" for one in found.shortfalls),
    ]


def comparison_sentence(found: Comparison) -> str:
    """Return in a sentence where the new run is better, where worse, and where no difference is shown."""
    new, base = _names(found)
    better = [one for one in found.effects if one.p_holm < ALPHA and one.difference > 0]
    worse = [one for one in found.effects if one.p_holm < ALPHA and one.difference < 0]
    rest = [one for one in found.effects if one not in better and one not in worse]
    parts = [
        f"{verb} in {_joined(map(_figures, some))}"
        for verb, some in (
            (f"{new} is better than {base}", better),
            (f"{new} is worse than {base}", worse),
            (f"no difference between {new} and {base} is shown", rest),
        )
        if some
    ]
    samples = {"owed": ", a missing answer counting as the worst", "all": ", a missing answer counting as the worst"}
    return (
        f"Paired by question{samples.get(found.on, ', over what both answered')} (bootstrap over videos, "
        f"{found.draws:,} draws, p corrected after Holm for {counted(found.tests, 'comparison')}), {'; '.join(parts)}."
    )


def _figures(one: Effect) -> str:
    task, _, column = one.name.partition("/")
    base, new = (value_text(value, one.unit, one.decimals) for value in (one.base, one.new))
    unit = "percentage points" if one.unit == "%" else one.unit
    difference = f"{in_unit(one.difference, one.unit):+.{one.decimals}f} {unit}"
    bounds = [value_text(bound, one.unit, one.decimals) for bound in one.interval or ()]
    interval = f", 95 % interval {bounds[0]} to {bounds[1]}" if bounds else ""
    p = p_cell(one.p_holm).text
    return (
        f"{task} ({column} {new} against {base} {one.unit}: {difference}{interval}, "
        f"p {p if p.startswith('<') else f'= {p}'}, {counted(one.videos, 'video')})"
    )


def _joined(texts: Iterable[str]) -> str:
    *most, last = texts
    return f"{', '.join(most)} and {last}" if most else last


def _names(found: Comparison) -> tuple[str, str]:
    """Return what the new run and its base are called: their models, with the files' names where these are alike."""
    sides = (found.new, found.base)
    if found.new.model != found.base.model:
        return found.new.model, found.base.model
    return sides[0].name, sides[1].name


def _sides(found: Comparison) -> str:
    return " against ".join(_names(found))


def movers_table(found: Sequence[Mover]) -> Table:
    """Return the videos that moved most as a table; there is at least one."""
    return Table(
        title=f"The {counted(len(found), 'video')} that moved most" if len(found) > 1 else "The video that moved",
        header=("video", "move", "most in", "base", "new"),
        rows=tuple(
            (
                Cell(one.video),
                Cell(f"{one.move:.2f}", one.move),
                Cell(one.name),
                number_cell(one.base, one.unit, one.decimals),
                number_cell(one.new, one.unit, one.decimals),
            )
            for one in found
        ),
        notes=("move: mean over metrics, in units of the metric's usual (root mean square) move",),
    )


def notes_on(*, base: Side, new: Side) -> list[str]:
    """Return notes on two runs: which parts of them are absent, and what changed under them and between them."""
    sides = (base, new)
    notes = [f"beware: {side.name} is not the whole run: {side.lacking.text}" for side in sides if side.lacking]
    notes += [f"{side.name}: {text}" for side in sides for text in side.warnings]
    if all(side.libraries for side in sides) and base.libraries != new.libraries:
        ran = [versions(side.libraries) for side in sides]
        notes.append(f"beware: metrics ran on {ran[0]} in the base, on {ran[1]} in the new run")
    told = [side.trained_on for side in sides]
    if len({one.questions for one in told if one}) > 1 or (None in told and any(one and one.questions for one in told)):
        shown = ["unknown" if one is None else str(one) for one in told]
        notes.append(f"beware: trained on the videos of: {shown[0]} in the base, {shown[1]} in the new run")
    return notes


def p_cell(p: float) -> Cell:
    """Return the cell of a p-value with four decimals; a smaller one is shown as <0.0001, never as 0."""
    return Cell("<0.0001" if p < 0.5e-4 else f"{p:.4f}", p)


def _counts(by_reason: Mapping[str, int]) -> str:
    total = sum(by_reason.values())
    return f"{total} ({', '.join(f'{count} {reason}' for reason, count in by_reason.items())})" if total else "0"


def _effect_row(one: Effect) -> tuple[Cell, ...]:
    return (
        Cell(one.name),
        Cell(one.unit),
        number_cell(one.base, one.unit, one.decimals),
        number_cell(one.new, one.unit, one.decimals),
        number_cell(one.difference, one.unit, one.decimals, one.interval),
        p_cell(one.p),
        p_cell(one.p_holm),
        number_cell(one.detectable, one.unit, one.decimals),
        Cell(str(one.n), one.n),
        Cell(str(one.videos), one.videos),
    )
