"""What is read and drawn for 200,000 answers is held once: small records, columns that share their draws."""

from __future__ import annotations

import json
import random
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from pydantic import Field

from ecva_bench.journal.lines import parse_records
from ecva_bench.journal.results import read_results
from ecva_bench.records.answers import Answer
from ecva_bench.records.base import LeanRecords, Record
from ecva_bench.scoring.files import read_scores
from ecva_bench.statistics.paired import PairedDifferences, paired_bootstrap, paired_bootstraps
from ecva_bench.statistics.standings import RankedColumn, standings

FROZEN = Path(__file__).parents[1] / "leaderboards" / "ci"
MOST = 4096  # bytes of an answer in memory, beside its text: 200,000 of them shall fit into a gigabyte


class Numbers(Record):
    whole: int = 0
    fraction: float = 0.0
    places: tuple[int, ...] = ()
    spans: tuple[float, ...] = ()
    parts: dict[str, float] = Field(default_factory=dict)


def test_lean_records_say_what_the_lines_of_a_file_say() -> None:
    for name in ("motion", "second-round"):
        path = FROZEN / f"{name}.jsonl"
        lines = [json.loads(line) for line in path.read_bytes().splitlines()]
        found = [record.model_dump(mode="json", by_alias=True, exclude_none=True) for record in parse_records(path)]
        assert all(line.items() <= one.items() for line, one in zip(lines, found, strict=True))


def test_equal_values_of_two_fields_are_not_one() -> None:
    records = LeanRecords()
    told = [Numbers(places=(1, 2), spans=(1.0, 2.0), parts={"a": 1.0}), Numbers(places=(1,), spans=(1.0,), newer="x")]
    found = [records.lean(one) for one in told]
    assert [one.model_dump_json() for one in found] == [one.model_dump_json() for one in told]
    assert found == told
    assert found[1].model_copy(update={"whole": 3}).model_dump() == told[1].model_dump() | {"whole": 3}
    assert told[0].model_fields_set == {"places", "spans", "parts"}  # nobody's fields were changed


@pytest.mark.parametrize("read", [read_results, read_scores])
def test_a_file_in_memory_is_small(read, tmp_path: Path) -> None:
    path = FROZEN / ("motion.jsonl" if read is read_results else "motion.scores.jsonl")
    read(path)  # what is made once
    tracemalloc.start()
    found = read(path)
    size, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    records = found.answers if read is read_results else found.scores
    texts = sum(len(one.answer) for one in records if isinstance(one, Answer))
    assert size - texts < 0.6 * MOST * len(records)  # a third more than alone, where earlier tests made other records
    assert most - texts < MOST * len(records)


def test_columns_together_have_the_resamples_that_each_has_alone() -> None:
    drawn = random.Random(0)
    columns = [
        PairedDifferences(
            [drawn.random() - 0.5 for _ in range(90)],
            [f"v{drawn.randrange(40)}" for _ in range(90)],
            [drawn.choice(["yes", "no", ""]) for _ in range(90)] if balanced else (),
        )
        for balanced in (False, True, False)
    ]
    together = paired_bootstraps(columns, seed=7, draws=300)
    for one, column in zip(together, columns, strict=True):
        alone = paired_bootstrap(column.values, column.clusters, strata=column.strata, seed=7, draws=300)
        assert (one.n, one.clusters, one.mean, one.error) == (alone.n, alone.clusters, alone.mean, alone.error)
        assert np.array_equal(one.means, alone.means)
    assert paired_bootstraps([], seed=0) == []


def test_columns_together_have_the_standings_that_each_has_alone() -> None:
    drawn = random.Random(1)
    columns = [
        RankedColumn([{f"i{n}": drawn.random() for n in range(size)} for _ in range(4)], {"i0": "a", "i1": "a"})
        for size in (30, 30, 5, 0)
    ]
    together = standings(columns, seed=3, draws=300)
    assert together == [standings([column], seed=3, draws=300)[0] for column in columns]


def test_draws_do_not_fill_the_memory() -> None:
    """4,000 draws of 2,000 videos are 64 MB as they are drawn, and 16 MB at least."""
    values = [0.0, 1.0] * 1000
    tracemalloc.start()
    paired_bootstraps([PairedDifferences(values, range(2000))] * 2, seed=0, draws=4000)
    standings([RankedColumn([{str(place): value for place, value in enumerate(values)}] * 2)], seed=0, draws=4000)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 12e6
