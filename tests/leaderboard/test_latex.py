"""LaTeX: fixed text, texts that try to be commands, and, where pdfLaTeX is installed, that it compiles."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecva_bench.leaderboard.board import leaderboards
from ecva_bench.leaderboard.latex import PACKAGES, as_latex
from ecva_bench.leaderboard.like import table_like
from ecva_bench.leaderboard.published import published_tables
from ecva_bench.leaderboard.table import Cell, Table

TABLE = Table(
    title="cause_1",
    header=("model", "rouge2 of the answers %"),
    rows=(
        (Cell("a & b"), Cell("12.50", 12.5, (9.25, 15.125), frozenset({"best"}))),
        (Cell("c"), Cell("7.10", 7.1, marks=frozenset({"tie"}))),
        (Cell("d", marks=frozenset({"baseline"})), Cell("33.30", 33.3, marks=frozenset({"baseline", "doubted"}))),
    ),
    notes=("Ranked by rouge2.",),
)
HOSTILE = [
    r"\input{/etc/passwd}",
    r"\write18{ls} % # $ & _ { } ~ ^ \\ [x]",
    r"}\end{tabular}\end{table}",
    "<b>|\"'`--?`!`,,>*",
    "über 模型 \U0001f600 é × – … †",
    "a\nb\tc\x00",
    "x" * 200,
    "模型",
    "[x] of y",
    "*",
    "a heading of [U+6A21]",
    "",
]


def test_booktabs_with_the_best_bold_and_ties_underlined():
    text = as_latex(TABLE)
    body = text[text.index(r"\toprule") : text.index(r"\bottomrule")].splitlines()
    assert body == [
        r"\toprule",
        r"model & \shortstack[r]{rouge2 of\\the answers\\\%} \\",
        r"\midrule",
        r"a \& b & \textbf{12.50} {\scriptsize [9.25, 15.12]} \\",
        r"c & \underline{7.10} \\",
        r"\textcolor{gray}{d} & \textcolor{gray}{33.30 \textdagger{}} \\",
    ]
    assert r"\caption{cause\_\allowbreak{}1}" in text
    assert "Bold: best of its column" in text


@pytest.mark.parametrize("text", ["模型", "[x]", "*"])
def test_no_text_is_an_option_of_the_row_before(text):
    body = as_latex(Table("t", ("a",), ((Cell("first"),), (Cell(text),)))).splitlines()
    assert body[body.index("first " + chr(92) * 2) + 1].startswith("{}")


@given(st.text())
def test_no_text_is_a_command(text):
    body = as_latex(Table("t", ("a",), ((Cell(text),),)))
    cell = body[body.index("\\midrule\n") + 9 : body.index(" \\\\\n\\bottomrule")]
    commands = set(re.findall(r"\\([a-zA-Z]+)", cell))
    allowed = {"allowbreak", "dots", *(name for name in commands if name.startswith("text"))}
    assert commands <= allowed
    plain = re.sub(r"\\[a-zA-Z]+\{\}|\\[{}$&#%_]|\{\}", "", cell)
    assert not set(plain) & set("\\{}$&#%_~^\"'`|<>")
    assert "\n" not in cell


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="pdfLaTeX is not installed")
def test_hostile_texts_and_the_published_tables_compile(tmp_path):
    rows = tuple((Cell(text), Cell("1.00", 1.0, (0.5, 1.5))) for text in HOSTILE)
    hostile = Table("; ".join(HOSTILE), ("a", " ".join([HOSTILE[1], HOSTILE[-1]])), rows, notes=tuple(HOSTILE))
    tables = [TABLE, hostile, *leaderboards([], published=published_tables())]
    tables += [table_like(name, published_tables(), []) for name in ("table-3", "table-6", "table-8")]
    document = [
        r"\documentclass{article}\usepackage[T1]{fontenc}",
        r"\usepackage{booktabs,graphicx,xcolor}\begin{document}",
        PACKAGES,
        *map(as_latex, tables),
        r"\end{document}",
    ]
    (tmp_path / "t.tex").write_text("\n".join(document), encoding="utf-8")
    command = ["pdflatex", "-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error", "t.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]
