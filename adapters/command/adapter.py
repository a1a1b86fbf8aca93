"""A program in another environment, as `command:python -s my_model.py`: asked over pipes, frames handed over as files.

Knows videos, frames, and that a program's death costs one video. Leaves to `protocol` what is said (design/command.md
has it in full, with a program to begin from) and to `program` how.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import tempfile
import weakref
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ecva_bench.answering import Adapter
from ecva_bench.errors import AdapterError, EcvaError, UsageError
from ecva_bench.video import samplers

from ..parts.options import count
from .program import Ended
from .protocol import VERSION, Dialogue, Hello

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecva_bench.video import Frames, Video

DEATHS = 3  # in a row, of videos without an answer in between, after which the program is not started again


class Command(Adapter):
    """A program that speaks the protocol.

    Options, as strings: `env`, the Python interpreter to run it with; `frames` and `sampler`, in place of those it
    asks for; `timeout`, the seconds it may take to start, to load, and for each question; `pass_env`, the keys of our
    environment that it gets, such as `HF_TOKEN`, with commas between: others it does not. It is started when it is
    first asked what it is, and again after its death. `AdapterError`, with its last lines, where it dies.
    """

    scheme = True
    immaterial = frozenset({"env", "timeout", "pass_env"})

    def __init__(
        self,
        *,
        target: str,
        env: str = "",
        frames: str = "",
        sampler: str = "",
        timeout: str = "600",
        pass_env: str = "",
    ) -> None:
        self._name = f"command:{target}"
        self._command = command_line(target, env)
        self._sampler, self._count = sampler, count("frames", frames) if frames else None
        self._timeout = _seconds(timeout)
        self._passed = frozenset(name.strip() for name in pass_env.split(",")) - {""}
        if absent := sorted(name for name in self._passed if name not in os.environ):
            raise UsageError("there is no such variable in the environment", absent[0], "set it, or leave out pass-env")
        self._dialogue: Dialogue | None = None
        self._first: Hello | None = None
        self._deaths = 0
        self._refusal: tuple[Path, str, str] | None = None  # for which video, why, and the last lines
        self._shown: tuple[Video, Path] | None = None

    @cached_property
    def hello(self) -> Hello:
        """What the program said when it was first started."""
        try:
            return self._ready().hello
        except Ended as ended:
            raise self._error(f"the program {ended.why}", ended.last_lines, "mend it") from None

    @cached_property
    def rule(self) -> dict[str, Any]:
        """The frame rule as data: the program's, changed by the options."""
        return frame_rule(self.hello.frames, self._sampler, self._count, self._name)

    def describe(self) -> dict[str, Any]:
        """Return what the program says of itself, and the frame rule; it loads nothing for that."""
        return {"protocol": VERSION, "program": self.hello.describe, "frames": self.rule}

    def load(self) -> None:
        """Have the program load its model."""
        try:
            self._ready().load()
        except Ended as ended:
            raise self._error(f"the program {ended.why}", ended.last_lines, "mend it") from None

    def frame_indices(self, video: Video) -> NDArray[np.int64]:
        """Return the indices the frame rule gives for a video."""
        return _sample(self.rule, video.n_frames, video.positions)

    def answer(self, video: Video, question: str) -> str:
        """Return the program's answer to one question."""
        return self.answer_many(video, [question])[0]

    def answer_many(self, video: Video, questions: Sequence[str]) -> list[str]:
        """Return the program's answers, asked for with one request.

        Where the program dies or does not answer in time, the rest of the video is not asked, its edits included. The
        next video finds the program started again, until it has died at `DEATHS` videos in a row.
        """
        if self._refusal and (self._deaths >= DEATHS or self._refusal[0] == video.path):
            raise self._error(*self._refusal[1:])
        frames = video.frames_at(self.frame_indices(video))
        request = self._request(video, frames)
        try:
            dialogue = self._ready()
            dialogue.load()
            answers = dialogue.ask(request, questions)
        except Ended as ended:
            self._deaths += 1
            why = f"the program {ended.why}, so the rest of this video is not asked"
            after = f"the program died at {DEATHS} videos in a row and is given up" if self._deaths >= DEATHS else why
            self._refusal = (video.path, after, ended.last_lines)
            raise self._error(why, ended.last_lines) from None
        self._deaths = 0
        return answers

    def close(self) -> None:
        """End the program. It also ends when the adapter is no longer used and when Python does."""
        if self._dialogue:
            self._dialogue.stop()

    def _ready(self) -> Dialogue:
        """Return the dialogue with the running program, which is started where it does not run."""
        if self._dialogue is None or not self._dialogue.running:
            begun = Dialogue(self._command, self._name, self._timeout, self._passed)
            if self._first not in (None, begun.hello):
                raise begun.end("says of itself something else than when it was first started")
            self._dialogue, self._first = begun, begun.hello
        return self._dialogue

    def _request(self, video: Video, frames: Frames) -> dict[str, Any]:
        return {
            "frames": str(self._file_of(video, frames)),
            "timestamps": frames.timestamps.tolist(),
            "positions": frames.positions.tolist(),
            "indices": frames.indices.tolist(),
            "n_frames": video.n_frames,
            "frame_rate": video.frame_rate,
            "duration": video.duration,
            "size": list(video.size),
        }

    def _file_of(self, video: Video, frames: Frames) -> Path:
        """Return the file that holds the frames of the video asked about; that of the one before is removed.

        Questions about one video find the same path, so that a program can keep what it saw under it.
        """
        if self._shown and self._shown[0] is video:
            return self._shown[1]
        number = 1
        if self._shown:
            number = int(self._shown[1].stem) + 1
            self._shown[1].unlink(missing_ok=True)
        path = self._folder / f"{number}.npy"
        np.save(path, frames.pixels)
        self._shown = (video, path)
        return path

    @cached_property
    def _folder(self) -> Path:
        """A folder that nobody else can read, removed when the adapter is no longer used."""
        folder = Path(tempfile.mkdtemp(prefix="ecva-bench-"))
        weakref.finalize(self, _remove, folder, os.getpid())
        return folder

    def _error(
        self, what: str, last_lines: str, remedy: str = "mend it, then run again with --retry-errors"
    ) -> AdapterError:
        return AdapterError(what, self._name, f"{remedy}; its last lines:\n{last_lines or '(none)'}")


