"""The paper's tables with own rows below, in LaTeX, read back by a parser and compared with the paper's figures."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ecva_bench.errors import UsageError
from ecva_bench.leaderboard.files import written
from ecva_bench.leaderboard.like import table_like
from ecva_bench.leaderboard.published import published_tables
from ecva_bench.leaderboard.submission import read_submission, submission
from ecva_bench.scoring.files import read_scores

FOLDER = Path(__file__).resolve().parents[2] / "leaderboards"
KEYS = {"table-3": "III_cause", "table-6": "VI", "table-8": "VIII_ablation_AnomEval"}


def submitted(name):
    return read_submission(FOLDER / f"{name}.json")


def printed(cell):
    """A cell as a reader sees it, without what LaTeX needs around it."""
    cell = re.sub(r"\\textbf\{(.*)\}", r"\1", cell.strip())
    return cell.replace(r"\allowbreak{}", "").replace(r"\_", "_").replace(r" \textdagger{}", "").replace("{}", "")


def read_back(text):
    """The label, the columns' number, and header and rows of cells of a table; every group and environment closed."""
    depth = 0
    for brace in re.findall(r"(?<!\\)[{}]", text):
        depth += 1 if brace == "{" else -1
        assert depth >= 0
    assert depth == 0
    begun = re.findall(r"\\(begin|end)\{(\w+)\}", text)
    assert begun == [("begin", "table"), ("begin", "tabular"), ("end", "tabular"), ("end", "table")]
    (columns,) = re.findall(r"\\begin\{tabular\}\{([lr]+)\}", text)
    inside = text[text.index(r"\toprule") : text.index(r"\bottomrule")].removeprefix(r"\toprule")
    head, rows = inside.split(r"\midrule")
    lines = [line.strip().removesuffix(r" \\") for line in (head, *rows.strip().splitlines())]
    cells = [re.split(r"(?<!\\)&", line) for line in lines]
    assert {len(row) for row in cells} == {len(columns)}
    return re.findall(r"\\label\{(.+?)\}", text), cells


@pytest.mark.parametrize("name", KEYS)
def test_the_rows_and_columns_are_those_of_the_paper(shared_paper, name):
    theirs = json.loads((shared_paper / "tables.json").read_text(encoding="utf-8"))[KEYS[name]]["rows"]
    labels, (_, *rows) = read_back(written([table_like(name, published_tables(), [])], "tex"))
    assert labels == [f"tab:ecva-{name}"]
    shown = [[printed(cell) for cell in row] for row in rows]
    as_text = {None: "N/A"}
    assert shown == [
        [value if isinstance(value, str) else as_text.get(value) or f"{value:.2f}" for value in row.values()]
        for row in theirs
    ]


def test_ones_own_row_is_below_in_bold():
    runs = [submitted("cuva/submissions/released-Video-LLaMA2"), submitted("cuva/submissions/released-video_llama")]
    _, (head, *rows) = read_back(written([table_like("table-6", published_tables(), runs)], "tex"))
    assert [printed(cell) for cell in head] == ["Method", r"\shortstack[r]{Classification\\\%}", r"Timestamp \%"]
    assert [[printed(cell) for cell in row] for row in rows[-2:]] == [
        ["Video-LLaMA2", "45.78", "-"],
        ["video_llama", "-", "0.27"],
    ]
    bold = [all(cell.strip().startswith(r"\textbf{") for cell in row) for row in rows]
    assert bold == [False] * 14 + [True] * 2


def test_a_judged_run_has_its_anomeval_there():
    """`S` is the paper's weighted sum, and the judge's grades added up stand for its grade."""
    scores = read_scores(FOLDER / "ci" / "oracle.scores.jsonl")
    run = submission(scores)
    means = {one.column: one.zero_filled for one in scores.summaries if (one.task, one.view) == ("cause", "full")}
    _, rows = read_back(written([table_like("table-3", published_tables(), [run])], "tex"))
    assert printed(rows[-1][-1]) == f"{100 * means['S']:.2f}"
    assert printed(rows[-1][8]) == f"{means['gpt_sum']:.2f}"
    assert printed(rows[-1][4]) == f"{100 * means['rougeL']:.2f}"


def test_a_run_without_a_score_of_the_table_is_refused():
    run = submitted("cuva/submissions/released-Video-LLaMA2")
    with pytest.raises(UsageError, match="none of the table's scores: S of description, cause, effect"):
        table_like("table-8", published_tables(), [run])
