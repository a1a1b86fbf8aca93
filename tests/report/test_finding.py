"""Finding answers in the page: words, filters, means, run against run, keys; in a real browser."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ecva_bench.report.page import write_page
from ecva_bench.report.run import Run

from .build import small_run, story, taken
from .watching import Open, rows, shows, until


@pytest.fixture
def page(opened: Open, server: Any) -> Any:
    return opened(server.url)


def focused(page: Any) -> str:
    return str(page.evaluate("document.activeElement.textContent"))


def listed(page: Any, names: list[str]) -> None:
    until(page, lambda: rows(page) == names)


def test_words_are_found_in_what_a_shown_run_says_and_marked(page: Any) -> None:
    page.fill("#text", "car late")  # in the reference, the key sentences and the honest answers
    listed(page, ["v0/cause", "v1/cause"])
    assert page.evaluate("[...CSS.highlights.get('found')].length") >= 4
    page.fill("#text", "onerr")
    listed(page, [])
    assert page.is_visible("#none")
    assert page.is_hidden("#sample")
    page.fill("#text", "onerr*")  # a beginning, in the hostile answer only
    listed(page, ["v0/cause", "v1/cause"])
    page.locator("#runs input").nth(1).uncheck()
    listed(page, [])
    page.locator("#runs input").nth(1).check()
    page.fill("#text", "judge's reason")  # what the judge said of the honest answers
    listed(page, ["v0/cause", "v1/cause"])
    page.fill("#text", "turns onerror")  # each in another answer
    listed(page, [])


def test_filters_by_the_answers_of_one_run(page: Any) -> None:
    page.click("#more summary")
    page.select_option("#s2", "yes")
    listed(page, ["v0/cause", "v1/cause"])  # the judge has read the honest run alone
    page.select_option("#of", "1")
    listed(page, [])
    page.select_option("#of", "0")
    page.select_option("#s3", "no")
    listed(page, [])  # "or not" at its end makes another answer
    page.click("#reset")
    page.check("#unread")
    listed(page, [])
    page.click("#reset")
    page.select_option("#task", "timestamp")
    page.select_option("#metric", "timestamp/recall@0.3")  # [1, 2] has an IoU of 0.43, [0, 4] one of 0.25
    page.select_option("#right", "0")
    page.select_option("#wrong", "1")
    listed(page, ["v0/timestamp", "v1/timestamp"])
    page.select_option("#right", "1")
    page.select_option("#wrong", "0")
    listed(page, [])
    page.select_option("#right", "")
    page.select_option("#wrong", "1")
    listed(page, ["v0/timestamp", "v1/timestamp", "v2/timestamp"])  # no answer is wrong, too
    assert page.inner_text("#heading").replace(" · ", "/") in rows(page)


def test_bounds_are_read_with_a_point_or_a_comma_and_what_is_no_number_bounds_nothing(page: Any) -> None:
    page.select_option("#task", "timestamp")  # IoU 0.43 and 0.25, with means of 33.9 %
    page.click("#more summary")
    page.select_option("#of", "0")
    page.fill("#from", "42,9")
    listed(page, [])
    page.fill("#from", "42.8")
    listed(page, ["v0/timestamp", "v1/timestamp"])
    page.fill("#from", "42,8")
    listed(page, ["v0/timestamp", "v1/timestamp"])
    for text in ("much", "42 or so"):
        page.fill("#from", text)
        listed(page, ["v0/timestamp", "v1/timestamp", "v2/timestamp"])
        assert page.get_attribute("#from", "aria-invalid") == "true"
    page.fill("#from", "")
    until(page, lambda: page.get_attribute("#from", "aria-invalid") == "false")


def test_means_and_the_scatter_lead_to_samples_and_back_goes_back(page: Any, folder: Path) -> None:
    chips = [text.split("\n")[-1] for text in page.locator("#runs label").all_inner_texts()]
    index = taken(folder, "index")
    means = [run["mean"] for run in index["means"][index["main"]["cause"]]]
    assert chips == [f"{100 * mean:.1f}" for mean in means]
    page.click("#pages a >> text=Means")
    until(page, lambda: page.is_visible("#page table"))
    page.click("#page td a >> nth=2")
    until(page, lambda: page.is_visible("#sample"))
    assert page.input_value("#of") == "0"
    assert rows(page)[0] == "v0/timestamp"
    page.click("#pages a >> text=Run against run")
    until(page, lambda: page.is_visible("svg.scatter"))
    page.click("svg.scatter a >> nth=0", force=True)  # v0 and v1, in one place
    assert page.locator(".links li a").all_inner_texts() == ["v0/timestamp", "v1/timestamp"]
    page.click(".links li a >> nth=1")
    shows(page, "v1 · timestamp")
    page.click("#next")
    shows(page, "v2 · timestamp")
    page.go_back()
    shows(page, "v1 · timestamp")
    page.go_back()
    until(page, lambda: page.is_visible("svg.scatter"))


def test_keys_reach_every_row_and_the_focus_stays(page: Any) -> None:
    page.focus(".row a")
    assert page.locator(".row a[tabindex='0']").count() == 1
    for key, name in (
        ("ArrowDown", "v0timestamp"),
        ("ArrowDown", "v1cause"),
        ("End", "v2timestamp"),
        ("Home", "v0cause"),
    ):
        page.keyboard.press(key)
        assert focused(page).startswith(name)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    shows(page, "v0 · timestamp")
    assert focused(page).startswith("v0timestamp")
    page.keyboard.press("j")
    shows(page, "v1 · cause")
    assert focused(page).startswith("v0timestamp")
    reached = []
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.className"))
    wanted = {"task", "text", "previous", "next", "mark", "reference", "span moment", "frame", "focus"}
    assert wanted - set(reached) == set()
    page.locator("#answers button.focus").nth(1).click()
    until(page, lambda: page.evaluate("document.activeElement.dataset.run") == "1")


def test_a_phone_has_one_column_and_long_answers_are_folded(opened: Open, tmp_path: Path) -> None:
    first, other = story()
    long = "The car drives down the road and turns. " * 60
    answers = tuple(replace_text(one, long) if one.task == "cause" else one for one in first.results.answers)
    run = replace(first, results=first.results.model_copy(update={"answers": answers}))
    made = write_page([run, other], tmp_path / "page")
    page = opened(made.folder.joinpath("index.html").as_uri(), viewport={"width": 390, "height": 844})
    assert page.is_hidden("#list")
    assert page.inner_text("#position") == "1 of 6"
    page.click("#next")
    shows(page, "v0 · timestamp")
    page.click("#previous")
    shows(page, "v0 · cause")
    assert "it says one sentence 60 times" in page.inner_text(".unfold >> nth=0")
    height = page.locator(".card").first.bounding_box()["height"]
    page.click(".unfold >> nth=0")
    assert page.locator(".card").first.bounding_box()["height"] > height + 200
    page.click("#fold")
    assert page.is_visible("#list")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    clock = page.locator("#clock").bounding_box()
    assert clock["y"] + clock["height"] <= page.locator("#tracks").bounding_box()["y"] + 1


def replace_text(one: Any, text: str) -> Any:
    return one.model_copy(update={"answer": text})


def test_the_question_and_the_frames_that_were_shown(opened: Open, tmp_path: Path, folder: Path) -> None:
    page = opened((folder / "index.html").as_uri() + "#sample=v0/timestamp")
    assert "not recorded" in page.inner_text("#reference")
    assert [name.split("\n")[-1] for name in page.locator(".frame").all_inner_texts()][:4] == [
        "0:00.0", "0:01.0", "0:02.0", "0:03.0",
    ]  # fmt: skip
    page.locator("#frames summary").nth(1).click()
    assert page.locator(".frame.cut").all_inner_texts() == ["0:01.0, cut out", "0:03.0, cut out"]
    page.locator(".frame").nth(2).click()
    until(page, lambda: "0:02.0" in page.inner_text("#clock"))
    asked = small_run("m", text="a car", spans="[1, 2]")
    spec = {**asked.results.spec, "prompts": {"cause": {"id": "x", "text": "Why <b>{question}</b>?"}}}
    named = replace(asked, results=asked.results.model_copy(update={"spec": spec}))
    other = opened(write_page([named], tmp_path / "page").folder.joinpath("index.html").as_uri())
    assert "Why <b></b>?" in other.inner_text("#reference")


def test_long_names_leave_room_for_what_stands_beside_them(opened: Open, tmp_path: Path) -> None:
    name = "a model of which the name goes on and on, 7B, instruct, version 1.5 of November"
    runs = [
        Run(
            one.results.model_copy(update={"name": f"{name} {number}", "model": f"{name} {number}"}),
            tuple(s.model_copy(update={"header": s.header.model_copy(update={"model": name})}) for s in one.scores),
        )
        for number, one in enumerate(story())
    ]
    index = write_page(runs, tmp_path / "page").folder / "index.html"
    page = opened(f"{index.as_uri()}#page=scatter", selector="svg.scatter", viewport={"width": 390, "height": 844})
    inside = """([inner, outer]) => [...document.querySelectorAll(inner)].map((one) => {
      const [a, b] = [one, one.closest(outer)].map((part) => part.getBoundingClientRect());
      return a.width > 0 && a.left >= b.left && a.right <= b.right && a.top >= b.top && a.bottom <= b.bottom;
    })"""
    assert page.evaluate(inside, ["#page select", "#page"]) == [True, True]
    assert all(page.evaluate(inside, ["svg.scatter text", "svg"]))
    assert page.evaluate(inside, [".chip b", ".chip"]) == [True, True]


def test_a_link_may_call_a_run_as_the_page_does_and_a_wrong_one_is_told_once(opened: Open, folder: Path) -> None:
    address = (folder / "index.html").as_uri()
    label = taken(folder, "index")["runs"][1]["label"]
    page = opened(f"{address}#task=cause&run=nobody")
    assert page.inner_text("#trouble") == "There is no run nobody here."
    page.evaluate("label => { location.hash = `task=cause&run=${label}`; }", label)
    until(page, lambda: page.input_value("#of") == "1")
    assert not page.is_visible("#trouble")
