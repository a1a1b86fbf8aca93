"""TRECVID VTT: how well people find that each system's caption fits the video, on a scale of 100, year by year.

A year is a folder with a table of scores, and a file of captions for each system and of references for each writer,
with a line for each video. Source: LLebronC/TRECvid-VTT_HA (BERTHA, LREC 2022).
"""

from __future__ import annotations

import math
from collections import defaultdict
from pathlib import Path

from ...data.described.tables import Row
from ...errors import DataError
from ...wording import counted
from .found import AGAIN, FoundTriples, finite_score, ranks_of

SCORES = "ad-seg-scores-en-en.csv"
FEWEST_CAPTIONS = 3  # of one video, for a triple


def read_trecvid(folder: Path, found: FoundTriples) -> bool:
    """Take the triples of a year's folder, or of the years in a folder; False, for people saw captions one by one.

    Raises `DataError` where there is no year. One that cannot be read is named and left out.
    """
    years = [folder] if (folder / SCORES).is_file() else sorted(table.parent for table in folder.glob(f"*/{SCORES}"))
    if not years:
        remedy = "name a rankings file, or of TRECVID VTT multiple-annotator, single-annotator or a year in one of them"
        raise DataError(f"there is no {SCORES} in the folder or in one right below it", folder, remedy)
    fewer = 0
    for year in years:
        try:
            fewer += _read_year(year, found)
        except DataError as error:
            if len(years) == 1:
                raise
            found.leave_out(0, str(error), record=year.name)
    found.notes.append(
        f"TRECVID VTT: videos of which people scored {FEWEST_CAPTIONS} systems or more, people's own captions left "
        f"out ({fewer:,} videos have fewer); order by Z.SCR, each caption scored alone; the reference is that of the "
        "first file by name"
    )
    return False


def _read_year(year: Path, found: FoundTriples) -> int:
    """Take the triples of a year; return how many videos have too few captions for one."""
    name, table = year.resolve().name, year / SCORES
    rows = [(number, row) for number, row in found.rows(table, "csv", ("SYS", "SID", "Z.SCR")) if not _by_people(row)]
    systems = {row["SYS"]: _text_of(year / "systems", row["SYS"]) for _, row in rows}
    references = _references(year, {len(lines) for lines in systems.values()}, found)
    scores: dict[int, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for number, row in rows:
        try:
            line, score = int(row["SID"]), finite_score(row["Z.SCR"])
            if not 1 <= line <= len(references):
                raise ValueError(f"SID is {line}, and the texts have the lines 1 to {len(references):,}")
        except ValueError as error:
            found.leave_out(number, str(error), record=found.place(table, f"row {number}"))
        else:
            scores[line][row["SYS"]].append(score)
    whole = {line: by_system for line, by_system in scores.items() if len(by_system) >= FEWEST_CAPTIONS}
    for line, by_system in whole.items():
        found.add(
            f"{name}/{line}",
            {system: systems[system][line - 1] for system in by_system},
            [ranks_of([math.fsum(of_one) / len(of_one) for of_one in by_system.values()])],
            number=line,
            record=found.place(table, f"SID {line}"),
            reference=references[line - 1],
        )
    return len(scores) - len(whole)


def _by_people(row: Row) -> bool:
    return str(row["SYS"]).upper().startswith("HUMAN")


def _references(year: Path, counts: set[int], found: FoundTriples) -> list[str]:
    """Return the reference of each line of the captions; `DataError` where it cannot be told.

    In the folder of 2018, the captions lack 22 videos that the references have. Both are joined by the videos'
    addresses there: those of the references stand in the other folder, that of single annotators.
    """
    references = _text_of(year / "references")
    if counts == {len(references)}:
        return references
    whole = year.resolve()
    other = whole.parent.parent / "single-annotator" / whole.name / "url"
    addresses, others = (_lines_of(path) if path.is_file() else [] for path in (year / "urls", other))
    if counts == {len(addresses)} and len(others) == len(references):
        by_address = dict(zip(others, references, strict=True))
        if by_address.keys() >= {*addresses}:
            found.notes.append(f"{whole.name}: captions and references are joined by the videos' addresses")
            return [by_address[address] for address in addresses]
    said = " or ".join(f"{count:,}" for count in sorted(counts))
    lines = counted(len(references), "line")
    what = f"the references have {lines} and the captions {said}, so they are not of the same videos"
    raise DataError(what, year, "get TRECvid-VTT_HA whole: single-annotator has the references' addresses")


def _text_of(folder: Path, system: str | None = None) -> list[str]:
    """Return the lines of the first file of a folder by name, of a system where one is given."""
    files = sorted(path for path in folder.glob("*") if system is None or path.name.endswith(f".{system}"))
    if not files:
        raise DataError(
            f"there are no texts{'' if system is None else f' of the system {system!r:.200}'}", folder, AGAIN
        )
    return _lines_of(files[0])


def _lines_of(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"the texts cannot be read ({error!s:.200})", path, AGAIN) from None
    return [line.strip() for line in text.removesuffix("\n").split("\n")]  # a text may hold other signs of a new line
