"""Tables as one HTML page that needs nothing else: no server, no network, no script to be complete.

A pure function of the tables. Every text is escaped, and a content-security policy lets the page run its own script
and use its own style, and load nothing. The script (`page.js`) only sorts; style and script stand beside this file.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from html import escape
from importlib.resources import files

from ..untrusted import one_line
from .chart import as_svg
from .table import LEGEND, Cell, Table

SHADES = 10  # steps of a heat map, `.shade0` to `.shade10` of the style
BAR = 100  # width of an interval's bar, in its own units


def as_html(tables: Sequence[Table], *, title: str) -> str:
    """Return the page of tables, a list of contents first."""
    style, script = (files(__package__).joinpath(f"page.{kind}").read_text(encoding="utf-8") for kind in ("css", "js"))
    policy = f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'"
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            f"<title>{_text(title)}</title>",
            f"<style>{style}</style>",
            "</head>",
            "<body>",
            f"<header><h1>{_text(title)}</h1></header>",
            '<nav aria-label="Tables"><ol>',
            *_contents(tables),
            "</ol></nav>",
            "<main>",
            *(_section(table, number) for number, table in enumerate(tables, 1)),
            "</main>",
            f"<script>{script}</script>",
            "</body>",
            "</html>",
            "",
        ]
    )


def _contents(tables: Sequence[Table]) -> list[str]:
    """Return a line for each table; those whose title goes on from another's, after a colon, share its line."""
    lines: dict[str, list[str]] = {}
    for number, table in enumerate(tables, 1):
        head, _, rest = table.title.partition(": ")
        link = f'<a href="#t{number}">{_text(rest if head in lines and rest else table.title)}</a>'
        lines.setdefault(head if rest and head in lines else table.title, []).append(link)
    return [f"<li>{' · '.join(links)}</li>" for links in lines.values()]


def _section(table: Table, number: int) -> str:
    name = f"t{number}"
    legend = [LEGEND.format(best="Bold", tie="underlined")] if table.has("best") else []
    notes = [f"<li>{_text(note)}</li>" for note in [*legend, *table.notes]]
    return "\n".join(
        [
            "<section>",
            f'<h2 id="{name}">{_text(table.title)}</h2>',
            *filter(None, [as_svg(table)]),
            f'<div class="wide" role="region" aria-labelledby="{name}" tabindex="0">',
            f'<table aria-labelledby="{name}">',
            "<thead><tr>",
            *(_heading(text, right) for text, right in zip(table.header, table.numeric, strict=True)),
            "</tr></thead>",
            "<tbody>",
            *_body(table),
            "</tbody>",
            "</table>",
            "</div>",
            *(["<ul>", *notes, "</ul>"] if notes else []),
            "</section>",
        ]
    )


def _heading(text: str, right: bool) -> str:
    return f'<th scope="col"{_class("number" if right else "")}>{_text(text)}</th>'


def _body(table: Table) -> list[str]:
    scales = [_scale(table, column) for column in range(len(table.header))]
    lines = []
    for row in table.rows:
        kinds = {mark for cell in row for mark in cell.marks & {"baseline", "printed"}}
        cells = [_cell(cell, right, scale) for cell, right, scale in zip(row, table.numeric, scales, strict=True)]
        lines.append(f"<tr{_class(*sorted(kinds))}>{''.join(cells)}</tr>")
    return lines


def _scale(table: Table, column: int) -> tuple[float, float]:
    """Return the ends of a column's interval bars: 0, or below where a number is, and the largest number."""
    cells = [row[column] for row in table.rows]
    numbers = [number for cell in cells for number in (cell.value, *(cell.interval or ())) if number is not None]
    return min([0.0, *numbers]), max([0.0, *numbers])


def _cell(cell: Cell, right: bool, scale: tuple[float, float]) -> str:
    shade = "" if cell.shade is None else f"shade{round(SHADES * cell.shade)}"
    sort = "" if cell.value is None else f' data-value="{cell.value!r}"'
    text = _text(cell.shown)
    if "best" in cell.marks:
        text = f"<strong>{text}</strong>"
    elif "tie" in cell.marks:
        text = f"<u>{text}</u>"
    if cell.bounds and cell.value is not None and cell.interval is not None:
        text += f" <small>[{_text(cell.bounds[0])}, {_text(cell.bounds[1])}]</small>"
        if "." in cell.text:  # a rank is no length
            text += _bar(cell.value, cell.interval, scale)
    return f"<td{_class('number' if right else '', shade)}{sort}>{text}</td>"


def _bar(value: float, interval: tuple[float, float], scale: tuple[float, float]) -> str:
    """Return the interval as a bar with the value on it; the same numbers stand beside it as text."""
    low, high = scale
    start, end, point = (BAR * (number - low) / ((high - low) or 1.0) for number in (*interval, value))
    return (
        f'<svg class="bar" viewBox="-3 0 {BAR + 6} 6" aria-hidden="true">'
        f'<path d="M0 3H{BAR}"/><rect x="{start:.1f}" y="2" width="{end - start:.1f}" height="2"/>'
        f'<circle cx="{point:.1f}" cy="3" r="2.5"/></svg>'
    )


def _class(*names: str) -> str:
    classes = " ".join(filter(None, names))
    return f' class="{classes}"' if classes else ""


def _text(text: str) -> str:
    return escape(one_line(text))


def _hash(content: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}"
