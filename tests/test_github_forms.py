"""Issue forms are ones GitHub shows, and what a commit is checked by is what `make test` checks by."""

from __future__ import annotations

import re

import pytest
import yaml

from tests.imports import ROOT

FORMS = [path for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml"]
# GitHub drops a form without a word where a key is unknown, so these are from its syntax for issue forms.
OF_FORM = {"name", "description", "title", "labels", "assignees", "body"}
OF_FIELD = {
    "input": {"label", "description", "placeholder", "value"},
    "textarea": {"label", "description", "placeholder", "value", "render"},
}


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_a_form_has_the_keys_that_are_allowed(path):
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert {"name", "description", "body"} <= form.keys() <= OF_FORM
    fields = form["body"]
    assert (
        len({field["id"] for field in fields}) == len({field["attributes"]["label"] for field in fields}) == len(fields)
    )
    for field in fields:
        assert field.keys() <= {"type", "id", "attributes", "validations"}
        assert {"label"} <= field["attributes"].keys() <= OF_FIELD[field["type"]]
        assert all(isinstance(text, str) for text in field["attributes"].values())
        assert field.get("validations", {}) in ({}, {"required": True})


def test_form_names_differ():
    names = [yaml.safe_load(path.read_text(encoding="utf-8"))["name"] for path in FORMS]
    assert len(set(names)) == len(names) == 3


def test_a_commit_is_checked_by_the_projects_own_tools():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    assert [repo["repo"] for repo in hooks] == ["local"]
    entries = {hook["entry"].replace(" --force-exclude", "") for repo in hooks for hook in repo["hooks"]}
    make = (ROOT / "Makefile").read_text(encoding="utf-8")
    venv = re.search(r"^VENV \?= (.+)$", make, re.MULTILINE)[1]
    checks = re.findall(r"^\t\$\(BIN\)/((?:ruff|mypy).*)$", make, re.MULTILINE)
    assert {f"{venv}/bin/{check}".removesuffix(" .").removesuffix(" --check") for check in checks} == entries
