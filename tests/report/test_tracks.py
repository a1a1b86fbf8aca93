"""Tracks: what a model was shown, what it said, and an axis long enough for all of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecva_bench.records import Annotation
from ecva_bench.records.answers import SeenFrames
from ecva_bench.report.tracks import axis_end, frame_tracks, predicted_spans
from tests.scoring.build import answer, moments

seconds = st.floats(0, 1000)
spans = st.tuples(seconds, seconds).map(sorted).map(tuple)


def frames(*times: float) -> SeenFrames:
    return SeenFrames(n=len(times), timestamps=times)


def test_questions_over_the_same_frames_share_a_track() -> None:
    same, other = frames(0, 1, 2), frames(0, 2)
    cut = moments((1, 2))
    answers = [
        answer("v", "a", frames=same),
        answer("v", "b", task="effect", frames=same),
        answer("v", "c", task="description", frames=other),
        answer("v", "d", view="anomaly", removed=cut, frames=frames(0)),
        answer("v", "e", view="control", removed=cut),
        answer("w", "f", task="timestamp"),
    ]
    assert [(track["view"], track["tasks"], track["times"], track["cut"]) for track in frame_tracks(answers)] == [
        ("full", ["cause", "effect"], (0, 1, 2), ()),
        ("full", ["description"], (0, 2), ()),
        ("anomaly", ["cause"], (0,), ((1, 2),)),
        ("control", ["cause"], (), ((1, 2),)),
    ]


@pytest.mark.parametrize(
    ("text", "unit", "found"),
    [
        ("[1, 2.5] [4, 6]", "seconds", ((1, 2.5), (4, 6))),
        ("from 3 to 12", None, ()),  # of which unit?
        ("3 to 12 seconds", None, ((3, 12),)),
        ("[9, 2]", "seconds", ()),
        ("never", "seconds", ()),
    ],
)
def test_predicted_spans_are_those_that_can_be_read(text, unit, found) -> None:
    said = answer("v", text, task="timestamp")
    assert predicted_spans([answer("v", "[7, 8]"), said], unit) == found
    assert predicted_spans([said.model_copy(update={"view": "anomaly"})], unit) == ()


@given(st.lists(spans), st.lists(spans), st.none() | seconds, st.lists(seconds).map(sorted))
def test_the_axis_shows_everything(annotated, cut, duration, times) -> None:
    one = answer("v", "a", removed=moments(*cut), duration=duration, frames=frames(*times))
    annotation = Annotation(video="v", media="v.mp4", moments=moments(*annotated))
    ends = [0, *(end for _, end in annotated + cut), *times, duration or 0]
    assert axis_end(annotation, [one]) == max(ends)
