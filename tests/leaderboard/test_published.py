"""The published tables: form, sources, and the figures the project's notes give."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from ecva_bench.leaderboard.board import leaderboards
from ecva_bench.leaderboard.published import PublishedTable, published_tables

FOLDER = Path(__file__).resolve().parents[2] / "leaderboards" / "published"


def figures(task):
    tables = [table for table in published_tables() if table.task == task]
    return {
        (row.model, name): cell.value if cell.printed is None else cell.printed
        for table in tables
        for row in table.rows
        for name, cell in row.cells.items()
        if cell
    }


def test_every_file_is_read_and_every_task_has_a_table():
    assert len(published_tables()) == len(list(FOLDER.glob("*.json")))
    paper = {"description", "cause", "effect", "classification", "timestamp"}
    assert {table.task for table in published_tables()} == paper


def test_the_figures_are_those_of_the_sources():
    assert figures("cause") == {
        ("Video-llava", "BLEU"): 0.31,
        ("Video-llava", "ROUGE-2"): 2.40,
        ("Video-llava", "ROUGE-L"): 11.50,
        ("Video-llava", "AnomEval"): 18.64,
        ("Video-LLaMA2", "BLEU"): 0.12,
        ("Video-LLaMA2", "ROUGE-2"): 1.93,
        ("Video-LLaMA2", "ROUGE-L"): 7.59,
        ("Video-ChatGPT", "BLEU"): 0.14,
        ("Video-ChatGPT", "ROUGE-2"): 2.11,
        ("Video-ChatGPT", "ROUGE-L"): 9.61,
        ("VILA", "AnomEval"): 35.00,
        ("AnomShield", "AnomEval"): 33.30,
    }
    assert figures("description") == {("VILA", "AnomEval"): 37.49, ("AnomShield", "AnomEval"): 40.57}
    assert figures("effect") == {("VILA", "AnomEval"): 31.88, ("AnomShield", "AnomEval"): 35.09}
    assert figures("classification") == {
        ("Video-LLaMA2", "Classification"): 46.42,
        ("Video-llava", "Classification"): 23.75,
    }
    assert sorted(map(str, figures("timestamp").values())) == ["9.69", "N/A"]


def test_known_misprints_are_named():
    misprints = [misprint for table in published_tables() for misprint in table.misprints]
    assert any("Table VIII" in misprint and "swapped" in misprint for misprint in misprints)


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "ecva.published/2"},
        {"rows": [{"model": "m", "cells": {}}]},
        {"rows": [{"model": "m", "cells": {"AnomEval": {"value": 1.0, "source": "hearsay"}}}]},
        {"rows": [{"model": "m", "cells": {"AnomEval": {"source": "survey"}}}]},
        {"rows": [{"model": "m", "cells": {"AnomEval": {"value": 1.0, "printed": "1", "source": "survey"}}}]},
        {"remark": "unknown field"},
    ],
)
def test_a_file_of_another_form_is_refused(change):
    content = json.loads((FOLDER / "table-5-effect.json").read_text())
    PublishedTable.model_validate(content)
    with pytest.raises(ValidationError):
        PublishedTable.model_validate(content | change)


def test_without_runs_the_published_rows_stand_alone():
    boards = leaderboards([], published=published_tables())
    assert [board.title for board in boards] == [
        f"{task}, as published" for task in ("cause", "description", "effect", "classification", "timestamp")
    ]
    (board,) = leaderboards([], published=published_tables(), task="effect")
    assert [row[0].text for row in board.rows] == ["AnomShield", "VILA"]
