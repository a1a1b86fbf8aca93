"""What stands beside a board, from submissions made by hand: every figure worked out without our code."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from ecva_bench.leaderboard.background import Background
from ecva_bench.leaderboard.board import leaderboards
from ecva_bench.leaderboard.chart import as_svg
from ecva_bench.leaderboard.details import dataset_tables
from ecva_bench.leaderboard.published import tables_of_others
from ecva_bench.leaderboard.submission import submission
from ecva_bench.leaderboard.table import Cell, Table
from ecva_bench.scoring.score import score_results
from tests.scoring.build import answer, label, results

CLASSES = (1, 1, 2, 5)


def submitted(
    model, *texts, seconds=1.0, usd=None, baseline=False, view="full", of="mini", options=(), prompts=None, **fields
):
    """A run that names the class of the first videos; their classes are those of `CLASSES`."""
    answers = [
        answer(
            f"v{n}",
            text,
            task="classification",
            view=view,
            label=label(CLASSES[n]),
            reference=f"{CLASSES[n]}-1",
            time={"answer": seconds},
            options=options,
        )
        for n, text in enumerate(texts)
    ]
    owed = tuple(f"v{n}/classification" for n in range(len(CLASSES)))
    spec = {"baseline": baseline, "dataset": {"name": of}, "decoder": "d 1", "mode": "exact"}
    spec |= {"prompts": prompts} if prompts else {}
    found = results(answers, model=model, name=model, expects={view: owed}, spec=spec, **fields)
    return submission(score_results(found, draws=50), found, usd=usd)


def table(tables, ending):
    return next(one for one in tables if one.title.endswith(ending))


def column(found, name):
    return [row[found.header.index(name)] for row in found.rows]


def test_means_by_class_count_missing_answers_as_zero():
    runs = [submitted("m", "[1]", "[2]", "[2]"), submitted("w", "[2]", "[3]", "[4]", "[1]")]
    found = table(dataset_tables(runs, known=Background({1: "Fire", 5: "Theft"})), "accuracy by class, %")
    assert found.header == ("model", "kind", "1 Fire (2)", "2 (1)", "5 Theft (1)")
    assert [cell.text for cell in found.rows[0][2:]] == ["50.0", "100.0", "0.0"]
    assert [cell.shade for cell in found.rows[0][2:]] == [0.5, 1.0, 0.0]
    alone = table(dataset_tables(runs[:1]), "accuracy by class, %")
    assert alone.header == ("model", "kind", "1 (2)", "2 (1)")
    assert alone.notes[1] == "Videos left out, for no answer names their class: 1."


def test_classes_of_another_data_set_never_have_names_of_cuva():
    own = ("Abuse", "Arson", "Fire", "Normal", "Assault")
    for options, names in ((own, ("1 Abuse (2)", "2 Arson (1)")), ((), ("1 (2)", "2 (1)"))):
        runs = [submitted("m", "[1]", "[2]", "[2]", of="vau-bench", options=options)]
        found = table(dataset_tables(runs, known=Background({1: "Fighting", 2: "Animals"})), "accuracy by class, %")
        assert found.header[2:] == names


def test_models_are_shaded_among_themselves_whatever_a_ceiling_reaches():
    oracle = submitted("oracle", "[1]", "[1]", "[2]", "[5]", baseline=True)
    found = table(dataset_tables([submitted("m", "[1]", "[2]"), oracle]), "by class, %")
    assert [[cell.shade for cell in row[2:]] for row in found.rows] == [[1.0, 0.0, 0.0], [1.0, 1.0, 1.0]]
    assert ["baseline" in row[0].marks for row in found.rows] == [False, True]


def test_score_against_what_the_answers_took():
    runs = [submitted("slow", "[1]", "[1]", seconds=2.5), submitted("quick", "[1]", seconds=0.25)]
    found = table(dataset_tables(runs), "accuracy against cost")
    assert [cell.value for cell in column(found, "s per answer")] == [2.5, 0.25]
    assert [cell.value for cell in column(found, "accuracy %")] == [50, 25]
    assert found.chart == ("s per answer", "accuracy %")
    paid = [submitted("a", "[1]", usd=2), submitted("b", "[1]", usd=1.5)]
    assert table(dataset_tables(paid), "accuracy against cost").chart == ("USD of the run", "accuracy %")


def test_rank_correlation_of_metrics_by_hand():
    """Accuracies .75, .5, .25, .25 beside parsed 1, .5, .5, 1."""
    runs = [
        submitted("a", "[1]", "[1]", "[2]", "[4]"),
        submitted("b", "[1]", "[1]"),
        submitted("c", "[1]", "[4]"),
        submitted("d", "[1]", "[4]", "[4]", "[4]"),
        submitted("oracle", "[1]", "[1]", "[2]", "[5]", baseline=True),
    ]
    found = table(dataset_tables(runs), "rank correlation of metrics")
    # Pairs: ab ++, ac ++, ad +0, bc +0, bd +-, cd 0-: 2 concordant, 1 discordant, 5 untied and 4 untied.
    assert found.rows[0][2].value == pytest.approx((2 - 1) / (5 * 4) ** 0.5)
    assert [cell.value for cell in (found.rows[0][1], found.rows[1][2])] == pytest.approx([1, 1])
    assert found.notes[0].startswith("Kendall's tau-b over n = 4 rows, baselines left out")


def test_too_few_rows_or_metrics_are_not_correlated():
    tables = dataset_tables([submitted("a", "[1]"), submitted("b", "[1]", "[1]")])
    assert not [one.title for one in tables if one.title.endswith("rank correlation of metrics")]


def test_baselines_stand_in_where_there_are_too_few_models():
    runs = [submitted(name, *texts, baseline=True) for name, *texts in (("a", "[1]"), ("b", "[1]", "[1]"), ("c", "no"))]
    found = table(dataset_tables(runs), "rank correlation of metrics")
    assert "n = 3 rows, baselines included" in found.notes[0]


def test_edited_views_stand_behind_and_how_runs_were_made_last():
    runs = [submitted("edited", "[1]", view="anomaly"), submitted("full", "[1]")]
    tables = dataset_tables(runs)
    assert [one.title.split(", protocol")[0] for one in tables] == [
        "Models and tasks",
        "classification, full video",
        "classification, full video",
        "classification, full video",
        "classification, video without its anomaly",
        "How the runs were made",
    ]
    assert [cell.text for cell in column(tables[-1], "decoder")] == ["d 1", "d 1"]
    assert [cell.value for cell in column(tables[-1], "missing")] == [3, 3]


def test_what_some_prompts_are_asked_with_stands_beside_them():
    usual = {"cause": {"id": "ours/cause.v1"}, "timestamp": {"id": "ours/timestamp.v1"}}
    timed = {**usual, "timestamp": {**usual["timestamp"], "with": {"times": "The frames are at {seconds}."}}}
    runs = [submitted(name, "[1]", prompts=prompts) for name, prompts in (("a", usual), ("b", timed))]
    made = dataset_tables(runs)[-1]
    assert [cell.text for cell in column(made, "prompts")] == ["ours v1", "ours v1, ours v1 with times"]


def test_runs_that_give_the_same_answers_are_named():
    tables = dataset_tables([submitted("a", "[1]", "[1]"), submitted("b", "[1]", "[1]"), submitted("c", "[1]", "[2]")])
    assert "The same answers, word for word: a, b." in tables[1].notes


def chart(*points):
    rows = tuple((Cell(name), Cell(str(x), x), Cell(str(y), y)) for name, x, y in points)
    return as_svg(Table("t", ("model", "cost", "score"), rows, chart=("cost", "score")))


def places(svg):
    return [(float(x), float(y)) for x, y in re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)"', svg)]


def test_points_lie_in_proportion():
    (ax, ay), (bx, by), (cx, cy) = places(chart(("a", 1, 10), ("b", 2, 20), ("c", 4, 40)))
    assert (cx - bx, by - cy) == pytest.approx((2 * (bx - ax), 2 * (ay - by)), abs=0.2)


def test_costs_far_apart_lie_by_their_logarithm():
    points = places(chart(("a", 0.1, 10), ("b", 1, 10), ("c", 10, 10)))
    assert points[2][0] - points[1][0] == pytest.approx(points[1][0] - points[0][0], abs=0.2)


@pytest.mark.parametrize("values", [(0, 0), (5, 5), (0.001, 0.002), (3, 97), (-1, 4)])
def test_every_point_lies_inside_and_has_round_numbers_beside_it(values):
    svg = chart(*((f"m{n}", abs(value), value) for n, value in enumerate(values)))
    assert all(64 <= x <= 490 and 16 <= y <= 272 for x, y in places(svg))
    assert len(re.findall('class="grid"', svg)) in range(2, 9)


def test_labels_do_not_lie_on_each_other():
    svg = chart(*((f"m{n}", 1, 10) for n in range(24)))
    assert set(re.findall(r'<text x="([\d.]+)" y="[\d.]+">m', svg)) == {"496"}  # right of every point
    heights = sorted(float(y) for y in re.findall(r'<text x="[\d.]+" y="([\d.]+)">m', svg))
    assert all(after - before >= 11.9 for before, after in pairwise(heights))


def test_a_name_in_a_chart_is_text_and_one_point_is_no_chart():
    assert "<script>" not in chart(("<script>", 1, 1), ("b", 2, 2))
    assert chart(("a", 1, 1)) == ""


def test_figures_of_other_papers_follow_the_boards_of_their_data_set_and_task():
    others = tables_of_others()
    runs = [submitted("m", "[1]", of="vau-bench"), submitted("cut", "[1]", view="anomaly", of="vau-bench")]
    boards = leaderboards(runs, others=others)
    assert [board.title for board in boards if "published" in board.title] == ["classification, as published"]
    assert "Qwen2.5-VL-3B + RFT" in {row[0].text for row in boards[-1].rows}
    assert not [board for board in leaderboards(runs) if "published" in board.title]
    assert not [board for board in leaderboards([submitted("m", "[1]")], others=others) if "published" in board.title]
    page = [table.title for table in dataset_tables(runs, others=others)]
    tasks = ("choice", "description", "detection", "classification")
    assert page[-4:] == [f"{task}, as published" for task in tasks]
    assert dataset_tables(runs, others=others, task="classification")[-1].title == "classification, as published"
