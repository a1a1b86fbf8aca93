"""Real answers beside their annotations, for comparison with the libraries."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecva_bench.data import load_dataset
from ecva_bench.interchange.imported import import_answers
from ecva_bench.interchange.sources import AnswerSource
from ecva_bench.records.answers import Results


@pytest.fixture(scope="session")
def released(shared_data: Path) -> dict[str, Results]:
    """The authors' released answer files, joined with their annotations, by file stem."""
    dataset = load_dataset("ecva", shared_data / "ecva" / "annotations.xlsx")
    files = sorted((shared_data / "ecva" / "answers").glob("*.json"))
    return {file.stem: import_answers([AnswerSource(file)], dataset).results() for file in files}


@pytest.fixture(scope="session")
def real_pairs(released: dict[str, Results]) -> list[tuple[str, str]]:
    """Pairs of (reference, answer) of the cause and description tasks, raw."""
    names = ("video_llama_reason", "video_llama_description")
    return [(one.reference, one.answer) for name in names for one in released[name].answers]
