"""README and guides do what they say: each is followed from top to bottom in one folder, as it stands."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer

from ecva_bench import cli

from .conftest import Shell
from .pages import PAGES, blocks, follow

WITH_WEIGHTS = ("own-model", "systems", "cluster", "training")
WITHOUT_BLOCKS = ("families", "recipes")  # tables; their commands are checked as those named in passing
OPTIONS_OF_ALL = {"--help"}


FOLLOWED = [page for page in PAGES if page.stem not in (*WITH_WEIGHTS, *WITHOUT_BLOCKS)]


@pytest.mark.parametrize("page", FOLLOWED, ids=lambda page: page.stem)
def test_a_page_can_be_followed(page: Path, shell: Shell) -> None:
    text = page.read_text(encoding="utf-8")
    assert follow(text, shell, _run_python) == text.count("\n```") / 2 > 0


@pytest.mark.parametrize("page", [page for page in PAGES if page.stem in WITH_WEIGHTS], ids=lambda page: page.stem)
def test_a_page_that_needs_weights_can_be_followed_with_tiny_ones(page: Path, request: pytest.FixtureRequest) -> None:
    pytest.importorskip("transformers", reason="transformers is not installed (extra `models`)")
    for needed in ("weights", *(["few_clips"] if page.stem == "systems" else [])):
        request.getfixturevalue(needed)
    text = page.read_text(encoding="utf-8")
    assert follow(text, request.getfixturevalue("shell"), _run_python) == text.count("\n```") / 2 > 0


def _run_python(text: str) -> None:
    exec(compile(text, "page", "exec"), {"__name__": "__main__"})  # noqa: S102


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_has_no_block_that_is_not_followed(page: Path) -> None:
    outside = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    assert re.findall(r"(?:^|\n)\n(?: {4}|\t)\S.*", outside) == []
    assert "```" not in outside


def test_a_page_whose_command_fails_is_refused(shell: Shell) -> None:
    with pytest.raises(AssertionError, match="--model nobody"):
        follow("```sh\necva-bench run --model nobody\n```\n", shell, _run_python)
    follow("```sh\necva-bench run --model nobody  # exit code 2: there is no such model\n```\n", shell, _run_python)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_named_in_passing_exist_with_their_options(page: Path) -> None:
    program = typer.main.get_command(cli.app)
    names = program.commands  # type: ignore[attr-defined]
    outside = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    for text in re.findall(r"`(?:ecva-bench )?([a-z-]+(?: [^`]+)?)`", outside):
        name, *words = shlex.split(text)
        if name in names and words:
            command = names[name]
            if words[0] in getattr(command, "commands", ()):
                command = command.commands[words[0]]
            there = {option for one in command.params for option in (*one.opts, *one.secondary_opts)}
            used = {word.partition("=")[0] for word in words if word.startswith("--")}
            assert used <= there | OPTIONS_OF_ALL, text


def test_every_guide_is_named_in_the_readme() -> None:
    readme, *guides = PAGES
    text = readme.read_text(encoding="utf-8")
    assert [page.name for page in guides if f"(docs/guides/{page.name})" not in text] == []


def test_guides_are_of_one_page() -> None:
    for page in PAGES:
        assert len(page.read_text(encoding="utf-8").splitlines()) <= 150, page


def test_blocks_are_files_commands_and_python() -> None:
    page = "Write `a.py`:\n\n```python\nx = 1\n```\n\n```sh\nls\n```\n"
    assert [(block.kind, block.file) for block in blocks(page)] == [("python", "a.py"), ("sh", None)]
