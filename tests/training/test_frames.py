"""The frame cache: equal to the bit, each video decoded once, and nothing that a kill could spoil."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

import ecva_bench as eb
from ecva_bench.data import load_dataset
from ecva_bench.errors import CacheError, StorageTrouble
from ecva_bench.records.base import sha256_of_file
from ecva_bench.training.batches import collate
from ecva_bench.training.conversations import Conversation, Turn
from ecva_bench.training.frames import FrameCache, read_all
from ecva_bench.training.known import KnownFiles
from ecva_bench.training.provenance import sample_sha256
from ecva_bench.training.recipe import Recipe

TURNS = (Turn("user", "<video>"), Turn("assistant", "A car."))


def recipe(**other: object) -> Recipe:
    keys = {"name": "own", "model": "anomshield", "stage": 1, "template": "plain", "frames": 4, "shaping": "crop"}
    return Recipe.model_validate({**keys, "rates": {"connector": 1}, "steps": 1, "batch": 1, "micro_batch": 1, **other})


class Corners:
    """Shows a tower the upper left corner, with `pad` its negative."""

    def picture_side(self) -> int:
        return 8

    def shaped(self, pixels: NDArray[np.uint8], *, pad: bool) -> NDArray[np.uint8]:
        return 255 - pixels[:, :8, :8] if pad else pixels[:, :8, :8]


@pytest.fixture(scope="module")
def clips() -> list[Conversation]:
    mini = load_dataset("mini")
    some = mini.annotations[:3]
    mini.ensure_videos(only={one.video for one in some})
    return [Conversation(one.video, mini.media_path(one), "video", TURNS) for one in some]


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each video was decoded, by name."""
    counts: Counter[str] = Counter()
    real = eb.Video.frames_at

    def counting(video: eb.Video, indices: object) -> object:
        counts[video.path.name] += 1
        return real(video, indices)  # type: ignore[arg-type]

    monkeypatch.setattr(eb.Video, "frames_at", counting)
    return counts


def test_frames_are_those_of_the_exact_reader_and_decoded_once(
    tmp_path: Path, clips: list[Conversation], decoded: Counter[str]
) -> None:
    frames = FrameCache(recipe(), Corners(), tmp_path / "frames")
    epochs = [[frames(one) for one in clips] for _ in range(3)]
    again = [FrameCache(recipe(), Corners(), tmp_path / "frames")(one) for one in clips]
    assert decoded == {f"{one.id}.mp4": 1 for one in clips}
    for number, one in enumerate(clips):
        assert one.path
        video = eb.Video(one.path)
        truth = video.frames_at(eb.samplers.midpoints(video.n_frames, 4, rounded="bounds")).pixels[:, :8, :8]
        for found in (*(epoch[number] for epoch in epochs), again[number]):
            assert found.dtype == np.uint8
            assert np.array_equal(found, truth)


def test_another_recipe_has_frames_of_its_own(tmp_path: Path, clips: list[Conversation]) -> None:
    folder = tmp_path / "frames"
    assert FrameCache(recipe(frames=2), Corners(), folder)(clips[0]).shape == (2, 8, 8, 3)
    assert FrameCache(recipe(), Corners(), folder)(clips[0]).shape == (4, 8, 8, 3)
    padded = FrameCache(recipe(shaping="pad"), Corners(), folder)(clips[0])
    assert not np.array_equal(padded, FrameCache(recipe(), Corners(), folder)(clips[0]))


def test_another_adapter_of_the_model_has_frames_of_its_own(tmp_path: Path, clips: list[Conversation]) -> None:
    class Darker(Corners):
        def shaped(self, pixels: NDArray[np.uint8], *, pad: bool) -> NDArray[np.uint8]:
            return super().shaped(pixels, pad=pad) // 2

    usual = FrameCache(recipe(), Corners(), tmp_path)(clips[0])
    darker = FrameCache(recipe(adapter="anomshield-mini"), Darker(), tmp_path)(clips[0])
    assert np.array_equal(darker, usual // 2)
    assert not np.array_equal(darker, usual)


@pytest.mark.parametrize(("by_video", "seen"), [(True, [4, 4]), (False, [4, 4, 4])])
def test_a_batch_sees_a_video_once_where_the_recipe_says_so(
    tmp_path: Path, clips: list[Conversation], by_video: bool, seen: list[int]
) -> None:
    frames = FrameCache(recipe(by_video=by_video), Corners(), tmp_path / "frames")
    ids = torch.tensor([1, -201, 5])
    batch = collate([{"ids": ids, "labels": ids, "frames": frames(one)} for one in (clips[0], clips[0], clips[1])])
    assert batch["counts"] == seen
    assert batch["videos"] == ([0, 0, 1] if by_video else [0, 1, 2])


def test_the_folder_is_the_users_alone_and_a_torn_file_is_made_again(
    tmp_path: Path, clips: list[Conversation], decoded: Counter[str]
) -> None:
    folder = tmp_path / "frames"
    first = FrameCache(recipe(), Corners(), folder)(clips[0])
    (kept,) = folder.glob("*.npy")
    assert (folder.stat().st_mode & 0o777, kept.stat().st_mode & 0o777) == (0o700, 0o600)
    kept.write_bytes(kept.read_bytes()[:-5])  # as no kill leaves it, for files are renamed when they are whole
    assert np.array_equal(FrameCache(recipe(), Corners(), folder)(clips[0]), first)
    assert decoded["mini01.mp4"] == 2
    folder.chmod(0o777)
    with pytest.raises(CacheError, match="written to by others"):
        FrameCache(recipe(), Corners(), folder)


def test_at_the_same_time_each_is_decoded_once(
    tmp_path: Path, clips: list[Conversation], decoded: Counter[str]
) -> None:
    caches = [FrameCache(recipe(), Corners(), tmp_path / "frames") for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda cache: cache(clips[1]), caches))
    assert decoded == {"mini02.mp4": 1}
    assert all(np.array_equal(one, found[0]) for one in found)


