"""A file that is no video says so in a typed error; a damaged one gives what decodes and names what does not."""

from __future__ import annotations

import base64
import random
import shutil
import socket
from pathlib import Path

import av
import numpy as np
import pytest

from ecva_bench import errors
from ecva_bench.records import Moment
from ecva_bench.video import Video, opening
from ecva_bench.video.probing import probe
from tests.clips import write_clip

from . import make
from .reference import decode_plainly, digest

UNUSABLE = {
    "audio_only.mp4": errors.NoVideoStream,
    "garbage_head.mp4": errors.NotAVideo,
    "html_error_page.mp4": errors.NotAVideo,
    "jpeg_as.mp4": errors.StillImage,
    "random.mp4": errors.NotAVideo,
    "text.mp4": errors.NotAVideo,
    "trunc_moov_at_end.mp4": errors.HeaderDamaged,
    "zero.mp4": errors.VideoEmpty,
}


PLAYLISTS = {
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{}\n#EXT-X-ENDLIST\n",
    "concat": "ffconcat version 1.0\nfile {}\n",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n",
    "mpd": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration='
    '"PT1S" profiles="urn:mpeg:dash:profile:full:2011"><Period><AdaptationSet mimeType="video/mp4"><Representation '
    'id="1" bandwidth="1"><BaseURL>{}</BaseURL></Representation></AdaptationSet></Period></MPD>',
}


@pytest.mark.parametrize("suffix", [".mp4", ".m3u8", ".mpd", ".ffconcat", ".sdp", ".ts", ""])
@pytest.mark.parametrize("kind", PLAYLISTS)
def test_a_playlist_is_no_video_whatever_it_is_called(kind: str, suffix: str, tmp_path: Path) -> None:
    write_clip(tmp_path / "another.mp4")
    path = tmp_path / f"list{suffix}"
    path.write_text(PLAYLISTS[kind].format("another.mp4"))
    with pytest.raises(errors.NotAVideo):
        Video(path).frames_at([0])


