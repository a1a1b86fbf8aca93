"""The notebook runs from its first cell to its last, and is kept without output."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.imports import ROOT

nbformat = pytest.importorskip("nbformat", reason="the site's packages are not installed (extra `docs`)")
NOTEBOOK = ROOT / "docs" / "guides" / "first-run.ipynb"


def test_every_cell_runs(tmp_path: Path) -> None:
    from nbclient import NotebookClient

    book = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(book, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = "".join(output.get("text", "") for cell in book.cells for output in cell.get("outputs", ()))
    assert "timestamp" in shown
    assert (tmp_path / "brightest.scores.jsonl").exists()


def test_no_output_is_kept() -> None:
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    assert all(not cell.outputs and cell.execution_count is None for cell in cells if cell.cell_type == "code")
