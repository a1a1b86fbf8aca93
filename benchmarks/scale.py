"""What every command that reads answers costs at 20,000 of them and at 200,000: CPU seconds, and the most memory.

    python -m benchmarks.scale [--answers 20000 200000] [--only score view] [--folder FOLDER]

Five tasks about each video, in full, without its anomaly, without a normal span and without a picture: 16 answers a
video, each of 40 to 80 words over 16 frames. The videos are links to one clip of five seconds, and the answers are
asked by `run`. Every figure is that of a process of its own. With --folder, the files stay and are used again. Takes
about an hour of one core, a third of it for the files.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np

from benchmarks.talker import words

A_VIDEO = 16  # answers
CLASSES = ("fire", "fall", "theft", "fight")
DESCRIPTION = f"""
name = "made"
id = "video"
description = "what"
cause = "why"
effect = "then"
times = {{ unit = "seconds", start = "start", end = "end" }}
classification = {{ column = "class", classes = {list(CLASSES)} }}
splits = {{ test = ["made.csv"] }}
"""
MODEL = f"{Path(__file__).with_name('talker.py')}:Talker"
DATA = ("--data", "made.toml")
ASKED = ("--model", MODEL, *DATA, "--videos", "clips", "--edited", "anomaly,control,blank")

# What is measured, in this order: its arguments, and the file or folder that it must not find. Others need the scores.
COMMANDS: dict[str, tuple[tuple[str, ...], str]] = {
    "run, nothing to do": (("run", *ASKED, "--out", "resumed.jsonl"), ""),
    "plan": (("plan", *ASKED, "--out", "one.jsonl"), ""),
    "score": (("score", "one.jsonl", *DATA), ""),
    "summary": (("summary", "one.jsonl"), ""),
    "compare": (("compare", "one.jsonl", "two.jsonl", *DATA), ""),
    "gate": (("gate", "two.jsonl", "--against", "one.jsonl"), ""),
    "audit": (("audit", "one.jsonl", *DATA), ""),
    "audit, two runs": (("audit", "one.jsonl", "two.jsonl", *DATA), ""),
    "leaderboard": (("leaderboard", "one.jsonl", "two.jsonl", "--out", "board"), ""),
    "submit": (("submit", "one.jsonl", *DATA, "--to", "boards"), "boards"),
    "leaderboard --build": (("leaderboard", "--build", "boards", "--no-published"), ""),
    "view": (("view", "one.jsonl", *DATA, "--videos", "clips", "--no-serve", "--out", "page"), "page"),
    "merge": (("merge", "one.jsonl", "copy.jsonl", "--out", "merged.jsonl"), "merged.jsonl"),
    "export": (("export", "one.jsonl", "--to", "csv", "--out", "one.csv"), "one.csv"),
    "import": (("import", "one.csv", *DATA, "--name", "other", "--out", "imported.jsonl"), "imported.jsonl"),
}


def measured(folder: Path, command: Sequence[str]) -> tuple[float, float]:
    """Return the CPU seconds and the most memory in MB of a command of the program, run in a folder."""
    with (folder / "said.txt").open("w") as said:
        program = [sys.executable, "-m", "ecva_bench", *command]
        process = subprocess.Popen(program, cwd=folder, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode > 1:  # 1: a gate that failed, an audit that found something
        raise SystemExit(f"{' '.join(command)}: {(folder / 'said.txt').read_text()[-2000:]}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def prepare(folder: Path, answers: int) -> None:
    """Write the data set, the clips, two runs about them and the scores of the second, as far as they are not there."""
    folder.mkdir(parents=True, exist_ok=True)
    videos = [f"{number:06}.mp4" for number in range(answers // A_VIDEO)]
    _write_data(folder, videos)
    for name, seed in (("one", ()), ("two", ("--model-arg", "seed=1"))):
        if not (folder / f"{name}.jsonl").exists():
            measured(folder, ["run", *ASKED, *seed, "--out", f"{name}.jsonl"])
    for name in ("copy", "resumed"):
        shutil.copy(folder / "one.jsonl", folder / f"{name}.jsonl")
    if not (folder / "two.scores.jsonl").exists():
        measured(folder, ["score", "two.jsonl", *DATA])


def _write_data(folder: Path, videos: Sequence[str]) -> None:
    if (folder / "made.toml").exists():
        return
    drawn = random.Random(0)
    with (folder / "made.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(("video", "what", "why", "then", "class", "start", "end"))
        for video in videos:
            start = drawn.randint(0, 20) / 10
            texts = [words(drawn, 25) for _ in range(3)]
            table.writerow((video, *texts, drawn.choice(CLASSES), start, start + drawn.randint(5, 20) / 10))
    (folder / "clips").mkdir()
    _write_clip(folder / "clip.mp4")
    for video in videos:
        (folder / "clips" / video).hardlink_to(folder / "clip.mp4")
    (folder / "made.toml").write_text(DESCRIPTION)


def _write_clip(path: Path) -> None:
    with av.open(str(path), "w") as clip:
        stream = clip.add_stream("libx264", rate=5)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(25):
            picture = np.full((48, 64, 3), 9 * number, dtype=np.uint8)
            clip.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        clip.mux(stream.encode())


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)


def main() -> None:
    """Print a row for each command as soon as it is known."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--answers", type=int, nargs="+", default=[20_000, 200_000])
    parser.add_argument("--only", nargs="+", choices=COMMANDS, default=list(COMMANDS), metavar="COMMAND")
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=".") as temporary:
        folders = {count: (given.folder or Path(temporary)) / str(count) for count in given.answers}
        for count, folder in folders.items():
            prepare(folder, count)
        print(f"| command | {' | '.join(f'{count:,} answers' for count in folders)} | ratio |")
        print(f"| --- |{' --- |' * (len(folders) + 1)}")
        for name in given.only:
            command, out = COMMANDS[name]
            costs = []
            for folder in folders.values():
                if out:
                    _remove(folder / out)
                costs.append(measured(folder, command))
            cells = [f"{seconds:.1f} s, {memory:.0f} MB" for seconds, memory in costs]
            print(f"| `{name}` | {' | '.join(cells)} | {costs[-1][0] / costs[0][0]:.1f} |", flush=True)


if __name__ == "__main__":
    main()
