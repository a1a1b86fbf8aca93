"""Changes the code of a room in small ways, one at a time, and reports which of them its tests do not notice.

`python -m tests.mutants ROOM` (`make mutants ROOM=statistics`). mutmut makes the mutants and runs the tests that reach
each of them. What is here: which tests answer for a room, which mutants count, and the report. All is done on a copy
below `results/mutants`.
"""

from __future__ import annotations

import argparse
import ast
import datetime
import difflib
import json
import os
import random
import shutil
import subprocess
import sys
import textwrap
import tomllib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.imports import ROOT

# The tests that answer for a room. They are run once for each mutant that they reach, so they are quick.
TESTS = {
    "statistics": ["tests/test_statistics*.py"],
    "leaderboard": ["tests/leaderboard", "tests/cli/test_compare_commands.py", "tests/cli/test_trust_commands.py"],
    "scoring": ["tests/scoring", "tests/cli/test_score_commands.py"],
    "answer_audit": ["tests/answer_audit"],
    "judging": ["tests/judging", "tests/adapters/test_batches.py", "tests/cli/test_judge_scores.py"],
    "data": ["tests/data", "tests/cli/test_data_commands.py"],
}
# These start processes of their own, which know nothing of mutmut.
DESELECTED = (
    "tests/data/test_mini.py::test_two_renderers_at_once_do_no_harm",
    "tests/data/test_mini_identity.py::test_a_comment_changes_nothing",
    "tests/judging/test_kill.py",
    "tests/judging/test_real_server.py",
)
# Drawings: half of their room's mutants, and any other pixel fails a test of the split's identity.
LEFT_OUT = ("ecva_bench/data/canvas.py", "ecva_bench/data/scenes/*")
SAMPLE = 300  # mutants a run, where a room has more
WHOLE = ("statistics",)  # tried whole: its tests take no time
LEAST_KILLED = 0.95
EQUIVALENT = ROOT / "tests" / "equivalent_mutants.toml"
_KILLED = {1: "killed", 3: "killed", 24: "timed out", -24: "timed out", 36: "timed out", 152: "timed out"}
_SURVIVED = {0: "survived", 5: "no test", 33: "no test"}
# `unraisableexception` collects garbage at every end of pytest, which takes longer than most tests.
_SETTINGS = """[mutmut]
source_paths=ecva_bench
only_mutate=ecva_bench/{room}/*
do_not_mutate=
    {left_out}
also_copy=
    {copied}
pytest_add_cli_args_test_selection=
    {tests}
pytest_add_cli_args=
    -p
    no:unraisableexception
    -p
    no:cacheprovider
    {deselected}
process_isolation=fork
timeout_multiplier=4
timeout_constant=2
use_git_change_detection=false
"""


@dataclass(frozen=True)
class Mutant:
    """One change: mutmut's name for it, the function it is in, and the lines before and after, without indents."""

    name: str
    function: str
    before: tuple[str, ...]
    after: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join([self.name, *(f"  - {line}" for line in self.before), *(f"  + {line}" for line in self.after)])


@dataclass(frozen=True)
class Equivalent:
    """A mutant that no test can tell from the code, and why; found again by its lines, for numbers move."""

    function: str
    before: str
    after: str
    reason: str


def equivalents() -> list[Equivalent]:
    """Return what has been looked at and found equivalent."""
    return [Equivalent(**entry) for entry in tomllib.loads(EQUIVALENT.read_text(encoding="utf-8"))["mutant"]]


def counts(before: str, after: str) -> bool:
    """Return whether a change of a function is one that tests should notice: not one of words meant for people.

    Left out are messages (strings with a space, and what is raised), `strict=` of `zip`, encodings and the `dtype` of
    an array, which a type checker or another machine would notice.
    """
    return ast.dump(_Plain().visit(ast.parse(before))) != ast.dump(_Plain().visit(ast.parse(after)))


class _Plain(ast.NodeTransformer):
    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        return ast.Raise(node.exc.func) if isinstance(node.exc, ast.Call) else node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return ast.Constant(None) if isinstance(node.value, str) and " " in node.value and node.value.strip() else node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if isinstance(node.func, ast.Attribute) and node.func.attr == "astype":
            node.args = []
        node.keywords = [one for one in node.keywords if one.arg not in ("strict", "encoding", "newline", "dtype")]
        return self.generic_visit(node)


