"""A judge of a user's own: its verdicts are checked one by one, and its faults are told apart from ours."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pytest

from ecva_bench.errors import BudgetExhausted, JudgeError, UsageError
from ecva_bench.judging import Call, Verdict
from ecva_bench.judging.user_judge import open_user_judge

from .build import grade, keys


class Mine:
    """Gives what it is told to give."""

    def __init__(self, given: object = None) -> None:
        self.given, self.closed = given, 0

    def ask(self, calls: Sequence[Call]) -> list[Verdict]:
        if isinstance(self.given, Exception):
            raise self.given
        return self.given  # type: ignore[return-value]

    def identity(self, keys: Collection[str] = ()) -> dict[str, str]:
        return {"temperature": "none", "votes": str(len(keys))}

    def close(self) -> None:
        self.closed += 1


CALLS = [grade(), keys("a", "b")]  # one number from 0 to 5, and two from 0 to 1


@pytest.mark.parametrize(
    "given",
    [
        [Verdict((0.0,)), Verdict((0.0, 1.0))],
        [Verdict((5.0,)), Verdict((0.5, 0.5))],
        [Verdict(None, reason="I was not sure"), Verdict(None)],
    ],
)
def test_verdicts_that_fit_are_taken_as_they_are(given: list[Verdict]) -> None:
    with open_user_judge(Mine(given)) as judge:
        assert judge.ask(CALLS) == given


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (None, "the judge gave None to 2 calls"),
        ((Verdict((1.0,)), Verdict((0.0, 1.0))), r"the judge gave \(Verdict.* to 2 calls"),
        ([Verdict((1.0,))], r"the judge gave \[Verdict.* to 2 calls"),
        ([4, Verdict((0.0, 1.0))], "the judge gave 4 to judge/grade.*a tuple of one number from 0 to 5"),
        ([Verdict((5.1,)), Verdict((0.0, 1.0))], "to judge/grade"),
        ([Verdict((-0.1,)), Verdict((0.0, 1.0))], "to judge/grade"),
        ([Verdict((float("nan"),)), Verdict((0.0, 1.0))], "to judge/grade"),
        ([Verdict((1.0,)), Verdict((0.0,))], "to judge/keys.*a tuple of 2 numbers from 0 to 1"),
        ([Verdict((1.0,)), Verdict((0.0, 2.0))], "to judge/keys"),
        (ValueError("no such word"), r"the judge failed \(ValueError: no such word"),
    ],
)
def test_verdicts_that_do_not_fit_are_named(given: object, said: str) -> None:
    with open_user_judge(Mine(given)) as judge, pytest.raises(JudgeError, match=said):
        judge.ask(CALLS)


def test_an_error_of_ours_passes_unchanged() -> None:
    spent = BudgetExhausted("1 of 1 USD used", None, "raise it")
    with open_user_judge(Mine(spent)) as judge, pytest.raises(BudgetExhausted) as caught:
        judge.ask(CALLS)
    assert caught.value is spent


def test_what_a_judge_says_of_itself_is_kept_with_its_name() -> None:
    with open_user_judge(Mine()) as judge:
        found = judge.identity(["a", "b"])
    assert {"temperature": "none", "votes": "2"}.items() <= found.items()
    assert "Mine" in found["judge"]


def test_only_a_judge_that_was_made_here_is_closed() -> None:
    made: list[Mine] = []

    class Kept(Mine):
        def __init__(self) -> None:
            super().__init__()
            made.append(self)

    with open_user_judge(Kept):
        assert made[0].closed == 0
    assert made[0].closed == 1
    given = Mine()
    with open_user_judge(given):
        pass
    assert given.closed == 0


def test_what_cannot_be_made_or_is_no_judge_is_named() -> None:
    class Broken(Mine):
        def __init__(self) -> None:
            raise RuntimeError("no weights")

    with (
        pytest.raises(JudgeError, match=r"the judge cannot be made \(RuntimeError: no weights"),
        open_user_judge(Broken),
    ):
        pass
    with pytest.raises(UsageError, match=r"is no judge: it has no ask\(calls\)"), open_user_judge(object()):  # type: ignore[arg-type]
        pass
