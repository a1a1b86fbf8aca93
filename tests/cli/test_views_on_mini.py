"""Views on the embedded split, end to end: what a baseline gets on each is known beforehand, and the table says it."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import pytest

import ecva_bench as eb
from ecva_bench.api.outcomes import Scored
from ecva_bench.cli.options import _VIEWS
from ecva_bench.journal.results import read_results
from ecva_bench.records.base import VIEWS, View
from ecva_bench.scoring.files import read_scores_of
from tests.cli.conftest import Command
from tests.scoring.judges import RuleJudge
from tests.sealing import reseal

PICTURES: tuple[View, ...] = ("still", "shuffled", "blank")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The results of three baselines about every view of other pictures, scored without and with a judge."""
    folder = tmp_path_factory.mktemp("views")
    found = {}
    for model in ("oracle", "constant", "motion"):
        outcome = eb.run(model, edited=PICTURES, out=folder / f"{model}.jsonl")
        assert (outcome.end.errors, outcome.end.missing, outcome.end.answers) == (0, 0, 4 * 70)
        eb.score(outcome)
        eb.score(outcome, scorers=["anomeval", "gpt"], judge=RuleJudge())
        found[model] = outcome.path
    return found


def means(path: Path) -> dict[tuple[str, str], dict[str, float | None]]:
    """Every figure of a run, by task and column, then by view; those that need a cut of the view are left out."""
    found: dict[tuple[str, str], dict[str, float | None]] = defaultdict(dict)
    for one in read_scores_of(path).summaries:
        found[one.task, one.column][one.view] = one.zero_filled
    return {place: by_view for place, by_view in found.items() if place[1] not in ("s3", "S", "gated")}


@pytest.mark.parametrize("model", ["oracle", "constant"])
def test_who_never_looks_gets_the_same_on_every_view(model: str, runs: dict[str, Path]) -> None:
    found = means(runs[model])
    assert len(found) > 30
    for by_view in found.values():
        assert by_view.keys() == {"full", *PICTURES}
        assert len(set(by_view.values())) == 1
    assert model != "oracle" or found["timestamp", "iou"]["blank"] == 1.0
    for row in eb.score(runs[model]).by_view():
        assert row["drop"] == (None if row["view"] == "full" else 0.0)


def test_motion_falls_to_no_motion_where_nothing_moves(runs: dict[str, Path]) -> None:
    """No difference stands out then, so that the span is all that it looks at: from the first frame to the last."""
    answers = read_results(runs["motion"]).answers
    texts = {view: {one.id: one.answer for one in answers if one.view == view} for view in ("full", *PICTURES)}
    assert texts["still"] == texts["blank"] != texts["full"] != texts["shuffled"]
    overlaps = []
    for one in answers:
        if (one.task, one.view) == ("timestamp", "blank"):
            assert one.frames is not None
            first, last = (round(one.frames.timestamps[place], 1) for place in (0, -1))
            inside = sum(min(m.end, last) - max(m.start, first) for m in one.moments)
            beyond = sum(m.end - m.start for m in one.moments) - inside
            overlaps.append(inside / (last - first + beyond))
    found = means(runs["motion"])
    assert found["timestamp", "iou"]["blank"] == pytest.approx(sum(overlaps) / 14)
    assert found["timestamp", "iou"]["still"] == found["timestamp", "iou"]["blank"]
    assert found["timestamp", "iou"]["full"] == pytest.approx(0.4388, abs=5e-5)  # as on the frozen board
    assert found["classification", "accuracy"]["blank"] == found["classification", "accuracy"]["full"]


