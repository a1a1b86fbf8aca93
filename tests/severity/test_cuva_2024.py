"""The released arithmetic, against what the released functions gave."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ecva_bench.errors import DataError
from ecva_bench.severity import cuva_2024 as released


@pytest.fixture(scope="module")
def golden(shared_golden: Path) -> dict[str, Any]:
    folder = shared_golden / "severity"
    return {**json.loads((folder / "curve_a.json").read_text()), **np.load(folder / "clip_a.npz")}


def test_the_frames_are_the_released_readers(shared_golden: Path) -> None:
    for case in json.loads((shared_golden / "severity/sampling.json").read_text())["sampling"]:
        assert released.coarse_frames(case["n_frames"]) == case["coarse"]
        for fine in case["fine"]:
            found = released.fine_frames(case["n_frames"], fine["peaks"])
            assert (found[-1] >= case["n_frames"]) == ("error" in fine)
            if "numbers" in fine:
                assert found == fine["numbers"]
                assert (found[0] != 0) == fine["aligned"]


def test_the_peaks_are_those_stored_beside_the_values(shared_golden: Path) -> None:
    stored = json.loads((shared_golden / "severity/released.json").read_text())
    assert released.find_peaks(stored["curve99"]["values"]) == stored["curve99"]["peaks"]
    assert released.find_peaks(stored["curve35"]["values"]) == stored["curve35"]["peaks_at_035"]
    assert released.find_peaks(stored["curve35"]["values"], 0.2) == stored["curve35"]["peaks_at_020"]


def test_the_three_formulas(golden: dict[str, Any]) -> None:
    coarse = np.isin(golden["frame_numbers"], golden["coarse_frames"])
    cosines = golden["cosines"][:, coarse]
    assert released.softmax_curve(cosines, golden["scores"]) == pytest.approx(golden["curve_softmax"], abs=1e-5)
    products = golden["text_features"] @ golden["image_features"][coarse].T
    assert np.isnan(golden["curve_softmax_unnormalised"]).all()
    assert np.isnan(released.softmax_curve(products, golden["scores"])).all()
    assert released.cosine_curve(cosines, golden["scores"]) == pytest.approx(golden["curve_cosine"], abs=1e-5)


def test_the_merged_curve(golden: dict[str, Any]) -> None:
    column = {int(number): place for place, number in enumerate(golden["frame_numbers"])}

    def values_at(frames: list[int]) -> released.Array:
        return released.cosine_curve(golden["cosines"][:, [column[frame] for frame in frames]], golden["scores"])

    n_frames = golden["video"]["n_frames"]
    coarse_peaks = released.find_peaks(values_at(released.coarse_frames(n_frames)))
    assert coarse_peaks == golden["coarse_peaks"]
    fine = released.fine_frames(n_frames, coarse_peaks)
    assert fine == golden["fine_frames"].tolist()
    values = values_at(fine)
    assert values == pytest.approx(golden["curve_fine"], abs=1e-5)
    peaks = released.find_peaks(values)
    assert (peaks, [fine[k] for k in peaks]) == (golden["fine_peaks"], golden["fine_peak_frames"])
    single = released.single_peaks(values, peaks)
    assert single == [peak["idx"] for peak in golden["single_peaks"]]
    groups = released.peak_groups(values, fine, peaks)
    assert [group.frames for group in groups] == golden["groups"]
    assert [group.mean for group in groups] == pytest.approx(golden["group_mean"], abs=1e-5)
    merged = released.released_curve(n_frames, values_at)
    assert merged.frames == golden["merged_frames"]
    assert merged.values == pytest.approx(golden["curve_merged"], abs=1e-5)
    assert released.find_peaks(merged.values) == golden["merged_peaks"]
    assert merged.faults == (released.MEAN_FAULT,)


@pytest.mark.parametrize(
    ("values", "faults"),
    [([0.1, 0.2, 0.4], (released.END_FAULT,)), ([0.4, 0.2, 0.1], (released.ZERO_FAULT,)), ([0.2, 0.4, 0.2], ())],
)
def test_where_the_program_ends_the_coarse_curve_stands_alone(values: list[float], faults: tuple[str, ...]) -> None:
    found = released.released_curve(100, lambda frames: np.interp(frames, [30, 60, 90], values))
    assert found.faults == faults
    assert found.frames == [30, 60, 90]
    assert found.values == pytest.approx(values)


def test_what_the_released_code_has_no_numbers_for_is_refused() -> None:
    assert released.rank_scores([1, 2.5, 2.5, 4, 5]) == [0.5, 0.35, 0.35, 0.2, 0.1]
    with pytest.raises(DataError, match="5 sentences, and there are 6"):
        released.rank_scores([1, 2, 3, 4, 5, 6])
    with pytest.raises(DataError, match="no frame is taken"):
        released.released_curve(30, lambda frames: np.array(frames))
