"""The table that a board begins with, from runs made by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecva_bench.api.boards import background
from ecva_bench.leaderboard.background import Background
from ecva_bench.leaderboard.details import dataset_tables
from ecva_bench.leaderboard.forms import as_csv, as_json, as_markdown, as_text
from ecva_bench.leaderboard.overview import models_by_tasks
from ecva_bench.leaderboard.page import as_html
from ecva_bench.leaderboard.published import published_tables
from ecva_bench.leaderboard.submission import submission
from tests.leaderboard.scored import scored

TEN = [f"v{n}" for n in range(10)]


def made(model, cause=None, effect=None, baseline=False, **header):
    """A run of a model whose answers all have one value in each task."""
    tasks = {"cause": cause, "effect": effect}
    values = {task: dict.fromkeys(TEN, value) for task, value in tasks.items() if value is not None}
    scores = scored(values, model=model, baseline=baseline, **header)
    with_interval = [one.model_copy(update={"zero_filled_interval": (0.125, 1.0)}) for one in scores.summaries]
    return submission(scores.model_copy(update={"summaries": tuple(with_interval)}))


def column(table, name):
    return [row[table.header.index(name)] for row in table.rows]


def test_every_model_has_one_number_a_task_and_baselines_stand_behind():
    runs = [made("oracle", 1.0, 1.0, baseline=True), made("b", 0.5, 0.9), made("a", 0.6, 0.2), made("c", 0.7)]
    (table,) = models_by_tasks(runs)
    assert table.header[:4] == ("model", "cause: gated %", "effect: gated %", "kind")
    # Mean ranks: c 1, b (3 + 1) / 2, a (2 + 2) / 2; of b and a, a is better in the first column.
    assert [cell.text for cell in column(table, "model")] == ["c", "a", "b", "oracle"]
    assert [cell.text for cell in column(table, "effect: gated %")] == ["", "20.00", "90.00", "100.00"]
    assert [cell.remark for cell in column(table, "cause: gated %")] == ["rank 1", "rank 2", "rank 3", ""]
    assert not any("12.5" in form(table) for form in (as_text, as_markdown))  # a number each, and intervals elsewhere
    assert all("12.5" in text for text in (as_csv(table), as_json([table]), as_html([table], title="t")))


def test_tasks_answered_in_two_runs_of_a_model_share_its_row_and_two_runs_of_a_task_do_not():
    apart = [made("m", cause=0.5, name="one"), made("m", effect=0.5, name="two")]
    assert [cell.text for cell in column(models_by_tasks(apart)[0], "model")] == ["m"]
    both = [made("m", 0.5, 0.5, name="one"), made("m", 0.4, 0.4, name="two")]
    assert [cell.text for cell in column(models_by_tasks(both)[0], "model")] == ["m (one)", "m (two)"]


def test_a_run_has_one_row_also_where_another_run_of_its_model_answered_one_of_its_tasks():
    runs = [made("m", 0.5, 0.5, name="one"), made("m", cause=0.4, name="two")]
    (table,) = models_by_tasks(runs)
    rows = zip(*(column(table, name) for name in table.header[:3]), strict=True)
    assert [[cell.text for cell in row] for row in rows] == [["m (one)", "50.00", "50.00"], ["m (two)", "40.00", ""]]
    twice = [made("m", 0.5, 0.5, name="one")] * 2
    assert [cell.text for cell in column(models_by_tasks(twice)[0], "model")] == ["m (one) #1", "m (one) #2"]


def test_each_protocol_has_a_table_and_one_task_needs_none():
    runs = [made("m", 0.5, 0.5, protocol="ecva-2024"), made("m", 0.5, 0.5)]
    assert [table.title for table in models_by_tasks(runs)] == [
        "Models and tasks, protocol standard",
        "Models and tasks, protocol ecva-2024",
    ]
    assert models_by_tasks([made("m", 0.5)]) == []
    assert models_by_tasks([made("m", 0.5, 0.5)], task="cause") == []


def test_data_sets_are_not_mixed():
    runs = [
        made("m", 0.5, 0.5, dataset=name, dataset_sha256=letter * 64) for name, letter in (("cuva", "1"), ("uca", "2"))
    ]
    tables = models_by_tasks([*runs, made("n", 0.7, dataset="uca", dataset_sha256="2" * 64)])
    assert [table.title for table in tables] == [
        "Models and tasks, protocol standard, cuva",
        "Models and tasks, protocol standard, uca",
    ]
    assert [[cell.text for cell in column(table, "model")] for table in tables] == [["m"], ["n", "m"]]
    assert all(table.header[:4] == ("model", "cause: gated %", "effect: gated %", "kind") for table in tables)


def test_a_row_leads_to_its_file_its_answers_its_paper_and_its_program():
    known = background()
    run = made("videollama2", 0.5, 0.5).with_file(Path("somewhere/two words.json"))
    known = Background(cards=known.cards, answers={run.scores.results_sha256: "answers/index.html#run=0"})
    table = dataset_tables([run], known=known)[0]
    links = {name: cell.links for name, (cell,) in ((name, column(table, name)) for name in table.header)}
    assert links["cause: gated %"] == (("50.00", "answers/index.html#run=0&task=cause"),)
    assert links["submission"] == (("two words", "submissions/two%20words.json"),)
    assert links["paper"] == (("arXiv 2406.07476", "https://arxiv.org/abs/2406.07476"),)
    assert links["code"] == (("DAMO-NLP-SG/VideoLLaMA2", "https://github.com/DAMO-NLP-SG/VideoLLaMA2"),)
    assert "[two words](<submissions/two%20words.json>)" in as_markdown(table)


def test_the_papers_models_have_a_table_of_their_own():
    table = dataset_tables([], published=published_tables(), known=background())[0]
    rows = {row[0].text: row for row in table.rows}
    cells = dict(zip(table.header, rows["Video-LLaMA2"], strict=True))
    assert (cells["cause: AnomEval %"].text, cells["classification: Classification %"].text) == ("22.26", "46.42")
    assert cells["model here"].text == "videollama2"
    assert cells["paper"].links


@pytest.mark.parametrize("width", [40, 80, 120])
def test_a_table_fits_the_terminal_and_loses_no_cell(width):
    table = dataset_tables([made("m", 0.5, 0.5), made("other", 0.25, 0.5)], known=background())[1]
    text = as_text(table, width)
    assert max(map(len, text.splitlines())) <= width
    assert all(name in text for name in table.header)
    assert all(cell.full_text in text for row in table.rows for cell in row)
    whole = as_text(table).split("\n\n")
    assert len(text.split("\n\n")) >= len(whole)
    assert text.count("\nmodel") + text.count("  model") >= text.count("----\n")  # each part says what its rows are of
