"""The page in a real browser: what a reader sees and does, what a hostile answer cannot do, and what is asked of whom.

Screenshots go to the folder `ECVA_SCREENSHOTS` names, else to `results/screenshots`.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from ecva_bench.report.page import write_page
from ecva_bench.report.run import Run
from tests.scoring.build import answer, results

from .build import HOSTILE, MODELS, REASON, VIDEOS, big_run, small_run
from .conftest import serving
from .watching import Open, film_is_there, place, rows, shows, stands_at, until

SCREENSHOTS = Path(os.environ.get("ECVA_SCREENSHOTS", Path(__file__).parents[2] / "results" / "screenshots"))


def test_a_click_on_a_moment_goes_there(page: Any) -> None:
    assert place(page) == ("v0 · cause", 0)
    film_is_there(page)
    page.click(".span.moment >> nth=1")
    stands_at(page, 2.8)
    page.click(".span.said >> nth=0")
    stands_at(page, 1)
    content = page.locator(".track.tall .content")
    box = content.bounding_box()
    content.click(position={"x": box["width"] / 2, "y": box["height"] / 2})
    stands_at(page, 2)
    assert "at=2.0" in page.url


def test_keys_go_from_sample_to_sample_and_moment_to_moment(page: Any) -> None:
    film_is_there(page)
    for key, seconds in (("]", 1), ("]", 2.8), ("]", 2.8), ("[", 1), ("[", 1)):
        page.keyboard.press(key)
        stands_at(page, seconds)
    for key, heading in (
        ("j", "v0 · timestamp"),
        ("j", "v1 · cause"),
        ("k", "v0 · timestamp"),
        ("k", "v0 · cause"),
        ("k", "v0 · cause"),
    ):
        page.keyboard.press(key)
        shows(page, heading)
    page.fill("#find", "jjj")  # keys typed into a field are text
    assert page.inner_text("#heading") == "v0 · cause"
    assert page.is_visible("#none")  # no sample has such a video


def test_filters(page: Any) -> None:
    assert len(rows(page)) == 6
    page.select_option("#task", "cause")
    assert rows(page) == ["v0/cause", "v1/cause", "v2/cause"]
    page.click("#more summary")
    page.check("#errors")
    assert rows(page) == ["v2/cause"]
    assert "1 of 6" in page.inner_text("#count")
    page.click("#reset")
    page.select_option("#class", "5-1")
    assert len(rows(page)) == 4  # no answer tells the class of v2
    page.click("#reset")
    page.select_option("#task", "timestamp")
    # The honest answer is [1, 2] and the hostile one [0, 4], of [1, 1.6] and [2.8, 3.2]: IoU 0.6/1.4 and 1/4.
    assert "33.9" in page.inner_text(".row >> nth=0")
    page.fill("#spread", "17")
    assert rows(page) == ["v0/timestamp", "v1/timestamp"]
    page.fill("#spread", "18")
    assert rows(page) == []
    page.fill("#spread", "")
    page.fill("#from", "34")
    assert rows(page) == []
    page.locator("#runs input").nth(1).uncheck()  # now it is the honest run's mean alone
    assert rows(page) == ["v0/timestamp", "v1/timestamp"]
    assert page.locator("#answers article").count() == 1


def test_every_state_is_a_link(page: Any, opened: Open) -> None:
    page.select_option("#task", "timestamp")
    page.select_option("#metric", "timestamp/parsed")
    page.select_option("#sort", "low")
    page.click(".row >> nth=1")
    shows(page, "v1 · timestamp")
    page.keyboard.press("]")
    stands_at(page, 1)
    again = opened(page.url)
    stands_at(again, 1)
    assert again.inner_text("#heading") == "v1 · timestamp"
    for name in ("task", "metric", "sort"):
        assert again.input_value(f"#{name}") == page.input_value(f"#{name}")
    assert rows(again) == rows(page)


def test_marks_are_kept_and_exported(page: Any) -> None:
    page.keyboard.press("m")
    page.fill("#note", 'cut "too" early')
    page.keyboard.press("Escape")
    page.locator("#heading").click()
    page.click(".row >> nth=2")
    shows(page, "v1 · cause")
    page.click("#mark")
    page.reload()
    page.wait_for_selector("#answers article")
    with page.expect_download() as download:
        page.click("#export")
    lines = [json.loads(line) for line in Path(download.value.path()).read_text().splitlines()]
    assert lines[0]["schema"] == "ecva.marks/1"
    assert [run["model"] for run in lines[0]["runs"]] == ["honest", "hostile"]
    assert lines[1:] == [
        {"type": "mark", "id": "v0/cause", "video": "v0", "task": "cause", "note": 'cut "too" early'},
        {"type": "mark", "id": "v1/cause", "video": "v1", "task": "cause", "note": ""},
    ]
    page.click("#more summary")
    page.check("#marked")
    assert rows(page) == ["v0/cause", "v1/cause"]


def test_a_mark_names_the_video_and_the_task_of_a_named_question(opened: Open, tmp_path: Path) -> None:
    asked = [answer("day/v", "A", task="choice", reference="A", options=("A", "B")) for _ in range(2)]
    named = [
        one.model_copy(update={"id": f"day/v/choice{name}", "key": name})
        for one, name in zip(asked, ("/why", "@r1"), strict=True)
    ]
    folder = write_page([Run(results(named))], tmp_path / "page").folder
    page = opened((folder / "index.html").as_uri())
    for key in ("m", "j", "m"):
        page.keyboard.press(key)
    with page.expect_download() as download:
        page.click("#export")
    _, *lines = map(json.loads, Path(download.value.path()).read_text().splitlines())
    assert {one["id"] for one in lines} == {"day/v/choice/why", "day/v/choice@r1"}
    assert {(one["video"], one["task"]) for one in lines} == {("day/v", "choice")}


def test_what_a_model_or_a_judge_wrote_stays_text(page: Any) -> None:
    honest, hostile = page.locator("#answers article").all()
    assert hostile.locator(".text").first.text_content() == HOSTILE
    assert honest.locator("dd").first.text_content() == REASON
    assert hostile.locator(".steps li dd").last.text_content() == HOSTILE
    assert page.locator("#answers script, #answers img, #answers b b").count() == 0
    assert page.title() == "v0 cause – ecva-bench"


def test_the_steps_of_an_answer_are_shown_when_they_are_asked_for(page: Any) -> None:
    honest, hostile = page.locator("#answers article").all()
    assert honest.locator(".steps").count() == 0
    steps = hostile.locator(".steps").first
    assert not steps.locator("dl").first.is_visible()
    steps.locator("summary").click()
    assert steps.locator("summary").inner_text() == "how the answer came about"
    assert steps.locator("li").first.inner_text().split("\n")[0] == "0:00.0 to 0:02.0"
    assert steps.locator("li dd").first.inner_text() == "a street"
    names = [name for name in steps.locator("dt").all_inner_texts() if name != "caption"]
    assert names == ["hard prompt", "segments", "order", "fallback", "frames"]
    assert steps.locator("dd").all_text_contents()[-3:] == ["2, 1", "", "0.5, 2.67"]


def test_what_an_answer_states_and_how_it_changed(page: Any) -> None:
    honest, hostile = page.locator("#answers article").all()
    assert [item.inner_text() for item in honest.locator(".stated li.found").all()] == [
        "✓a car turns late",
        "✓nobody gives way",
    ]
    assert honest.locator(".stated li.missed").inner_text() == "✗so nobody was late"
    assert "as the judge found" in honest.inner_text()
    assert "no judge asked" in hostile.inner_text()
    assert honest.locator("mark").all_inner_texts() == ["turns", "late", "nobody", "gives"]
    assert honest.locator(".edited ins").all_inner_texts() == [" or not"]
    assert honest.locator(".edited del").count() == 0
    honest.locator(".metrics summary").click()
    assert "gated %" in honest.locator("table").inner_text()


def test_the_frames_of_the_run_that_is_chosen(page: Any) -> None:
    names = [name.get_attribute("title") for name in page.query_selector_all(".track.seen .name")]
    assert names == [
        "honest, full video: 4 frames, asked cause, timestamp",
        "honest, without its anomaly: 2 frames, asked cause",
    ]
    assert page.locator(".track.seen .span.cut").count() == 2
    page.locator("#answers button.focus").nth(1).click()
    until(page, lambda: page.get_attribute(".track.seen .name", "title").startswith("hostile"))


def test_a_failure_and_a_missing_answer_are_said(page: Any) -> None:
    page.click(".row >> nth=4")
    shows(page, "v2 · cause")
    assert page.locator("#answers .failure").all_inner_texts() == ["decode: E m", "decode: E m"]
    assert page.is_visible("#no-video")
    page.keyboard.press("j")
    shows(page, "v2 · timestamp")
    assert page.locator("#answers .nothing").all_inner_texts() == ["No answer.", "No answer."]


def test_a_run_that_was_not_asked_has_no_card_and_runs_of_one_model_are_told_apart(
    opened: Open, tmp_path: Path
) -> None:
    whole, part = small_run("m", text="a car", spans="[1, 2]"), small_run("m", text="a car", spans="[1, 2]")
    times = tuple(answer for answer in part.results.answers if answer.task == "timestamp")
    expects = {"full": tuple(answer.id for answer in times)}
    only = part.results.model_copy(update={"name": "times", "answers": times, "failures": (), "expects": expects})
    page = opened(write_page([whole, Run(only)], tmp_path / "page").folder.joinpath("index.html").as_uri())
    # "a car" has one pair of words of seven: ROUGE-2 is 1/4 on two videos, and 0 on the third, without an answer.
    assert page.locator("#runs label").all_inner_texts() == ["m (m)\n2 lacking\n16.7", "m (times)"]
    assert page.locator("#answers article").count() == 1
    page.keyboard.press("j")
    shows(page, "v0 · timestamp")
    assert page.locator("#answers article").count() == 2


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_opens_from_a_file_can_be_read_by_all_and_looks_so(opened: Open, folder: Path, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed").Axe()
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page = opened(f"{(folder / 'index.html').as_uri()}#focus=0", color_scheme=scheme)
    film_is_there(page)
    page.keyboard.press("]")
    page.keyboard.press("m")
    page.locator(".metrics summary").first.click()
    until(page, lambda: not page.evaluate("document.getElementById('video').seeking"))
    page.screenshot(path=SCREENSHOTS / f"view-{scheme}.png")
    # Without its preloading, by which it would fetch the style sheet and break the page's policy.
    found = axe.run(page, options={"preload": False}).response["violations"]
    assert [(one["id"], one["impact"], one["nodes"][0]["html"]) for one in found] == []
    page.set_viewport_size({"width": 480, "height": 900})
    page.screenshot(path=SCREENSHOTS / f"view-narrow-{scheme}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 480


def cpu(page: Any) -> float:
    """Seconds of work that the page has given the browser so far."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    found = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
    return float(found["TaskDuration"])


