"""The table of systems in the guide is what is there."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from pathlib import Path

import pytest

from ecva_bench.adapters.parts.families.composed import Composed
from tests.adapters.test_contract_models import MODELS

ROOT = Path(__file__).resolve().parents[2]
ROW = re.compile(
    r"^\| (?P<row>[^|`]+) \| `(?P<name>[\w-]+)` \| (?P<checkpoint>[^|]+) \| \[[^\]]+\]\((?P<test>[^)]+)\) \|$"
)
PAGE = ROOT / "docs" / "guides" / "systems.md"
ROWS = [match for line in PAGE.read_text(encoding="utf-8").splitlines() if (match := ROW.match(line))]


def test_every_system_stands_in_it_once() -> None:
    assert sorted(row["name"] for row in ROWS) == sorted({*MODELS} - {"anomshield-mini"})  # which no paper has
    assert len({row["row"] for row in ROWS}) == len(ROWS)


def test_rows_are_named_as_in_the_published_tables() -> None:
    tables = [json.loads(path.read_text()) for path in (ROOT / "leaderboards").glob("**/table-*.json")]
    published = defaultdict(set)
    for row in (row for table in tables for row in table["rows"] if row.get("adapter")):
        published[row["adapter"]].add(row["model"].removesuffix(" (Ours)").casefold())
    assert published
    assert [row["name"] for row in ROWS if row["row"].casefold() not in published[row["name"]]] == []


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_a_row_names_the_checkpoint_and_the_test_of_its_system(row: re.Match[str]) -> None:
    model: type[Composed] = MODELS[row["name"]]
    assert row["checkpoint"] == (model.card.hub_ids[0] if model.card.hub_ids else "none released")
    test = (PAGE.parent / row["test"]).read_text(encoding="utf-8")
    assert "shared_golden" in test
