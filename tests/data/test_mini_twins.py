"""The embedded twins: what they show differs from their clip in the anomaly, or in everything but the movement."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ecva_bench.data import drawing, load_dataset, mini_twins
from ecva_bench.data.mini import load_mini, mini_clips
from ecva_bench.data.mini_twins import DEFINITION, load_mini_twins
from ecva_bench.data.scenes import SCENES, TWINS
from ecva_bench.errors import DataError, UsageError
from ecva_bench.records.twins import original_of, twins_of

DATA = json.loads(DEFINITION.read_text(encoding="utf-8"))
TWIN = {clip["video"]: clip for clip in DATA["clips"]}
CLIPS = mini_clips()
ANNOTATIONS = {each.video: each for each in load_mini_twins().annotations}


def pictures(video: str, times: list[float]) -> list[NDArray[np.int64]]:
    """Return what a video shows at some times, from the functions that draw it."""
    clip = CLIPS[original_of(video)]
    draw = TWINS[TWIN[video]["scene"]] if video in TWIN else SCENES[clip.scene]
    return [draw(t, clip.moments).pixels.astype(int) for t in times]


def unlike(one: NDArray[np.int64], other: NDArray[np.int64]) -> int:
    """Return how many pixels of two pictures differ clearly."""
    return int(_far(one, other).sum())


def test_each_clip_of_mini_is_there_as_it_is_and_has_two_twins() -> None:
    assert len(ANNOTATIONS) == 42
    assert list(ANNOTATIONS) == sorted(ANNOTATIONS)
    assert {video for clip in CLIPS for video in twins_of(clip)} == set(ANNOTATIONS)
    for original in load_mini().annotations:
        assert ANNOTATIONS[original.video] == original.model_copy(update={"anomalous": True})
    assert {clip["scene"] for clip in TWIN.values()} == TWINS.keys()
    assert all(
        TWIN[video]["scene"] == f"{CLIPS[original_of(video)].scene}_{video.rpartition('-')[2]}" for video in TWIN
    )


@pytest.mark.parametrize("video", TWIN)
def test_every_frame_of_a_twin_is_drawn_as_the_version_says(video: str) -> None:
    clip = CLIPS[original_of(video)]
    seen = hashlib.sha256()
    for index in range(round(clip.duration * clip.frame_rate)):
        picture = TWINS[TWIN[video]["scene"]](index / clip.frame_rate, clip.moments).pixels
        seen.update(f"({', '.join(map(str, picture.shape))})".encode() + bytes(picture.data))
    assert seen.hexdigest() == TWIN[video]["pixels"]


@pytest.mark.parametrize("clip", CLIPS)
def test_a_normal_twin_is_its_clip_until_the_anomaly_draws_near(clip: str) -> None:
    """Two seconds before it a driver may brake and a man may walk more slowly; then they part."""
    near, moments = CLIPS[clip].moments[0].start - 2.0, CLIPS[clip].moments
    before = [index / 10 for index in range(int(near * 10))]
    for one, other in zip(pictures(clip, before), pictures(f"{clip}-normal", before), strict=True):
        assert np.array_equal(one, other)
    inside = [moment.start + share * moment.duration for moment in moments for share in (0.4, 0.7)]
    for one, other in zip(pictures(clip, inside), pictures(f"{clip}-normal", inside), strict=True):
        assert unlike(one, other) > 150


# How much of the anomaly's movement its context has at least. An object that is caught does not burst, and the walker
# beside it need not jump; lamps do not flicker as flames do.
SAME_MOVEMENT = dict.fromkeys(CLIPS, 0.6) | {"mini04": 0.3, "mini05": 0.15}


@pytest.mark.parametrize("clip", CLIPS)
def test_a_changed_context_is_seen_from_the_first_picture_and_the_movement_is_the_same(clip: str) -> None:
    """What moves in the anomaly, and does not in the normal twin, moves in the context where it does there."""
    (first,), (changed,) = pictures(clip, [0.0]), pictures(f"{clip}-context", [0.0])
    assert unlike(first, changed) > 150
    moved = context = normal = 0
    for t in [
        each.start + share * each.duration for each in CLIPS[clip].moments for share in (0.1, 0.3, 0.5, 0.7, 0.9)
    ]:
        shown = {video: pictures(video, [t, t + 0.2]) for video in twins_of(clip)}
        moves = {video: _far(one, two) for video, (one, two) in shown.items()}
        abnormal = _far(shown[clip][0], shown[f"{clip}-normal"][0]) | _far(shown[clip][1], shown[f"{clip}-normal"][1])
        anomaly = moves[clip] & abnormal
        moved += int(anomaly.sum())
        context += int((anomaly & _near(moves[f"{clip}-context"])).sum())
        normal += int((anomaly & _near(moves[f"{clip}-normal"])).sum())
    assert context > SAME_MOVEMENT[clip] * moved
    assert context > 1.3 * normal


def _far(one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.bool_]:
    return np.asarray(np.abs(one - other).max(axis=2) > 30, dtype=bool)


def _near(mask: NDArray[np.bool_], reach: int = 8) -> NDArray[np.bool_]:
    """Return what lies within `reach` pixels, across and down, of what is true."""
    padded = np.pad(mask, reach)
    rows = np.any([np.roll(padded, shift, axis=0) for shift in range(-reach, reach + 1)], axis=0)
    both = np.any([np.roll(rows, shift, axis=1) for shift in range(-reach, reach + 1)], axis=0)
    return np.asarray(both[reach:-reach, reach:-reach], dtype=bool)


@pytest.mark.parametrize("video", TWIN)
def test_the_annotation_of_a_twin_agrees_with_itself(video: str) -> None:
    annotation = ANNOTATIONS[video]
    assert annotation.anomalous == bool(annotation.moments) == bool(annotation.key_sentences)
    assert annotation.label is None or annotation.anomalous
    assert not (video.endswith("-normal") and annotation.anomalous)
    assert all(0 <= each.start < each.end <= CLIPS[original_of(video)].duration for each in annotation.moments)
    for text in (annotation.description, annotation.cause, annotation.effect):
        assert text is not None
        assert 12 <= len(text.split()) <= 45
    assert {getattr(annotation, name) for name in ("description", "cause", "effect")}.isdisjoint(
        getattr(ANNOTATIONS[original_of(video)], name) for name in ("description", "cause", "effect")
    )


def test_a_constant_answer_is_right_about_no_clip_and_three_contexts_are_another_anomaly() -> None:
    anomalous = {video for video, annotation in ANNOTATIONS.items() if annotation.anomalous}
    assert anomalous == {*CLIPS, "mini02-context", "mini06-context", "mini07-context"}


def test_the_clips_of_mini_are_the_same_files_in_both_sets(tmp_path: Path) -> None:
    twins, mini = load_dataset("mini-twins", videos=tmp_path / "twins"), load_dataset("mini", videos=tmp_path / "mini")
    for dataset in (twins, mini):
        dataset.ensure_videos(only={"mini04"})
    assert (tmp_path / "twins/mini04.mp4").read_bytes() == (tmp_path / "mini/mini04.mp4").read_bytes()


def test_a_changed_definition_is_refused_under_the_old_version(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with monkeypatch.context() as changed:
        clips = [{**DATA["clips"][0], "anomalous": True}, *DATA["clips"][1:]]
        changed.setattr(mini_twins, "_definition", lambda: {**DATA, "clips": clips})
        with pytest.raises(DataError, match="not those of version 1 of mini-twins"):
            load_mini_twins()
    with monkeypatch.context() as changed:
        changed.setitem(TWINS, "falling_object_normal", SCENES["falling_object"])
        dataset = load_mini_twins(videos=tmp_path)
        with pytest.raises(DataError, match="frames of mini04-normal are not those of version 1 of mini-twins"):
            dataset.ensure_videos(only={"mini04-normal"})
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(UsageError, match="takes no file"):
        load_dataset("mini-twins", tmp_path / "a.json")


def test_another_mini_or_encoder_makes_other_twins(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_mini_twins().sha256 == DATA["sha256"] != load_mini().sha256
    assert drawing.drawn_sha256(DATA["clips"], mini="another") != DATA["sha256"]
    monkeypatch.setitem(drawing.ENCODER, "crf", "24")
    with pytest.raises(DataError, match="not those of version"):
        load_mini_twins()
