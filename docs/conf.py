"""Sphinx: the site is made of the README, guides and notes where they lie; the reference is generated at every build.

Its source folder is the project's (`make docs`), so that links between pages are the same here and in the repository.
"""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import ecva_bench

project = "ecva-bench"
version = release = ecva_bench.__version__
copyright = "the ecva-bench contributors"

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinxcontrib.mermaid",
]
root_doc = "README"
include_patterns = [
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "benchmarks/README.md",
    "design/*.md",
    "docs/guides/*",
    "docs/reference/*.md",
    "leaderboards/*/leaderboard.md",
    "leaderboards/reproduction.md",
]
html_theme = "furo"
html_title = f"ecva-bench {release}"
html_extra_path = ["redirect"]  # index.html, which leads to the README

myst_heading_anchors = 3
myst_fence_as_directive = ["mermaid"]
nb_execution_mode = "off"  # a test runs the notebook
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
default_role = "code"  # names in docstrings are written `so`

CONTENTS = {
    "Guides": [
        "docs/guides/first-run",
        "docs/guides/numbers",
        "docs/guides/own-model",
        "docs/guides/families",
        "docs/guides/systems",
        "docs/guides/training",
        "docs/guides/severity",
        "docs/guides/own-metric",
        "docs/guides/described-data",
        "docs/guides/own-data",
        "docs/guides/annotation",
        "docs/guides/importance-curves",
        "docs/guides/own-prompts",
        "docs/guides/answers-elsewhere",
        "docs/guides/looking",
        "docs/guides/comparing",
        "docs/guides/ci-gate",
        "docs/guides/cluster",
        "docs/guides/recipes",
    ],
    "Reference": ["docs/reference/command-line", "docs/reference/python"],
    "Leaderboards": [
        "leaderboards/reproduction",
        "leaderboards/cuva/leaderboard",
        "leaderboards/ecva/leaderboard",
        "leaderboards/mini/leaderboard",
    ],
    "Design": ["design/README", "design/*", "benchmarks/README"],
    "Project": ["CONTRIBUTING", "CHANGELOG", "SECURITY"],
}


def contents() -> str:
    """Return the contents of the site, which the README has none of."""
    lists = []
    for caption, pages in CONTENTS.items():
        lists += ["```{toctree}", ":hidden:", ":glob:", f":caption: {caption}", "", *pages, "```", ""]
    return "\n".join(lists)


def command_line() -> str:
    """Return the reference of every command, as typer writes it from the program itself."""
    import typer
    from typer.cli import get_docs_for_click

    from ecva_bench import cli

    command = typer.main.get_command(cli.app)
    text = get_docs_for_click(obj=command, ctx=typer.Context(command), name="ecva-bench", title="Command line")
    return re.sub("^  (?=ecva-bench )", "    ", text, flags=re.MULTILINE)  # examples are code


def python() -> str:
    """Return the reference of every public name, as `autodoc` reads it from the docstrings."""
    lines = ["# Python", "", "```{eval-rst}", ".. currentmodule:: ecva_bench", ""]
    for name in ecva_bench.__all__:
        if name.startswith("__"):
            continue
        found = getattr(ecva_bench, name)
        kind = "autoclass" if inspect.isclass(found) else "autofunction" if callable(found) else "autodata"
        lines += [f".. {kind}:: {name}", *(["   :members:"] if kind == "autoclass" else []), ""]
    return "\n".join([*lines, "```", ""])


def write_reference(app: Any) -> None:
    """Write the reference's pages, which are not kept."""
    folder = Path(__file__).parent / "reference"
    folder.mkdir(exist_ok=True)
    for name, text in (("command-line", command_line()), ("python", python())):
        (folder / f"{name}.md").write_text(text, encoding="utf-8")


def add_contents(app: Any, page: str, source: list[str]) -> None:
    """Put the site's contents behind the README."""
    if page == root_doc:
        source[0] += "\n" + contents()


def setup(app: Any) -> None:
    """Join what is above to Sphinx."""
    app.connect("config-inited", lambda app, _: write_reference(app))
    app.connect("source-read", add_contents)
