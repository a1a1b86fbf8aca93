"""Frames, timestamps and sizes equal those of a plain full decode, bit for bit, whatever is asked in whatever order."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import av
import numpy as np
import pytest

from ecva_bench.errors import UsageError, VideoChanged
from ecva_bench.video import Video, decoding

from . import make
from .reference import Reference, decode_plainly, digest

# Files of the shared folder that are sound, however odd: all of their frames must be exact.
SOUND = (
    "damaged/cover_first.mkv",
    "damaged/cover_second.mp4",
    "damaged/decord_unordered.mov",
    "damaged/editlist_cut.mp4",
    "damaged/fragmented.mp4",
    "damaged/hdr10_hevc.mp4",
    "damaged/interlaced.mp4",
    "damaged/intra_refresh.mp4",
    "damaged/mpeg4_bf.avi",
    "damaged/no_duration.mkv",
    "damaged/odd_639x359_444.mp4",
    "damaged/odd_name_source.mp4",
    "damaged/ok.avi",
    "damaged/ok.flv",
    "damaged/ok.mkv",
    "damaged/ok.ts",
    "damaged/ok_fast.mp4",
    "damaged/ok_src.mp4",
    "damaged/opengop_h264.mp4",
    "damaged/raw_es.h264",
    "damaged/rot180.mp4",
    "damaged/rot90.mp4",
    "damaged/single_frame.mp4",
    "damaged/trunc_50.mkv",
    "damaged/two_video.mkv",
    "damaged/vfr.mp4",
    "damaged/vp9.webm",
    "damaged/wrongext_avi_as.mp4",
    "damaged/wrongext_mp4_as.avi",
    "damaged/wrongext_webm_as.mp4",
    "real/bgs_video02.avi",
    "real/cuva_msvd_9HDU.avi",
    "real/highway_accident.mp4",
    "real/intel_bottle.mp4",
    "real/libavtut_bunny60.mp4",
    "real/mei_flir.mp4",
    "real/mejs_echo.webm",
    "real/moviepy_fire2.mp4",
    "real/moviepy_no_duration.webm",
    "real/tc_av1.mkv",
    "real/tc_h265_10bit.mp4",
    "real/videollava_demo22.mp4",
    "real/vl2_1034346401.mp4",
    "real/vllama_ironman.mp4",
)


def assert_exact(path: Path, reference: Reference) -> None:
    """Ask for frames in every manner, of several `Video` objects, and compare each with the reference."""
    count, rng = len(reference.digests), random.Random(path.name)
    video = Video(path)
    assert video.n_frames == count
    assert video.size == reference.size
    if reference.seconds is not None:
        assert video.timestamps == pytest.approx(reference.seconds, abs=1e-6)  # FFmpeg's beginning is in microseconds
    some = [rng.randrange(count) for _ in range(5)]
    asked = [
        [count - 1, count // 2, 0],
        some + some[::-1],
        np.linspace(0, count - 1, 12, dtype=int).tolist(),
        list(range(max(0, count // 3 - 4), min(count, count // 3 + 4))),
    ]
    for indices in asked:
        frames = video.frames_at(indices)
        assert [digest(picture) for picture in frames.pixels] == [reference.digests[index] for index in indices]
        assert frames.timestamps.tolist() == video.timestamps[indices].tolist()
        assert frames.indices.tolist() == indices
        assert not frames.substituted
        assert not frames.corrupt


@pytest.mark.parametrize("name", SOUND)
def test_shared_clips_are_exact(shared_data: Path, name: str) -> None:
    path = shared_data / "videos" / name
    assert_exact(path, decode_plainly(path))


@pytest.mark.parametrize("name", make.ENCODINGS)
def test_own_clips_are_exact(tmp_path: Path, name: str) -> None:
    codec, options = make.ENCODINGS[name]
    path = make.write(tmp_path / name, codec=codec, options=options)
    reference = decode_plainly(path)
    assert_exact(path, reference)
    video = Video(path)
    alone = [digest(video.frames_at([index]).pixels[0]) for index in range(video.n_frames)]
    assert alone == reference.digests


@pytest.mark.parametrize("name", ["open-gop.ts", "open-gop-2.ts", "closed-gop.ts", "intra-refresh.ts"])
def test_transport_streams_cut_in_the_middle_are_exact(tmp_path: Path, name: str) -> None:
    codec, options = make.ENCODINGS[name]
    whole = make.write(tmp_path / name, codec=codec, options=options).read_bytes()
    packets = [whole[start : start + 188] for start in range(0, len(whole), 188)]
    path = tmp_path / f"cut-{name}"
    path.write_bytes(b"".join(packets[:3] + packets[len(packets) // 3 :]))
    reference = decode_plainly(path)
    assert 0 < len(reference.digests) < 60
    assert_exact(path, reference)


def test_old_encoders_are_recognised_behind_the_first_group(tmp_path: Path) -> None:
    """FFmpeg decodes 4:4:4 of x264 before build 151 otherwise, and reads the build in the first packet alone."""
    options = {"g": "12", "bf": "0", "x264-params": "qp=0:cabac=0"}
    path = make.write(tmp_path / "clip.mp4", options=options, pixels="yuv444p")
    data, modern = path.read_bytes(), decode_plainly(path)
    start = data.index(b"x264 - core ") + len(b"x264 - core ")
    path.write_bytes(data[:start] + b"148" + data[start + 3 :])
    reference = decode_plainly(path)
    assert reference.digests != modern.digests
    assert_exact(path, reference)


def test_times_of_a_variable_frame_rate_are_the_encoded_ones(tmp_path: Path) -> None:
    ticks = np.cumsum([0, 4, 4, 20, 1, 1, 9, 30, 4, 4, 4, 50, 2, 2, 2]).tolist()
    video = Video(make.write(tmp_path / "vfr.mp4", ticks=ticks))
    assert video.timestamps.tolist() == [tick / 100 for tick in ticks]
    assert video.variable_frame_rate
    assert video.indices_at([0.0, 0.039, 0.04, 0.27, 0.28, 99.0, -1.0]).tolist() == [0, 0, 1, 2, 3, 14, 0]


@pytest.mark.parametrize(
    ("name", "seconds"),
    [("ok.avi", 1 / 30), ("raw_es.h264", 1 / 30), ("mpeg4_bf.avi", 1001 / 30000), ("ok_fast.mp4", 1 / 30)],
)
def test_rebuilt_clocks_keep_the_true_rate(shared_data: Path, name: str, seconds: float) -> None:
    video = Video(shared_data / "videos/damaged" / name)
    assert video.timestamps == pytest.approx(np.arange(video.n_frames) * seconds, abs=1e-6)
    assert video.duration == pytest.approx(video.n_frames * seconds, abs=1e-6)
    assert video.frame_rate == pytest.approx(1 / seconds)
    assert not video.variable_frame_rate


def test_the_frame_on_screen_is_found_at_its_own_time_and_until_the_next(shared_data: Path) -> None:
    for name in ("real/mei_flir.mp4", "damaged/ok.mkv", "damaged/editlist_cut.mp4"):
        video = Video(shared_data / "videos" / name)
        order = np.arange(video.n_frames)
        assert video.indices_at(video.timestamps).tolist() == order.tolist()
        assert video.indices_at(np.nextafter(video.timestamps[1:], 0)).tolist() == order[:-1].tolist()


def test_rotation_is_applied(tmp_path: Path) -> None:
    upright = Video(make.write(tmp_path / "upright.mp4"))
    turned = Video(make.turn_right(shutil.copy(upright.path, tmp_path / "turned.mp4")))
    assert (upright.rotation, turned.rotation) == (0, 270)
    assert turned.size == upright.size[::-1]
    expected = np.stack([np.rot90(picture, -1) for picture in upright.frames_at([5, 30]).pixels])
    assert np.array_equal(turned.frames_at([5, 30]).pixels, expected)


def test_facts_of_shared_clips(shared_data: Path) -> None:
    real = shared_data / "videos/real"
    video = Video(real / "vllama_ironman.mp4")
    assert (video.codec, video.pixel_format, video.has_audio, video.size) == ("h264", "yuv420p", True, (854, 480))
    assert video.frame_bytes == 854 * 480 * 3
    assert video.frame_rate == pytest.approx(29.97)
    assert Video(real / "tc_av1.mkv").codec == "av1"
    assert any("10 bits" in warning for warning in Video(real / "tc_h265_10bit.mp4").warnings)
    assert Video(real / "moviepy_fire2.mp4").rotation == 180
    edit_list = Video(shared_data / "videos/damaged/editlist_cut.mp4")
    assert "the header states 360 frames, there are 318" in edit_list.warnings


def test_nothing_is_opened_before_it_is_needed(tmp_path: Path) -> None:
    assert Video(tmp_path / "absent.mp4").path.name == "absent.mp4"


def test_no_frames_may_be_asked_for(tmp_path: Path) -> None:
    assert Video(make.write(tmp_path / "clip.mp4")).frames_at([]).pixels.shape == (0, make.HEIGHT, make.WIDTH, 3)


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    video = Video(make.write(tmp_path / "clip.mp4"))
    for indices in ([60], [-1]):
        with pytest.raises(UsageError, match=r"clip\.mp4: it has 0 to 59"):
            video.frames_at(indices)
        with pytest.raises(UsageError, match="it has 0 to 59"):
            video.preload(indices)
    with pytest.raises(UsageError, match="not a number"):
        video.frames([float("nan")])


def test_a_replaced_file_is_noticed(tmp_path: Path) -> None:
    path = make.write(tmp_path / "clip.mp4")
    video = Video(path)
    assert video.n_frames == 60
    make.write(path, count=50)
    with pytest.raises(VideoChanged):
        video.frames_at([0])


def test_file_names_are_only_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = make.write(tmp_path / "plain.mp4")
    monkeypatch.chdir(tmp_path)
    for name in ("a: b%03d #?é.mp4", "concat:x|y.mp4", "http:x.mp4", "-o.mp4"):
        shutil.copy(plain, tmp_path / name)
        assert Video(name).n_frames == 60


def test_text_in_an_unknown_encoding_does_no_harm(tmp_path: Path) -> None:
    path = make.write(tmp_path / "clip.mp4")
    path.write_bytes(path.read_bytes().replace(b"Lavf", b"\xff\xfe\xe9\xfc"))
    assert Video(path).n_frames == 60


def test_pictures_that_are_never_shown_do_not_count(tmp_path: Path) -> None:
    """A VP8 packet says in its first byte whether its picture is shown."""
    codec, options = make.ENCODINGS["vp8.webm"]
    path = make.write(tmp_path / "clip.webm", codec=codec, options=options)
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        packets = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    for hidden in (packets[7], packets[30]):
        data[data.index(hidden)] &= ~0x10
    path.write_bytes(data)
    reference = decode_plainly(path)
    assert len(reference.digests) == 58
    assert_exact(path, reference)


@pytest.mark.parametrize("name", ["one-way.mp4", "one-way.mkv"])
def test_frames_are_exact_wherever_a_seek_lands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """MPEG-4 shows garbage when decoding begins between key frames, so that a wrong landing cannot go unseen."""
    path = make.write(tmp_path / name, codec="mpeg4", options={"g": "12"})
    reference = decode_plainly(path)
    step = int(Video(path)._source.index.clock.durations()[0])
    for frames_off in (-17, -1, 1, 5, 11):

        def sought(reader, offset, by=frames_off * step):  # type: ignore[no-untyped-def]
            reader._container.seek(offset + by, stream=reader._stream, any_frame=True)
            return reader._packets()

        monkeypatch.setattr(decoding._Reader, "_sought", sought)
        assert_exact(path, reference)
