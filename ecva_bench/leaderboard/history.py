"""The means of the last gates: one line of JSON per gate in a file that a job keeps, and a sparkline.

No verdict depends on this file.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from ..errors import ResultsError
from ..records.base import canonical_json
from ..untrusted import parse_json
from .gate import Gate

RUNS = 20
_BARS = "▁▂▃▄▅▆▇█"


def remember(found: Gate, path: Path) -> dict[str, list[float]]:
    """Append a gate's means to the file and return the last 20 of each column, oldest first, its own included.

    The same run gated again is not a new one. Raises `ResultsError` where the file is no history or cannot be written.
    """
    line = canonical_json(
        {
            "run": found.new.results_sha256,
            "verdict": found.verdict,
            "means": {one.name: one.new for one in found.checks},
        }
    )
    try:
        lines = path.read_text(encoding="utf-8").split("\n")[:-1] if path.exists() else []
        means = [parse_json(one)["means"] for one in lines]  # before anything is written to what may be no history
        if line not in lines:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8") as file:
                file.write(line + "\n")
            means.append(parse_json(line)["means"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ResultsError("the history of gates cannot be kept", path, f"name another file ({error})") from None
    columns: dict[str, list[float]] = defaultdict(list)
    for run in means:
        for name, mean in run.items():
            columns[name].append(mean)
    return {name: values[-RUNS:] for name, values in columns.items()}


def sparkline(values: Sequence[float]) -> str:
    """Return a bar per value, from the lowest value to the highest; middling bars where all are alike."""
    low, high = min(values, default=0.0), max(values, default=0.0)
    if low == high:
        return _BARS[len(_BARS) // 2] * len(values)
    return "".join(_BARS[round((value - low) / (high - low) * (len(_BARS) - 1))] for value in values)
