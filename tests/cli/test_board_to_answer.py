"""From a board to the answer behind one of its numbers, in a browser, in three clicks at most."""

from __future__ import annotations

from pathlib import Path

from ecva_bench.journal.writer import Journal
from ecva_bench.records.answers import Manifest
from tests.scoring.build import answer


def written(path: Path, model: str) -> Path:
    """A results file of causes and effects of three videos, of which each answer says whose and of what it is."""
    tasks, videos = ("cause", "effect"), ("v0", "v1", "v2")
    owed = {"full": tuple(f"{video}/{task}" for video in videos for task in tasks)}
    with Journal(path, Manifest(run=model, spec={"model": model}, expects=owed)) as journal:
        for task in tasks:
            for video in videos:
                journal.append(answer(video, f"{model} of {task} {video}", task=task, prompt_sha256="1" * 64))
    return path


def test_an_answer_is_three_clicks_from_its_number(browser, tmp_path, ecva_bench):
    runs = [written(tmp_path / f"{model}.jsonl", model) for model in ("one", "other")]
    ecva_bench("score", *runs)
    assert ecva_bench("leaderboard", *runs, "--out", tmp_path / "board", "--with-answers")[0] == 0
    for width, height, scheme in ((1440, 900, "light"), (390, 844, "dark")):
        page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
        page.goto((tmp_path / "board" / "leaderboard.html").as_uri())
        table = page.locator("table").first
        place = next(n for n, head in enumerate(table.locator("th").all_inner_texts()) if head.startswith("effect"))
        row = table.locator("tr", has=page.locator("td.key", has_text="other"))
        row.locator("td").nth(place).locator("a").click()  # the first click: a model's number in a task
        page.get_by_text("other of effect v0").first.wait_for()
        assert page.locator(".row").count() == 3  # of this task alone
        assert page.locator("#of").input_value() == "1"  # it is the second run's scores that the list is about
        page.locator("#next").click()  # the second: the next of its samples
        page.get_by_text("other of effect v1").first.wait_for()
        page.close()


def test_answers_are_led_to_only_where_there_are_some(tmp_path, ecva_bench):
    run = written(tmp_path / "one.jsonl", "one")
    ecva_bench("score", run)
    scores = run.with_name("one.scores.jsonl")
    for arguments in ((scores, "--out", tmp_path / "board"), (run,)):
        code, _, errors = ecva_bench("leaderboard", *arguments, "--with-answers")
        assert (code, errors.count("\n")) == (2, 1)
        assert "there are no answers to lead to: --with-answers" in errors