def command_line(target: str, env: str) -> list[str]:
    """Return the program and its arguments; `UsageError` where they cannot be told.

    A `.py` file is run by `env`, or by our interpreter where none is named, such that it finds what lies beside the
    file and no package of another environment. An interpreter that the target begins with gives way to `env`.
    """
    try:
        parts = shlex.split(target)
    except ValueError as error:
        raise UsageError(f"the command cannot be read ({error})", target, "quote it as for a shell") from error
    if not parts:
        raise UsageError("the command is empty", target, "write command:PROGRAM")
    if env and not Path(env).is_file():
        raise UsageError("there is no interpreter", env, "name the bin/python of the other environment")
    if parts[0].endswith(".py"):
        return [env or sys.executable, "-E", "-s", *parts]
    if env and not Path(parts[0]).name.startswith("python"):
        raise UsageError("env names an interpreter, and the command does not begin with one", target, "leave out env")
    return [env or parts[0], *parts[1:]]


def frame_rule(wish: dict[str, Any] | None, sampler: str, number: int | None, name: str) -> dict[str, Any]:
    """Return the frame rule a program wishes, or the one the options say; `AdapterError` where it has no meaning."""
    rule = dict(wish or {})
    if sampler and sampler != rule.get("rule"):
        rule = {"rule": sampler} | ({"count": rule["count"]} if "count" in rule else {})
    if number:
        rule = {"rule": "linspace"} | rule | {"count": number}
    if not rule:
        raise AdapterError("the program does not say which frames it wants", name, "add --model-arg frames=16")
    try:
        _sample(rule, 100, np.arange(100) / 10)
    except (EcvaError, KeyError, TypeError, ValueError) as error:
        raise AdapterError(f"the frame rule {rule} has no meaning ({error})", name, "see design/command.md") from error
    return rule


def _sample(rule: dict[str, Any], n_frames: int, positions: NDArray[np.float64]) -> NDArray[np.int64]:
    options = dict(rule)
    sampler = samplers.get(options.pop("rule"))
    return sampler(positions if sampler is samplers.at_fps else n_frames, **options)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise UsageError(f"{text!r} is no value of timeout", remedy="write seconds above 0")
    return seconds


def _remove(folder: Path, owner: int) -> None:
    """Remove a folder, if it is not a fork of its owner that wants to."""
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)
