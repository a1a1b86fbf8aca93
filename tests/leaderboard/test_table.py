"""The forms of a table: fixed texts, and texts that try to break out of them."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecva_bench.leaderboard.board import leaderboards
from ecva_bench.leaderboard.chart import _step
from ecva_bench.leaderboard.files import write_leaderboards, written
from ecva_bench.leaderboard.forms import as_csv, as_json, as_markdown, as_text
from ecva_bench.leaderboard.published import published_tables
from ecva_bench.leaderboard.table import Cell, Table

TABLE = Table(
    title="cause, full video",
    header=("#", "model", "rouge2 %"),
    rows=(
        (Cell("1", 1), Cell("motion"), Cell("12.5000", 12.5, (9.25, 15.125))),
        (Cell(), Cell("VILA"), Cell("7.10", 7.1)),
        (Cell(), Cell("Video-llava"), Cell("N/A")),
    ),
    notes=("Ranked by rouge2.",),
)


def one_cell(text):
    return Table("t", ("a",), ((Cell(text),),))


def test_text():
    assert as_text(TABLE) == (
        "cause, full video\n"
        "\n"
        "#  model                         rouge2 %\n"
        "-  -----------  -------------------------\n"
        "1  motion       12.5000 [9.2500, 15.1250]\n"
        "-  VILA                              7.10\n"
        "-  Video-llava                        N/A\n"
        "\n"
        "Ranked by rouge2.\n"
    )


def test_markdown():
    assert as_markdown(TABLE) == (
        "## cause, full video\n"
        "\n"
        "| \\# | model | rouge2 % |\n"
        "| ---: | --- | ---: |\n"
        "| 1 | motion | 12.5000 \\[9.2500, 15.1250\\] |\n"
        "| - | VILA | 7.10 |\n"
        "| - | Video-llava | N/A |\n"
        "\n"
        "- Ranked by rouge2.\n"
    )


def test_csv():
    assert as_csv(TABLE) == (
        "#,model,rouge2 %,rouge2 % low,rouge2 % high\r\n"
        "1,motion,12.5,9.25,15.125\r\n"
        ",VILA,7.1,,\r\n"
        ",Video-llava,N/A,,\r\n"
    )


def test_what_is_no_number_is_never_written_as_json():
    with pytest.raises(ValueError, match="JSON"):
        as_json([Table("t", ("a",), ((Cell("nan", float("nan")),),))])


@pytest.mark.parametrize(("span", "step"), [(3.5, 1), (6, 2), (10, 2), (16, 5), (0.35, 0.1), (100, 20)])
def test_ticks_of_a_chart_are_round_and_few(span, step):
    assert _step(span) == pytest.approx(step)


@given(st.text(min_size=1))
def test_a_text_cannot_leave_its_markdown_cell(text):
    lines = as_markdown(one_cell(text)).split("\n")
    assert len(lines) == 6
    assert len(re.findall(r"(?<!\\)(?:\\\\)*\|", lines[4])) == 2
    assert not re.search(r"(?<!\\)(?:\\\\)*[<`\[]", lines[4])


@given(st.text(min_size=1))
def test_csv_gives_the_text_back(text):
    rows = list(csv.reader(io.StringIO(as_csv(one_cell(text)), newline="")))
    assert rows[1][0].removeprefix("'") == text.removeprefix("'")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_a_spreadsheet_runs_no_text_as_a_formula(text):
    assert next(csv.reader(io.StringIO(as_csv(one_cell(text)).split("\r\n", 1)[1], newline="")))[0] == f"'{text}"


def test_a_negative_number_stays_a_number():
    assert as_csv(Table("t", ("a",), ((Cell("-1.50", -1.5),),))) == "a\r\n-1.5\r\n"


def test_a_text_cannot_command_the_terminal():
    assert "\x1b" not in as_text(one_cell("\x1b[31mred\nline"))
    assert as_text(one_cell("a\nb")).count("\n") == 5
    assert "\x1b" not in as_text(Table("t", ("\x1b[31mred",), ((Cell("a"),),)))


def test_no_text_is_a_formula_in_markdown():
    assert r"| 8 GPUs at \$2, then \$1 |" in as_markdown(one_cell("8 GPUs at $2, then $1"))


def test_tables_of_one_title_get_files_of_their_own_and_the_same_bytes_each_time(tmp_path):
    paths = write_leaderboards([TABLE, TABLE], tmp_path)
    assert [path.relative_to(tmp_path).as_posix() for path in paths] == [
        *(f"leaderboard.{form}" for form in ("md", "html", "tex", "json")),
        "csv/cause-full-video.csv",
        "csv/cause-full-video-2.csv",
    ]
    first = [path.read_bytes() for path in paths]
    assert [path.read_bytes() for path in write_leaderboards([TABLE, TABLE], tmp_path)] == first
    assert first[-1] == as_csv(TABLE).encode()


def test_json_gives_every_cell_back():
    row = (Cell("1", 1), Cell("<b>\u2028é"), Cell("12.50", 12.5, (9.25, 15.125), frozenset({"tie", "baseline"})))
    content = json.loads(as_json([TABLE, Table("t", TABLE.header, (row,))]))
    assert content["schema"] == "ecva.tables/1"
    assert [one["title"] for one in content["tables"]] == ["cause, full video", "t"]
    assert content["tables"][0]["notes"] == ["Ranked by rouge2."]
    assert content["tables"][0]["header"] == ["#", "model", "rouge2 %"]
    assert content["tables"][1]["rows"] == [
        [
            {"text": "1", "value": 1},
            {"text": "<b>\u2028é"},
            {"text": "12.50", "value": 12.5, "interval": [9.25, 15.125], "marks": ["baseline", "tie"]},
        ]
    ]


def test_marks_in_markdown():
    marked = (Cell("9.00", 9.0, marks=frozenset({"best"})), Cell("8.00", 8.0, marks=frozenset({"tie"})))
    text = as_markdown(Table("t", ("a", "b"), (marked,)))
    assert "| **9.00** | *8.00* |" in text
    assert "- Bold: best of its column" in text
    assert as_text(Table("t", ("a",), ((Cell("33.30", 33.3, marks=frozenset({"doubted"})),),))).endswith("33.30 †\n")


@pytest.mark.parametrize(
    ("form", "figures"),
    [
        ("text", ["33.30 †", "46.42", "9.69", "N/A"]),
        ("md", ["| 55.80 | 5.51 | 35.00 |", "| 47.98 | 4.82 | 33.30 † |"]),
        ("html", [">33.30 †</td>", ">46.42</td>", "Misprint: Table VIII"]),
        ("tex", [r"33.30 \textdagger{}", r"Video-{}LLaMa2} & \textcolor{gray}{as printed}"]),
        ("csv", ["VILA,as printed,0.25,3.45,", "Video-LLaMa2,as printed,46.42"]),
        ("json", ['"value": 33.3', '"doubted"', '"text": "N/A"']),
    ],
)
def test_the_published_tables_in_every_form(form, figures):
    text = written(leaderboards([], published=published_tables()), form)
    for figure in figures:
        assert figure in text