def lay_out(room: str) -> Path:
    """Return a folder with the project by links, and mutmut's settings for a room; what lay there is removed."""
    folder = ROOT / "results" / "mutants" / room
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    there = [path for path in sorted(ROOT.iterdir()) if path.name not in ("results", ".git", ".venv", ".ci-venv")]
    there = [path for path in there if not path.name.endswith(("_cache", ".egg-info")) and path.name != ".hypothesis"]
    for path in there:
        (folder / path.name).symlink_to(path)
    copied = [path.name for path in there if path.name not in ("ecva_bench", "tests", "pyproject.toml")]
    tests = [path.relative_to(ROOT).as_posix() for pattern in TESTS[room] for path in sorted(ROOT.glob(pattern))]
    lines = {"copied": copied, "tests": tests, "left_out": LEFT_OUT}
    lines["deselected"] = [f"--deselect={test}" for test in DESELECTED]
    settings = _SETTINGS.format(room=room, **{name: "\n    ".join(each) for name, each in lines.items()})
    (folder / "setup.cfg").write_text(settings, encoding="utf-8")
    return folder


def mutants(room: str) -> list[Mutant]:
    """Return the mutants of a room, in the order of its files; the working folder is one that `lay_out` made."""
    from mutmut.mutation.file_mutation import mutate_file_contents
    from mutmut.utils.format_utils import get_mutant_name, mangled_name_from_mutant_name

    found = []
    for path in sorted(Path("ecva_bench", room).rglob("*.py")):
        if any(path.match(pattern) for pattern in LEFT_OUT):
            continue
        made = mutate_file_contents(str(path), path.read_text(encoding="utf-8"))
        lines = made.code.splitlines()
        for name in made.mutant_names:
            mangled = mangled_name_from_mutant_name(name)
            both = [made.line_span_by_function_name[one] for one in (f"{mangled}__mutmut_orig", name)]
            before, after = ("\n".join(lines[span.start - 1 : span.end]) for span in both)
            before, after = before.replace(f"{mangled}__mutmut_orig", "f"), after.replace(name, "f")
            if counts(textwrap.dedent(before), textwrap.dedent(after)):
                function = mangled.removeprefix("x_").removeprefix("xǁ").replace("ǁ", ".")
                where = f"{'.'.join(path.with_suffix('').parts)}.{function}"
                found.append(Mutant(get_mutant_name(path, name), where, *_changed(before, after)))
    return found


def _changed(before: str, after: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    old, new = ([line.strip() for line in text.splitlines()] for text in (before, after))
    edits = [edit for edit in difflib.SequenceMatcher(None, old, new, False).get_opcodes() if edit[0] != "equal"]
    first, last = edits[0], edits[-1]
    return tuple(old[first[1] : last[2]]), tuple(new[first[3] : last[4]])


def try_out(room: str, chosen: Sequence[Mutant], jobs: int) -> dict[str, str]:
    """Return what became of each mutant, by name."""
    environment = {**os.environ, "CI": "true", "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "mutmut", "run", "--max-children", str(jobs), *(m.name for m in chosen)]
    with Path("mutmut.log").open("w", encoding="utf-8") as log:
        done = subprocess.run(command, env=environment, stdout=log, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise SystemExit(Path("mutmut.log").read_text(encoding="utf-8")[-4000:])
    codes: dict[str, int | None] = {}
    for path in Path("mutants", "ecva_bench", room).rglob("*.meta"):
        codes |= json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"]
    return {m.name: (_KILLED | _SURVIVED).get(codes[m.name], f"exit code {codes[m.name]}") for m in chosen}


def main(arguments: Sequence[str]) -> int:
    """Try the mutants of a room, and return 1 where too few are killed."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("room", choices=TESTS)
    year, week, _ = datetime.datetime.now(tz=datetime.UTC).isocalendar()
    parser.add_argument("--seed", type=int, default=year * 100 + week, help="draws the sample (default: this week's)")
    parser.add_argument("--sample", type=int, help="how many mutants; 0 for all")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these, as a report names them")
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args(arguments)
    sample = options.sample if options.sample is not None else 0 if options.room in WHOLE else SAMPLE
    os.chdir(lay_out(options.room))
    listed = {(one.function, one.before, one.after) for one in equivalents()}
    there = mutants(options.room)
    open_ones = [m for m in there if (m.function, "\n".join(m.before), "\n".join(m.after)) not in listed]
    if options.only:
        chosen = [m for m in open_ones if m.name in options.only]
    elif 0 < sample < len(open_ones):
        chosen = random.Random(options.seed).sample(open_ones, sample)
    else:
        chosen = open_ones
    print(f"{options.room}: {len(there)} mutants, {len(there) - len(open_ones)} of them listed as equivalent")
    print(f"{len(chosen)} are tried, seed {options.seed}", flush=True)
    fates = try_out(options.room, chosen, options.jobs)
    alive = [m for m in chosen if fates[m.name] not in _KILLED.values()]
    report = [*(f"{fates[m.name]}: {m}" for m in alive), f"{dict(Counter(fates.values()))}"]
    share = 1 - len(alive) / len(chosen)
    report.append(f"{share:.1%} killed of {len(chosen)}, at least {LEAST_KILLED:.0%} wanted")
    print("\n\n".join(report))
    Path("report.txt").write_text("\n\n".join(report) + "\n", encoding="utf-8")
    return int(share < LEAST_KILLED)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