@pytest.mark.slow
def test_200_000_answers_are_looked_at_in_parts_and_open_as_fast_as_1_000(opened: Open, tmp_path: Path) -> None:
    small = write_page((big_run(number, videos=100) for number in range(2)), tmp_path / "small")
    made = write_page((big_run(number) for number in range(MODELS)), tmp_path / "page")
    assert (small.answers, len(made.videos), made.answers) == (1_000, VIDEOS, 201_600)
    taken = {}
    for of in (small, made, small, made):  # the first opening warms the browser
        taken[of.answers] = cpu(opened((of.folder / "index.html").as_uri()))
    assert taken[201_600] < taken[1_000] + 0.3
    with serving(made.folder) as server:
        page = opened(server.url)
        assert page.inner_text("#count") == "11200 of 11200 samples"
        assert page.locator("#answers article").count() == MODELS
        assert page.locator(".row").count() < 60
        page.fill("#find", "02239")
        until(page, lambda: page.inner_text("#count").startswith("5 of"))
        page.click(".row >> nth=1")
        shows(page, "02239 · cause")
        sent = page.evaluate("performance.getEntries().reduce((sum, one) => sum + (one.encodedBodySize || 0), 0)")
        started = page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd")
        page.fill("#find", "")
        until(page, lambda: page.inner_text("#count").startswith("11200"))
        before = cpu(page)
        page.fill("#text", "video 44 stop*")  # in the answers of one video to all tasks but one
        until(page, lambda: page.inner_text("#count").startswith("4 of"))
        assert cpu(page) - before < 0.3
    total = sum(path.stat().st_size for path in made.folder.rglob("*") if path.is_file())
    assert total > 40_000_000
    assert sent < 2_000_000
    assert started < 5_000
