"""Loading 100,000 rows of a described data set: CPU seconds and memory, beside reading the same file with the standard
library or pyarrow alone. Each measurement is a process of its own."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import tempfile
from collections.abc import Collection
from pathlib import Path

ROWS = 100_000
SHAPES = {
    "a text, a class and a span": """
name = "made"
id = "video"
description = "what"
times = {{ unit = "seconds", start = "start", end = "end" }}
classification = {{ column = "class", classes = ["fire", "fall", "theft"] }}
splits = {{ test = ["{file}"] }}
""",
    "two texts, a class, a span and a choice of four": """
name = "made"
id = "video"
description = "what"
cause = "why"
times = {{ unit = "seconds", start = "start", end = "end" }}
classification = {{ column = "class", classes = ["fire", "fall", "theft"] }}
choice = {{ question = "question", options = ["a", "b", "c", "d"], answer = "key", answer_is = "letter" }}
splits = {{ test = ["{file}"] }}
""",
}
MEASURED = """
import time
{setup}
def memory():
    return int(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))) // 1024
base, begin = memory(), time.process_time()
{work}
print(time.process_time() - begin, memory(), base)
"""
ALONE = {
    "csv": ("import csv", "rows = list(csv.DictReader(open({path!r}, newline='', encoding='utf-8')))"),
    "jsonl": ("import json", "rows = [json.loads(line) for line in open({path!r}, encoding='utf-8')]"),
    "parquet": ("import pyarrow.parquet as p", "rows = p.read_table({path!r}).to_pylist()"),
}


def row(number: int) -> dict[str, object]:
    start = number * 7.31 % 3600  # nearly every row has times of its own
    return {
        "video": f"made/{number:06}.mp4",
        "question": f"What happens first in scene {number}?",
        **{letter: f"option {letter} of scene {number}" for letter in "abcd"},
        "key": "ABCD"[number % 4],
        "what": f"A person of scene {number} falls over a box that somebody left in the way, and gets up again.",
        "why": f"Nobody of scene {number} put the box away.",
        "class": ("fire", "fall", "theft")[number % 3],
        "start": round(start, 2),
        "end": round(start + 7.25, 2),
    }


def write(folder: Path, columns: Collection[str]) -> list[Path]:
    rows = [{name: value for name, value in row(number).items() if name in columns} for number in range(ROWS)]
    files = [folder / f"made.{suffix}" for suffix in ALONE]
    with files[0].open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(rows[0]))
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
    for shape, text in SHAPES.items():
        with tempfile.TemporaryDirectory() as name:
            print(f"{ROWS} videos with {shape}")
            columns = {word.strip('",[]') for word in text.split()}
            for file in write(Path(name), columns):
                kind = file.suffix[1:]
                described = Path(name) / f"{kind}.toml"
                described.write_text(text.format(file=file.name), encoding="utf-8")
                setup = "import ecva_bench as eb, ecva_bench.data.described; eb.load_dataset('mini')"
                setup += "; import pyarrow.parquet" if kind == "parquet" else ""
                ours = min(measured(setup, f"found = eb.load_dataset({str(described)!r})") for _ in range(7))
                before, work = ALONE[kind]
                alone = min(measured(before, work.format(path=str(file))) for _ in range(7))
                print(
                    f"  {kind:<8} {ours[0]:.2f} s CPU, {ours[1]} MB ({ours[2]} MB before); "
                    f"the rows alone, without their meaning: {alone[0]:.2f} s, {alone[1]} MB"
                )


if __name__ == "__main__":
    main()
