"""No video takes the machine: what is too large is refused before it is read, and named."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import av
import pytest

from ecva_bench.errors import VideoTooLarge
from ecva_bench.records.base import Pictures
from ecva_bench.video import Video, limits, opening
from ecva_bench.video.pictures import PictureView
from ecva_bench.video.probing import probe
from tests.clips import write_clip


def write_huge(path: Path, width: int, height: int, first: tuple[int, int] | None = None) -> Path:
    """Write black frames of a size as an elementary stream, behind those of another size where one is given."""
    content = b""
    for across, down, frames in [*([(*first, 300)] if first else []), (width, height, 2)]:
        with av.open(str(path), "w", format="h264") as container:
            stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast", "threads": "1"})
            stream.width, stream.height, stream.pix_fmt = across, down, "yuv420p"
            frame = av.VideoFrame(across, down, "yuv420p")
            for plane in frame.planes:
                plane.update(bytes(plane.buffer_size))
            for _ in range(frames):
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        content += path.read_bytes()
    path.write_bytes(content)
    return path


@pytest.fixture
def small_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames of 64x48 are just allowed."""
    monkeypatch.setattr(limits, "MOST_PIXELS", 64 * 48)


def probed(path: Path) -> tuple[str, int]:
    """Return what probing a file finds, and the most memory of a process that does it, in bytes."""
    program = (
        "import sys; from ecva_bench.video.probing import probe\n"
        "found = probe(sys.argv[1])\n"
        # `getrusage` may tell the memory of the process that started this one
        "peak = open('/proc/self/status').read().partition('VmHWM:')[2].split()[0]\n"
        "print(found.error or found.frames, peak)"
    )
    done = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, check=True)
    found, kilobytes = done.stdout.split()
    return found, int(kilobytes) * 1024


def test_frames_of_too_many_pixels_are_an_error_before_they_are_decoded(tmp_path: Path) -> None:
    found, bytes_ = probed(write_huge(tmp_path / "huge.h264", 9600, 4096))
    _, usual = probed(write_clip(tmp_path / "small.mp4"))
    assert found == "video_too_large"
    assert bytes_ - usual < 9600 * 4096 * 1.5 / 2  # not half a frame


@pytest.mark.parametrize(("form", "error"), [("flv", "video_too_large"), ("mpeg", "no_frames")])
def test_so_are_those_whose_size_no_header_states(tmp_path: Path, form: str, error: str) -> None:
    """FFmpeg finds the streams of these files as packets come, and would decode a picture by its own limit."""
    path = tmp_path / f"huge.{form}"
    with av.open(str(path), "w", format=form) as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast", "threads": "1"})
        stream.width, stream.height, stream.pix_fmt = 9600, 4096, "yuv420p"
        frame = av.VideoFrame(9600, 4096, "yuv420p")
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    found, bytes_ = probed(path)
    _, usual = probed(write_clip(tmp_path / "small.mp4"))
    assert found == error
    assert bytes_ - usual < 9600 * 4096 * 1.5


@pytest.mark.parametrize(("suffix", "codec"), [("avi", "mjpeg"), ("mkv", "ffv1")])
def test_a_size_that_the_decoder_refuses_is_still_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, codec: str
) -> None:
    path = tmp_path / f"large.{suffix}"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuvj420p" if codec == "mjpeg" else "yuv420p"
        container.mux(stream.encode(av.VideoFrame(128, 96, stream.pix_fmt)))
        container.mux(stream.encode())
    monkeypatch.setattr(limits, "MOST_PIXELS", 64 * 48)
    monkeypatch.setattr(opening, "_PIXELS", {"max_pixels": str(64 * 48)})
    assert "128x96" in probe(path).message


def test_frames_of_just_as_many_pixels_are_allowed(small_limit: None, tmp_path: Path) -> None:
    assert probe(write_clip(tmp_path / "clip.mp4")).decodes


def test_the_largest_frames_of_the_standards_are_allowed() -> None:
    # H.264, table A-1: `MaxFS` of level 6.2, in macroblocks of 16x16
    assert max(139_264 * 16 * 16, 7680 * 4320, 8192 * 4320) == limits.MOST_PIXELS


def test_too_many_pixels_by_their_shape_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "wide.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"threads": "1"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.sample_aspect_ratio = 3
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame(64, 48, "yuv420p")))
        container.mux(stream.encode())
    assert probe(path).size == (192, 48)
    monkeypatch.setattr(limits, "MOST_PIXELS", 64 * 48)
    assert probe(path).error == "video_too_large"


def test_a_later_picture_that_is_too_large_is_damage(tmp_path: Path) -> None:
    found, bytes_ = probed(write_huge(tmp_path / "grows.h264", 9600, 4096, first=(64, 48)))
    _, usual = probed(write_clip(tmp_path / "small.mp4"))
    assert int(found) == 300
    assert bytes_ - usual < 9600 * 4096 * 1.5 / 2


def test_too_many_frames_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_clip(tmp_path / "clip.mp4", frames=20)
    monkeypatch.setattr(limits, "MOST_FRAMES", 20)
    assert probe(path).frames == 20
    monkeypatch.setattr(limits, "MOST_FRAMES", 19)
    assert probe(path).error == "video_too_large"


def test_too_many_frames_at_once_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Video(write_clip(tmp_path / "clip.mp4", frames=20)) as video:
        monkeypatch.setattr(limits, "MOST_BYTES", 10 * 64 * 48 * 3)
        assert len(video.frames_at(range(10))) == 10
        with pytest.raises(VideoTooLarge, match=r"11 of its frames .*take fewer frames"):
            video.frames_at(range(11))
        video.preload(range(6))
        with pytest.raises(VideoTooLarge):
            video.preload(range(20))


@pytest.mark.parametrize("pictures", ["still", "shuffled", "blank"])
def test_too_many_frames_at_once_are_an_error_whatever_they_show(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pictures: Pictures
) -> None:
    with Video(write_clip(tmp_path / "clip.mp4", frames=20)) as video:
        monkeypatch.setattr(limits, "MOST_BYTES", 10 * 64 * 48 * 3)
        view = PictureView(video, pictures)
        assert len(view.frames_at(range(10))) == 10
        with pytest.raises(VideoTooLarge, match="11 of its frames"):
            view.frames_at(range(11))
        with pytest.raises(VideoTooLarge, match="11 of its frames"):
            video.frames_at([0] * 11)
