"""Where things lie in `adapters`: what one model needs with that model, what several need in `parts`."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from tests.imports import ROOT

ADAPTERS = ROOT / "adapters"
# A model that is another one with something changed. Nobody else may import a model.
VARIANTS = {
    ("a_guardian", "video_chatgpt"),
    ("anomshield_mini", "anomshield"),
    ("blind", "openai_endpoint"),
    ("moviellm", "llama_vid"),
    ("second_round", "oracle"),
    ("vllm_engine", "hf"),
}


def imported(path: Path) -> Iterator[Path]:
    """Yield the files of `adapters` that a file imports anywhere."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = path.parents[node.level - 1].joinpath(*(node.module or "").split("."))
            found = [base.with_suffix(".py"), *(base / f"{alias.name}.py" for alias in node.names)]
            yield from (each for each in found if each.is_file() and ADAPTERS in each.parents)


def owner(path: Path) -> str:
    """Return the model a file belongs to, or `parts`."""
    return path.relative_to(ADAPTERS).parts[0].removesuffix(".py")


FILES = [path for path in sorted(ADAPTERS.rglob("*.py")) if path.name != "__init__.py"]


def test_a_part_imports_no_model_and_a_model_only_the_one_it_is_a_variant_of() -> None:
    across = {(owner(path), owner(each)) for path in FILES for each in imported(path)}
    assert {(a, b) for a, b in across if a != b and b != "parts"} == VARIANTS


def test_a_part_is_shared_by_two_models_or_more() -> None:
    users = defaultdict(set)
    for path in FILES:
        if (model := owner(path)) == "parts":
            continue
        waiting = [path]
        while waiting:
            for each in imported(waiting.pop()):
                if owner(each) == "parts" and model not in users[each]:
                    users[each].add(model)
                    waiting.append(each)
    assert [path.relative_to(ADAPTERS) for path in FILES if owner(path) == "parts" and len(users[path]) < 2] == []
