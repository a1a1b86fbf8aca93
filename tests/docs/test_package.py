"""The package is built without a warning, and holds every file that its folders hold."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.imports import ROOT

FOLDERS = ("adapters", "ecva_bench", "leaderboards", "prompts")


@pytest.mark.slow
def test_a_wheel_is_built_without_a_warning(tmp_path: Path) -> None:
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    build = "import setuptools.build_meta as b; print(b.build_wheel('dist'))"
    done = subprocess.run([sys.executable, "-c", build], cwd=tmp_path, capture_output=True, text=True, check=True)
    said = (done.stdout + done.stderr).lower().replace("byte-compiling is disabled", "")
    assert [line for line in said.splitlines() if "absent from" in line or "deprecat" in line] == []
    [wheel] = (tmp_path / "dist").glob("*.whl")
    held = {name.removeprefix("ecva_bench/") for name in zipfile.ZipFile(wheel).namelist()}
    there = {path.relative_to(tmp_path) for folder in FOLDERS for path in (tmp_path / folder).rglob("*")}
    files = {path.as_posix().removeprefix("ecva_bench/") for path in there if (tmp_path / path).is_file()}
    assert files <= held
