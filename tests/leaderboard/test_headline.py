"""What to report of a run: the number, its floor and its baseline are those that other tables have."""

from __future__ import annotations

from ecva_bench.leaderboard.headline import headline_table
from ecva_bench.leaderboard.submission import submission
from ecva_bench.records.scores import Aggregate
from tests.leaderboard.scored import scored

HIGH = {f"v{n}": 0.8 + 0.01 * (n % 3) for n in range(12)}
LOW = {f"v{n}": 0.1 for n in range(12)}


def rows(scores, *baselines):  # by task
    table = headline_table(submission(scores), [submission(one) for one in baselines])
    return {row[0].text: [cell.text for cell in row[1:]] for row in table.rows}


def test_the_best_baseline_of_the_same_samples_and_signature_counts() -> None:
    run = scored({"cause": HIGH})
    low, lower = scored({"cause": LOW}, model="low"), scored({"cause": dict.fromkeys(LOW, 0.05)}, model="lower")
    other_judge = scored({"cause": HIGH}, model="judged otherwise", signature="anomeval|judge:y|v:1")
    other_videos = scored({"cause": {"elsewhere": 0.9}}, model="elsewhere")
    report, value, _, _, baseline, _ = rows(run, lower, low, other_judge, other_videos)["cause"]
    assert (report, value, baseline) == ("gated", "81.00 %", "10.00 % (low)")
    assert rows(run, other_judge, other_videos)["cause"][-2:] == ["", ""]


def test_a_missing_answer_counts_as_the_worst() -> None:
    assert rows(scored({"cause": {"a": 1.0, "b": None}}))["cause"][1] == "50.00 %"


def test_a_value_over_a_part_of_the_questions_says_so() -> None:
    def notes(**fields: tuple[str, ...]) -> list[str]:
        given = {"a": 1.0, "b": 0.5, "c": None, "d": 0.5}
        table = headline_table(submission(scored({"cause": given}, **fields)))
        return [note for note in table.notes if note.startswith("cause: gated is")]

    assert notes(unscored=("b", "d")) == ["cause: gated is over 2 of 4 questions; the others have no value"]
    assert notes() == []  # a missing answer has one: the worst


def test_a_run_is_above_only_with_its_whole_interval() -> None:
    def verdict(floor: float, baseline: float, interval: tuple[float, float], *, higher: bool = True) -> str:
        scores = scored({"timestamp": HIGH}, column="iou", scorer="timestamp", signature="s")
        [summary] = scores.summaries
        changed = summary.model_copy(
            update={"floor": floor, "zero_filled_interval": interval, "higher_is_better": higher}
        )
        own = Aggregate(
            task="timestamp",
            view="full",
            scorer="timestamp",
            column="constant_span",
            signature="s",
            description="",
            value=baseline,
        )
        return rows(scores.model_copy(update={"summaries": (changed,), "aggregates": (own,)}))["timestamp"][-1]

    assert verdict(0.3, 0.4, (0.5, 0.9)) == "yes"
    assert verdict(0.3, 0.4, (0.4, 0.9)) == "no"
    assert verdict(0.6, 0.4, (0.5, 0.9)) == "no"
    assert verdict(0.6, 0.7, (0.1, 0.5), higher=False) == "yes"
    assert verdict(0.4, 0.7, (0.1, 0.5), higher=False) == "no"
