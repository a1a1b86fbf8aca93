"""Exact frames: ours against a sequential decode, decord, torchcodec and OpenCV, in CPU time and in frames right.

Run: python -m benchmarks.video [--rounds 3] [--counts 8 32 100] [--clips FOLDER]

Speed: the same frames of the same two generated clips (as long as ECVA's videos; key frames far apart and close
together), every library with one thread, cold each time but for the page cache, in turns whose order changes from
round to round. Figures are CPU seconds of the process, medians over rounds; ratios are taken round by round.
Frames right: 24 frames spread over every sound file of a folder, against the same frames of a full decode. A frame is
right if no other frame of the file is closer to it. Libraries that are not installed are left out.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from av.video.reformatter import VideoReformatter

from benchmarks.clips import long_clip, number_of
from ecva_bench.video import Video, samplers
from ecva_bench.video.video import decoder_version
from ecva_bench.video.watchdog import isolated

UInt8 = npt.NDArray[np.uint8]
Reader = Callable[[Path, list[int]], UInt8]

CHECKED = 24  # frames of every file whose rightness is checked
THINNING = 8  # every how many pixels are compared, in both directions
GOALS = {250: {8: 0.06, 32: 0.35, 100: 0.60}, 30: {32: 0.06}}  # at most this share of a full decode


def ours(path: Path, indices: list[int]) -> UInt8:
    return Video(path, deadline=600).frames_at(indices).pixels


def sequential(path: Path, indices: list[int]) -> UInt8:
    """Decode everything from the first packet on, and convert what is wanted."""
    wanted, found, reformatter = set(indices), {}, VideoReformatter()
    with av.open(str(path)) as container:
        stream = container.streams.best("video")
        stream.codec_context.thread_count = 1
        for index, frame in enumerate(container.decode(stream)):
            if index in wanted:
                picture = reformatter.reformat(frame, format="rgb24", threads=1).to_ndarray()
                found[index] = np.rot90(picture, round(frame.rotation / 90))
    return np.stack([found[index] for index in indices])


def decord(path: Path, indices: list[int]) -> UInt8:
    import decord

    return decord.VideoReader(str(path), num_threads=1).get_batch(indices).asnumpy()


def torchcodec(path: Path, indices: list[int]) -> UInt8:
    from torchcodec.decoders import VideoDecoder

    decoder = VideoDecoder(str(path), num_ffmpeg_threads=1, dimension_order="NHWC", seek_mode="exact")
    return decoder.get_frames_at(indices=indices).data.numpy()


def opencv(path: Path, indices: list[int]) -> UInt8:
    import cv2

    cv2.setNumThreads(1)
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    pictures = []
    for index in indices:
        capture.set(cv2.CAP_PROP_POS_FRAMES, index)
        read, picture = capture.read()
        if not read:
            raise ValueError(f"no frame {index}")
        pictures.append(picture[:, :, ::-1])
    capture.release()
    return np.stack(pictures)


READERS: dict[str, tuple[Reader, str]] = {
    "ours": (ours, "ecva-bench"),
    "sequential": (sequential, "av"),
    "decord": (decord, "decord"),
    "torchcodec": (torchcodec, "torchcodec"),
    "opencv": (opencv, "opencv-python-headless"),
}


def installed() -> dict[str, Reader]:
    """Return the readers whose package is there, having said which."""
    found = {}
    for name, (reader, package) in READERS.items():
        try:
            print(f"{name}: {package} {version(package)}{f' ({decoder_version()})' if name == 'ours' else ''}")
        except PackageNotFoundError:
            print(f"{name}: not installed")
        else:
            found[name] = reader
    return found


def cpu(call: Callable[[], object]) -> float:
    """Return the CPU seconds a call takes, all threads together."""
    start = time.process_time()
    call()
    return time.process_time() - start


def compare_speed(readers: dict[str, Reader], gop: int, counts: list[int], rounds: int) -> None:
    """Print CPU seconds and our share of each library's, for a clip with a key frame every `gop` frames at least."""
    path = long_clip(gop)
    n_frames = Video(path).n_frames
    print(f"\n141 s, 60 fps, 720p, GOP {gop}: CPU seconds, in brackets our share (medians of {rounds})")
    full = [cpu(lambda: sequential(path, [n_frames - 1])) for _ in range(rounds)]
    index = [cpu(lambda: Video(path).n_frames) for _ in range(rounds)]
    print(f"  full decode {statistics.median(full):.2f}, our index {statistics.median(index):.3f}")
    for name in readers:
        readers[name](path, [0])  # imports are no part of reading
    for count in counts:
        indices = samplers.linspace(n_frames, count).tolist()
        spent: dict[str, list[float]] = {name: [] for name in readers if name != "sequential"}
        right: dict[str, int] = {}
        for turn in range(rounds):
            names = list(spent)
            for name in names[turn % len(names) :] + names[: turn % len(names)]:
                pictures: list[UInt8] = []
                spent[name].append(cpu(lambda: pictures.extend(readers[name](path, indices))))  # noqa: B023
                right[name] = sum(number_of(p) == i for p, i in zip(pictures, indices, strict=True))
        cells = [
            f"{name} {statistics.median(times):.2f}{_share(spent['ours'], times)}" for name, times in spent.items()
        ]
        goal = GOALS[gop].get(count)
        against_full = f"full decode{_share(spent['ours'], full)}" + (f" goal {goal}" if goal else "")
        print(f"  {count:3} frames: {', '.join(cells)}, {against_full}")
        if set(right.values()) != {count}:
            print(f"             frames right: {right}")


