"""What AnomShield mini learns from: drawn anew, true to what is drawn, and nothing of what it is measured by."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import ecva_bench as eb
from ecva_bench.answering.severity import spans_of
from ecva_bench.data.drawing import Clip
from ecva_bench.data.mini import load_mini, mini_clips, render_clip
from ecva_bench.data.mini_twins import load_mini_twins
from ecva_bench.data.scenes import SCENES, TWINS
from ecva_bench.training.mini import clips
from ecva_bench.training.mini.clips import COLOURS, Look, TrainingClip, training_clip
from ecva_bench.training.mini.kinds import kinds
from ecva_bench.training.mini.samples import BY_FRAME, PARTS, UNSEEN, prompts, samples_of, severity_at
from ecva_bench.training.mini.scenes import CLIPS, REPEATED, SEED, TrainingScenes, looks

AS_DRAWN = Look(mirrored=False, zoom=1.0, shift=(0.0, 0.0), gain=(1.0, 1.0, 1.0), offset=0.0)


def runs_of_words(text: str, count: int = 8) -> set[tuple[str, ...]]:
    words = re.findall(r"[a-z]+", text.lower())
    return {tuple(words[i : i + count]) for i in range(len(words) - count + 1)}


def all_texts() -> Iterator[str]:
    """Every text that a clip may be described by, in all colours."""
    for kind in kinds().values():
        for text in (*kind.description, *kind.cause, *kind.effect):
            named = sorted(set(re.findall(r"{(\w)}", text)))
            for colours in itertools.permutations(COLOURS, len(named)):
                yield text.format(**dict(zip(named, colours, strict=True)))


def test_no_text_has_eight_words_in_a_row_of_a_reference() -> None:
    annotations = (*load_mini().annotations, *load_mini_twins().annotations)
    references = [str(text) for one in annotations for text in (one.description, one.cause, one.effect)]
    known = set().union(*map(runs_of_words, references))
    assert len(known) > 1000
    assert not [text for text in all_texts() if runs_of_words(text) & known]


def test_no_clip_has_moments_and_look_of_one_of_mini() -> None:
    evaluated = {clip.scene: clip for clip in mini_clips().values()}
    assert set(evaluated) == set(SCENES)
    for number in range(CLIPS):
        clip = training_clip(SEED, number)
        other = evaluated[clip.kind.original]
        assert (clip.moments, clip.duration, clip.frame_rate) != (other.moments, other.duration, other.frame_rate)
        assert clip.look != AS_DRAWN


def test_a_clip_follows_from_seed_and_number_alone() -> None:
    assert training_clip(1, 5) == training_clip(1, 5)
    assert len({repr(training_clip(seed, number)) for seed in (1, 2) for number in range(50)}) == 100
    assert {training_clip(1, number).kind.name for number in range(400)} == {*SCENES, *TWINS}


@pytest.mark.parametrize("video", ["mini01", "mini11"])
def test_a_frame_drawn_looks_as_one_read_from_the_encoded_clip(video: str) -> None:
    clip, kind = mini_clips()[video], kinds()[mini_clips()[video].scene]
    drawn = as_training_clip(clip).frames([20, 60, 20])
    assert drawn.shape == (3, 240, 320, 3)
    assert drawn.dtype == np.uint8
    assert (drawn[0] == SCENES[kind.name](20 / clip.frame_rate, clip.moments).pixels).all()
    data = load_mini()
    annotation = next(one for one in data.annotations if one.video == video)
    path = (data.videos or Path()) / str(annotation.media)
    if not path.exists():
        render_clip(annotation, path)
    read = eb.Video(path).frames_at([20, 60, 20]).pixels

    def coarse(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
        return np.asarray(pixels.reshape(3, 60, 4, 80, 4, 3).mean(axis=(2, 4)), dtype=np.float64)

    assert np.abs(coarse(drawn) - coarse(read)).mean() < 2  # of 255; looks differ by up to 16 %


def as_training_clip(clip: Clip) -> TrainingClip:
    kind = kinds()[clip.scene]
    return TrainingClip(0, kind, kind, clip.moments, clip.duration, clip.frame_rate, kind.colours, (), AS_DRAWN)


def test_things_are_repainted_and_named_by_their_colours() -> None:
    clips = [training_clip(3, number) for number in range(300)]
    clip = next(c for c in clips if c.kind.name == "collision" and "blue" not in c.colours.values())
    blue, when = np.array(COLOURS["blue"]), round((clip.moments[0].start - 0.5) * clip.frame_rate)
    as_usual = replace(clip, look=AS_DRAWN, repainted=()).frames([when])
    repainted = replace(clip, look=AS_DRAWN).frames([when])
    assert (as_usual == blue).all(axis=-1).sum() > 100
    assert not (repainted == blue).all(axis=-1).any()
    words = [sample.answer for sample in samples_of(clip, 3, 8) if sample.prompt in ("description", "cause", "effect")]
    assert all(name in COLOURS for name in clip.colours.values())
    assert not any("blue" in text for text in words)


def test_a_clip_asked_about_twice_is_drawn_once() -> None:
    drawn: list[int] = []

    def squares(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        drawn.append(len(pixels))
        return pixels[:, ::8, ::8]

    scenes = TrainingScenes(squares, frames=4, seed=5, count=9)
    whole = [one for one in scenes.conversations if one.path and one.path.name == "3"]
    assert len(whole) > 2
    assert len({id(scenes.frames(one)) for one in whole}) == 1
    assert drawn == [4]
    blank = [one for one in scenes.conversations if one.path and one.path.name == "8-blank"]
    assert len({id(scenes.frames(one)) for one in blank}) == 1
    assert not scenes.frames(blank[0]).any()
    assert {one.rounds[0][1] for one in blank} == {*UNSEEN.values()}
    assert not [one.problem() for one in (*scenes.captions, *scenes.conversations) if one.problem()]


@pytest.mark.parametrize("fault", ["cut off", "empty", "no frames", "fewer frames"])
def test_a_file_of_frames_that_is_not_whole_is_drawn_again(fault: str, tmp_path: Path) -> None:
    def scenes() -> TrainingScenes:
        return TrainingScenes(lambda pixels: pixels, frames=4, count=1, folder=tmp_path)

    one = scenes().captions[0]
    drawn = scenes().frames(one)
    [kept] = tmp_path.glob("*.npy")
    whole = kept.read_bytes()
    if fault == "fewer frames":
        np.save(kept, drawn[:2])
    else:
        kept.write_bytes({"cut off": whole[:100], "empty": b"", "no frames": b"<html>"}[fault])
    assert np.array_equal(scenes().frames(one), drawn)
    assert kept.read_bytes() == whole


def test_the_last_stage_asks_about_all_parts_and_few_whole_clips_again() -> None:
    scenes = TrainingScenes(lambda pixels: pixels, frames=4, seed=5, count=24)
    stages = [{one.id for one in scenes.of_stage(stage)} for stage in (1, 2, 3)]
    everything = {one.id for one in scenes.conversations}
    parts = {one.id for one in scenes.conversations if one.path and "-part-" in one.path.name}
    assert stages[0] == {one.id for one in scenes.captions}
    assert stages[1] == everything - parts
    again = stages[2] - parts
    assert stages[2] >= parts
    assert {int(one.partition("/")[0]) for one in again} == {*range(0, 24, REPEATED)}
    assert again == {one for one in stages[1] if int(one.partition("/")[0]) % REPEATED == 0}


def test_frames_kept_are_those_of_how_scenes_are_drawn_and_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    def small(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return pixels[:, ::8, ::8]

    usual = looks(small)
    assert looks(small) == usual
    assert looks(lambda pixels: 255 - small(pixels)) != usual
    scene = SCENES["fireworks"]
    monkeypatch.setitem(clips._SCENES, "fireworks", lambda t, moments: scene(t + 0.5, moments))
    assert looks(small) != usual


def test_answers_are_true_of_what_is_drawn() -> None:
    for number in range(200):
        clip = training_clip(4, number)
        samples = {sample.prompt: sample for sample in samples_of(clip, 4, 8) if sample.indices is not None}
        assert samples["detection"].answer == ("Yes" if clip.kind.anomalous else "No")
        if clip.kind.label:
            assert samples["classification"].answer == f"[{clip.kind.label}]"
        shown = samples["by-frame"].indices
        assert shown is not None
        severities = [severity_at(clip, i / clip.frame_rate) for i in shown.tolist()]
        assert [*map(int, samples["by-frame"].answer.split())] == pytest.approx(severities, abs=0.5)
        told = re.findall(r"\[([\d.]+), ([\d.]+)\]", samples["timestamp-or-none"].answer)
        if not clip.kind.anomalous:
            assert samples["timestamp-or-none"].answer == "none"
            assert "timestamp" not in samples
            assert severity_at(clip, clip.moments[0].start + 0.1) == 0
        elif not clip.kind.whole:
            for (start, end), moment in zip(told, clip.moments, strict=True):
                assert abs(float(start) - moment.start) <= 0.25
                assert abs(float(end) - moment.end) <= 0.25
            assert severity_at(clip, 0.0) == 0 < severity_at(clip, clip.moments[0].start)
        for sample in samples.values():
            assert sample.question.endswith({**prompts(), "by-frame": BY_FRAME}[sample.prompt])
            assert sample.indices is not None
            assert len(sample.indices) == 8
            assert set(sample.indices.tolist()) <= {*range(clip.n_frames)}


def test_the_parts_are_those_that_a_run_asks_about_and_of_all_severities() -> None:
    severities: list[int] = []
    for number in range(100):
        clip = training_clip(4, number)
        seconds = np.arange(clip.n_frames) / clip.frame_rate
        spans = spans_of(clip.duration, seconds)
        assert len(spans) == PARTS
        samples = [one for one in samples_of(clip, 4, 8) if one.indices is not None]
        asked = [one for one in samples if one.prompt == "severity"]
        assert len(asked) == (PARTS if clip.kind.anomalous else 1)
        digits = [one for one in samples if one.prompt == "severity-likelihood"]
        for sample, digit in zip(asked, digits, strict=True):
            assert digit.indices is sample.indices
            assert int(digit.answer) == pytest.approx(0.9 * int(sample.answer), abs=0.95)  # of 0.45 and 0.5
        for sample in asked:
            assert sample.indices is not None
            (start, end) = min(spans, key=lambda span: abs(span[0] - seconds[sample.indices[0]]))
            assert all(start - 0.01 <= seconds[i] < end + 0.01 for i in sample.indices)
            known = [severity_at(clip, float(t)) for t in np.arange(start, end, 0.01)]
            assert int(sample.answer) == pytest.approx(np.mean(known), abs=1.1)  # 0.5 of it is rounding
        assert len({int(sample.indices[0]) for sample in asked if sample.indices is not None}) == len(asked)
        severities += [int(sample.answer) for sample in asked]
    assert min(sum(low <= one <= low + 2 for one in severities) for low in (0, 2, 4, 6, 8)) > 20
