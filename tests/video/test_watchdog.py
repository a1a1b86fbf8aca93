"""Decodes that take too long, hang or crash end in a typed error, in time, and leave nothing behind."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import re
import signal
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from ecva_bench.errors import DecoderDied, DecodeTimeout, HeaderDamaged, NotAVideo
from ecva_bench.video import Video, watchdog
from ecva_bench.video.index import build_index
from ecva_bench.video.probing import probe
from ecva_bench.video.watchdog import isolated

from . import make

FILE = Path("clip.mp4")


def hang_in_native_code() -> None:
    """Never return, never let another thread run: what a decoder stuck in C does."""
    re.match(r"(a+)+$", "a" * 64 + "b")


def crash() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def fail() -> None:
    raise HeaderDamaged("cut off", FILE, "repair it")


def test_a_hang_is_killed_at_the_deadline() -> None:
    start = time.monotonic()
    with pytest.raises(DecodeTimeout, match=r"more than 0\.5 s: clip\.mp4") as caught:
        isolated(hang_in_native_code, path=FILE, seconds=0.5)
    assert caught.value.retryable
    assert time.monotonic() - start < 30  # most of it is starting a process on a busy machine
    assert not multiprocessing.active_children()


def test_a_crash_is_reported_with_its_exit_code() -> None:
    with pytest.raises(DecoderDied, match=r"exit code -11: clip\.mp4"):
        isolated(crash, path=FILE, seconds=30)


def test_errors_cross_the_process_border_whole() -> None:
    with pytest.raises(HeaderDamaged) as caught:
        isolated(fail, path=FILE, seconds=30)
    assert (caught.value.what, caught.value.where, caught.value.remedy) == ("cut off", FILE, "repair it")


def test_isolated_frames_are_the_same_frames(tmp_path: Path) -> None:
    path = make.write(tmp_path / "clip.mp4")
    here, apart = Video(path), Video(path, isolate=True)
    assert apart.n_frames == here.n_frames
    assert np.array_equal(apart.frames_at([50, 7, 7]).pixels, here.frames_at([50, 7, 7]).pixels)


def test_isolated_reading_raises_the_same_errors(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no video at all" * 50)
    with pytest.raises(NotAVideo):
        Video(tmp_path / "text.mp4", isolate=True).frames_at([0])


def test_the_deadline_holds_between_packets(tmp_path: Path) -> None:
    path = make.write(tmp_path / "clip.mp4")
    assert probe(path, deadline=0).error == "decode_timeout"
    video = Video(path)
    assert video.n_frames == 60
    video._source.deadline = 0
    with pytest.raises(DecodeTimeout):
        video.frames_at([59])


def test_the_deadline_holds_between_packets_whatever_ffmpeg_waits_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FFmpeg's own time-out is a minute off here; on our clock each packet takes a second."""
    path = make.write(tmp_path / "clip.mp4")
    monkeypatch.setattr(watchdog, "time", SimpleNamespace(monotonic=itertools.count().__next__))
    with pytest.raises(DecodeTimeout):
        build_index(path, 55)
    assert build_index(path, 600).n_frames == 60


def test_no_thread_is_left_behind(tmp_path: Path) -> None:
    path = make.write(tmp_path / "clip.mp4")
    tasks = Path("/proc/self/task")  # threads as the kernel counts them, the decoder's among them
    before = len(list(tasks.iterdir()))
    for _ in range(5):
        Video(path).frames_at([0, 30, 59])
    assert len(list(tasks.iterdir())) == before


def test_videos_decode_in_threads(tmp_path: Path) -> None:
    path = make.write(tmp_path / "clip.mp4", options={"g": "12", "bf": "3"})
    truth = Video(path).frames_at(range(60)).pixels
    same = []

    def look(first: int) -> None:
        same.append(np.array_equal(Video(path).frames_at(range(first, 60, 4)).pixels, truth[first::4]))

    threads = [threading.Thread(target=look, args=(first,)) for first in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert same == [True] * 4
