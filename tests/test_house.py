"""The house keeps its shape: imports run one way, the error tree is drawn as it is, prompts stay as published."""

from __future__ import annotations

import ast
import hashlib
import tomllib
from pathlib import Path

import pytest

from ecva_bench import errors
from ecva_bench.tasks import PROMPT_SETS, TASKS, Task, has_prompt, prompt_for
from tests.imports import EVERYWHERE, ROOT, imported_rooms, modules, rooms

# Public names that are defined twice on purpose: at most 8, each with its reason.
TWICE = {
    "convolve": "one interface of AnomShield's connector: the reference implementation and the CUDA kernels",
    "operations": "the same interface: our CUDA kernels and the authors' (mamba_ssm)",
    "pool": "the same interface: the reference implementation and the CUDA kernels",
    "scan": "the same interface: the reference implementation and the CUDA kernels",
}

# Room -> rooms it may import (design: data flows one way), beside those that every room may.
MAY_IMPORT = {
    "errors": set(),
    "hub_ids": set(),
    "version": set(),
    "publishing": set(),
    "registry": set(),
    "libraries": set(),
    "torchvision": set(),
    "untrusted": set(),
    "wording": set(),
    "writing": set(),
    "devices": set(),
    "cache": set(),
    "checkpoints": set(),
    "statistics": set(),
    "blind": {"records"},
    "records": set(),
    "names": set(),
    "files": {"cache", "names"},
    "reading": {"records", "taxonomy"},
    "taxonomy": {"records"},
    "video": {"records", "cache", "files"},
    "data": {"records", "video", "cache", "taxonomy", "reading", "names", "files"},
    "prompt_files": set(),
    "tasks": {"prompt_files"},
    "samples": {"records", "tasks", "taxonomy"},
    "journal": {"records", "reading"},
    "answering": {
        "checkpoints",
        "data",
        "devices",
        "journal",
        "names",
        "reading",
        "records",
        "samples",
        "tasks",
        "video",
    },
    "annotation": {
        "data",
        "files",
        "journal",
        "names",
        "reading",
        "records",
        "scoring",
        "statistics",
        "tasks",
        "taxonomy",
        "video",
    },
    "harnesses": {"data", "records", "samples", "scoring", "tasks", "video"},
    "interchange": {"data", "files", "journal", "names", "reading", "records", "samples", "tasks"},
    "judging": {"records", "cache", "prompt_files", "checkpoints", "reading", "statistics"},
    "scoring": {
        "blind",
        "judging",
        "reading",
        "taxonomy",
        "tasks",
        "records",
        "statistics",
        "cache",
        "checkpoints",
        "devices",
    },
    "answer_audit": {"judging", "reading", "records", "scoring", "tasks"},
    "data_audit": {"blind", "data", "names", "records", "scoring", "statistics"},
    "leaderboard": {"statistics", "records"},
    "api": {
        "answering",
        "data",
        "interchange",
        "journal",
        "judging",
        "leaderboard",
        "reading",
        "records",
        "samples",
        "scoring",
        "tasks",
        "taxonomy",
        "verification",
    },
    "verification": {
        "answering",
        "data",
        "interchange",
        "journal",
        "judging",
        "leaderboard",
        "prompt_files",
        "reading",
        "records",
        "scoring",
        "statistics",
        "tasks",
    },
    "report": {
        "video",
        "reading",
        "names",
        "files",
        "taxonomy",
        "leaderboard",
        "scoring",
        "tasks",
        "statistics",
        "records",
    },
    "training": {
        "cache",
        "checkpoints",
        "data",
        "files",
        "journal",
        "names",
        "prompt_files",
        "records",
        "samples",
        "tasks",
        "video",
    },
    "doctor": {"answering", "cache", "checkpoints", "data", "devices", "names", "files"},
    "severity": {
        "answering",
        "checkpoints",
        "data",
        "devices",
        "files",
        "journal",
        "judging",
        "prompt_files",
        "reading",
        "records",
        "statistics",
        "tasks",
        "video",
    },
    "adapters": {
        "answering",
        "files",
        "video",
        "records",
        "tasks",
        "checkpoints",
        "prompt_files",
        "cache",
        "judging",
        "reading",
        "devices",
        "names",
        "training",
    },
}


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_imports_run_one_way(room: str) -> None:
    allowed = MAY_IMPORT[room] | EVERYWHERE | {room}
    for path, package in modules(room):
        assert imported_rooms(path.read_text(encoding="utf-8"), package) <= allowed, path