def _share(ours: list[float], others: list[float]) -> str:
    if ours is others:
        return ""
    return f" [{statistics.median(a / b for a, b in zip(ours, others, strict=True)):.2f}]"


def compare_questions(gop: int, rounds: int, count: int = 32, tasks: int = 5) -> None:
    """Print what five tasks on the same frames cost against one: preloaded once, asked for five times.

    Both are taken from one reading, as two readings differ by more than the four questions cost.
    """
    path = long_clip(gop)
    indices = samplers.linspace(Video(path).n_frames, count)
    ratios = []
    for _ in range(rounds):
        video = Video(path)
        first = cpu(lambda: (video.preload(indices), video.frames_at(indices)))  # noqa: B023
        others = sum(cpu(lambda: video.frames_at(indices)) for _ in range(tasks - 1))  # noqa: B023
        ratios.append((first + others) / first)
    print(f"  {tasks} tasks against one, {count} frames: {statistics.median(ratios):.3f}x (goal at most 1.15x)")


def compare_frames(readers: dict[str, Reader], folder: Path) -> None:
    """Print how many of the frames each library returns are the ones asked for."""
    right, clean, refused = (dict.fromkeys(readers, 0) for _ in range(3))
    files, left_out = 0, []
    for path in sorted(file for file in folder.iterdir() if file.is_file()):
        try:
            truth = _whole(path)
        except (av.error.FFmpegError, ValueError) as error:
            left_out.append(f"{path.name} ({type(error).__name__})")
            continue
        files += 1
        indices = np.linspace(0, len(truth) - 1, CHECKED, dtype=int).tolist()
        for name, reader in readers.items():
            try:
                pictures = isolated(_thinned, reader, path, indices, path=path, seconds=60)
            except Exception:  # whatever a library raises, or a hang: it gave no frame
                refused[name] += 1
                continue
            hits = sum(_closest(truth, picture, index) for picture, index in zip(pictures, indices, strict=True))
            right[name] += hits
            clean[name] += hits == CHECKED
    print(f"\n{folder.name}: {CHECKED} frames of each of {files} sound files")
    for name in readers:
        frames = f"{right[name]} of {files * CHECKED} frames right"
        print(f"  {name:<11} {frames}, {clean[name]} files entirely, {refused[name]} refused")
    print(f"  left out, as a full decode meets damage or nothing: {', '.join(left_out) or 'none'}")


def _whole(path: Path) -> UInt8:
    """Return all frames of a file, thinned; ValueError where damage leaves no truth to compare with."""
    pictures, reformatter, size = [], VideoReformatter(), (0, 0)
    with av.open(str(path)) as container:
        stream = container.streams.best("video")
        if stream is None or container.format.name.endswith("_pipe"):
            raise ValueError("no video")
        stream.codec_context.thread_count = 1
        for frame in container.decode(stream):
            if frame.is_corrupt:
                raise ValueError("damaged")
            size = size if pictures else (frame.width, frame.height)
            picture = reformatter.reformat(frame, *size, "rgb24", threads=1).to_ndarray()
            pictures.append(np.rot90(picture, round(frame.rotation / 90))[::THINNING, ::THINNING].copy())
    return np.stack(pictures)


def _thinned(reader: Reader, path: Path, indices: list[int]) -> UInt8:
    return reader(path, indices)[:, ::THINNING, ::THINNING].copy()


def _closest(truth: UInt8, picture: UInt8, index: int) -> bool:
    """Whether no frame of the file is closer to the picture than the one it is said to be."""
    if picture.shape != truth.shape[1:]:
        return False
    distances = np.abs(truth.astype(np.int16) - picture).reshape(len(truth), -1).mean(axis=1)
    return bool(distances[index] == distances.min())


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--counts", type=int, nargs="*", default=[8, 32, 100])
    parser.add_argument("--clips", type=Path, help="folder of clips whose frames are checked")
    arguments = parser.parse_args()
    readers = installed()
    for gop in (250, 30) if arguments.counts else ():
        compare_speed(readers, gop, arguments.counts, arguments.rounds)
        compare_questions(gop, arguments.rounds)
    if arguments.clips:
        for folder in sorted(path for path in arguments.clips.iterdir() if path.is_dir()) or [arguments.clips]:
            compare_frames(readers, folder)


if __name__ == "__main__":
    main()
