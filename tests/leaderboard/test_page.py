"""The HTML page: what it says, that nothing in it is more than text, that it can be read, and that it sorts."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecva_bench.leaderboard.headings import MEANINGS
from ecva_bench.leaderboard.page import as_html
from ecva_bench.leaderboard.table import Cell, Table

TABLE = Table(
    title="cause: by <class>",
    header=("model", "score %", "cost"),
    rows=(
        (Cell("a"), Cell("9.00", 9.0, (8.0, 10.0), frozenset({"best"})), Cell("1", 1.0, shade=0.31)),
        (Cell("b"), Cell("10.00", 10.0, (7.0, 13.0), frozenset({"tie"})), Cell()),
        (Cell("c", marks=frozenset({"baseline"})), Cell("100.00", 100.0), Cell("3", 3.0, shade=1.0)),
    ),
    notes=("a & b",),
    chart=("cost", "score %"),
)
BOARDS = Path(__file__).resolve().parents[2] / "leaderboards"
HOSTILE = "<script>alert(1)</script>\"><img src=x onerror='alert(2)'>&amp;</style></title>"


class Reader(HTMLParser):
    """The tags with their attributes, and the text of each table cell, as a browser would see them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.cells: list[str] = []
        self._inside = False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag in ("td", "th"):
            self.cells.append("")
            self._inside = True

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self._inside = False

    def handle_data(self, data):
        if self._inside:
            self.cells[-1] += data


def page(*tables, title="Leaderboards"):
    return Reader(as_html(tables, title=title))


def test_every_cell_is_there_with_its_interval_and_kind():
    found = page(TABLE)
    assert found.cells[3:] == ["a", "9.00 [8.00, 10.00]", "1", "b", "10.00 [7.00, 13.00]", "-", "c", "100.00", "3"]
    assert [attributes.get("class") for tag, attributes in found.tags if tag == "tr"] == [None, None, None, "baseline"]
    shades = [a["class"] for tag, a in found.tags if tag == "td" and "shade" in (a.get("class") or "")]
    assert shades == ["number shade3", "number shade10"]
    assert sum(tag == "strong" for tag, _ in found.tags) == sum(tag == "u" for tag, _ in found.tags) == 1


@given(st.text().filter(lambda text: text not in MEANINGS))  # a heading with a meaning brings a list of columns
def test_a_text_stays_text(text):
    found = page(Table(text, (text,), ((Cell(text or "x"),),), (text,)), title=text)
    plain = page(Table("t", ("a",), ((Cell("x"),),), ("n",)))
    assert [tag for tag, _ in found.tags] == [tag for tag, _ in plain.tags]
    shown = "".join(character if character.isprintable() else " " for character in text or "x")
    assert found.cells[1] == shown


def test_a_hostile_text_is_no_tag_anywhere():
    row = (Cell(HOSTILE), Cell("1.00", 1.0, (0.0, 2.0)), Cell("2", 2.0))
    found = page(Table(HOSTILE, (HOSTILE, "a", "b"), (row, row), (HOSTILE,), chart=("b", "a")), title=HOSTILE)
    tags = [tag for tag, _ in found.tags]
    assert (tags.count("script"), tags.count("img"), tags.count("style"), tags.count("title")) == (1, 0, 1, 1)
    assert not [name for _, attributes in found.tags for name in attributes if name.startswith("on") or name == "style"]


