"""A table as a section of a page: headings that say what they mean, intervals as bars, notes and details folded.

Every text is escaped. What a page shows on pointing (`title`) stands elsewhere too: meanings in the list of columns,
intervals in the boards below an overview.
"""

from __future__ import annotations

from html import escape

from ..untrusted import one_line
from .chart import as_svg
from .headings import MEANINGS
from .table import LEGEND, Cell, Table

SHADES = 10  # steps of a heat map, `.shade0` to `.shade10` of the style
BAR = 100  # width of an interval's bar, in its own units


def section(table: Table, number: int) -> str:
    """Return the section of a table, named `t` and its number; folded where it is of detail."""
    name = f"t{number}"
    heading = f'<h2 id="{name}">{_text(table.title)}</h2>'
    fold = ["<details>", f"<summary>{heading}</summary>"] if table.detail else [heading]
    return "\n".join(
        [
            "<section>",
            *fold,
            *filter(None, [as_svg(table)]),
            *_columns(table),
            f'<div class="wide" role="region" aria-labelledby="{name}" tabindex="0">',
            f'<table aria-labelledby="{name}">',
            "<thead><tr>",
            *(_heading(table, column) for column in range(len(table.header))),
            "</tr></thead>",
            "<tbody>",
            *_body(table),
            "</tbody>",
            "</table>",
            "</div>",
            *_notes(table),
            *(["</details>"] if table.detail else []),
            "</section>",
        ]
    )


def _meaning(table: Table, heading: str) -> str:
    return table.meanings.get(heading) or MEANINGS.get(heading, "")


def _columns(table: Table) -> list[str]:
    """Return the list of columns, of which the script lets a reader choose; none where no heading has a meaning."""
    if not any(_meaning(table, heading) for heading in table.header):
        return []
    lines = []
    for column, heading in enumerate(table.header):
        meaning = _meaning(table, heading)
        if column != table.key:
            said = f"<b>{_text(heading)}</b>{f': {_text(meaning)}' if meaning else ''}"
            lines.append(f'<li data-column="{column}">{said}</li>')
    return ['<details class="columns"><summary>Columns</summary><ul>', *lines, "</ul></details>"]


def _notes(table: Table) -> list[str]:
    """Return the first notes, which say how to read the table, and the others folded."""
    legend = [LEGEND.format(best="Bold", tie="underlined")] if table.has("best") else []
    first, rest = [*legend, *table.notes[:1]], table.notes[1:]
    lists = [[f"<li>{_text(note)}</li>" for note in some] for some in (first, rest)]
    shown = ["<ul>", *lists[0], "</ul>"] if first else []
    if not rest:
        return shown
    return [*shown, f"<details><summary>Notes ({len(rest)})</summary><ul>", *lists[1], "</ul></details>"]


def _heading(table: Table, column: int) -> str:
    heading = table.header[column]
    meaning = _meaning(table, heading)
    classes = _class("number" if table.numeric[column] else "", "key" if column == table.key else "")
    return f'<th scope="col"{classes}{_title(meaning)}>{_text(heading)}</th>'


def _body(table: Table) -> list[str]:
    numeric, scales = table.numeric, [_scale(table, column) for column in range(len(table.header))]
    lines = []
    for row in table.rows:
        kinds = {mark for cell in row for mark in cell.marks & {"baseline", "printed"}}
        cells = []
        for column, (cell, scale) in enumerate(zip(row, scales, strict=True)):
            names = ("number" if numeric[column] else "", "key" if column == table.key else "")
            cells.append(_overview_cell(cell, names) if table.overview else _cell(cell, names, scale))
        lines.append(f"<tr{_class(*sorted(kinds))}>{''.join(cells)}</tr>")
    return lines


def _scale(table: Table, column: int) -> tuple[float, float]:
    """Return the ends of a column's interval bars: 0, or below where a number is, and the largest number."""
    cells = [row[column] for row in table.rows]
    numbers = [number for cell in cells for number in (cell.value, *(cell.interval or ())) if number is not None]
    return min([0.0, *numbers]), max([0.0, *numbers])


def _overview_cell(cell: Cell, names: tuple[str, ...]) -> str:
    """Return a cell whose interval is shown where it is pointed at."""
    told = f"95 % interval {cell.bounds[0]} to {cell.bounds[1]}" if cell.bounds else ""
    remark = f" <small>{_text(cell.remark)}</small>" if cell.remark else ""
    return f"<td{_class(*names)}{_sort(cell)}{_title(told)}>{_marked(cell)}{remark}</td>"


def _cell(cell: Cell, names: tuple[str, ...], scale: tuple[float, float]) -> str:
    shade = "" if cell.shade is None else f"shade{round(SHADES * cell.shade)}"
    text = _marked(cell)
    if cell.bounds and cell.value is not None and cell.interval is not None:
        text += f" <small>[{_text(cell.bounds[0])}, {_text(cell.bounds[1])}]</small>"
        if "." in cell.text:  # a rank is no length
            text += _bar(cell.value, cell.interval, scale)
    return f"<td{_class(*names, shade)}{_sort(cell)}>{text}</td>"


def _marked(cell: Cell) -> str:
    links = [f'<a href="{escape(href, quote=True)}">{_text(name)}</a>' for name, href in cell.links]
    text = ", ".join(links) or _text(cell.shown)
    if "best" in cell.marks:
        return f"<strong>{text}</strong>"
    return f"<u>{text}</u>" if "tie" in cell.marks else text


def _bar(value: float, interval: tuple[float, float], scale: tuple[float, float]) -> str:
    """Return the interval as a bar with the value on it; the same numbers stand beside it as text."""
    low, high = scale
    start, end, point = (BAR * (number - low) / ((high - low) or 1.0) for number in (*interval, value))
    return (
        f'<svg class="bar" viewBox="-3 0 {BAR + 6} 6" aria-hidden="true">'
        f'<path d="M0 3H{BAR}"/><rect x="{start:.1f}" y="2" width="{end - start:.1f}" height="2"/>'
        f'<circle cx="{point:.1f}" cy="3" r="2.5"/></svg>'
    )


def _sort(cell: Cell) -> str:
    return "" if cell.value is None else f' data-value="{cell.value!r}"'


def _title(text: str) -> str:
    return f' title="{escape(one_line(text), quote=True)}"' if text else ""


def _class(*names: str) -> str:
    classes = " ".join(filter(None, names))
    return f' class="{classes}"' if classes else ""


def _text(text: str) -> str:
    return escape(one_line(text))
