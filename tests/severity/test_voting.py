"""Votes on when a sentence takes place: the golden cases, and a fine grid for any others."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecva_bench.severity.voting import locate, pieces_as_importance, voted_curve


def test_the_golden_cases_are_located(shared_golden: Path) -> None:
    cases = json.loads((shared_golden / "severity/voting.json").read_text())
    for case in cases["sentences"]:
        found = locate(case["sources"], case["duration"])
        assert (found.supporting, found.needed) == (case["supporting"], case["needed"]), case["name"]
        assert np.array(found.spans).ravel() == pytest.approx(np.array(case["spans"]).ravel(), abs=1e-9), case["name"]
        assert found.agreement == pytest.approx(case["agreement"], abs=1e-9), case["name"]
    assert len(cases["sentences"]) == 30


def test_the_golden_videos_have_their_voted_curves(shared_golden: Path) -> None:
    videos = json.loads((shared_golden / "severity/voting.json").read_text())["videos"]
    for video in videos:
        located = [locate(sources, video["duration"]).spans for sources in video["sources"]]
        assert [[list(span) for span in spans] for spans in located] == video["located"]
        pieces = voted_curve(located, video["scores"], video["duration"])
        assert np.array(pieces) == pytest.approx(np.array(video["value"]), abs=1e-9)
        assert np.array(pieces_as_importance(pieces)) == pytest.approx(np.array(video["importance"]), abs=1e-9)


@settings(max_examples=60)
@given(st.lists(st.lists(st.tuples(st.integers(-5, 45), st.integers(-5, 45)), max_size=4), max_size=5))
def test_votes_are_those_of_a_grid(sources: list[list[tuple[int, int]]]) -> None:
    """Spans of whole seconds in a video of 40 s: each second is in a source's spans or not."""
    found = locate(sources, 40.0)
    middles = np.arange(40) + 0.5
    votes = np.array([[any(a <= t < b for a, b in spans) for t in middles] for spans in sources]).reshape(-1, 40)
    supporting = int(votes.any(axis=1).sum())
    needed = 1 if supporting < 2 else supporting // 2 + 1
    agreed = votes.sum(axis=0) >= needed
    there = np.array([any(a <= t < b for a, b in found.spans) for t in middles])
    assert (found.supporting, found.needed) == (supporting, needed)
    assert (there == agreed).all()  # whole seconds are neither short nor near
    assert found.agreement == pytest.approx(agreed.sum() / votes.any(axis=0).sum() if supporting else 0)


def test_nothing_located_is_nothing() -> None:
    assert pieces_as_importance(voted_curve([(), ()], [1, 2], 10.0)) == [(0.0, 10.0, 0.0)]
