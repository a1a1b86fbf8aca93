"""The page of the authors' released answers: five runs over 983 videos, at two sizes, light and dark.

Screenshots go to the folder that `test_browser` names.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from ecva_bench.data import load_dataset
from ecva_bench.interchange.imported import import_answers
from ecva_bench.interchange.sources import AnswerSource
from ecva_bench.report.page import write_page
from ecva_bench.report.run import Run
from ecva_bench.report.videos import Videos
from ecva_bench.scoring.score import score_results
from tests.scoring.judges import RuleJudge

from .build import taken
from .test_browser import SCREENSHOTS, cpu
from .watching import Open, shows, until

SIZES = {"desktop": (1440, 900), "phone": (390, 844)}
# What each run answers with which released file: as the authors have it, and as other runs could have said it.
RUNS = {
    "video-llama": {"cause": "video_llama_reason", "description": "video_llama_description"},
    "video-llama-when": {"timestamp": "video_llama_time_segment", "cause": "video_llama_description"},
    "video-llava": {"description": "video_llava_description", "effect": "video_llama_reason"},
    "videollama2": {"classification": "videollama2_classification", "cause": "video_llama_description"},
    "told-twice": {"cause": "video_llama_reason", "cause@anomaly": "video_llama_description"},
}


@pytest.fixture(scope="module")
def released(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page; the judge is a rule, for its reasons are to be searched too."""
    data = load_dataset("ecva", shared_data / "ecva/annotations.xlsx")
    runs = []
    for name, tasks in RUNS.items():
        files = [(shared_data / f"ecva/answers/{file}.json", task) for task, file in tasks.items()]
        sources = [AnswerSource.parse(f"{path}@{task}") for path, task in files]
        results = import_answers(sources, data, model=name).results()
        judge = RuleJudge() if name == "told-twice" else None
        runs.append(Run(results, (score_results(results, judge=judge, draws=20),)))
    known = Videos({each.video: each for each in data.annotations}, None, data.taxonomy.describe)
    return write_page(runs, tmp_path_factory.mktemp("released") / "page", known).folder / "index.html"


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_it_can_be_read_by_all_at_any_size(opened: Open, released: Path, size: str, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed").Axe()
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    width, height = SIZES[size]
    page = opened(released.as_uri(), viewport={"width": width, "height": height}, color_scheme=scheme)
    for place, name in enumerate(("sample", "means", "scatter")):
        page.click(f"#pages a >> nth={place}")
        until(page, lambda place=place: page.is_visible("#page") == (place > 0))
        page.screenshot(path=SCREENSHOTS / f"released-{name}-{size}-{scheme}.png")
        if size == "phone":
            page.click("#fold")
        found = axe.run(page, options={"preload": False}).response["violations"]
        assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        if size == "phone":
            page.click("#fold")


@pytest.mark.slow
def test_words_are_found_in_less_than_a_third_of_a_second(opened: Open, released: Path) -> None:
    page = opened(released.as_uri())
    whole = page.inner_text("#count")
    for words in ("fire", "the car", "crash* video", "the video shows a man"):
        before = cpu(page)
        page.fill("#text", words)
        until(page, lambda: not page.inner_text("#count").startswith(("0 of", whole)))
        page.wait_for_timeout(300)
        assert cpu(page) - before < 0.3, words
        assert page.evaluate("CSS.highlights.get('found').size") > 0


@pytest.mark.slow
def test_tab_goes_through_the_whole_page(opened: Open, released: Path) -> None:
    page = opened(f"{released.as_uri()}#task=cause")
    reached: list[str] = []
    for _ in range(120):
        page.keyboard.press("Tab")
        name = page.evaluate("(({ id, className, tagName }) => id || className || tagName)(document.activeElement)")
        if name == "BODY":
            break
        reached.append(name)
    order = ["task", "class", "metric", "text", "find", "sort", "reset", "previous", "next", "mark", "reference"]
    assert [name for name in reached if name in order] == order
    cards = page.locator("#answers button, #answers summary").count()
    behind = reached[reached.index("reference") :]
    assert len([name for name in behind if name in ("focus", "unfold", "SUMMARY")]) == cards


def test_a_link_from_elsewhere_names_a_run_and_leads_to_its_worst_answers(opened: Open, folder: Path) -> None:
    index = taken(folder, "index")
    link = f"#task=cause&run={index['runs'][1]['sha256'][:12]}"
    page = opened((folder / "index.html").as_uri() + link)
    assert page.input_value("#of") == "1"
    assert page.input_value("#sort") == "low"
    assert "run=" not in page.url
    page.click(".row >> nth=1")
    shows(page, "v1 · cause")


def test_from_a_mean_to_the_answers_behind_it_are_two_clicks(opened: Open, folder: Path) -> None:
    page = opened(f"{(folder / 'index.html').as_uri()}#page=means", selector="#page table")
    page.click("#page td a >> nth=0")  # of the first run: its worst sample first
    until(page, lambda: page.is_visible("#sample"))
    page.click(".row >> nth=1")
    shows(page, "v1 · cause")
    assert page.locator("#answers article").count() == 2
