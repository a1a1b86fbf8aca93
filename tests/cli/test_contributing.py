"""CONTRIBUTING as a stranger follows it: its files are written, its package is found, its commands run."""

from __future__ import annotations

import hashlib
import json
import re
import runpy
import shlex
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from ecva_bench import Adapter, Scorer
from tests.imports import ROOT

from .conftest import Command

GUIDE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
OWN, HERE = GUIDE.split("\n## Changing this repository\n")
FILES = dict(re.findall(r"`([\w./-]+)`[^`\n]*:\n\n```(?!sh\n)\w+\n(.*?)```\n", OWN, re.DOTALL))
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", OWN, re.DOTALL | re.MULTILINE)
COMMANDS = [line for kind, text in BLOCKS if kind == "sh" for line in text.splitlines()]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The guide's files in an empty folder, installed as pip would: what it leaves are entry points beside the code."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    project = tomllib.loads(FILES["pyproject.toml"])["project"]
    installed = tmp_path / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    installed.mkdir()
    metadata = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    (installed / "METADATA").write_text(metadata, encoding="utf-8")
    groups = [
        "\n".join([f"[{group}]", *(f"{name} = {target}" for name, target in found.items())])
        for group, found in project["entry-points"].items()
    ]
    (installed / "entry_points.txt").write_text("\n".join(groups), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    loaded = set(sys.modules)
    yield tmp_path
    for name in [each for each in sys.modules if each.startswith("my_bench") and each not in loaded]:
        del sys.modules[name]


def test_every_block_is_a_file_or_commands() -> None:
    assert len(FILES) == sum(kind != "sh" for kind, _ in BLOCKS)
    assert {"pyproject.toml", "porch.jsonl", "test_my_bench.py"} < FILES.keys()
    assert [line.split()[0] for line in COMMANDS] == ["pip", *["ecva-bench"] * 12, "python"]


def test_the_guide_can_be_followed(package: Path, ecva_bench: Command) -> None:
    shown = {}
    for line in COMMANDS:
        program, *arguments = shlex.split(line)
        if program == "ecva-bench":
            code, out, err = ecva_bench(*arguments)
            assert code == 0, (line, err)
            shown[line] = out + err
    tests = runpy.run_path(arguments[-1])  # the last command is pytest's: its functions are called here
    assert [call() for name, call in tests.items() if name.startswith("test_")] == [None, None]
    _, models, run, scorers, score, check, run_porch, score_porch, *of_files = (
        shown.get(line, "") for line in COMMANDS[:13]
    )
    assert re.search(r"^brightness +When a video is brightest", models, re.MULTILINE)
    assert "2 answers" in run
    assert re.search(r"^word-recall +How many words", scorers, re.MULTILINE)
    assert re.search(r"^word_recall +\d", score, re.MULTILINE)
    assert "word-recall|words:a-z0-9|my-bench:0.1|" in score
    assert "2 rows, 2 usable" in check
    assert "2 answers" in run_porch
    assert re.search(r"^word_recall +\d", score_porch, re.MULTILINE)
    run_file, score_file, check_file, judged, asked = of_files
    assert "2 answers" in run_file
    assert re.search(r"word-recall\|words:a-z0-9\|word_recall.py:[0-9a-f]{16}\|", score_file)
    assert "2 rows, 2 usable" in check_file
    assert re.search(r"^gpt_sum +\d", judged, re.MULTILINE)
    assert re.search(
        r"judge:shared_words.py:SharedWords\|words:a-z0-9\|judge-code:shared_words.py:[0-9a-f]{16}", judged
    )
    assert "2 answers" in asked
    manifest = json.loads(Path("asked.jsonl").read_bytes().splitlines()[0])
    assert manifest["spec"]["prompts"]["cause"]["sha256"] == hashlib.sha256(b"What made it happen?").hexdigest()


def test_a_broken_line_of_the_guides_data_set_is_named(package: Path, ecva_bench: Command) -> None:
    good, bad = '{"id": "a", "file": "a.mp4", "class": 1, "start": 1, "end": 2, "cause": "c"}', '{"id": "b"}'
    Path("broken.jsonl").write_text(f"{good}\n{bad}\n", encoding="utf-8")
    code, _, err = ecva_bench("data", "check", "porch:broken.jsonl")
    assert code != 0
    assert "broken.jsonl, line 2: mend the line" in err


def test_the_guide_names_the_methods_there_are() -> None:
    interfaces = {"A model": Adapter, "A metric": Scorer}
    for heading, interface in interfaces.items():
        section = OWN.split(f"\n### {heading}\n")[1].split("\n### ")[0]
        named = set(re.findall(r"`(\w+)\([\w, ]*\)`", section))
        assert named
        assert named <= set(dir(interface)), heading


def test_commands_for_this_repository_name_what_is_there() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"(?:`|^)make (\w+)", HERE, re.MULTILINE)) <= targets
    modules = re.findall(r"python -m ((?:tests|benchmarks)[\w.]+)", HERE)
    assert modules
    assert all((ROOT / module.replace(".", "/")).with_suffix(".py").is_file() for module in modules)
    named = re.findall(r"`((?:adapters|ecva_bench|tests|prompts|leaderboards|design|benchmarks)/[\w./]*)`", HERE)
    assert all((ROOT / name).exists() for name in named if "NAME" not in name), named


@pytest.mark.parametrize(
    "page",
    [*ROOT.glob("*.md"), *(ROOT / "design").glob("*.md"), *(ROOT / "docs").glob("guides/*.md")],
    ids=lambda page: page.name,
)
def test_links_within_the_project_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#\s]+)(?:#[^)\s]*)?\)", text) if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []
