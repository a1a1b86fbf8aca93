"""The embedded split: its annotations agree with each other and with what is drawn; its files are reproducible."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from ecva_bench.data import Dataset, drawing, load_dataset
from ecva_bench.data.drawing import Clip
from ecva_bench.data.mini import load_mini, mini_clips, render_clip
from ecva_bench.data.scenes import HEIGHT, SCENES, WIDTH
from ecva_bench.errors import UsageError
from ecva_bench.records import Annotation, Moment

CLIPS = mini_clips()


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    mini = load_dataset("mini", videos=tmp_path_factory.mktemp("mini"))
    mini.ensure_videos(only={"mini01", "mini04"})
    return mini


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_split_is_varied_and_complete(dataset: Dataset) -> None:
    assert 12 <= len(dataset.annotations) <= 16
    assert [annotation.video for annotation in dataset.annotations] == sorted(CLIPS)
    assert len({annotation.label.major for annotation in dataset.annotations if annotation.label}) >= 8
    assert {clip.scene for clip in CLIPS.values()} == SCENES.keys()
    assert dataset.findings == dataset.excluded == ()


@pytest.mark.parametrize("video", CLIPS)
def test_annotations_agree_with_each_other(dataset: Dataset, video: str) -> None:
    annotation = next(each for each in dataset.annotations if each.video == video)
    duration = CLIPS[video].duration
    assert 6 <= duration <= 12
    assert annotation.label is not None
    assert dataset.taxonomy.knows(annotation.label)
    assert annotation.label.severity is not None
    assert 4 <= len(annotation.key_sentences) <= 6
    assert all(len(sentence.split()) <= 7 for sentence in annotation.key_sentences)
    for text in (annotation.description, annotation.cause, annotation.effect):
        assert text is not None
        assert 12 <= len(text.split()) <= 45
    assert annotation.moments
    assert annotation.review is not None
    for moments in (annotation.moments, annotation.review.moments):
        assert all(0 <= moment.start < moment.end <= duration for moment in moments)
    times, importance = zip(*annotation.severity_curve, strict=True)
    assert list(times) == sorted(times)
    assert (times[0], times[-1]) == (0, duration)
    assert all(0 <= value <= 1 for value in importance)
    peak = times[importance.index(max(importance))]
    assert any(moment.start <= peak <= moment.end for moment in annotation.moments)


@pytest.mark.parametrize("video", CLIPS)
def test_the_anomaly_is_in_the_picture_when_it_is_annotated(dataset: Dataset, video: str) -> None:
    """A scene whose moments are moved out of the clip looks otherwise where they were."""
    annotation = next(each for each in dataset.annotations if each.video == video)
    draw = SCENES[CLIPS[video].scene]
    inside = [moment.start + share * moment.duration for moment in annotation.moments for share in (0.4, 0.7)]
    moved = [Moment(start=moment.start + 900, end=moment.end + 900) for moment in annotation.moments]
    for t in inside:
        difference = np.abs(draw(t, annotation.moments).pixels.astype(int) - draw(t, moved).pixels)
        assert (difference.max(axis=2) > 30).sum() > 150


def test_load_decodes_nothing_and_imports_no_codec(tmp_path: Path) -> None:
    code = (
        "import sys; from ecva_bench.data import load_dataset; d = load_dataset('mini'); "
        "print(d.videos.exists(), sorted({'av', 'numpy', 'openpyxl'} & sys.modules.keys()))"
    )
    environment = {**os.environ, "ECVA_CACHE": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], check=True, env=environment, capture_output=True, text=True)
    assert done.stdout == "False []\n"


@pytest.mark.parametrize("video", ["mini01", "mini04"])
def test_clips_are_the_same_bytes_each_time(dataset: Dataset, tmp_path: Path, video: str) -> None:
    """A second process fills fresh memory with other bytes, which an encoder that reads it unwritten would show."""
    annotation = next(each for each in dataset.annotations if each.video == video)
    again = tmp_path / annotation.media
    code = (
        "import sys; from pathlib import Path; from ecva_bench.data import load_dataset; "
        "load_dataset('mini', videos=Path(sys.argv[1])).ensure_videos(only={sys.argv[2]})"
    )
    arguments = [sys.executable, "-c", code, str(tmp_path), video]
    subprocess.run(arguments, check=True, env={**os.environ, "MALLOC_PERTURB_": "170"})
    assert sha256(dataset.media_path(annotation)) == sha256(again)


def test_clips_are_encoded_by_one_thread_without_what_reads_unwritten_memory(tmp_path: Path) -> None:
    """x264 writes its settings into the stream."""
    annotation = load_mini().annotations[0]
    render_clip(annotation, tmp_path / "clip.mp4")
    written = (tmp_path / "clip.mp4").read_bytes()
    assert all(setting in written for setting in (b" threads=1 ", b" mbtree=0 ", b" crf=23.0 ", b" keyint="))


def test_a_clip_is_as_long_as_its_definition_says(dataset: Dataset) -> None:
    annotation = dataset.annotations[0]
    clip = CLIPS[annotation.video]
    with av.open(str(dataset.media_path(annotation))) as container:
        frames = list(container.decode(video=0))
    assert len(frames) == clip.duration * clip.frame_rate
    assert [frame.time for frame in frames] == pytest.approx([i / clip.frame_rate for i in range(len(frames))])
    assert (frames[0].width, frames[0].height) == (WIDTH, HEIGHT)
    drawn = SCENES[clip.scene](4.0, annotation.moments).pixels
    decoded = frames[4 * clip.frame_rate].to_ndarray(format="rgb24")
    assert np.abs(drawn.astype(int) - decoded).mean() < 4


def test_only_missing_clips_are_rendered_and_progress_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rendered: list[str] = []

    def encode(clip: Clip, path: Path) -> str:
        rendered.append(clip.video)
        path.write_bytes(b"clip")
        return clip.pixels

    monkeypatch.setattr(drawing, "_encode", encode)
    dataset = load_mini(videos=tmp_path)
    dataset.ensure_videos(only={"mini04"})
    told: list[tuple[int, int]] = []
    dataset.ensure_videos(lambda done, total: told.append((done, total)))
    dataset.ensure_videos(lambda done, total: told.append((done, total)))
    assert sorted(rendered) == sorted(CLIPS)
    assert told == [(done, len(CLIPS) - 1) for done in range(1, len(CLIPS))]


def test_a_clip_in_the_cache_that_is_not_as_it_was_drawn_is_drawn_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rendered: list[str] = []

    def encode(clip: Clip, path: Path) -> str:
        rendered.append(clip.video)
        path.write_bytes(b"clip " + clip.video.encode())
        return clip.pixels

    monkeypatch.setattr(drawing, "_encode", encode)
    monkeypatch.setenv("ECVA_CACHE", str(tmp_path / "cache"))
    dataset = load_mini()
    dataset.ensure_videos()
    clips = {each.video: dataset.media_path(each) for each in dataset.annotations}
    clips["mini04"].write_bytes(b"another")
    clips["mini05"].write_bytes(clips["mini06"].read_bytes())
    rendered.clear()
    for _ in range(2):
        load_mini().ensure_videos()
    assert rendered == ["mini04", "mini05"]
    assert clips["mini05"].read_bytes() == b"clip mini05"
    mine = load_mini(videos=tmp_path / "mine")
    mine.ensure_videos(only={"mini04"})
    (tmp_path / "mine" / "mini04.mp4").write_bytes(b"my own")
    mine.ensure_videos(only={"mini04"})
    assert (tmp_path / "mine" / "mini04.mp4").read_bytes() == b"my own"


def test_a_failed_rendering_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def encode(clip: Clip, path: Path) -> None:
        path.write_bytes(b"half a cl")
        raise OSError("disk full")

    monkeypatch.setattr(drawing, "_encode", encode)
    dataset = load_mini(videos=tmp_path)
    with pytest.raises(OSError, match="disk full"):
        dataset.ensure_videos()
    assert list(tmp_path.iterdir()) == []


def test_two_renderers_at_once_do_no_harm(dataset: Dataset, tmp_path: Path) -> None:
    annotation = next(each for each in dataset.annotations if each.video == "mini04")
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda _: render_clip(annotation, tmp_path / annotation.media), range(2)))
    assert [path.name for path in tmp_path.iterdir()] == [annotation.media]
    assert sha256(tmp_path / annotation.media) == sha256(dataset.media_path(annotation))


def test_mini_takes_no_file_and_other_sets_need_a_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="takes no file"):
        load_dataset("mini", tmp_path / "a.json")
    (tmp_path / "a.json").write_text('[{"video_name": "1", "task": "Cause", "answer": "x"}]')
    filmed = load_dataset("cuva", tmp_path / "a.json")
    filmed.ensure_videos()
    with pytest.raises(UsageError, match="--videos"):
        filmed.media_path(filmed.annotations[0])
    known = load_dataset("cuva", tmp_path / "a.json", tmp_path)
    assert known.media_path(Annotation(video="1", media="1.mp4")) == tmp_path / "1.mp4"


def test_a_data_set_that_is_given_is_returned_with_other_videos_where_named(tmp_path: Path) -> None:
    given = load_mini()
    assert load_dataset(given) is given
    assert load_dataset(given, videos=tmp_path) == replace(given, videos=tmp_path)


def test_which_videos_lack_a_file_is_asked_of_the_folder(dataset: Dataset, tmp_path: Path) -> None:
    first, second = dataset.annotations[:2]
    (tmp_path / first.media).touch()
    there = replace(dataset, render=None, videos=tmp_path)
    assert there.missing([first.video, second.video]) == (second.video,)
    assert replace(there, videos=None).missing([second.video]) == ()
    assert replace(dataset, videos=tmp_path).missing([second.video]) == ()  # it is drawn when wanted
