"""Values of questions that were asked several times, against numpy and populations whose mean is known."""

from __future__ import annotations

import numpy as np
import pytest

from ecva_bench.statistics.intervals import bootstrap_interval
from ecva_bench.statistics.repeats import question_means, spread_within


def by_question(values: np.ndarray) -> dict[str, list[float]]:
    return {f"q{row:03d}": list(map(float, own)) for row, own in enumerate(values)}


def interval(values: dict[str, float], seed: int = 0, draws: int = 200) -> tuple[float, float]:
    found = bootstrap_interval(list(values.values()), list(values), seed=seed, draws=draws)
    assert found
    return found


def test_means_and_spread_are_numpys() -> None:
    rows = np.random.default_rng(0).integers(0, 3, size=(40, 4)).astype(float)
    values = by_question(rows)
    found = spread_within(values, {name: name for name in values}, seed=0, draws=100)
    assert question_means(values) == pytest.approx(dict(zip(values, rows.mean(axis=1), strict=True)))
    assert found.changed.mean == pytest.approx(np.mean(rows.max(axis=1) != rows.min(axis=1)))
    assert found.deviation == pytest.approx(rows.std(axis=1, ddof=1).mean())
    assert found.changed.n == 40


def test_a_question_with_one_value_says_nothing_of_stability() -> None:
    found = spread_within({"a": [0.2], "b": [0.1, 0.1], "c": []}, dict.fromkeys("abc", "v"), seed=0, draws=10)
    assert (found.changed.n, found.changed.mean, found.deviation) == (1, 0.0, 0.0)
    nothing = spread_within({"a": [0.2]}, {"a": "v"}, seed=0, draws=10)
    assert (nothing.changed.n, nothing.changed.mean, nothing.deviation) == (0, None, None)
    assert question_means({"a": [0.2], "c": []}) == {"a": 0.2}


def test_the_interval_is_that_of_drawing_questions_with_all_their_answers() -> None:
    """Two levels drawn by brute force: questions anew, each with the answers it has."""
    random = np.random.default_rng(1)
    rows = random.normal(0, 1, (30, 1)) + random.normal(0, 2, (30, 5))
    drawn = rows[random.integers(30, size=(20_000, 30))].mean(axis=(1, 2))
    low, high = interval(question_means(by_question(rows)), draws=20_000)
    assert (low, high) == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.02 * (high - low))


@pytest.mark.parametrize(("between", "within"), [(1.0, 1.0), (0.3, 2.0)])
def test_the_interval_holds_the_true_mean_and_one_over_answers_does_not(between: float, within: float) -> None:
    """Its width is that of the mean's true error, over questions and answers both."""
    random = np.random.default_rng(2)
    trials, questions, answers = 250, 60, 5
    held, widths, of_answers = 0, [], 0
    for trial in range(trials):
        truth = random.normal(0, between, (questions, 1))
        rows = truth + random.normal(0, within, (questions, answers))
        low, high = interval(question_means(by_question(rows)), trial)
        held += low <= 0 <= high
        widths.append(high - low)
        flat = {str(place): float(value) for place, value in enumerate(rows.ravel())}
        low, high = interval(flat, trial, 100) if between == 1.0 else (-1.0, 1.0)
        of_answers += low <= 0 <= high
    error = np.sqrt((between**2 + within**2 / answers) / questions)
    assert 0.90 < held / trials < 0.98
    assert np.mean(widths) == pytest.approx(2 * 1.96 * error, rel=0.06)
    if between == 1.0:
        assert of_answers / trials < 0.85
