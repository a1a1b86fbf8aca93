"""Made-up tables full of what real ones hold beside values: marks, errors, other spellings, rows twice, broken lines.

A table follows from its number alone.
"""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Sequence
from pathlib import Path

Cell = object
TABLES = 48  # how many there are

NAMES: Sequence[Cell] = (
    "a.mp4",
    "a",
    "01.mp4",
    "1",
    1,
    7,
    7.0,
    "video_00003.avi",
    "day/b.mp4",
    "../../f.mp4",
    "..\\g",
    "",
    " ",
    "-1",
    None,
    True,
    [1],
    "row 5",
    "x" * 501,
    "c\td",
    "ä.mp4",
    "./",
)
TEXTS: Sequence[Cell] = (
    "It rains.",
    "It snows.",
    " It stops.",
    "",
    " ",
    "-1",
    "-1.0",
    "n/a",
    "N/A ",
    "#REF!",
    "#N/A",
    "=SUM(A1)",
    "= 5",
    "@now()",
    "Error: timeout",
    "error 5",
    "half \ufffd",
    "\ufffd",
    "5 cars",
    "(a man)",
    None,
    5,
    -1,
    2.5,
    True,
    float("nan"),
    ["a", "b"],
    {"a": 1},
    "\U0001f600",
    "éa",
)
CLASSES: Sequence[Cell] = (
    "fire",
    "Fire",
    "falls_over",
    "Falls Over",
    "falls-over.",
    "theft",
    "-1",
    "",
    None,
    ["fire"],
    ["theft", "fire"],
    [],
    3,
    "class: fire",
    "class: ?",
)
KINDS: Sequence[Cell] = ("normal", "Normal_3", "abnormal", "fire", "", "-1", None, "unclear", ["normal"], [], 1, True)
TIMES: Sequence[Cell] = (
    "1.5",
    "3",
    "0",
    "-1",
    "-1.0",
    " 2 ",
    "1,5",
    "nan",
    "1e999",
    "",
    None,
    4,
    2.25,
    -1,
    -3,
    True,
    "0102",
    "0170",
    "102.0",
    200,
    0.30,
    "0:30",
    "1:02:03.5",
    "0:75",
    "99999999",
    [1],
    "５",
)
SPANS: Sequence[Cell] = (
    [[1, 2], [3, 4.5]],
    [[1, 2]],
    [[3, 1], [1, 2], [1, 2]],
    "[[0.5, 2.0]]",
    "[1, 2, 3]",
    "[1,",
    [],
    "",
    None,
    [-1, -1],
    [1, 2, -1, -1],
    [["0102", "0200"]],
    {"a": 1},
    [[1, 2, 3]],
    5,
    "x",
    [[1]],
    [[2, 2]],
)
OPTIONS: Sequence[Cell] = (
    "a pan burns",
    "a dog barks",
    "A. a pan burns",
    "B. a dog barks",
    "(c) it rains",
    "D: none",
    "it rains",
    "It rains.",
    "",
    "-1",
    None,
    5,
    "5",
    "no",
    ["x"],
    "n/a",
    "A",
    " it rains ",
)
LISTS: Sequence[Cell] = (
    ["yes", "no"],
    ["A. yes", "B. no"],
    '["yes", "no", ""]',
    "[",
    ["yes"],
    [],
    None,
    ["a", None, 3],
    {"a": 1},
    "yes, no",
    ["no", "No", "no"],
)
KEYS: Sequence[Cell] = (
    "A",
    "B",
    " b) ",
    "C",
    "(D)",
    "Z",
    "-1",
    "",
    None,
    0,
    1,
    2.0,
    1.5,
    "1",
    "A. a pan burns",
    "B. no",
    "it rains",
    "It Rains",
    "yes",
    "no",
    True,
    ["A"],
    "AB",
)
CALLED: Sequence[Cell] = ("q1", "q1", "2", "1", None, "a/b", "x@r1", "choice", "a\nb", "", 3, " ", "x" * 401)

COLUMNS: dict[str, Sequence[Cell]] = {
    "clip": NAMES,
    "file": ("x/a.mp4", None, "", "a\tb", 5, "..\\c.mp4", "deep/d.avi"),
    "what": TEXTS,
    "why": TEXTS,
    "then": TEXTS,
    "class": CLASSES,
    "kind": KINDS,
    "from": TIMES,
    "to": TIMES,
    "spans": SPANS,
    "fps": (25, "10", 0, None),
    "asks": TEXTS,
    "a": OPTIONS,
    "b": OPTIONS,
    "c": OPTIONS,
    "d": OPTIONS,
    "list": LISTS,
    "key": KEYS,
    "called": CALLED,
    "sort": ("x", "y", "other", None),
}