@pytest.mark.parametrize("view", PICTURES)
def test_a_drop_is_the_difference_of_two_runs_of_which_one_was_shown_the_view(
    view: View, runs: dict[str, Path], tmp_path: Path
) -> None:
    """`compare` finds the same where the answers about the view are another run's about the full video."""
    lines = [json.loads(line) for line in runs["motion"].read_text().splitlines()]
    other = [line | {"view": "full"} for line in lines if line.get("view") == view]
    head = lines[0] | {"expects": {"full": lines[0]["expects"]["full"]}}
    (tmp_path / "shown.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in [head, *other]))
    reseal(tmp_path / "shown.jsonl")
    shown = eb.score(tmp_path / "shown.jsonl")
    full = eb.score(runs["motion"])
    effects = {effect.name: effect for effect in eb.compare(base=shown, new=full).records}
    rows = [row for row in full.by_view() if row["view"] == view]
    assert [row["task"] for row in rows] == ["description", "cause", "effect", "classification", "timestamp"]
    for row in rows:
        effect = effects[f"{row['task']}/{row['column']}"]
        assert (row["score"], row["n"]) == (pytest.approx(effect.base), effect.n)
        assert row["drop"] == pytest.approx(effect.difference, abs=2e-6)
        assert row["drop_interval"] == pytest.approx(effect.interval, abs=2e-6)


def test_a_judged_score_stands_by_view_and_a_blank_answer_never_rests_on_the_anomaly(runs: dict[str, Path]) -> None:
    scores = read_scores_of(runs["motion"])
    values = {(one.id, one.view): one for one in scores.scores if one.scorer == "anomeval"}
    blank = [one for (_, view), one in values.items() if view == "blank"]
    assert len(blank) == 3 * 14
    for one in blank:
        assert one.values["s3"] == 0
        assert one.values["gated"] == pytest.approx(0.2 * one.values["s1"] + 0.4 * one.values["s2"])
    assert {one.gaps["gated"] for (_, view), one in values.items() if view == "still"} == {
        "no cut is asked of the still view"
    }
    judged = {(row["task"], row["column"]) for row in Scored(runs["motion"], scores).by_view()}
    assert judged >= {("cause", "s2"), ("description", "s2"), ("effect", "s2"), ("timestamp", "iou")}


def test_the_command_line_says_what_a_model_uses(ecva_bench: Command, runs: dict[str, Path], tmp_path: Path) -> None:
    run = tmp_path / "motion.jsonl"
    run.write_bytes(runs["motion"].read_bytes())
    code, shown, _ = ecva_bench("score", run, "--task", "timestamp")
    assert code == 0
    table = shown.partition("motion on mini: what the model uses\n")[2].splitlines()
    rows = [line.split() for line in table if line.startswith("timestamp ")]
    *rows, reported = rows
    assert reported[:4] == ["timestamp", "iou", "43.88", "%"]  # score ends with what to report
    assert [row[3] for row in rows] == ["full", *PICTURES]
    assert [row[4] for row in rows] == ["43.88", "38.48", rows[2][4], "38.48"]
    assert rows[0][-3:] == ["-", "14", "14"]
    assert ecva_bench("summary", run)[1].count("what the model uses") == 1
    found = json.loads(ecva_bench("score", run, "--task", "timestamp", "--json")[1])
    assert [one["view"] for one in found["by_view"]] == ["full", *PICTURES]
    code, shown, _ = ecva_bench("leaderboard", run, "--no-published")
    assert code == 0
    [line] = [line for line in shown.splitlines() if " motion " in line]
    assert line.endswith("38.48 [34.04, 42.61]")
    assert "blank: iou of the same model where it was shown no picture." in shown
    assert shown.count("protocol standard") == 1  # no board ranks answers to other pictures
    assert "38.62 % (constant_span)" in ecva_bench("summary", run)[1]


def test_without_such_views_nothing_is_said_of_them(ecva_bench: Command, tmp_path: Path) -> None:
    run = tmp_path / "constant.jsonl"
    eb.score(eb.run("constant", tasks="cause", edited=("anomaly",), limit=2, out=run), scorers="rouge")
    assert "what the model uses" not in ecva_bench("score", run)[1] + ecva_bench("summary", run)[1]
    assert "by_view" not in json.loads(ecva_bench("score", run, "--json")[1])
    assert "blank" not in ecva_bench("leaderboard", run, "--no-published")[1]


def test_every_view_but_the_full_one_can_be_asked_for(ecva_bench: Command) -> None:
    assert tuple(_VIEWS) == tuple(view for view in VIEWS if view != "full")
    code, _, said = ecva_bench("run", "--model", "constant", "--edited", "blanc")
    assert code == 2
    assert "anomaly, control, still, shuffled, blank" in " ".join(said.replace("│", " ").split())


def test_a_plan_counts_every_view(ecva_bench: Command) -> None:
    asked = ("plan", "--model", "constant", "--task", "timestamp", "--edited", "still,shuffled,blank")
    code, shown, _ = ecva_bench(*asked)
    assert code == 0
    assert "14 videos, 56 answers owed" in shown
    assert [line.split()[0] for line in shown.splitlines() if " timestamp " in line] == ["full", *PICTURES]
    code, _, said = ecva_bench("plan", "--model", "constant", "--task", "timestamp", "--edited", "control,blank")
    assert code == 2
    assert "no metric reads answers to timestamp about the control view" in said
