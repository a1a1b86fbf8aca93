"""`ecva-bench data audit`: what is printed and written, and the exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ecva_bench.data_audit.findings import DataAudit
from tests.cli.conftest import Command

LOADER = """
from dataclasses import replace
from tests.data_audit.build import asked, clean

def fair(path, videos=None):
    return replace(clean(60, 1), videos=videos)

def lettered(path, videos=None):
    return replace(asked(clean(60, 2, "lettered"), lambda n, query: {"answer": 0}), videos=videos)
"""


@pytest.fixture
def loader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    Path("sets.py").write_text(LOADER)
    return "./sets.py"


def test_a_clean_set_has_no_finding_and_passes_strictly(loader: str, ecva_bench: Command) -> None:
    code, shown, _ = ecva_bench("data", "audit", f"{loader}:fair", "--strict")
    assert code == 0
    assert "No finding." in shown
    assert "always A" in shown
    assert "chance" in shown


def test_a_set_that_a_blind_rule_solves_is_told_and_fails_only_strictly(loader: str, ecva_bench: Command) -> None:
    code, shown, _ = ecva_bench("data", "audit", f"{loader}:lettered")
    assert code == 0
    line = next(line for line in shown.splitlines() if line.startswith("blind-rule"))
    assert "100.0 [100.0, 100.0]" in line
    assert "always A" in line
    assert ecva_bench("data", "audit", f"{loader}:lettered", "--strict")[0] == 1


def test_the_file_holds_the_whole_audit(loader: str, ecva_bench: Command, tmp_path: Path) -> None:
    out = tmp_path / "audit.json"
    code, _, _ = ecva_bench("data", "audit", f"{loader}:fair", f"{loader}:lettered", "--out", out)
    assert code == 0
    content = json.loads(out.read_text(), parse_constant=pytest.fail)
    assert content["schema"] == "ecva.data-audit/1"
    found = DataAudit.model_validate(content)
    assert [one.name for one in found.datasets] == ["clean", "lettered"]
    assert [finding.dataset for finding in found.findings] == ["lettered"]
    assert set(found.rules) == {"blind-rule"}
    code, shown, _ = ecva_bench("data", "audit", f"{loader}:fair", f"{loader}:lettered", "--json")
    assert (code, shown) == (0, out.read_text())


def test_folders_of_videos_are_one_for_all_or_one_for_each(loader: str, ecva_bench: Command, tmp_path: Path) -> None:
    sets = [f"{loader}:fair"] * 3
    code, _, error = ecva_bench("data", "audit", *sets, "--videos", tmp_path, "--videos", tmp_path)
    assert code == 2
    assert "2 folders of videos for 3 data sets" in error


def test_a_file_that_cannot_be_written_is_an_error_of_one_line(loader: str, ecva_bench: Command) -> None:
    code, _, error = ecva_bench("data", "audit", f"{loader}:fair", "--out", "no/such/folder/audit.json")
    assert code == 2
    assert "the audit cannot be written" in error


def test_an_audit_is_shown_also_where_its_file_cannot_be_written(loader: str, ecva_bench: Command) -> None:
    Path("folder").mkdir()
    code, shown, error = ecva_bench("data", "audit", f"{loader}:fair", "--out", "folder")
    assert code == 2
    assert "the audit cannot be written: folder" in error
    assert "always A" in shown
