"""Loading 100,000 rows of a described data set: CPU seconds and memory, beside reading the same file with the standard
library or pyarrow alone. Each measurement is a process of its own."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROWS = 100_000
COLUMNS = ("video", "question", "a", "b", "c", "d", "key", "what", "why", "class", "start", "end")
DESCRIPTION = """
name = "made"
id = "video"
description = "what"
cause = "why"
times = {{ unit = "seconds", start = "start", end = "end" }}
classification = {{ column = "class", classes = ["fire", "fall", "theft"] }}
choice = {{ question = "question", options = ["a", "b", "c", "d"], answer = "key", answer_is = "letter" }}
splits = {{ test = ["{file}"] }}
"""
MEASURED = """
import resource, time
{setup}
base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
begin = time.process_time()
{work}
seconds = time.process_time() - begin
print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, base // 1024)
"""
ALONE = {
    "csv": ("import csv", "rows = list(csv.DictReader(open({path!r}, newline='', encoding='utf-8')))"),
    "jsonl": ("import json", "rows = [json.loads(line) for line in open({path!r}, encoding='utf-8')]"),
    "parquet": ("import pyarrow.parquet as p", "rows = p.read_table({path!r}).to_pylist()"),
}


def row(number: int) -> dict[str, object]:
    start = number % 50
    return {
        "video": f"made/{number:06}.mp4",
        "question": f"What happens first in scene {number}?",
        **{letter: f"option {letter} of scene {number}" for letter in "abcd"},
        "key": "ABCD"[number % 4],
        "what": f"A person of scene {number} falls over a box that somebody left in the way, and gets up again.",
        "why": f"Nobody of scene {number} put the box away.",
        "class": ("fire", "fall", "theft")[number % 3],
        "start": start + 0.5,
        "end": start + 7.25,
    }


def write(folder: Path) -> list[Path]:
    rows = [row(number) for number in range(ROWS)]
    files = [folder / f"made.{suffix}" for suffix in ALONE]
    with files[0].open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, COLUMNS)
        table.writeheader()
        table.writerows(rows)
    files[1].write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        print("parquet: pyarrow is not installed")
        return files[:2]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), files[2])
    return files


def measured(setup: str, work: str) -> tuple[float, int, int]:
    """Return CPU seconds, and the largest memory in MB with the work and before it."""
    code = MEASURED.format(setup=setup, work=work)
    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    seconds, most, base = shown.split()
    return float(seconds), int(most), int(base)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        for file in write(Path(name)):
            described = Path(name) / f"{file.suffix[1:]}.toml"
            described.write_text(DESCRIPTION.format(file=file.name), encoding="utf-8")
            setup = "import ecva_bench as eb; eb.load_dataset('mini'); import ecva_bench.data.described"
            ours = min(measured(setup, f"found = eb.load_dataset({str(described)!r})") for _ in range(3))
            before, work = ALONE[file.suffix[1:]]
            alone = min(measured(before, work.format(path=str(file))) for _ in range(3))
            print(
                f"{file.suffix[1:]:<8} {ROWS} rows: {ours[0]:.2f} s CPU, {ours[1]} MB ({ours[2]} MB before); "
                f"rows alone, without meaning: {alone[0]:.2f} s, {alone[1]} MB"
            )


if __name__ == "__main__":
    main()
