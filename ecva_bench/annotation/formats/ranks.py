"""Triples as people rank them: a table (CSV) or a project of Label Studio, and the ranks read back.

Rank 1 is the best; equal ranks are ties. In Label Studio, answers are put into a bucket for each rank, because a list
to sort has no ties, and one that nobody touched looks sorted. Form: https://labelstud.io/tags/ranker.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from xml.sax.saxutils import quoteattr

import numpy as np

from ...data.ecva import read_bytes
from ...errors import DataError
from ...reading.curves import segments_at
from ...reading.severities import read_severities
from ...scoring.rankings import HumanRanking, Triple
from ...untrusted import parse_json
from ..triples import RankedFile
from .label_studio import EXPORT_JSON, who_annotated

OVERALL = "rank"
_BY = "rank_"  # before a criterion
_COLUMNS = ("triple", "video", "question", "letter", "answer", OVERALL)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # how a cell begins that a spreadsheet would compute
_BARS = "▁▂▃▄▅▆▇█"
_BAR_CELLS = 60


class _Line(NamedTuple):
    """A row of a table, with its number in the file."""

    number: int
    cells: Mapping[str, str]


def write_table(triples: Iterable[Triple], criteria: Sequence[str]) -> dict[str, str]:
    """Return the content of `ranks.csv`: a row for each answer, with empty columns for its rank and its criteria."""
    content = io.StringIO(newline="")
    writer = csv.writer(content)
    writer.writerow([*_COLUMNS, *(f"{_BY}{name}" for name in criteria)])
    for triple in triples:
        for letter in triple.answers:
            texts = (triple.triple_id, triple.video_id, triple.question, letter, _shown(triple, letter))
            empty = [""] * (1 + len(criteria))
            writer.writerow([*(f"'{text}" if text.startswith(_FORMULA) else text for text in texts), *empty])
    return {"ranks.csv": "\ufeff" + content.getvalue()}  # by the mark, Excel knows that it is UTF-8


def write_ranker(triples: Sequence[Triple], criteria: Sequence[str]) -> dict[str, str]:
    """Return the content of `tasks.json` and `config.xml` of a project of Label Studio."""
    tasks = [
        {
            "data": {
                "triple": triple.triple_id,
                "video": f"{triple.video_id}.mp4",
                "question": triple.question,
                "answers": [
                    {"id": letter, "title": letter, "body": _shown(triple, letter)} for letter in triple.answers
                ],
            }
        }
        for triple in triples
    ]
    buckets = "".join(
        f'    <Bucket name="{number}" title="{number}{" (best)" if number == 1 else ""}"/>\n'
        for number in range(1, 1 + max(len(triple.answers) for triple in triples))
    )
    rankers = "".join(
        f'  <List name={quoteattr(f"answers_{name}")} value="$answers" title={quoteattr(name)}/>\n'
        f"  <Ranker name={quoteattr(name)} toName={quoteattr(f'answers_{name}')}>\n{buckets}  </Ranker>\n"
        for name in (OVERALL, *(f"{_BY}{name}" for name in criteria))
    )
    config = f'<View>\n  <Video name="video" value="$video"/>\n  <Header value="$question"/>\n{rankers}</View>\n'
    return {"tasks.json": json.dumps(tasks, ensure_ascii=False, indent=1) + "\n", "config.xml": config}


def read_ranks(path: Path, annotator: str | None) -> RankedFile:
    """Return the ranks of a file, which its content tells; a table is one annotator's, by default after its name.

    What is ranked in part, or by something that is no rank, is a problem; what is not ranked at all is not there.
    Raises `DataError` where it is neither a table nor an export of Label Studio, and where somebody ranked a triple
    twice and not alike.
    """
    content = read_bytes(path)
    if content.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"["):
        try:
            data = parse_json(content)
        except ValueError as error:
            raise DataError(f"it is no JSON ({error})", path, EXPORT_JSON) from None
        said = _said_in_label_studio(data, path, annotator)
    else:
        said = _said_in_table(content, path, annotator or path.stem)
    ranks: dict[tuple[str, str], HumanRanking] = {}
    problems = []
    for where, who, triple, by in said:
        texts = {name: {letter: text.strip() for letter, text in of.items()} for name, of in by.items()}
        given = {name: of for name, of in texts.items() if any(of.values())}
        if not given:
            continue
        try:
            read = {
                name: {letter: _rank(name, letter, text) for letter, text in of.items()} for name, of in given.items()
            }
            if OVERALL not in read:
                raise ValueError(f"{OVERALL} is empty")
        except ValueError as error:
            problems.append(f"{where}: {error}")
            continue
        overall = read.pop(OVERALL)
        by_criterion = {name.removeprefix(_BY): of for name, of in read.items()}
        ranking = HumanRanking(annotator=who, ranks=overall, ranks_by=by_criterion)
        if ranks.setdefault((who, triple), ranking) != ranking:
            what = f"{where}: {who} ranks {triple!r:.200} twice, and not alike"
            raise DataError(what, path, "leave one of them out, and --annotator where several people ranked")
    return RankedFile(ranks, tuple(problems))


_Said = Iterator[tuple[str, str, str, dict[str, dict[str, str]]]]  # where, who, triple, text by column and letter


def _said_in_table(content: bytes, path: Path, annotator: str) -> _Said:
    by_triple: dict[str, list[_Line]] = {}
    lines = list(_table(content, path))
    for line in lines:
        by_triple.setdefault(line.cells["triple"].removeprefix("'"), []).append(line)
    by_criteria = [name for name in lines[0].cells if name.startswith(_BY)] if lines else []
    for triple, rows in by_triple.items():
        where = f"line {rows[0].number}"
        letters = [row.cells["letter"].strip() for row in rows]
        if len(set(letters)) < len(letters):
            raise DataError(f"{where}: an answer of {triple!r:.200} is there twice", path, "leave one of the rows out")
        by = {
            name: {letter: row.cells[name] or "" for letter, row in zip(letters, rows, strict=True)}
            for name in (OVERALL, *by_criteria)
        }
        yield where, annotator, triple, by


def _table(content: bytes, path: Path) -> Iterator[_Line]:
    remedy = "save the table as CSV in UTF-8, its columns as `ecva-bench annotate triples` wrote them"
    try:
        text = content.decode("utf-8-sig")
        first = text.partition("\n")[0]
        delimiter = max(",;\t", key=first.count)  # spreadsheets take that of the country
        reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        missing = sorted({"triple", "letter", OVERALL} - {*(reader.fieldnames or ())})
        if missing:
            raise DataError(f"it has no column {missing[0]!r}", path, remedy)
        for row in reader:
            if any(row.values()):
                yield _Line(reader.line_num, {name: text or "" for name, text in row.items() if name is not None})
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"it is no CSV in UTF-8 ({error})", path, remedy) from None


def _said_in_label_studio(data: list[Any], path: Path, annotator: str | None) -> _Said:
    for number, task in enumerate(data, start=1):
        where = f"task {number}"
        try:
            triple, letters = str(task["data"]["triple"]), [str(one["id"]) for one in task["data"]["answers"]]
            for one in task["annotations"]:
                if one.get("was_cancelled"):
                    continue
                by = {
                    str(region["from_name"]): _buckets(region["value"]["ranker"], letters)
                    for region in one["result"]
                    if region["type"] == "ranker"
                }
                yield where, annotator or who_annotated(one, path, where), triple, by
        except (TypeError, KeyError, AttributeError) as error:
            what = f"{where} is no task of ranked triples as Label Studio writes it ({type(error).__name__}: {error})"
            raise DataError(what, path, EXPORT_JSON) from None


def _buckets(found: Mapping[str, Sequence[str]], letters: Sequence[str]) -> dict[str, str]:
    """Return the bucket of each answer; empty where it was left in the list."""
    place = {str(letter): bucket for bucket, inside in found.items() if bucket != "_" for letter in inside}
    return {letter: place.get(letter, "") for letter in letters}


def _rank(column: str, letter: str, text: str) -> float:
    if not text:
        raise ValueError(f"{column} of answer {letter} is empty")
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        value = 0.0
    if not 1 <= value <= 1000:
        raise ValueError(f"{column} of answer {letter} is {text!r:.40}, and is to be a rank from 1")
    return value


def _shown(triple: Triple, letter: str) -> str:
    """Return an answer as people see it: a curve over time as bars, so that its form says nothing."""
    text = triple.answers[letter]
    if not triple.duration or triple.task != "severity":
        return text
    reading = read_severities(text, unit=triple.unit, duration=triple.duration)
    if reading.status != "read":
        return text
    centres = (np.arange(_BAR_CELLS) + 0.5) * triple.duration / _BAR_CELLS
    segments = [(*span, severity) for span, severity in zip(reading.spans, reading.severities, strict=True)]
    bars = "".join(_BARS[round(float(value) * (len(_BARS) - 1))] for value in segments_at(segments, centres))
    return f"{bars} (0 to {triple.duration:g} s)"