_HEAD = 'name = "dirty"\nid = "clip"\nsplits = {{ test = ["{file}"] }}\n'
_CLASS = 'classification = { column = "class", classes = ["fire", "falls_over", "theft"] }\n'
_KIND = 'detection = { column = "kind", normal = ["normal*"], anomalous = ["abnormal", "*"] }\n'
_FOUR = 'choice = { question = "asks", options = ["a", "b", "c", "d"], answer = "key", answer_is = "letter" }\n'
_ASKED = 'choice = {{ question = "asks", options = "list", answer = "key", answer_is = "{form}", name = "called" }}\n'

DESCRIPTIONS = (
    'description = "what"\ntimes = { unit = "seconds", start = "from", end = "to" }\n' + _CLASS,
    'description = "what"\ncause = "why"\nmissing = [-1, "n/a"]\nplaceholders = ["Error*"]\n'
    + _CLASS
    + _KIND
    + _FOUR
    + 'times = { unit = "mmss", start = "from", end = "to" }\n',
    'effect = "then"\nmedia = "file"\nmissing = "-1"\n'
    + _FOUR.replace('"letter"', '"text"')
    + 'times = { unit = "frames", fps = "fps", spans = "spans" }\n',
    'cause = "why"\ntimes = { unit = "h:m:s", start = "from", end = "to" }\n' + _ASKED.format(form="index0"),
    _ASKED.format(form="index1")
    + 'grounding = { sentence = "what", name = "called" }\n'
    + 'times = { unit = "seconds", spans = "spans" }\n',
    'description = "what"\nchoice = { question = "why", always = ["Yes", "No"], answer = "key", answer_is = "text" }\n',
    'missing = 5\n[[rows]]\nwhere = { sort = "x" }\ndescription = "what"\n'
    + _KIND
    + '[[rows]]\nwhere = { sort = "y*" }\ncause = "why"\n'
    + _FOUR
    + '[[rows]]\nwhere = { sort = "" }\nleave_out = "no sort"\n',
    'each = ["spans", "list"]\ndescription = "why"\n'
    + 'grounding = { sentence = "list" }\n'
    + 'times = { unit = "seconds", spans = "spans" }\nclassification = { column = "class", pattern = "class: (.*)", '
    + 'classes = { fire = "Fire", theft = "Theft" } }\n',
)


def dirty_table(folder: Path, number: int) -> Path:
    """Write a table and its description, and return the description's path."""
    draw = random.Random(number)
    about = DESCRIPTIONS[number % len(DESCRIPTIONS)]
    suffix = ("csv", "jsonl", "json")[number // len(DESCRIPTIONS) % 3]
    dirt = draw.choice((0.1, 0.5, 1.0))
    rows = [
        {
            name: draw.choice(cells) if draw.random() < dirt else _fine(name, place, cells)
            for name, cells in COLUMNS.items()
        }
        for place in range(draw.choice((30, 200)))
    ]
    rows += draw.choices(rows, k=5)
    (folder / f"dirty.{suffix}").write_text(_written(rows, suffix, draw), encoding="utf-8", newline="")
    path = folder / "dirty.toml"
    path.write_text(_HEAD.format(file=f"dirty.{suffix}") + about, encoding="utf-8")
    return path


def _fine(name: str, place: int, cells: Sequence[Cell]) -> Cell:
    return f"v{place // 2:03}.mp4" if name == "clip" else cells[0] if name != "to" else cells[1]


def _written(rows: list[dict[str, Cell]], suffix: str, draw: random.Random) -> str:
    if suffix == "json":
        return json.dumps(rows)
    if suffix == "jsonl":
        lines = [json.dumps(row) for row in rows]
        lines[3:3] = ["{broken", "", "[1, 2]"]
        return "\n".join(lines)
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(COLUMNS)
    for row in rows:
        table.writerow(
            "" if cell is None else json.dumps(cell) if isinstance(cell, list | dict) else cell for cell in row.values()
        )
        if draw.random() < 0.02:
            table.writerow(["short", "row"])
    return text.getvalue()
