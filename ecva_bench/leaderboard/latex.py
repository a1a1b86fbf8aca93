r"""A table in LaTeX with booktabs, to be taken into a paper with `\input`. A pure function; every text is escaped.

The packages it needs are named at the head of what is written. Characters that pdfLaTeX cannot set are given by their
code point, for a paper that does not compile is worse than a name that is hard to read.
"""

from __future__ import annotations

import textwrap

from ..untrusted import one_line
from .table import LEGEND, Cell, Table

PACKAGES = "% Needs \\usepackage{booktabs,graphicx,xcolor} and \\usepackage[T1]{fontenc}.\n"
HEADING = 12  # characters of a line of a heading, unless a word is longer
_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_\allowbreak{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}\allowbreak{}",
    '"': r"\textquotedbl{}",
    "'": r"\textquotesingle{}",
    "`": r"\textasciigrave{}",
    "-": r"-{}",  # two in a row would be a dash
    "!": r"!{}",  # !` and ?` would be turned upside down
    "?": r"?{}",
    ",": r",{}",  # ,, would be a quotation mark
    "†": r"\textdagger{}",
    "…": r"\dots{}",
    "–": r"\textendash{}",
    "—": r"\textemdash{}",
    "×": r"\texttimes{}",
    "·": r"\textperiodcentered{}",
}


def as_latex(table: Table) -> str:
    """Return the table as a float: best cells and own rows bold, ties underlined, rows of no models grey, notes below.

    It is as wide as the text at most: a wider table is shrunk.
    """
    columns = "".join("r" if right else "l" for right in table.numeric)
    legend = [LEGEND.format(best="Bold", tie="underlined")] if table.has("best") else []
    notes = [rf"{_escape(note)}\par" for note in [*legend, *table.notes]]
    return "\n".join(
        [
            r"\begin{table}[htbp]",
            r"\centering\small\setlength{\tabcolsep}{4pt}",
            rf"\caption{{{_escape(table.title)}}}" + (rf"\label{{{table.label}}}" if table.label else ""),
            r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
            rf"\begin{{tabular}}{{{columns}}}",
            r"\toprule",
            " & ".join(_heading(text, right) for text, right in zip(table.header, table.numeric, strict=True)) + r" \\",
            r"\midrule",
            *(" & ".join(map(_cell, row)) + r" \\" for row in table.rows),
            r"\bottomrule",
            r"\end{tabular}}",
            *([r"\par\smallskip{\raggedright\scriptsize", *notes, "}"] if notes else []),
            r"\end{table}",
            "",
        ]
    )


def _heading(text: str, right: bool) -> str:
    """Return a heading on as many lines as keep its column narrow."""
    lines = [_escape(line) for line in textwrap.wrap(one_line(text), HEADING, break_long_words=False)]
    if len(lines) < 2:
        return "".join(lines)
    return rf"\shortstack[{'r' if right else 'l'}]{{" + r"\\".join(lines) + "}"


def _cell(cell: Cell) -> str:
    text = _escape(cell.shown)
    if cell.marks & {"best", "own"}:
        text = rf"\textbf{{{text}}}"
    elif "tie" in cell.marks:
        text = rf"\underline{{{text}}}"
    if cell.bounds:
        text += rf" {{\scriptsize [{_escape(cell.bounds[0])}, {_escape(cell.bounds[1])}]}}"
    return rf"\textcolor{{gray}}{{{text}}}" if cell.marks & {"baseline", "printed"} else text


def _escape(text: str) -> str:
    escaped = "".join(_SPECIAL.get(character, _settable(character)) for character in one_line(text))
    # Behind the end of a row, a bracket would be an option of that end, and a star a part of it.
    return f"{{}}{escaped}" if escaped.startswith(("[", "*")) else escaped


def _settable(character: str) -> str:
    """Return a character of Latin-1 as it is, and any other by its code point."""
    return character if character.isascii() or "\u00c0" <= character <= "\u00ff" else f"[U+{ord(character):04X}]"
