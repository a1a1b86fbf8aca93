"""Files that are no answers: what each is, and what to type with it. Nothing here advises to change a file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from shlex import quote
from typing import Any

from ..errors import UsageError
from ..names import SUFFIXES
from ..untrusted import parse_json

# First bytes (from a place) -> what the file is, and what to do.
_MAGIC = (
    (257, b"ustar", "a tar archive", "unpack it, and name the files that come out"),
    (0, b"7z\xbc\xaf", "a 7z archive", "unpack it, and name the file that comes out"),
    (0, b"%PDF", "a PDF document", "name the file the answers are in: JSON, JSON lines, CSV, TSV, XLSX or parquet"),
    (0, b"SQLite format 3", "an SQLite database", "export its table as CSV, and name that"),
    (0, b"\xd0\xcf\x11\xe0", "a workbook of an old Excel (.xls)", "save it as .xlsx or as CSV UTF-8, and name that"),
    (0, b"\x93NUMPY", "a numpy array", "write the texts as JSON, id to text, and name that"),
    (4, b"ftyp", "a video", "name the file of the answers; the folder of the videos goes to --videos"),
    (0, b"\x1aE\xdf\xa3", "a video", "name the file of the answers; the folder of the videos goes to --videos"),
    (0, b"RIFF", "a video or a sound", "name the file of the answers; the folder of the videos goes to --videos"),
)
_LONGEST_LINE = 1 << 26  # bytes of a first line that are read to tell a file's kind
_PICKLE = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")

# The `schema` of our own files, up to the slash.
_OURS = {
    "ecva.results": ("a results file", "score it: ecva-bench score {path}"),
    "ecva.scores": ("a scores file", "rank it: ecva-bench leaderboard {path}; or: ecva-bench compare {path} OTHER"),
    "ecva.submission": ("a submission", "rank it: ecva-bench leaderboard --build FOLDER, above <data set>/submissions"),
    "ecva.tables": ("a file of leaderboard tables", "make them from scores: ecva-bench leaderboard *.scores.jsonl"),
    "ecva.judge": ("a file of judge calls", "use it: ecva-bench score RESULTS --judge NAME --judge-replay {path}"),
}  # fmt: skip


def kind_of_ours(path: Path) -> str:
    """Return which file of this program it is, such as "a scores file"; empty for a results file and all others."""
    try:
        with path.open("rb") as lines:
            first = parse_json(lines.readline(_LONGEST_LINE))
    except (OSError, ValueError):
        return ""
    schema, _, _ = str(first.get("schema", "") if isinstance(first, Mapping) else "").partition("/")
    return "" if schema == "ecva.results" else _OURS.get(schema, ("", ""))[0]


def refuse_other_kind(path: Path, head: bytes) -> None:
    """Raise `UsageError` for a path or first bytes that are those of another kind of file than tables and JSON."""
    if path.is_dir():
        files = [each for each in sorted(path.iterdir()) if each.is_file()]
        if any(each.suffix.lower() in SUFFIXES for each in files):
            raise _refusal(path, "a folder of videos", "name the file of the answers; this folder goes to --videos")
        some = next((each for each in files if not each.name.startswith(".")), None)
        remedy = f"name the files in it, such as {some}" if some else "name the file of the answers"
        raise _refusal(path, "a folder", remedy)
    for place, magic, what, remedy in _MAGIC:
        if head[place:].startswith(magic):
            raise _refusal(path, what, remedy)
    if head.startswith(_PICKLE) or path.suffix.lower() in (".pkl", ".pickle"):
        remedy = "load it where it was made, write its texts with json.dump, and name that file"
        raise _refusal(path, "a pickle, which is a program and is not opened", remedy)
    if path.suffix.lower() in (".yaml", ".yml"):
        raise _refusal(path, "a YAML file", "write it with json.dump(yaml.safe_load(FILE), …), and name that file")
    start = head.lstrip()[:200].lower()
    if start.startswith((b"<!doctype html", b"<html")):
        raise _refusal(path, "a web page", "download the file itself, and name that")
    if start.startswith(b"---") and b"\nid:" in start:
        raise _refusal(path, "a prompt", "name the file of the answers; prompts are chosen with run --prompts")


def refuse_other_rows(path: Path, first: Any) -> None:
    """Raise `UsageError` where the value of a JSON file, or its first row, is that of another kind of file."""
    if isinstance(first, list) and first:
        first = first[0]
    if not isinstance(first, Mapping):
        return
    if {"Correct Option", "Anomaly Class"} <= first.keys():  # VAU-Bench's
        refuse_annotations(path, str(path))
    schema, _, _ = str(first.get("schema", "")).partition("/")
    if schema in _OURS:
        what, remedy = _OURS[schema]
        raise _refusal(path, what, remedy.format(path=quote(str(path))))
    if {"type", "key", "task"} <= first.keys() and first["type"] in ("answer", "error"):
        raise _refusal(path, "a piece of a results file, without its first line", "name the whole file")
    if {"base", "new", "verdict"} <= first.keys():
        raise _refusal(path, "the verdict of a gate", "name the results that it judged")
    if isinstance(first.get("results"), Mapping) and ({"configs", "versions"} & first.keys()):
        remedy = "name the samples beside it: ecva-bench import *_samples_*.jsonl --data ANNOTATIONS --name MODEL"
        raise _refusal(path, "the summary of an lm-eval or lmms-eval run, without its answers", remedy)
    if {"version", "eval"} <= first.keys() and not first.get("samples"):
        raise _refusal(path, "the header of an inspect log, without its samples", "name the whole log")
    if {"evaluation_id", "evaluation_results"} <= first.keys():
        remedy = "name the instances beside it: ecva-bench import *_samples.jsonl --data ANNOTATIONS --name MODEL"
        raise _refusal(path, "a record of Every Eval Ever, without its instances", remedy)
    if "triple_id" in first:
        raise _refusal(path, "a file of ranked answers", f"use it: ecva-bench meta-eval {quote(str(path))}")


def refuse_annotations(path: Path, dataset: str) -> None:
    """Raise the `UsageError` for a file that holds what annotators said."""
    remedy = f"name the file of the model's answers, and these with --data: ecva-bench import FILE --data {dataset}"
    raise _refusal(path, "a file of annotations, and holds no model's answers", remedy)


def json_reason(error: Exception) -> str:
    """Return in a few words why a text is no JSON."""
    return error.msg if isinstance(error, json.JSONDecodeError) else str(error)


def _refusal(path: Path, what: str, remedy: str) -> UsageError:
    return UsageError(f"this is {what}", path, remedy)
