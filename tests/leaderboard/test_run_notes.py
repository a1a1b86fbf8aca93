"""What is said of a run as a whole."""

from __future__ import annotations

from ecva_bench.leaderboard.run_notes import samples_text
from ecva_bench.records.repeats import Repeats
from ecva_bench.records.scores import Coverage


def coverage(task: str, *, each: int, owed: int, answered: int) -> Coverage:
    return Coverage(
        task=task,
        view="full",
        samples=6,
        samples_sha256="0" * 64,
        owed=6,
        answered=6,
        failed=0,
        missing=0,
        repeats=Repeats(each=each, owed=owed, answered=answered),
    )


def test_missing_answers_to_questions_that_have_others_are_told() -> None:
    whole, torn = coverage("cause", each=3, owed=18, answered=18), coverage("effect", each=3, owed=18, answered=12)
    mean = "; the value of each is the mean over its answers"
    assert samples_text([whole]) == f"questions were asked 3 times{mean}"
    assert samples_text([whole, torn]) == f"questions were asked 3 times, and 30 of 36 answers are there{mean}"
    assert samples_text([]) == ""
