"""The forms of a table: fixed texts, and texts that try to break out of them."""

from __future__ import annotations

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecva_bench.leaderboard import Cell, Table, as_csv, as_markdown, as_text, write_leaderboards

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


def test_tables_of_one_title_get_files_of_their_own_and_the_same_bytes_each_time(tmp_path):
    paths = write_leaderboards([TABLE, TABLE], tmp_path)
    assert [path.name for path in paths] == ["leaderboard.md", "cause-full-video.csv", "cause-full-video-2.csv"]
    first = [path.read_bytes() for path in paths]
    assert [path.read_bytes() for path in write_leaderboards([TABLE, TABLE], tmp_path)] == first
    assert first[1] == as_csv(TABLE).encode()
