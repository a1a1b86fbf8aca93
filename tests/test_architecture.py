"""The architecture page shows the imports as they are, and the picture leaves out only what it shows anyway."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import imports
from tests.imports import PAGE, ROOT, arrows, imported_rooms, reachable, redrawn, reduced

REDRAW = "the imports and the page differ; draw it anew: python -m tests.imports"
PICTURED = re.compile(r"^    (\w+) --> (\w+)$", re.MULTILINE)


def test_the_page_is_drawn_from_todays_imports() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert redrawn(page) == page, REDRAW


def test_a_page_is_stale_where_an_import_is_new_or_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    page = PAGE.read_text(encoding="utf-8")
    graph = arrows()
    for imported in (graph["journal"] | {"statistics"}, graph["journal"] - {"reading"}):
        monkeypatch.setattr(imports, "arrows", lambda direct=imported: {**graph, "journal": direct})
        assert redrawn(page) != page


def test_no_room_imports_itself_through_others() -> None:
    graph = arrows()
    assert [room for room in graph if room in reachable(graph, room)] == []


def test_the_picture_shows_rooms_that_python_really_loads() -> None:
    """What a fresh interpreter has loaded after importing a room, the source's imports must explain."""
    code = (
        "import sys, ecva_bench.journal.merging; "
        "print(*{m.split('.')[1] for m in sys.modules if m.startswith('ecva_bench.')})"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    loaded = set(shown.split()) - imports.EVERYWHERE - {"journal"}
    assert {"records", "reading"} <= loaded <= reachable(arrows(), "journal")


@pytest.mark.parametrize(
    ("source", "package", "found"),
    [
        ("from ..records import Answer", "ecva_bench.scoring", {"records"}),
        ("from .. import registry, names", "ecva_bench.scoring", {"registry", "names"}),
        ("from .scorer import Scorer", "ecva_bench.scoring", {"scoring"}),
        ("from ... import cache", "ecva_bench.adapters.anomshield", {"cache"}),
        ("from .errors import UsageError", "ecva_bench", {"errors"}),
        ("import ecva_bench.video.samplers as s", "ecva_bench.adapters", {"video"}),
        ("from ecva_bench import devices", "ecva_bench.adapters", {"devices"}),
        ("def f():\n    from ecva_bench.data import load_dataset", "ecva_bench.cli", {"data"}),
        ("import numpy, os.path\nfrom json import loads", "ecva_bench.cli", set()),
    ],
)
def test_every_form_of_import_is_seen(source: str, package: str, found: set[str]) -> None:
    assert imported_rooms(source, package.split(".")) == found


@given(st.sets(st.tuples(st.integers(0, 6), st.integers(0, 6)).filter(lambda pair: pair[0] < pair[1])))
def test_what_the_picture_leaves_out_it_still_shows_by_a_longer_way(pairs: set[tuple[int, int]]) -> None:
    graph = {str(room): frozenset(str(to) for of, to in pairs if of == room) for room in range(7)}
    few = reduced(graph)
    for room in graph:
        assert few[room] <= graph[room]
        assert reachable(few, room) == reachable(graph, room)
        for each in few[room]:  # and none could be left out besides
            without = {**few, room: few[room] - {each}}
            assert reachable(without, room) != reachable(few, room)


def test_the_picture_is_text_that_mermaid_reads() -> None:
    drawn = PICTURED.findall(PAGE.read_text(encoding="utf-8"))
    assert drawn == [(room, each) for room, direct in sorted(reduced(arrows()).items()) for each in sorted(direct)]


NOTES = [path for path in (ROOT / "design").glob("*.md") if path.name not in ("README.md", "glossary.md")]


@pytest.mark.parametrize("note", NOTES, ids=lambda note: note.stem)
def test_a_note_opens_with_its_decision_ends_with_what_was_rejected_and_is_listed(note: Path) -> None:
    text = note.read_text(encoding="utf-8")
    title, opening, *_, last = text.split("\n\n")
    assert title.startswith("# ")
    assert opening.startswith("**Decision: ")
    assert last.startswith("**Rejected.** ") or "rejected" in text.rpartition("\n## ")[2].partition("\n")[0].lower()
    assert f"[{note.name}]({note.name})" in (ROOT / "design" / "README.md").read_text(encoding="utf-8")


def test_the_glossary_has_each_term_once_and_is_linked() -> None:
    text = (ROOT / "design" / "glossary.md").read_text(encoding="utf-8")
    terms = [line.split(" | ")[0].removeprefix("| ") for line in text.splitlines() if line.startswith("| ")]
    terms = [term for term in terms if term not in ("term", "---")]
    assert len(terms) == len(set(terms)) > 50
    assert all("glossary.md" in (ROOT / page).read_text(encoding="utf-8") for page in ("README.md", "CONTRIBUTING.md"))