def test_a_list_reaches_for_no_address_even_if_its_form_were_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FFmpeg is told to open files alone: neither an address nor data that the list itself holds."""
    monkeypatch.setattr(opening, "_REFERRING", frozenset())
    write_clip(tmp_path / "another.mp4")
    inner = base64.b64encode((tmp_path / "another.mp4").read_bytes()).decode()
    path = tmp_path / "list.m3u8"
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        for address in (f"http://127.0.0.1:{server.getsockname()[1]}/a.mp4", f"data:video/mp4;base64,{inner}"):
            for kind in ("hls", "concat"):
                path.write_text(PLAYLISTS[kind].format(address))
                with pytest.raises(errors.VideoError):
                    Video(path).frames_at([0])
        with pytest.raises(TimeoutError):
            server.accept()
    asked = []
    monkeypatch.setattr(av, "open", lambda *_, options, **__: asked.append(options) or pytest.fail("not opened"))
    with pytest.raises(pytest.fail.Exception):
        Video(path).frames_at([0])
    assert asked[0]["protocol_whitelist"] == "file"


@pytest.mark.parametrize("name", UNUSABLE)
def test_shared_files_that_are_no_videos(shared_data: Path, name: str) -> None:
    path = shared_data / "videos/damaged" / name
    with pytest.raises(errors.VideoError) as caught:
        Video(path).frames_at([0])
    assert type(caught.value) is UNUSABLE[name]
    assert caught.value.where == path
    assert caught.value.remedy
    found = probe(path)
    assert (found.decodes, found.error) == (False, UNUSABLE[name].code)
    assert str(path) in found.message


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (None, errors.VideoMissing),
        (b"", errors.VideoEmpty),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12\n", errors.NotAVideo),
        (b"#EXTM3U\n#EXTINF:1,\nhttp://localhost/clip.ts\n", errors.NotAVideo),
        (b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41" + bytes(4000), errors.HeaderDamaged),
        (b"\x1a\x45\xdf\xa3" + bytes(400), errors.HeaderDamaged),
    ],
)
def test_files_that_are_no_videos(tmp_path: Path, content: bytes | None, error: type[errors.VideoError]) -> None:
    path = tmp_path / "clip.mp4"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(errors.VideoError) as caught:
        Video(path).frames_at([0])
    assert type(caught.value) is error
    assert probe(path).error == error.code


def test_a_folder_is_no_video(tmp_path: Path) -> None:
    assert probe(tmp_path).error == "not_a_video"


def test_an_unknown_codec_is_named(tmp_path: Path) -> None:
    path = make.write(tmp_path / "clip.mp4")
    path.write_bytes(path.read_bytes().replace(b"avc1", b"zzzz"))
    with pytest.raises(errors.CodecUnsupported):
        Video(path).frames_at([0])


def write_sound(path: Path, codec: str, options: dict[str, str] | None = None) -> Path:
    """Write a second of silence."""
    with av.open(str(path), "w", options=options or {}) as container:
        sound = container.add_stream(codec, rate=44100, layout="mono")
        for number in range(40):
            frame = av.AudioFrame(format=sound.format.name, layout="mono", samples=1152)
            frame.planes[0].update(bytes(frame.planes[0].buffer_size))
            frame.sample_rate, frame.pts = 44100, number * 1152
            container.mux(sound.encode(frame))
        container.mux(sound.encode())
    return path


def test_sound_under_the_name_of_a_video(tmp_path: Path) -> None:
    song = write_sound(tmp_path / "song.mp3", "libmp3lame")
    assert probe(shutil.copy(song, tmp_path / "song.mp4")).error == "no_video_stream"


def test_a_stream_that_begins_late_is_passed_over(tmp_path: Path) -> None:
    codec, options = make.ENCODINGS["closed-gop.ts"]
    pictures = make.write(tmp_path / "pictures.ts", codec=codec, options=options)
    sound = write_sound(tmp_path / "sound.ts", "mp2", {"mpegts_start_pid": "512", "mpegts_pmt_start_pid": "5000"})
    path = tmp_path / "both.ts"
    path.write_bytes(pictures.read_bytes() * 40 + sound.read_bytes() + pictures.read_bytes())
    assert Video(path).n_frames == 41 * 60


def test_a_stream_without_one_good_frame(tmp_path: Path) -> None:
    path = make.write(tmp_path / "clip.mp4", options={"g": "12"})
    data = bytearray(path.read_bytes())
    start, end = data.index(b"mdat") + 4, data.rindex(b"moov") - 4
    data[start:end] = bytes(end - start)
    path.write_bytes(data)
    with pytest.raises(errors.NoFrames):
        Video(path).frames_at([0])


@pytest.mark.parametrize("name", ["garbage_mid_20k.mp4", "trunc_faststart_99.mp4"])
def test_every_frame_damage_reached_is_named_and_no_other(shared_data: Path, name: str) -> None:
    """The undamaged original says which frames are wrong."""
    folder = shared_data / "videos/damaged"
    truth = decode_plainly(folder / "ok_fast.mp4").digests
    video = Video(folder / name)
    frames = video.frames_at(range(video.n_frames))
    wrong = {index for index, picture in enumerate(frames.pixels) if digest(picture) != truth[index]}
    assert wrong
    assert wrong == set(frames.substituted) | set(frames.corrupt)
    assert any("damaged" in warning for warning in video.warnings)
    for index in list(range(0, video.n_frames, 20)) + sorted(wrong)[::20]:  # asked for alone, the verdict is the same
        alone = video.frames_at([index])
        assert (index in wrong) == bool(alone.substituted or alone.corrupt)


def test_damage_taints_the_rest_of_its_group_and_nothing_else(tmp_path: Path) -> None:
    path = make.write(tmp_path / "clip.mp4", options={"g": "12", "bf": "0", "sc_threshold": "0"})
    sound, truth, rng = path.read_bytes(), decode_plainly(path).digests, random.Random(5)
    with av.open(str(path)) as container:
        places = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    noticed = 0
    for _ in range(12):
        start, size = places[rng.randrange(1, 60)]
        broken = bytearray(sound)
        for _ in range(4):
            broken[start + rng.randrange(8, size)] ^= 1 << rng.randrange(8)
        path.write_bytes(broken)
        frames = Video(path).frames_at(range(60))
        flagged = set(frames.corrupt)
        assert all(index + 1 in flagged for index in flagged if (index + 1) % 12)
        groups = {index // 12 for index in flagged}
        assert len(groups) <= 1
        wrong = {index for index in range(60) if digest(frames.pixels[index]) != truth[index]}
        if flagged:
            noticed += 1
            assert {index for index in wrong if index >= min(flagged)} <= flagged
    assert noticed >= 3  # the rest decodes without complaint, to something else: no decoder can tell


def test_frames_nobody_can_vouch_for_are_flagged(shared_data: Path) -> None:
    """Against a plain decode, as there is no original: what is not flagged is what every decoder shows."""
    path = shared_data / "videos/damaged/decord_corrupted.mp4"
    truth = decode_plainly(path)
    by_time = dict(zip(truth.seconds or (), truth.digests, strict=True))
    video = Video(path)
    frames = video.frames_at(range(video.n_frames))
    assert (len(by_time), video.n_frames, set(frames.substituted)) == (49, 50, {30})
    good = [index for index in range(50) if index not in frames.corrupt and index not in frames.substituted]
    assert len(good) >= 25
    assert [digest(frames.pixels[index]) for index in good] == [by_time[frames.timestamps[index]] for index in good]


def test_the_nearest_frame_that_decodes_stands_in(shared_data: Path) -> None:
    video = Video(shared_data / "videos/damaged/trunc_faststart_99.mp4")
    frames = video.frames_at([350, 349, 0])
    assert frames.substituted == {350: 349}
    assert np.array_equal(frames.pixels[0], frames.pixels[1])
    assert frames.timestamps[0] == frames.timestamps[1] == video.timestamps[349]
    assert frames.indices.tolist() == [350, 349, 0]


def test_a_frame_that_was_cut_never_stands_in(shared_data: Path) -> None:
    video = Video(shared_data / "videos/damaged/trunc_faststart_99.mp4")
    edit = video.without([Moment(start=11.0, end=11.66)])
    frames = edit.frames_at([edit.n_frames - 1])
    assert frames.substituted == {330: 329}
    assert frames.timestamps[0] < 11.0


def test_preloading_a_damaged_video_changes_nothing(shared_data: Path) -> None:
    path = shared_data / "videos/damaged/garbage_mid_20k.mp4"
    fresh, loaded = Video(path), Video(path)
    wanted = list(range(140, 240, 3))
    loaded.preload(wanted)
    one, other = fresh.frames_at(wanted), loaded.frames_at(wanted)
    assert np.array_equal(one.pixels, other.pixels)
    assert (one.substituted, one.corrupt) == (other.substituted, other.corrupt)


def test_a_truncated_file_ends_where_it_ends(shared_data: Path) -> None:
    folder = shared_data / "videos/damaged"
    whole, cut = Video(folder / "ok.mkv"), Video(folder / "trunc_50.mkv")
    assert cut.n_frames == 170
    same = range(165)  # the last few wait for pictures that were cut off
    assert np.array_equal(whole.frames_at(same).pixels, cut.frames_at(same).pixels)


def test_probe_tells_the_facts(shared_data: Path) -> None:
    found = probe(shared_data / "videos/damaged/rot90.mp4")
    assert (found.decodes, found.error, found.frames) == (True, None, 92)
    assert (found.rotation, found.size, found.codec, found.has_audio) == (90, (360, 640), "h264", False)
    assert found.duration == pytest.approx(3.17, abs=0.01)
    assert len(found.sha256) == 64
    damaged = probe(shared_data / "videos/damaged/trunc_faststart_99.mp4")
    assert damaged.decodes
    assert "frames that do not decode, of 3 tried: 1" in damaged.warnings
