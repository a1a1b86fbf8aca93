"""What the mutation run counts and how it finds equivalent mutants again; the run itself is `make mutants`."""

from __future__ import annotations

import importlib
import inspect
import textwrap

import pytest

from tests.imports import ROOT, rooms
from tests.mutants import DESELECTED, LEFT_OUT, TESTS, counts, equivalents

BEFORE = """
def f(values, sign=1):
    if not values:
        raise ValueError("there is no value", "file", sign)
    shown = "the sum is"
    return {"sum": sign * sum(x for x, _ in zip(values, values, strict=True)), "text": shown}
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("sign *", "sign /"),
        ("sign=1", "sign=2"),
        ("if not values", "if values"),
        ('"sum"', '"SUM"'),
        ("zip(values, values,", "zip(values, None,"),
        ("raise ValueError", "raise KeyError"),
    ],
)
def test_a_change_of_what_is_computed_counts(old: str, new: str) -> None:
    assert counts(BEFORE, BEFORE.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("the sum is", "XXthe sum isXX"),
        ("there is no value", "THERE IS NO VALUE"),
        ('"file", sign', "None, sign"),
        (", strict=True", ""),
        ("strict=True", "strict=False"),
    ],
)
def test_a_change_of_words_for_people_does_not(old: str, new: str) -> None:
    assert not counts(BEFORE, BEFORE.replace(old, new))


def test_what_is_listed_as_equivalent_is_still_in_the_code_and_says_why() -> None:
    for one in equivalents():
        module, _, name = one.function.removeprefix("ecva_bench.").partition(".")
        assert module in TESTS
        owner = importlib.import_module(".".join(["ecva_bench", module, name.split(".")[0]]))
        for part in name.split(".")[1:]:
            owner = getattr(owner, part)
        lines = [line.strip() for line in textwrap.dedent(inspect.getsource(owner)).splitlines()]
        assert one.before.splitlines()[0] in lines, one
        assert one.before != one.after
        assert len(one.reason) > 20


def test_every_room_that_is_tried_and_its_tests_are_there() -> None:
    assert set(TESTS) <= set(rooms())
    assert all(list(ROOT.glob(pattern)) for patterns in TESTS.values() for pattern in patterns)
    assert all(list(ROOT.glob(pattern)) for pattern in LEFT_OUT)
    for path, _, name in (test.partition("::") for test in DESELECTED):
        assert f"def {name}" in (ROOT / path).read_text(encoding="utf-8")


def test_ids_of_tests_that_are_written_by_hand_are_plain_ascii(request: pytest.FixtureRequest) -> None:
    """pytest escapes any other at every collection anew, and mutmut, which collects many times, finds them no more."""
    named = [item for item in request.session.items if any("ids" in m.kwargs for m in item.iter_markers("parametrize"))]
    assert [item.nodeid for item in named if "\\" in item.name] == []
