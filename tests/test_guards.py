"""The list of guards is of today's code; that each is missed by a test when it is gone is tried by `make guards`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.answering.test_kill import gone
from tests.guards import Guard, guards, problem, run_tests

GUARDS = guards()


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.what)
def test_a_listed_guard_is_there_once_with_its_tests(guard: Guard) -> None:
    assert problem(guard) == ""


def test_the_list_is_long_and_names_each_guard_once() -> None:
    assert len(GUARDS) >= 46
    assert len({guard.what for guard in GUARDS}) == len(GUARDS)
    assert len({(guard.file, guard.text, guard.without) for guard in GUARDS}) == len(GUARDS)


def test_what_a_tried_test_leaves_running_ends_with_it(tmp_path: Path) -> None:
    (tmp_path / "test_tried.py").write_text(
        "import os, pathlib, subprocess\n"
        "def test_it():\n"
        "    subprocess.Popen(['sleep', '60'])\n"
        "    pathlib.Path('group').write_text(str(os.getpgrp()))\n"
        "    assert False\n"
    )
    code, said = run_tests(tmp_path, ["test_tried.py"], 60)
    assert (code, "1 failed" in said) == (pytest.ExitCode.TESTS_FAILED, True), said
    assert gone(int((tmp_path / "group").read_text()))
