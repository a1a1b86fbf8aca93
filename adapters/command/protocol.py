"""What the harness and a program in another environment say to each other, version 1 (design/command.md).

Knows the lines, one JSON object each, and when one is due. Leaves pipes to `program`, and to `adapter` which video is
asked about and what a program's end costs.
"""

from __future__ import annotations

import json
import time
import weakref
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from ecva_bench.answering import ModelOutput, Question
from ecva_bench.errors import AdapterError
from ecva_bench.records.base import canonical_json
from ecva_bench.untrusted import parse_json
from ecva_bench.wording import counted

from .program import Ended, Program

VERSION = 1

_Message = dict[str, Any]


@dataclass(frozen=True)
class Hello:
    """What a program says when it starts: what determines its answers, and the frames it wants, None if unsaid.

    `frames` names a sampler as `rule`, and what it takes, such as `count`.
    """

    describe: _Message
    frames: _Message | None


class Dialogue:
    """A program from its start to its end. Lines that are no part of the dialogue are shown and passed over."""

    def __init__(self, command: Sequence[str], name: str, timeout: float, passed: Collection[str] = ()) -> None:
        """Start the program and hear its hello.

        `name` is for messages; `timeout`, in seconds, is for the hello, for loading, and for each question; `passed`
        are as of `Program`. `Ended` where the program does not get so far, `AdapterError` where its hello cannot be
        understood.
        """
        self._name, self._timeout = name, timeout
        self._asked = 0
        self._loaded = False
        self._program = Program(command, passed)
        weakref.finalize(self, self._program.stop)
        try:
            self.hello = _hello(self._listen(lambda message: "protocol" in message, timeout), name)
        except BaseException:
            self._program.stop(grace=0)
            raise

    @property
    def running(self) -> bool:
        """Whether the program can be asked."""
        return self._program.running

    def load(self) -> None:
        """Have the program load its model, once; `Ended` where it cannot."""
        if self._loaded:
            return
        self._tell({"load": True})
        message = self._listen(lambda message: "loaded" in message or "error" in message, self._timeout)
        if "error" in message:
            raise self.end(f"could not load its model ({message['error']!s:.1500})")
        self._loaded = True

    def ask(self, request: _Message, questions: Sequence[str]) -> list[str]:
        """Return one answer per question; `Ended`, or `AdapterError` where the program lives on without an answer."""
        self._asked += 1
        number = self._asked
        about = [Question.of(question).describe() for question in questions]
        self._tell({"id": number, **request, "questions": list(questions), "about": about})
        message = self._listen(lambda message: message.get("id") == number, self._timeout * len(questions))
        return _answers(message, len(questions), self._name)

    def end(self, why: str) -> Ended:
        """End the program at once; return the exception that says why."""
        return self._program.end(why)

    def stop(self) -> None:
        """End the program, which is given a moment to do so by itself."""
        self._program.stop()

    def _tell(self, message: _Message) -> None:
        self._program.send(json.dumps(message).encode() + b"\n")

    def _listen(self, wanted: Callable[[_Message], bool], seconds: float) -> _Message:
        deadline = time.monotonic() + seconds
        while True:
            line = self._program.receive(deadline)
            message = _parsed(line)
            if message is not None and wanted(message):
                self._program.answered()
                return message
            self._program.note(f"(stray line on standard output) {line[:300].decode(errors='replace')}")


def _parsed(line: bytes) -> _Message | None:
    try:
        message = parse_json(line, lenient=True)  # what cannot be written down is refused where it is used
    except ValueError:
        return None
    return message if isinstance(message, dict) else None


def _hello(message: _Message, name: str) -> Hello:
    if message["protocol"] != VERSION:
        raise AdapterError(
            f"the program speaks protocol {message['protocol']!r}", name, f"this version of ecva-bench speaks {VERSION}"
        )
    describe, frames = message.get("describe"), message.get("frames")
    try:
        canonical_json([describe, frames]).encode()
    except ValueError as error:
        raise AdapterError(f"the program's hello holds what is no JSON ({error})", name, "mend it") from error
    if not isinstance(describe, dict) or not isinstance(frames, dict | None):
        raise AdapterError(
            "the program's hello lacks `describe`, or one of `describe` and `frames` is no object", name, "mend it"
        )
    return Hello(describe, frames)


def _answers(message: _Message, expected: int, name: str) -> list[str]:
    if "error" in message:
        raise AdapterError(f"the program says: {message['error']!s:.1500}", name)
    answers = message.get("answers")
    if not isinstance(answers, list) or not all(isinstance(answer, str) for answer in answers):
        raise AdapterError(f"the program answered {answers!r:.200}", name, "`answers` must be a list of strings")
    if len(answers) != expected:
        raise AdapterError(
            f"the program gave {counted(len(answers), 'answer')} to {counted(expected, 'question')}",
            name,
            "it must give one each",
        )
    finish = message.get("finish", ["stop"] * expected)
    if not isinstance(finish, list) or [type(reason) for reason in finish] != [str] * expected:
        raise AdapterError(
            f"the program's finish is {finish!r:.200}", name, "`finish` must be one string for each answer"
        )
    return [ModelOutput(answer, finish=reason) for answer, reason in zip(answers, finish, strict=True)]