def test_what_cannot_be_read_is_named_and_the_rest_is_kept(tmp_path: Path, clips: list[Conversation]) -> None:
    whole = clips[0].path
    assert whole
    Image.new("RGB", (300, 200), (200, 20, 20)).save(tmp_path / "a.jpg")
    contents = {
        "text.mp4": b"an error page",
        "cut.mp4": whole.read_bytes()[:3000],
        "cut.jpg": (tmp_path / "a.jpg").read_bytes()[:400],
        "text.jpg": b"hello",
        "picture.mp4": (tmp_path / "a.jpg").read_bytes(),
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    bad = [Conversation(n, tmp_path / n, "picture" if n.endswith("jpg") else "video", TURNS) for n in contents]
    Image.new("1", (1, 30_000)).save(tmp_path / "strip.jpg")  # 2.7 GB on its square
    bad.append(Conversation("strip.jpg", tmp_path / "strip.jpg", "picture", TURNS))
    good = [clips[0], Conversation("a", tmp_path / "a.jpg", "picture", TURNS), Conversation("w", None, "words", TURNS)]
    cache = FrameCache(recipe(), Corners(), tmp_path / "frames")
    kept, skipped = read_all(cache, [*bad, *good], threads=2)
    assert kept == good
    assert {one.id: one.reason for one in skipped} == {
        "text.mp4": "not_a_video",
        "cut.mp4": "no_frames",
        "cut.jpg": "no whole picture",
        "text.jpg": "no whole picture",
        "strip.jpg": "picture too large",
        "picture.mp4": "still_image",
    }


def test_a_full_disk_is_no_fault_of_a_file(
    tmp_path: Path, clips: list[Conversation], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ecva_bench.training.frames.write_whole", full)
    with pytest.raises(CacheError, match="--cache"):
        read_all(FrameCache(recipe(), Corners(), tmp_path / "frames"), clips, threads=1)

    def denied(*_: object) -> None:
        raise StorageTrouble("too many open files", "a.mp4")

    monkeypatch.setattr(FrameCache, "_decode", denied)
    with pytest.raises(StorageTrouble):
        read_all(FrameCache(recipe(), Corners(), tmp_path / "frames"), clips, threads=1)


def test_what_was_read_is_not_read_again_until_it_changes(
    tmp_path: Path, clips: list[Conversation], decoded: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = tmp_path / "a.png"
    Image.new("RGB", (9, 9), "red").save(picture)
    samples = [*clips, Conversation("p", picture, "picture", (Turn("user", "<image>"), Turn("assistant", "Red.")))]
    opened: list[object] = []
    real = Image.open

    def counting(file: Path) -> Image.Image:
        opened.append(file)
        return real(file)

    monkeypatch.setattr(Image, "open", counting)

    def read() -> FrameCache:
        known = KnownFiles(tmp_path / "read.jsonl")
        cache = FrameCache(recipe(), Corners(), tmp_path / "frames", known)
        assert read_all(cache, samples, threads=2) == (samples, [])
        return cache

    first = read().seen(picture)
    assert first.sha256 == sha256_of_file(picture)
    with (tmp_path / "read.jsonl").open("ab") as file:
        file.write(b'{"path": "/torn')  # a kill came
    read()
    assert (opened, set(decoded.values())) == ([picture], {1})
    Image.new("RGB", (9, 9), "blue").save(picture)
    assert read().seen(picture).sha256 == sha256_of_file(picture) != first.sha256
    assert len(opened) == 2
    next((tmp_path / "frames").glob("*.npy")).unlink()
    read()
    assert sum(decoded.values()) == len(clips) + 1  # what was kept of it is gone


def test_a_picture_counts_by_its_content(tmp_path: Path) -> None:
    turns = (Turn("user", "<image>"), Turn("assistant", "Red."))
    hashes = []
    for place, colour in (("a/1.png", "red"), ("b/1.png", "blue"), ("c/2.png", "red")):
        path = tmp_path / place
        path.parent.mkdir()
        Image.new("RGB", (9, 9), colour).save(path)
        seen = FrameCache(recipe(), Corners(), tmp_path / "frames").seen(path)
        hashes.append(sample_sha256(Conversation(place, path, "picture", turns), {path: seen}))
    assert hashes[0] == hashes[2] != hashes[1]
