"""The site has every command and every public name; what it says of the project is what the project says elsewhere."""

from __future__ import annotations

import runpy
import tomllib

import pytest
import typer
import yaml

import ecva_bench
from ecva_bench import cli
from tests.imports import ROOT

from .pages import PAGES

SITE = runpy.run_path(str(ROOT / "docs" / "conf.py"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_the_reference_has_every_command_with_its_options() -> None:
    text = SITE["command_line"]()
    for name, command in typer.main.get_command(cli.app).commands.items():  # type: ignore[attr-defined]
        section = text.partition(f"\n## `ecva-bench {name}`\n")[2].partition("\n## ")[0]
        assert section, name
        assert [
            one.opts[0] for one in command.params if one.opts[0].startswith("-") and one.opts[0] not in section
        ] == []


def test_the_reference_has_every_public_name() -> None:
    lines = SITE["python"]().splitlines()
    named = {line.split(":: ")[1] for line in lines if line.startswith(".. auto")}
    assert named == {name for name in ecva_bench.__all__ if not name.startswith("__")}


def test_every_guide_is_in_the_contents() -> None:
    listed = SITE["CONTENTS"]["Guides"]
    guides = {f"docs/guides/{page.stem}" for page in [*PAGES[1:], ROOT / "docs/guides/first-run.ipynb"]}
    assert set(listed) == guides
    assert len(listed) == len(guides)


def test_the_citation_names_this_version_and_the_paper() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert (citation["version"], citation["license"]) == (ecva_bench.__version__, PROJECT["license"])
    [paper] = citation["references"]
    assert paper["url"] == PROJECT["urls"]["Paper"]
    assert paper["title"].lower() in " ".join((ROOT / "README.md").read_text(encoding="utf-8").split()).lower()
    assert len(paper["authors"]) == 10


@pytest.mark.slow
def test_the_site_is_built_without_a_warning(tmp_path) -> None:
    sphinx = pytest.importorskip("sphinx.cmd.build", reason="Sphinx is not installed (extra `docs`)")
    arguments = ["-W", "--keep-going", "-q", "-c", ROOT / "docs", "-d", tmp_path / "trees", ROOT, tmp_path / "site"]
    assert sphinx.main([str(one) for one in arguments]) == 0
    assert (tmp_path / "site" / "docs" / "guides" / "own-model.html").exists()
