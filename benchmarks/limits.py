"""What one input or one disk can cost: answers a second, memory for a huge clip and for a reply without an end.

    python -m benchmarks.limits [--answers 2000]

Each figure of memory is that of a process of its own, with what importing alone takes. What every command takes at
20,000 and 200,000 answers is measured by `benchmarks.scale`.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ecva_bench.journal.writer import Journal
from tests.test_journal import answer, manifest
from tests.video.test_limits import write_huge

# The most memory since the program began: what `getrusage` tells may be that of the process that started it.
_PEAK = "print(int(open('/proc/self/status').read().partition('VmHWM:')[2].split()[0]) // 1024)"
_CLIP = "import sys; from ecva_bench.video.probing import probe; print(probe(sys.argv[1]).error); "
_REPLY = (
    "import asyncio; from ecva_bench.judging.transport import Transport\n"
    "from tests.judging.test_bodies import Endless\n"
    "async def ask():\n"
    "    transport = Transport(Endless(6 << 30).url, connections=1, timeout=120, setting='')\n"
    "    print((await transport.post({})).what)\n"
    "    await transport.close()\n"
    "asyncio.run(ask())\n"
)


def answers_a_second(folder: Path, count: int, *, together: bool) -> float:
    """Return how many answers a journal takes a second, synced together or each by itself."""
    ids = tuple(f"{number}/cause" for number in range(count))
    with Journal(folder / f"{together}.jsonl", manifest(ids)) as journal:
        start = time.monotonic()
        for sample in ids:
            journal.append(answer(sample, "word " * 200))
            if not together:
                journal.sync()
        journal.sync()
        return count / (time.monotonic() - start)


def measured(program: str, *arguments: str) -> tuple[str, int]:
    """Return what a program says, and the most memory it took in MiB."""
    run = [sys.executable, "-c", program + _PEAK, *arguments]
    *said, peak = subprocess.run(run, capture_output=True, text=True, check=True).stdout.splitlines()
    return " ".join(said), int(peak)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--answers", type=int, default=2000)
    count = parser.parse_args().answers
    with tempfile.TemporaryDirectory(dir=".") as name:
        folder = Path(name)
        each = answers_a_second(folder, max(10, count // 10), together=False)
        group = answers_a_second(folder, count, together=True)
        print(f"answers a second: {group:,.0f} synced together, {each:,.0f} one by one, {group / each:.1f} times")
        clip = write_huge(folder / "huge.h264", 9600, 4096)
        for what, program, argument in (("huge clip", _CLIP, str(clip)), ("endless reply", _REPLY, "")):
            said, peak = measured(program, argument)
            print(f"{what}: {peak} MiB at most: {said}")
    print("every command at 20,000 and at 200,000 answers: python -m benchmarks.scale")


if __name__ == "__main__":
    main()
