"""A number and its noun agree; no message of the project has a plural that is written by hand after a count."""

from __future__ import annotations

import ast
import re

import pytest

from ecva_bench.wording import counted
from tests.imports import modules, rooms

_PLURAL = re.compile(r"\{len\([^{}]*\)(?::,)?\} (?:[a-z]+ )?[a-z]+[^s\W]s\b(?! none)")  # a length and a word in -s


@pytest.mark.parametrize(
    ("number", "noun", "text"),
    [
        (0, "video", "0 videos"),
        (1, "video", "1 video"),
        (2, "second answer", "2 second answers"),
        (1, "reply", "1 reply"),
        (1200, "reply", "1,200 replies"),
        (3, "day", "3 days"),
    ],
)
def test_a_number_and_its_noun_agree(number: int, noun: str, text: str) -> None:
    assert counted(number, noun) == text


def test_no_message_inflects_a_counted_noun_by_hand() -> None:
    """`{len(videos)} videos` would be wrong of one video."""
    found = [
        f"{path}:{node.lineno}: {ast.unparse(node)}"
        for path in (path for room in rooms() for path, _ in modules(room))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.JoinedStr) and _PLURAL.search(ast.unparse(node))
    ]
    assert found == []
