"""The list of guards is of today's code; that each is missed by a test when it is gone is tried by `make guards`."""

from __future__ import annotations

import pytest

from tests.guards import Guard, guards, problem

GUARDS = guards()


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.what)
def test_a_listed_guard_is_there_once_with_its_tests(guard: Guard) -> None:
    assert problem(guard) == ""


def test_the_list_is_long_and_names_each_guard_once() -> None:
    assert len(GUARDS) >= 46
    assert len({guard.what for guard in GUARDS}) == len(GUARDS)
    assert len({(guard.file, guard.text, guard.without) for guard in GUARDS}) == len(GUARDS)
