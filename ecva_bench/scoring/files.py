"""The scores file: a header that names the results file's hash, then coverage, summaries and item scores.

One JSON record per line, as in the results file, but written at once and whole: a scoring is cheap to repeat and
never resumed. Knows the format only.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from pydantic import ValidationError

from ..errors import ResultsError, SealBroken
from ..records.base import LeanRecords, Record, RecordType, canonical_json, sha256_of_file
from ..records.scores import SCORES_SCHEMA, Aggregate, Coverage, Score, Scores, ScoresHeader, Summary
from ..records.seals import check_sealed, checked_lines, has_seal, seal_broken, sealed_lines
from ..untrusted import parse_json
from ..writing import write_whole
from .keeping import with_kept
from .protocol import get_protocol

_TYPES: dict[str, type[Record]] = {
    "scores": ScoresHeader,
    "coverage": Coverage,
    "summary": Summary,
    "aggregate": Aggregate,
    "score": Score,
}


def scores_path(results: Path, protocol: str, *, unseen_only: bool = False) -> Path:
    """Return where the scores of a results file go: beside it, the protocol in the name unless it is the standard.

    Those of `unseen_only` questions have a file of their own: they are other numbers.

    Other suffixes than a results file's stay in the name, so that the scores of x.json and x.csv are not x.jsonl's.
    Raises `UsageError` for an unknown protocol.
    """
    middle = "" if get_protocol(protocol).name == "standard" else f".{protocol}"
    middle += ".unseen" if unseen_only else ""
    return results.with_name(f"{results.name.removesuffix('.jsonl')}{middle}.scores.jsonl")


def check_target(path: Path) -> None:
    """Raise `ResultsError` where writing scores to `path` would take the place of something else, such as answers.

    And `SealBroken` where it would take that of scores that were changed since: whoever paid for them is to know.
    """
    try:
        with path.open("rb") as lines:
            first = lines.readline()
            if has_seal(first):
                deque(checked_lines(chain([first], lines), path), maxlen=0)
            of_scores = parse_json(first)["type"] == "scores" if first or not path.is_file() else True
    except (FileNotFoundError, NotADirectoryError):
        return
    except (OSError, ValueError, KeyError, TypeError):
        of_scores = False
    if not of_scores:
        raise ResultsError("there is something else than scores", path, "name another file with --out")


def write_scores(new: Scores, path: Path) -> Scores:
    """Write a scores file, whole or not at all, and return what it then holds.

    Scores of the same answers that are there stay, where `new` has none of the kind. Raises `ResultsError` where that
    cannot be, where the folder cannot be written to, or where something else than scores has that name.
    """
    check_target(path)
    old = None
    try:
        old = read_scores(path)
    except SealBroken:
        raise
    except ResultsError:  # there is none, or one that is of no use
        pass
    scores = new if old is None else with_kept(new, old)
    scores = scores.model_copy(update={"header": scores.header.model_copy(update={"sealed": True})})
    records = chain([scores.header], scores.coverage, scores.summaries, scores.aggregates, scores.scores)
    lines = sealed_lines(canonical_json(record.model_dump(mode="json")).encode() for record in records)
    try:
        write_whole(path, lines)
    except OSError as error:
        raise ResultsError("the scores cannot be written", path, f"free some space or use --out ({error})") from None
    return scores


def read_scores(path: Path) -> Scores:
    """Return a scores file as records; `ResultsError` if it is none, of another major version, or cut short.

    `SealBroken` if it was changed since it was written. Record types this version does not know are passed over: a
    later version may add some.
    """
    try:
        records = list(_records(path))
    except FileNotFoundError:
        raise ResultsError("there is no such scores file", path, "write it with `ecva-bench score`") from None
    except OSError as error:
        raise ResultsError("the scores cannot be read", path, f"name another file ({error.strerror})") from None
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        raise ResultsError("this is no scores file", path, f"write one with `ecva-bench score` ({error})") from None
    if not records or not isinstance(records[0], ScoresHeader):
        raise ResultsError("this is no scores file", path, "write one with `ecva-bench score`")
    header = records[0]
    if header.schema_ != SCORES_SCHEMA:
        raise ResultsError(f"the scores have schema {header.schema_!r}", path, f"this version reads {SCORES_SCHEMA!r}")
    scores = Scores(
        header=header,
        coverage=_of(Coverage, records),
        summaries=_of(Summary, records),
        aggregates=_of(Aggregate, records),
        scores=_of(Score, records),
        source=str(path),
    )
    if not _whole(scores):
        raise ResultsError("the scores are not whole", path, "score the answers again")
    return scores


def _records(path: Path) -> Iterator[Record]:
    small = LeanRecords()
    with path.open("rb") as lines:  # bytes: in a text, characters that answers and judges may write end lines too
        for line in checked_lines(lines, path):
            if line.sealed and not line.complete:
                raise seal_broken(f"line {line.number}, the last one, is cut off", path, line.number)
            data = parse_json(line.record)
            if kind := _TYPES.get(data["type"]):
                record = kind.model_validate(data)
                if isinstance(record, ScoresHeader):
                    check_sealed(record.sealed, line, path)
                yield small.lean(record)


def _whole(scores: Scores) -> bool:
    """Whether there are summaries and all the items they count: of a file that was cut at a line, some are missing."""
    found = Counter((one.task, one.view, one.scorer) for one in scores.scores)
    there = [found[one.task, one.view, one.scorer] >= one.n + one.unscored + one.unscorable for one in scores.summaries]
    return bool(there) and all(there)


def read_scores_of(path: Path) -> Scores:
    """Return the scores in a file, or, where it holds answers, those that `score` wrote beside it.

    Raises `ResultsError` where there are none, or where they are of other answers than the file now holds.
    """
    beside = scores_path(path, "standard")
    if not beside.exists():
        return read_scores(path)
    scores = read_scores(beside)
    if scores.header.results_sha256 != sha256_of_file(path):
        raise ResultsError(
            f"the scores in {beside.name} are of other answers", path, "score them with `ecva-bench score`"
        )
    return scores


def _of(kind: type[RecordType], records: Sequence[Record]) -> tuple[RecordType, ...]:
    return tuple(record for record in records if isinstance(record, kind))
