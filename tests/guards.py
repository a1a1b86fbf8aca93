"""Takes guards out of the code, one at a time, and reports those that no test misses.

`python -m tests.guards` (`make guards`). A guard is what stands between hostile input and harm: a bound, a check, a
policy, a sync. `tests/guards.toml` lists them: the text that is the guard, what stands there without it, and the tests
that must fail then. All is done on copies below `results/guards`, where the tests must pass with every guard in place.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import SimpleQueue

from ecva_bench.answering.orphans import none_left
from tests.imports import ROOT

LIST = ROOT / "tests" / "guards.toml"
COPIES = ROOT / "results" / "guards"
SECONDS = 300  # for the tests of one guard: without it, some never end
_BELOW = ("adapters", "leaderboards", "prompts")  # parts of the package that lie beside it
_FAILED, _PASSED = 1, 0  # what pytest ends with


@dataclass(frozen=True)
class Guard:
    """`what` it keeps off, the `file` and the `text` that is it, what is there `without` it, and the `tests` for it."""

    what: str
    file: str
    text: str
    tests: tuple[str, ...]
    without: str = ""


def guards() -> list[Guard]:
    """Return the list, as it is written down."""
    listed = tomllib.loads(LIST.read_text(encoding="utf-8"))["guard"]
    return [Guard(**{**entry, "tests": tuple(entry["tests"])}) for entry in listed]


def problem(guard: Guard) -> str:
    """Return what is wrong with an entry of the list: its text or a test is not there, or not once; else nothing."""
    count = (ROOT / guard.file).read_text(encoding="utf-8").count(guard.text)
    if count != 1:
        return f"the text is {count} times in {guard.file}"
    if guard.without == guard.text:
        return "nothing is taken out"
    for test in guard.tests:
        file, _, name = test.partition("::")
        if f"def {name.partition('[')[0]}(" not in (ROOT / file).read_text(encoding="utf-8"):
            return f"there is no test {test}"
    return "" if guard.tests else "there is no test"


def lay_out(number: int) -> Path:
    """Return a copy of the project: what git knows, and new files that it does not ignore."""
    folder = COPIES / str(number)
    shutil.rmtree(folder, ignore_errors=True)
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    for part in _BELOW:
        (folder / "ecva_bench" / part).symlink_to(folder / part)
    return folder


def run_tests(folder: Path, tests: Sequence[str], seconds: float) -> tuple[int, str]:
    """Run tests in a copy; return what pytest ended with, `_FAILED` also where time was up, and what it said.

    What the tests started ends with them: a reader whose bound is gone would keep a core busy for hours.
    """
    options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:unraisableexception", "-m", "slow or not slow"]
    command = [sys.executable, "-m", "pytest", *options, *tests]
    env = {**os.environ, "PYTHONPATH": str(folder)}  # for the programs that tests start elsewhere
    with tempfile.TemporaryFile("w+", encoding="utf-8") as log:  # what is left of a test may hold a pipe open
        process = subprocess.Popen(
            command, cwd=folder, env=env, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            return _FAILED, "the time was up"
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        log.seek(0)
        said = [line for line in log if line.strip()]
    return code, said[-1].strip() if said else ""


def verdict(guard: Guard, copies: SimpleQueue[Path]) -> str:
    """Take a guard out of a copy, test it, put it back; return what is wrong, nothing where a test failed."""
    folder = copies.get()
    file = folder / guard.file
    whole = file.read_text(encoding="utf-8")
    try:
        file.write_text(whole.replace(guard.text, guard.without), encoding="utf-8")
        code, said = run_tests(folder, guard.tests, SECONDS)
    finally:
        file.write_text(whole, encoding="utf-8")
        copies.put(folder)
    return "" if code == _FAILED else "no test fails" if code == _PASSED else f"the tests cannot be run: {said}"


def main() -> int:
    """Try the guards that are named by a part of what they say, all of them by default."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="*", help="words of a guard's file or description")
    parser.add_argument("--jobs", type=int, default=1)
    arguments = parser.parse_args()
    chosen = [one for one in guards() if all(word in f"{one.file} {one.what}" for word in arguments.only)]
    if broken := [f"{one.what}: {why}" for one in chosen if (why := problem(one))]:
        print(*broken, sep="\n")
        return 2
    copies: SimpleQueue[Path] = SimpleQueue()
    for number in range(arguments.jobs):
        copies.put(lay_out(number))
    folder = copies.get()
    code, said = run_tests(folder, sorted({test for one in chosen for test in one.tests}), 10 * SECONDS)
    copies.put(folder)
    if code != _PASSED:
        print(f"with every guard in its place a test fails: {said}")
        return 2
    alive = 0
    with ThreadPoolExecutor(arguments.jobs) as pool:
        for guard, wrong in zip(chosen, pool.map(partial(verdict, copies=copies), chosen), strict=True):
            alive += bool(wrong)
            print("ALIVE " if wrong else "caught", f"{guard.what} ({guard.file})", wrong, flush=True)
    print(f"{len(chosen) - alive} of {len(chosen)} guards are missed by a test when they are gone")
    return int(alive > 0)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # ends this at once; tests, which it does not reach, end after it
    with none_left():
        sys.exit(main())
