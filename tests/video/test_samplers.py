"""Sampling formulas: against the index tables of the models' own programs, and what holds for all inputs."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecva_bench.errors import UsageError
from ecva_bench.records import Moment
from ecva_bench.video import samplers

counts = st.integers(1, 5000)


def table(folder: Path, model: str, *keys: str) -> dict[str, Any]:
    value = json.loads((folder / model / "sampling_and_prompt.json").read_text())
    for key in keys:
        value = value[key]
    return value


def two(key: str) -> tuple[int, int]:
    """Split `8460_16` or `8460/16` into the frames of the video and the frames asked for."""
    total, count = key.replace("/", "_").split("_")
    return int(total), int(count)


def test_video_llava(shared_golden: Path) -> None:
    for total, indices in table(shared_golden, "video_llava", "frame_indices_by_total").items():
        assert samplers.linspace(int(total), 8).tolist() == indices


def test_vila(shared_golden: Path) -> None:
    for key, indices in table(shared_golden, "vila", "frame_indices").items():
        total, count = two(key)
        if total > count:  # shorter clips are padded with black pictures, which is not sampling
            assert samplers.linspace(total - 1, count).tolist() == indices


def test_videollama2(shared_golden: Path) -> None:
    for key, indices in table(shared_golden, "videollama2", "v1.5_main").items():
        assert samplers.midpoints(*two(key)).tolist() == indices
    for key, indices in table(shared_golden, "videollama2", "v1.0").items():
        assert samplers.midpoints(*two(key), rounded="bounds").tolist() == indices


@pytest.mark.parametrize("model", ["videochat2", "mplug_owl"])
def test_videochat2_and_mplug_owl(shared_golden: Path, model: str) -> None:
    for key, indices in table(shared_golden, model, "frame_indices").items():
        assert samplers.midpoints(*two(key), rounded="steps").tolist() == indices


def test_video_chatgpt_and_st_llm_never_ask_for_more_than_there_is(shared_golden: Path) -> None:
    for total, indices in table(shared_golden, "video_chatgpt", "frame_indices_by_total").items():
        assert samplers.midpoints(int(total), min(100, int(total)), rounded="bounds").tolist() == indices
    for key, indices in table(shared_golden, "st_llm", "frame_indices").items():
        total, count = two(key)
        assert samplers.midpoints(total, min(count, total), rounded="bounds").tolist() == indices


def test_timechat(shared_golden: Path) -> None:
    for key, indices in table(shared_golden, "timechat", "frame_indices").items():
        total, count = two(key)
        assert samplers.starts(total, min(count, total)).tolist() == indices


def test_otter(shared_golden: Path) -> None:
    for total, found in table(shared_golden, "otter", "frame_seeks_16").items():
        assert samplers.starts(int(total), 16, whole=True).tolist() == found["seeks"]


def test_pandagpt(shared_golden: Path) -> None:
    clips = table(shared_golden, "pandagpt", "clips")
    assert len(clips) == 11
    for key, found in clips.items():
        total, rate = key.split("_")
        ends = samplers.clip_ends(int(total), 5, frame_rate=float(rate), seconds=2)
        assert ends.reshape(5, 2).tolist() == found["frames"], key


@pytest.mark.parametrize("model", ["chat_univi", "llama_vid"])
def test_one_frame_a_second(shared_golden: Path, model: str) -> None:
    for key, indices in table(shared_golden, model, "frame_indices").items():
        total, _, rest = key.partition("@")
        rate, _, cap = rest.partition("/")
        positions = np.arange(int(total)) / float(rate)
        assert samplers.at_fps(positions, 1, int(cap) if cap else None).tolist() == indices


@given(total=counts, count=counts)
def test_samples_are_in_order_and_inside(total: int, count: int) -> None:
    for indices in (
        samplers.linspace(total, count),
        samplers.linspace(total, count, nearest=True),
        samplers.midpoints(total, count),
        samplers.midpoints(total, count, rounded="bounds"),
        samplers.midpoints(total, count, rounded="steps"),
        samplers.starts(total, count),
    ):
        assert indices.dtype == np.int64
        assert len(indices) == count
        assert indices[0] >= 0
        assert indices[-1] < total
        assert (np.diff(indices) >= 0).all()
        if count <= total:
            assert np.diff(indices).max(initial=0) <= 2 * (total / count) + 1


@given(total=counts, count=counts)
def test_starts_are_where_segments_begin_or_a_frame_before(total: int, count: int) -> None:
    for number, index in enumerate(samplers.starts(total, count).tolist()):
        exact = Fraction(total * number, count)
        assert index == int(exact) or (exact.denominator == 1 and index == exact - 1)


def test_starts_step_in_floating_point_as_timechat_does() -> None:
    for total in range(96, 4000):
        expected = np.arange(0, total, total / 96).astype(int)
        assert samplers.starts(total, 96).tolist() == expected.tolist(), total
    assert samplers.starts(208, 96)[54] == 116  # 54 * 208 / 96 is 117


@pytest.mark.parametrize("rate", [12.5, 24.0, 24000 / 1001, 25.0, 30000 / 1001, 30.0, 60.0])
def test_clips_end_where_fractions_of_a_second_say(rate: float) -> None:
    for total in range(1, 1500, 7):
        step = Fraction(max(total / rate - 2, 0)) / 4
        expected = [[math.ceil(rate * (k * step)), math.ceil(rate * (k * step + 2))] for k in range(5)]
        found = samplers.clip_ends(total, 5, frame_rate=rate, seconds=2.0).reshape(5, 2).tolist()
        assert found == [[start, min(stop, total) - 1] for start, stop in expected], total


@pytest.mark.parametrize(("rate", "step"), [(12.5, 12), (7.5, 8), (14.5, 14), (29.97, 30), (0.4, 1)])
def test_a_second_of_half_a_frame_more_is_rounded_to_even(rate: float, step: int) -> None:
    for total in range(40, 200):
        assert samplers.at_fps(np.arange(total) / rate, 1)[1] == step


@given(total=counts, count=st.integers(2, 5000))
def test_linspace_includes_both_ends(total: int, count: int) -> None:
    indices = samplers.linspace(total, count)
    assert (indices[0], indices[-1]) == (0, total - 1)


@given(total=st.integers(2, 3000), rate=st.floats(1, 120), fps=st.floats(0.1, 200), cap=st.none() | st.integers(1, 99))
def test_at_fps_steps_evenly_and_keeps_the_cap(total: int, rate: float, fps: float, cap: int | None) -> None:
    indices = samplers.at_fps(np.arange(total) / rate, fps, cap)
    assert indices[0] == 0
    assert indices[-1] < total
    step = max(1, round(rate / fps))
    assert (indices % step == 0).all() or abs(rate / fps % 1 - 0.5) < 1e-3  # a tie, as far as timestamps can tell
    if cap is None:
        assert set(np.diff(indices)) <= {step} or abs(rate / fps % 1 - 0.5) < 1e-3
    else:
        assert len(indices) <= cap


spans = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 20)).map(lambda s: Moment(start=s[0] / 2, end=(s[0] + s[1]) / 2)),
    min_size=1,
    max_size=4,
)


@given(spans=spans, count=st.integers(1, 40))
def test_dense_looks_inside_the_spans(spans: list[Moment], count: int) -> None:
    times = np.arange(250) / 10
    inside = [i for i, t in enumerate(times) if any(span.start <= t < span.end for span in spans)]
    chosen = samplers.dense(times, spans, count).tolist()
    assert len(chosen) == count
    assert chosen == sorted(chosen)
    if inside:
        assert set(chosen) <= set(inside)
        assert chosen[0] == inside[0]
        if count > 1:
            assert chosen[-1] == inside[-1]
        if count >= len(inside):
            assert set(chosen) == set(inside)
    else:
        assert set(chosen) <= {min(249, int(span.start * 10)) for span in spans}


def test_names(shared_golden: Path) -> None:
    for name in ("linspace", "midpoints", "starts", "clip_ends", "at_fps", "dense"):
        assert samplers.get(name) is getattr(samplers, name)
    with pytest.raises(UsageError, match="did you mean 'linspace'"):
        samplers.get("linspce")


@pytest.mark.parametrize(("total", "count"), [(0, 8), (8, 0), (-1, 1)])
def test_nothing_cannot_be_sampled(total: int, count: int) -> None:
    for sampler in (samplers.linspace, samplers.midpoints, samplers.starts):
        with pytest.raises(UsageError):
            sampler(total, count)
    with pytest.raises(UsageError):
        samplers.dense([0.0], [], 1)
    with pytest.raises(UsageError):
        samplers.at_fps([0.0, 1.0], 0)
