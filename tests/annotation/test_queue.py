"""Who annotates what: everything once, a share twice, hidden known videos, and nothing that tells which is which."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecva_bench.annotation.queue import QueuedVideo, chosen_acts, plan_queue, queue_text, read_queue, write_plan
from ecva_bench.errors import DataError, UsageError

from .acts import act

NAMES = ("ann", "ben", "cleo")


def videos(count: int) -> list[QueuedVideo]:
    return [QueuedVideo(video=f"v{n}", annotator="nobody", duration=10) for n in range(count)]


@settings(max_examples=20)
@given(st.integers(1, 60), st.integers(2, 3), st.floats(0, 1), st.integers(0, 9))
def test_every_video_has_one_annotator_or_two_different_ones(
    count: int, people: int, overlap: float, seed: int
) -> None:
    plan = plan_queue(videos(count), NAMES[:people], overlap=overlap, seed=seed)
    assert len({(one.video, one.annotator) for one in plan}) == len(plan)
    times = Counter(one.video for one in plan)
    assert set(times) == {f"v{n}" for n in range(count)}
    assert sum(n == 2 for n in times.values()) == round(overlap * count)
    shares = Counter(one.annotator for one in plan)
    assert max(shares.values()) - min(shares[name] for name in NAMES[:people]) <= 1
    assert plan == plan_queue(videos(count), NAMES[:people], overlap=overlap, seed=seed)


def test_another_seed_is_another_plan() -> None:
    plans = [plan_queue(videos(40), NAMES, overlap=0.2, seed=seed) for seed in (0, 1)]
    assert plans[0] != plans[1]


def test_known_videos_are_hidden_among_the_others(tmp_path: Path) -> None:
    plan = plan_queue(videos(120), NAMES, overlap=0, seed=0, gold=[f"g{n}" for n in range(50)])
    hidden = Counter(one.annotator for one in plan if one.part == "qualification")
    assert hidden == dict.fromkeys(NAMES, 2)
    assert all(one.video.startswith("g") == (one.part == "qualification") for one in plan)
    counts = write_plan(tmp_path, plan, NAMES)
    assert sum(counts.values()) == len(plan)
    told = [json.loads(line) for path in counts for line in path.read_text().splitlines()]
    assert len(told) == len(plan)
    assert all("part" not in one and one["blind"] for one in told)
    own = [one.video[0] for one in plan if one.annotator == "ann"]
    assert own != sorted(own, reverse=True)  # they do not stand at the end


def test_one_person_cannot_be_the_second() -> None:
    with pytest.raises(UsageError, match="--overlap 0"):
        plan_queue(videos(3), ["ann"], overlap=0.2, seed=0)
    with pytest.raises(UsageError, match="named twice"):
        plan_queue(videos(3), ["ann", "ann"], overlap=0, seed=0)


def test_a_queue_is_read_back_and_shown_work_is_without_names(tmp_path: Path) -> None:
    path = tmp_path / "third.jsonl"
    shown = (act("v", "A", [(0, 2)], cause="late"), act("v", "B", [(5, 6)], cause="early"))
    path.write_text(queue_text([QueuedVideo(video="v", annotator="third", round=2, blind=False, shown=shown)]))
    [begun] = chosen_acts(path, "third", 2)
    assert begun.cause == "A: late\nB: early"
    assert [moment.start for moment in begun.moments] == [0, 5]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("3", "line 2 is no video"),
        ('{"vid": 1}', "line 2: video"),
        ('{"video": "v"}', "'v' is there twice"),
        ("{", "line 2"),
    ],
)
def test_a_line_that_is_no_video_is_named(line: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "videos.jsonl"
    path.write_text(f'{{"video": "v"}}\n{line}\n')
    with pytest.raises(DataError, match=words):
        read_queue(path)