def test_every_room_of_the_package_is_on_the_plan() -> None:
    assert set(rooms()) - {"cli"} == set(MAY_IMPORT)


def test_the_error_tree_is_drawn_as_it_is() -> None:
    defined = {
        name for name, value in vars(errors).items() if isinstance(value, type) and value.__module__ == errors.__name__
    }
    drawn = {word for line in (errors.__doc__ or "").splitlines() for word in line.replace("─", " ").split()[:3]}
    assert defined <= drawn
    codes = [e.code for e in errors.VideoError.__subclasses__()]
    assert len(set(codes)) == len(codes)
    assert all(code in (errors.__doc__ or "") for code in codes)


def test_error_messages_say_what_where_and_what_to_do() -> None:
    assert str(errors.DataError("a row is broken", "file.xlsx", "mend it")) == "a row is broken: file.xlsx: mend it"
    assert str(errors.UsageError("no such name", remedy="try another")) == "no such name: try another"


def test_published_prompts_are_unchanged() -> None:
    locked = dict(reversed(line.split("  ")) for line in (ROOT / "prompts/LOCK").read_text().splitlines())
    there = {p.relative_to(ROOT / "prompts").as_posix(): p for p in (ROOT / "prompts").glob("*/*.md")}
    assert {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in there.items()} == locked


def test_two_runs_cannot_be_swapped_by_position() -> None:
    """Every function about a base and a new run takes them as keywords, in this order; commands are called so."""
    found = []
    for path in sorted((ROOT / "ecva_bench").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and not path.is_relative_to(ROOT / "ecva_bench/cli"):
                by_keyword = [argument.arg for argument in node.args.kwonlyargs]
                by_position = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args)]
                if {"base", "new"} <= {*by_keyword, *by_position}:
                    assert [name for name in by_keyword if name in ("base", "new")] == ["base", "new"], node.name
                    found.append(node.name)
    assert {"compare", "gate", "reproduce", "mismatches", "pairs", "shortfalls", "paired_difference"} <= set(found)


def test_a_public_class_or_function_is_defined_once() -> None:
    places: dict[str, set[str]] = {}
    for room in ("ecva_bench", "adapters"):
        for path in (ROOT / room).rglob("*.py"):
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.name[0] != "_":
                    places.setdefault(node.name, set()).add(str(path.relative_to(ROOT)))
    assert {name: sorted(found) for name, found in places.items() if len(found) > 1 and name not in TWICE} == {}
    assert all(len(places[name]) > 1 for name in TWICE)
    assert len(TWICE) <= 8


def test_no_function_is_longer_than_60_lines() -> None:
    long = [
        f"{path.relative_to(ROOT)}: {node.name}"
        for path in sorted((ROOT / "ecva_bench").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None
        if node.end_lineno - node.lineno + 1 > 60
    ]
    assert long == []


@pytest.mark.parametrize("prompt_set", PROMPT_SETS)
@pytest.mark.parametrize("task", TASKS.values(), ids=lambda task: task.name)
def test_every_task_has_a_sourced_prompt_in_every_set_that_asks_it(task: Task, prompt_set: str) -> None:
    if prompt_set != "ours" and task.name in ("detection", "choice", "grounding", "severity"):
        assert not has_prompt(task, prompt_set)  # the authors ask none of these
        return
    prompt = prompt_for(task, prompt_set)
    assert all(f"{{{field}}}" in prompt.text for field in task.fields)
    assert prompt.id == f"{prompt_set}/{task.name}"
    assert prompt.source
    assert len(prompt.text) > 40


def test_every_folder_and_data_file_is_packaged() -> None:
    setup = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    folders = {"ecva_bench": ROOT / "ecva_bench", **{p: ROOT / f for p, f in setup["package-dir"].items()}}
    found, data = set(), set()
    for package, folder in folders.items():
        for path in folder.rglob("*"):
            if path.is_dir() or "__pycache__" in path.parts:
                continue
            if path.suffix == ".py":
                found.add(".".join([package, *path.relative_to(folder).parent.parts]))
            else:
                data.add(path)
    assert found == set(setup["packages"])
    matched = {
        path
        for package, patterns in setup["package-data"].items()
        for pattern in patterns
        for path in _folder_of(package, folders).glob(pattern)
    }
    assert data == matched


def _folder_of(package: str, folders: dict[str, Path]) -> Path:
    if package in folders:
        return folders[package]
    return folders["ecva_bench"].joinpath(*package.split(".")[1:])
