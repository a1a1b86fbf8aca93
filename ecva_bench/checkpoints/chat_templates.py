"""A checkpoint's chat template, filled in within bounds: it is a program of whoever published the weights.

transformers runs it in a sandbox, which keeps it from the machine and not from running for ever. So its lines are
watched while they run: the time they take, what they write, and how long the texts grow that they hold.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

from ..errors import CheckpointError

SECONDS = 5.0  # of computing; a template takes some thousandths
CHARACTERS = 1 << 24  # that it may write, or hold in one text or list
_FILE = "<template>"  # what Jinja calls the file of a template that comes as a text

_Trace = Callable[[FrameType, str, Any], Any]


def fill_template(owner: Any, messages: Sequence[Mapping[str, Any]], **options: Any) -> str:
    """Return messages as the chat template of a tokenizer or processor writes them, up to where a reply begins.

    Raises `CheckpointError` for a template that takes more than `SECONDS` or writes more than `CHARACTERS`, and
    whatever the template itself raises.
    """
    with _bounded():
        text = owner.apply_chat_template(list(messages), tokenize=False, add_generation_prompt=True, **options)
    return str(text)


def takes_parts(owner: Any, **options: Any) -> bool:
    """Return whether a chat template writes a message of parts, texts and pictures.

    Older ones take one text, and fail at a list or write it as Python prints it. Raises as `fill_template`.
    """
    message = {"role": "user", "content": [{"type": "text", "text": "?"}]}
    try:
        return "'type'" not in fill_template(owner, [message], **options)
    except TypeError:
        return False


@contextmanager
def _bounded() -> Iterator[None]:
    """Watch what this thread runs."""
    watch, before = _Watch(), sys.gettrace()
    sys.settrace(watch.called)
    try:
        yield
    except Exception as error:
        if watch.exceeded:  # Jinja may have made another error of it
            raise CheckpointError(watch.exceeded, remedy="take another checkpoint, or mend its template") from error
        raise
    finally:
        sys.settrace(before)


class _Watch:
    """A trace of Python calls: those of a template are followed line by line, all others are only counted as time."""

    def __init__(self) -> None:
        self.exceeded = ""
        self._end = time.thread_time() + SECONDS
        self._written = 0

    def called(self, frame: FrameType, event: str, argument: Any) -> _Trace | None:
        """Be told of a call; follow it where it is one of a template."""
        self._check_time()
        return self._ran if frame.f_code.co_filename == _FILE else None

    def _ran(self, frame: FrameType, event: str, argument: Any) -> _Trace:
        """Be told of a line, or of what was written: the pieces of a template's text are yielded one by one."""
        self._check_time()
        if event == "return" and isinstance(argument, str):
            self._written += len(argument)
            self._check_size(self._written)
        elif event == "line":
            for value in frame.f_locals.values():
                if isinstance(value, str | list | tuple):
                    self._check_size(len(value))
        return self._ran

    def _check_time(self) -> None:
        if time.thread_time() > self._end:
            self._exceed(f"its chat template takes more than {SECONDS:g} seconds")

    def _check_size(self, size: int) -> None:
        if size > CHARACTERS:
            self._exceed(f"its chat template writes more than {CHARACTERS:,} characters")

    def _exceed(self, what: str) -> None:
        self.exceeded = what
        raise RuntimeError(what)