def test_the_policy_allows_the_pages_own_script_and_style_and_loads_nothing():
    text = as_html([TABLE], title="t")
    policy = next(a["content"] for tag, a in page(TABLE).tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none';")
    allowed = {word for part in policy.split(";") for word in part.split()[1:]}
    assert all(word == "'none'" or word.startswith("'sha256-") for word in allowed)
    for tag, directive in (("style", "style-src"), ("script", "script-src")):
        inner = text[text.index(f"<{tag}>") + len(tag) + 2 : text.index(f"</{tag}>")]
        digest = base64.b64encode(hashlib.sha256(inner.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy
    links = [a[name] for _, a in page(TABLE).tags for name in ("href", "src") if name in a]
    assert all(link.startswith("#t") for link in links)


def test_tables_have_names_headings_and_a_place_in_the_contents():
    found = page(TABLE, TABLE)
    names = [a["id"] for _, a in found.tags if "id" in a]
    assert names == ["t1", "t2"]
    assert [a["href"] for tag, a in found.tags if tag == "a"] == ["#t1", "#t2"]
    assert all(a["scope"] == "col" for tag, a in found.tags if tag == "th")
    assert [a["aria-labelledby"] for tag, a in found.tags if tag == "table"] == names


def _luminance(colour):
    parts = [part / 255 for part in colour]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    """The ratio of WCAG 2.1."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [0, 1])
def test_every_text_has_the_contrast_that_wcag_aa_asks_for(scheme):
    style = files("ecva_bench.leaderboard").joinpath("page.css").read_text()
    block = re.findall(r":root \{(.*?)\}", style, re.DOTALL)[scheme]
    colours = {name: bytes.fromhex(value) for name, value in re.findall(r"--(\w+): #(\w{6});", block)}
    heat = [int(part) for part in re.search(r"--heat: (.*);", block)[1].split(",")]
    strengths = [
        float(value) for value in re.findall(r"\.shade\d+ \{ background: rgba\(var\(--heat\), ([\d.]+)\)", style)
    ]
    assert len(strengths) == 11
    for paper in (colours["paper"], colours["band"]):
        for ink in ("ink", "grey", "accent"):
            assert contrast(colours[ink], paper) >= 4.5, ink
        shaded = [part * strengths[-1] + base * (1 - strengths[-1]) for part, base in zip(heat, paper, strict=True)]
        assert contrast(colours["ink"], shaded) >= 4.5


@pytest.fixture
def path(tmp_path):
    found = tmp_path / "page.html"
    found.write_text(as_html([TABLE, replace(TABLE, title="effect")], title=HOSTILE), encoding="utf-8")
    return found


def test_columns_sort_by_number_in_a_browser(browser, path):
    shown = browser.new_page()
    said: list[str] = []
    shown.on("console", lambda message: said.append(message.text))
    shown.on("pageerror", lambda error: said.append(str(error)))
    shown.goto(path.as_uri())

    def order(heading: str) -> list[str]:
        shown.get_by_role("button", name=heading).first.click()
        return shown.locator("table").first.locator("tbody tr td:first-child").all_inner_texts()

    assert [order("score %"), order("score %")] == [["c", "b", "a"], ["a", "b", "c"]]
    assert [order("cost"), order("cost")] == [["c", "a", "b"], ["a", "c", "b"]]
    assert order("model") == ["a", "b", "c"]
    assert said == []


def test_a_reader_chooses_columns_and_unfolds_what_a_link_leads_to(browser, tmp_path):
    wide = replace(TABLE, meanings={"score %": "the share of what is right"}, overview=True)
    found = tmp_path / "page.html"
    found.write_text(as_html([wide, replace(TABLE, title="more", detail=True)], title="t"), encoding="utf-8")
    shown = browser.new_page()
    shown.goto(found.as_uri())
    assert not shown.locator("table").nth(1).is_visible()
    shown.locator("nav summary").click()
    shown.locator("nav a").nth(1).click()
    assert shown.locator("table").nth(1).is_visible()
    shown.locator(".columns summary").first.click()
    line = shown.locator(".columns li", has_text="score %").first
    assert "the share of what is right" in line.inner_text()
    head = shown.locator("table").first.locator("th")
    assert [one.is_visible() for one in head.all()] == [True, True, True]
    line.locator("input").uncheck()
    assert [one.is_visible() for one in head.all()] == [True, False, True]
    cell = shown.locator("table").first.locator("tbody td").nth(1)
    assert (cell.is_visible(), cell.get_attribute("title")) == (False, "95 % interval 8.00 to 10.00")
    shown.close()


@pytest.mark.parametrize(("width", "height", "scheme"), [(1440, 900, "dark"), (390, 844, "light")])
def test_on_the_board_of_mini_nothing_overflows_and_heads_stay(browser, width, height, scheme):
    shown = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
    shown.goto((BOARDS / "mini" / "leaderboard.html").as_uri())
    assert shown.evaluate("document.documentElement.scrollWidth") == width
    box = shown.locator(".wide").first
    left = [box.locator(kind).first.bounding_box()["x"] for kind in ("th.key", "td.key")]
    assert all(edge == box.bounding_box()["x"] for edge in left)
    box.evaluate("box => { box.style.maxHeight = '120px'; box.scrollTo(400, 60); }")
    assert [box.locator(kind).first.bounding_box()["x"] for kind in ("th.key", "td.key")] == left
    assert box.locator("th.key").bounding_box()["y"] == pytest.approx(box.bounding_box()["y"], abs=1)
    shown.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_that_keeps_people_out(browser, path, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    shown = browser.new_context(color_scheme=scheme, bypass_csp=True).new_page()
    shown.goto(path.as_uri())
    assert [found["id"] for found in axe.Axe().run(shown).response["violations"]] == []
