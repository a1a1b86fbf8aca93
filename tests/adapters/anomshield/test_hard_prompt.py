"""The hard prompt's arithmetic: where segments lie, which frames a closer look takes, what a reply says."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecva_bench.adapters.anomshield import hard_prompt
from ecva_bench.adapters.anomshield.adapter import RANKING
from ecva_bench.judging import Call, Verdict
from ecva_bench.judging.prompts import load_prompt
from ecva_bench.records import Moment
from ecva_bench.video import Video
from tests.video.make import write


def authors_frames(duration: int, count: int) -> list[int]:
    """The authors' uniform sampling, written anew: the middle of each segment between rounded bounds."""
    bounds = [round((duration - 1) / count * place) for place in range(count + 1)]
    return [(first + second) // 2 for first, second in pairwise(bounds)]


counts = st.sampled_from([4, 8])
pairs = st.permutations(range(1, 5)).map(lambda numbers: numbers[:2])


@given(st.integers(min_value=1, max_value=20_000), pairs)
def test_with_four_segments_the_closer_look_is_the_authors_own(n_frames: int, chosen: list[int]) -> None:
    every = authors_frames(n_frames, 32)
    earlier, later = sorted(chosen)
    expected = every[8 * (earlier - 1) : 8 * earlier] + every[8 * (later - 1) : 8 * later]
    assert hard_prompt.closer(n_frames, 4, chosen).tolist() == expected


class Timeline:
    """As much of a video as cutting it into segments asks for: so many frames, a quarter of a second each."""

    def __init__(self, n_frames: int) -> None:
        self.n_frames = n_frames
        self.timestamps = np.arange(n_frames) / 4


@given(st.integers(min_value=1, max_value=3000), counts, st.data())
def test_segments_tile_the_video_and_frames_lie_inside_theirs(n_frames: int, count: int, data: st.DataObject) -> None:
    segments = hard_prompt.segments_of(Timeline(n_frames), count)  # type: ignore[arg-type]
    assert len(segments) == count
    assert (segments[0].start, segments[-1].end) == (0, (n_frames - 1) / 4)
    assert all(one.end == other.start for one, other in pairwise(segments))
    assert [frame for segment in segments for frame in segment.frames] == authors_frames(n_frames, 32)
    chosen = data.draw(st.permutations(range(1, count + 1)))[:2]
    frames = hard_prompt.closer(n_frames, count, chosen)
    assert len(frames) == 16
    for row, number in enumerate(sorted(chosen)):
        segment = segments[number - 1]
        for frame in [*segment.frames, *frames[8 * row : 8 * row + 8]]:
            assert segment.start <= frame / 4 <= segment.end
    steps = np.diff(frames)
    assert (steps > 0).all() if n_frames > 64 else (steps >= 0).all()


def test_a_cut_moment_is_never_looked_at(tmp_path: Path) -> None:
    video = Video(write(tmp_path / "a.mp4", count=60))
    edit = video.without([Moment(start=0.8, end=1.6)])
    segments = hard_prompt.segments_of(edit, 8)
    assert segments[-1].end == pytest.approx(59 / 25)
    seconds = [edit.timestamps[frame] for segment in segments for frame in segment.frames]
    seconds += edit.timestamps[hard_prompt.closer(edit.n_frames, 8, (4, 5))].tolist()
    assert not [second for second in seconds if 0.8 <= second < 1.6]


@pytest.mark.parametrize(
    ("reply", "order"),
    [
        ("[3, 1, 8, 2, 4, 7, 6, 5]", (3, 1, 8, 2, 4, 7, 6, 5)),
        (" [2,1]\n\nThe second sentence shows a crash [1].", (2, 1)),
        ("Sure! Ranked: [ 8 , 1 ] rather than [1, 8]", (8, 1)),
        ("", ()),
        ("3, 1, 2", (3, 1, 2)),
        ("3 > 1 > 2", (3, 1, 2)),
        ("I rank 3, 1, 2 by how they sound.", ()),
        ("In the form of [1,4,3,2]? Ranking: [2, 1, 3].", (2, 1, 3)),
        ("[1, 2, 3] or [2, 1, 3]", ()),
        ("排序：【3，1，2】", (3, 1, 2)),
        ("The best is [3].", ()),
        ("[1, 9, 2]", ()),
        ("[0, 1, 2]", ()),
        ("[4, 4, 1]", ()),
        ("[1, 222222, 3]", ()),
        ("[1, 2", ()),
        ("[٣, 1]", (3, 1)),
    ],
)
def test_a_ranking_is_read_or_it_is_not(reply: str, order: tuple[int, ...]) -> None:
    assert hard_prompt.ranking_in(reply, 8) == hard_prompt.Ranking(reply, order)


@given(st.text("[] ,0123456789x"), counts)
def test_whatever_a_reply_says_only_segments_that_are_there_are_chosen(reply: str, count: int) -> None:
    chosen = hard_prompt.ranking_in(reply, count).chosen
    assert chosen == () or (len(chosen) == 2 and 1 <= chosen[0] < chosen[1] <= count)


@given(st.permutations(range(1, 9)))
def test_the_two_best_are_chosen_in_the_order_of_time(order: list[int]) -> None:
    assert hard_prompt.ranking_in(f"Answer: {order}", 8).chosen == tuple(sorted(order[:2]))


def test_the_prompt_holds_question_and_captions_as_the_authors_laid_them_out() -> None:
    captions = ["A man walks.", "A {question} in\nbraces.", "A car.", "Smoke."]
    found = hard_prompt.ranking_prompt(RANKING["4"].text, "Why? {sentences}", captions)
    assert found.startswith("I have four sentences and one question.")
    question = "\n\nQuestion:\nWhy? {sentences}\n\nSentences:\n"
    assert found.endswith(question + "1.A man walks.\n2.A {question} in braces.\n3.A car.\n4.Smoke.")


class Scripted:
    """A judge with one verdict."""

    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict
        self.calls: list[Call] = []

    def ask(self, calls: Sequence[Call]) -> list[Verdict]:
        self.calls += calls
        return [self.verdict for _ in calls]

    def identity(self) -> dict[str, str]:
        return {}


def test_a_judge_s_grades_are_a_ranking_and_the_earlier_of_equals_comes_first() -> None:
    judge, prompt = Scripted(Verdict((0.0, 4.0, 5.0, 4.0), rationale="smoke")), load_prompt("judge/caption-relevance")
    ranking = hard_prompt.ranked_by_judge(judge, prompt, "Why?", ["a", "b", "c", "d"])
    assert ranking.order == (3, 2, 4, 1)
    assert ranking.chosen == (2, 3)
    assert "smoke" in ranking.reply
    assert judge.calls == [Call(prompt, {"question": "Why?", "captions": ["a", "b", "c", "d"]})]
    assert judge.calls[0].expected == 4
    silent = hard_prompt.ranked_by_judge(Scripted(Verdict(None, reason="refused: no")), prompt, "Why?", ["a", "b"])
    assert silent == hard_prompt.Ranking("refused: no")
