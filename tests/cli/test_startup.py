"""The command line starts in a blink: nothing heavy is imported before it is needed."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("torch", "transformers", "av", "numpy", "openpyxl", "nltk", "rapidfuzz", "rich.progress")


def python(program: str) -> str:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    "arguments",
    [
        "--help",
        "run --help",
        "score --help",
        "data check --help",
        "data audit --help",
        "leaderboard --help",
        "models check --help",
        "gate --help",
        "audit --help",
        "view --help",
    ],
)
def test_help_imports_nothing_heavy(arguments: str) -> None:
    program = (
        "import sys, atexit\n"
        f"atexit.register(lambda: print('HEAVY', [m for m in {HEAVY!r} if m in sys.modules]))\n"
        f"sys.argv[1:] = {arguments.split()!r}\n"
        "from ecva_bench.cli import main; main()"
    )
    shown = python(program)
    assert "Usage" in shown
    assert "HEAVY []" in shown


@pytest.mark.parametrize("listing", ["models", "models --json", "models show vila", "tasks", "scorers"])
def test_listings_import_no_model_library(listing: str) -> None:
    program = (
        "import sys, atexit\n"
        "atexit.register(lambda: print('HEAVY', [m for m in ('torch', 'transformers') if m in sys.modules]))\n"
        f"sys.argv[1:] = {listing.split()!r}\n"
        "from ecva_bench.cli import main; main()"
    )
    assert "HEAVY []" in python(program)
