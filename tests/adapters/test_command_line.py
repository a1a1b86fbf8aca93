"""How a program in another environment is named, before any is started."""

from __future__ import annotations

import sys

import pytest

from ecva_bench.adapters.command.adapter import command_line
from ecva_bench.answering import create_adapter
from ecva_bench.errors import AdapterError, UsageError


@pytest.mark.parametrize(
    ("target", "env", "expected"),
    [
        ("python -I my.py --size '7 b'", "", ["python", "-I", "my.py", "--size", "7 b"]),
        ("python3.10 -I my.py", sys.executable, [sys.executable, "-I", "my.py"]),
        ("/a/my.py x", "", [sys.executable, "-E", "-s", "/a/my.py", "x"]),
        ("my.py", sys.executable, [sys.executable, "-E", "-s", "my.py"]),
        ("docker run -i image", "", ["docker", "run", "-i", "image"]),
    ],
)
def test_the_command_line(target: str, env: str, expected: list[str]) -> None:
    assert command_line(target, env) == expected


@pytest.mark.parametrize(
    ("target", "env", "why"),
    [
        ("python 'my.py", "", "cannot be read"),
        (" ", "", "empty"),
        ("python my.py", "/no/python", "no interpreter: /no/python"),
        ("docker run", sys.executable, "leave out env"),
    ],
)
def test_a_command_line_that_cannot_be_told(target: str, env: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        command_line(target, env)


@pytest.mark.parametrize("option", [{"timeout": "soon"}, {"timeout": "0"}, {"timeout": "inf"}, {"frames": "-1"}])
def test_options_without_meaning_are_refused(option: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        create_adapter("command:my.py", option)


def test_a_program_that_is_not_there_is_named() -> None:
    with pytest.raises(AdapterError, match=r"could not be started .*/no/such"):
        create_adapter("command:/no/such program").describe()
