"""A file that was changed since it was written is an error that names the line; nothing that is read changes unseen."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ecva_bench.errors import ResultsError, SealBroken, UsageError
from ecva_bench.journal.lines import parse_records
from ecva_bench.journal.results import read_results
from ecva_bench.journal.writer import write_results
from ecva_bench.leaderboard.submission import read_submission, submission, write_submission
from ecva_bench.records.answers import Answer, Manifest
from ecva_bench.records.base import Record
from ecva_bench.scoring.files import check_target, read_scores, write_scores
from ecva_bench.scoring.score import score_results
from tests.imports import ROOT
from tests.sealing import unseal

MOTION = ROOT / "leaderboards/ci/motion.jsonl"
TAIL = b'{"answer":"half an ans'


class Files:
    """A run of twelve answers, its scores and its submission, as this program writes them."""

    def __init__(self, folder: Path) -> None:
        run, *records = parse_records(MOTION)
        assert isinstance(run, Manifest)
        answers = [one for one in records if isinstance(one, Answer) and one.task in ("cause", "timestamp")][:12]
        owed = {"full": tuple(one.id for one in answers)}
        self.results = folder / "run.jsonl"
        write_results(self.results, run.model_copy(update={"expects": owed}), answers)
        results = read_results(self.results)
        scores = score_results(results, scorers=["bleu", "timestamp"], draws=1_000)
        self.scores = folder / "run.scores.jsonl"
        write_scores(scores, self.scores)
        self.submission = write_submission(submission(scores, results), folder / "boards")
        self.torn = folder / "torn.jsonl"
        self.torn.write_bytes(b"".join(self.results.read_bytes().splitlines(keepends=True)[:-1]) + TAIL)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return Files(tmp_path_factory.mktemp("files"))


def read(path: Path) -> Record:
    """Return all that is read of a file, whatever its kind; equal records have equal means."""
    if path.suffix == ".json":
        return read_submission(path)
    if path.name.endswith(".scores.jsonl"):
        return read_scores(path).model_copy(update={"source": ""})
    return read_results(path).model_copy(update={"source": "", "sha256": "", "name": ""})


def flipped(content: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(content))
    return content[:place] + bytes([content[place] ^ 1 << chance.randrange(8)]) + content[place + 1 :]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path to each value within a JSON value."""
    for name, part in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield (*path, name)
        yield from places(part, (*path, name))


def other(value: Any, chance: random.Random) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return chance.choice([value + 1, value * 1.5 + 0.25, 0 if value else 1])
    return chance.choice(["another", None, 7, [], {}]) if value != "another" else "one more"


def edited(content: bytes, chance: random.Random) -> bytes:
    """Return a file in which one field was changed, removed, renamed or added, by an editor that knows no seals."""
    whole = not content.startswith((b'{"', b"["))  # an indented object
    lines = [content] if whole else content.splitlines(keepends=True)
    number = chance.randrange(len(lines))
    try:
        data = json.loads(lines[number])
    except ValueError:  # a torn tail
        return content[:-1]
    *way, last = chance.choice(list(places(data)))
    inner = data
    for step in way:
        inner = inner[step]
    match chance.randrange(4) if isinstance(inner, dict) else 0:
        case 0:
            inner[last] = other(inner[last], chance)
        case 1:
            del inner[last]
        case 2:
            inner[f"{last}s"] = inner.pop(last)
        case 3:
            inner["added"] = 1
    text = json.dumps(data, indent=1 if whole else None, separators=None if whole else (",", ":"), ensure_ascii=False)
    lines[number] = text.encode() + b"\n"
    return b"".join(lines)


def silent_changes(
    path: Path, change: Callable[[bytes, random.Random], bytes], count: int, folder: Path
) -> tuple[list[int], int]:
    """Return the seeds by which a changed file is read as something else without an error, and how many were read."""
    target = folder / path.name
    sound, content, silent, were_read = read(path), path.read_bytes(), [], 0
    for seed in range(count):
        target.write_bytes(change(content, random.Random(seed)))
        try:
            found = read(target)
        except (ResultsError, UsageError):
            continue
        were_read += 1
        if found != sound:
            silent.append(seed)
    return silent, were_read


KINDS = ("results", "scores", "submission", "torn")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("change", "count"),
    [
        (flipped, 20),
        (edited, 12),
        pytest.param(flipped, 500, marks=pytest.mark.slow),
        pytest.param(edited, 200, marks=pytest.mark.slow),
    ],
)
def test_no_flipped_bit_and_no_edited_field_changes_what_is_read(
    files: Files, kind: str, change: Callable[[bytes, random.Random], bytes], count: int, tmp_path: Path
) -> None:
    silent, were_read = silent_changes(getattr(files, kind), change, count, tmp_path)
    assert silent == []
    assert were_read < count / 2  # else nothing was found


def stripped(content: bytes) -> bytes:
    """Return scores without seals, in which the first line still says that they have them."""
    return b"".join(line[: line.rindex(b',"seal":')] + b"}\n" for line in content.splitlines())


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (stripped, 1),
        (lambda content: content.replace(b'"seal"', b'"sea1"', 1), 1),
        (lambda content: content[:-1], -1),
    ],
)
def test_scores_that_were_changed_are_neither_read_nor_written_over(
    files: Files, change: Callable[[bytes], bytes], line: int, tmp_path: Path
) -> None:
    path = tmp_path / "run.scores.jsonl"
    path.write_bytes(change(files.scores.read_bytes()))
    held = path.read_bytes()
    with pytest.raises(SealBroken, match=r"ecva-bench repair") as told:
        read_scores(path)
    assert told.value.line == (line if line > 0 else held.count(b"\n") + 1)
    with pytest.raises(SealBroken):
        write_scores(read_scores(files.scores), path)
    assert path.read_bytes() == held


def test_changed_scores_are_told_before_anything_is_scored(files: Files, tmp_path: Path) -> None:
    path = tmp_path / "run.scores.jsonl"
    path.write_bytes(files.scores.read_bytes().replace(b'"n":', b'"N":', 1))
    with pytest.raises(SealBroken):
        check_target(path)


def test_a_submission_without_its_seal_is_refused_and_an_older_one_is_read(files: Files, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    content = json.loads(files.submission.read_text())
    del content["seal"]
    path.write_text(json.dumps(content))
    with pytest.raises(SealBroken, match="its seal was removed"):
        read_submission(path)
    del content["sealed"]
    path.write_text(json.dumps(content))
    assert read_submission(path) == read_submission(files.submission).model_copy(update={"sealed": False})


@pytest.mark.parametrize("kind", ["results", "scores"])
def test_without_seals_changes_are_silent(files: Files, kind: str, tmp_path: Path) -> None:
    """What the test above finds, so that it could fail."""
    old = tmp_path / getattr(files, kind).name
    old.write_bytes(getattr(files, kind).read_bytes())
    unseal(old)
    (folder := tmp_path / "changed").mkdir()
    assert silent_changes(old, edited, 12, folder)[0]
