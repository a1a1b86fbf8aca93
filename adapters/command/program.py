"""A program that is spoken to in lines: started, heard within a time limit, and surely ended.

Knows processes and pipes, and nothing of what the lines say. While it waits for a line it also writes what the program
has not read yet and takes in its error output, all in one thread: no full pipe can block either side for good.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections import deque
from collections.abc import Collection, Sequence
from typing import IO, cast

from ecva_bench.untrusted import is_secret, say

LONGEST_LINE = 16 << 20  # bytes; who writes more without a line break is taken to be lost
KEPT = 20  # last lines of what it printed
_KEPT_CHARACTERS = 1400  # of those lines together, the last ones: an error record holds 2000
_SHOWN = 1 << 20  # characters of what it prints that are shown between two answers; the rest would fill a log
_GRACE = 2.0  # seconds to end by itself when its input ends, and to say its last words
_CHUNK = 1 << 16


class Ended(Exception):
    """A program does not run any more: why, as a phrase such as `ended with exit code 1`, and its last lines."""

    def __init__(self, why: str, last_lines: str = "") -> None:
        self.why, self.last_lines = why, last_lines
        super().__init__(why)


class Program:
    """A running program. Its process group is its own and ends as one.

    What it prints on its error output is shown on ours, and the last lines are kept. `running` tells whether it was
    found to have ended.
    """

    def __init__(self, command: Sequence[str], passed: Collection[str] = ()) -> None:
        """Start it; `Ended` where that is not possible. `passed` are keys of our environment that it gets, by name."""
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                env=_environment(passed),
                start_new_session=True,  # so that its children end with it, and a ctrl-C is ours alone
            )
        except OSError as error:
            raise Ended(f"could not be started ({error})") from error
        self._stdin, self._stdout, self._stderr = (
            cast("IO[bytes]", pipe) for pipe in (self._process.stdin, self._process.stdout, self._process.stderr)
        )
        os.set_blocking(self._stdin.fileno(), False)
        self._unsent, self._heard, self._errors = bytearray(), bytearray(), bytearray()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._stdout, selectors.EVENT_READ)
        self._selector.register(self._stderr, selectors.EVENT_READ)
        self._last: deque[str] = deque(maxlen=KEPT)
        self._left_to_show = _SHOWN
        self._owner = os.getpid()
        self.running = True

    def send(self, line: bytes) -> None:
        """Have a line written. It is, as fast as the program reads, while `receive` waits."""
        if not self._unsent:
            self._selector.register(self._stdin, selectors.EVENT_WRITE)
        self._unsent += line

    def receive(self, deadline: float) -> bytes:
        """Return the next line of its standard output, with its line break.

        `Ended` where there is none before `deadline` (of `time.monotonic`), where the line does not end, and where
        the program does.
        """
        searched = 0
        while (end := self._heard.find(b"\n", searched) + 1) == 0:
            searched = len(self._heard)
            if searched > LONGEST_LINE:
                raise self.end(f"wrote a line of more than {LONGEST_LINE >> 20} MiB")
            if self._stdout not in self._selector.get_map():
                raise self.end(_obituary(self.stop()))
            if not self._pump(deadline):
                raise self.end("did not answer in time")
        line = bytes(self._heard[:end])
        del self._heard[:end]
        return line

    def answered(self) -> None:
        """Begin anew to count how much of what it prints is shown."""
        self._left_to_show = _SHOWN

    def note(self, text: str) -> None:
        """Show a line and keep it among the last ones."""
        text = text.rstrip().rpartition("\r")[2]  # of a progress bar, what it came to
        if text:
            self._last.append(text)
            if self._left_to_show > 0:
                self._left_to_show -= len(text)
                say(f"[model] {text}", error=True)
                if self._left_to_show <= 0:
                    say("[model] … prints so much that no more of it is shown before its next answer", error=True)

    def end(self, why: str) -> Ended:
        """End it at once; return the exception that says so, with its last lines, cut in front where they are long."""
        self.stop(grace=0)
        return Ended(why, "\n".join(self._last)[-_KEPT_CHARACTERS:])

    def stop(self, grace: float = _GRACE) -> int | None:
        """End it with all it started, and return its exit code; None where it had to be killed.

        Its input ends at once; after at most `grace` seconds, in which it is heard out, it is killed. A fork of the
        process that started it leaves it alone.
        """
        if not self.running or self._owner != os.getpid():
            return self._process.returncode
        self.running = False
        self._close_input()
        deadline = time.monotonic() + grace
        while self._selector.get_map() and self._pump(deadline):
            pass
        while not (ended := self._ended()) and time.monotonic() < deadline:  # its pipes close a moment before
            time.sleep(0.005)
        os.killpg(self._process.pid, signal.SIGKILL)  # before `wait`: until then the number can be no other's
        code = self._process.wait()
        for rest in (self._heard, self._errors):
            self.note(rest[:_CHUNK].decode(errors="replace"))
        self._selector.close()
        self._stdout.close()
        self._stderr.close()
        return code if ended else None

    def _ended(self) -> bool:
        return os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def _pump(self, deadline: float) -> bool:
        """Wait until something can be read or written, and do it; False where the time is over before."""
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        for key, _ in self._selector.select(left):
            if key.fileobj is self._stdin:
                self._write()
            elif chunk := os.read(key.fd, _CHUNK):
                self._take(key.fileobj is self._stdout, chunk)
            else:
                self._selector.unregister(key.fileobj)
        return True

    def _take(self, output: bool, chunk: bytes) -> None:
        if output:
            if len(self._heard) <= LONGEST_LINE:  # more is read only while it is ended, and by nobody
                self._heard += chunk
            return
        *lines, rest = (self._errors + chunk).split(b"\n")
        if len(rest) > _CHUNK:
            lines, rest = [*lines, rest], bytearray()
        self._errors = rest
        for line in lines:
            self.note(line.decode(errors="replace"))

    def _write(self) -> None:
        try:
            del self._unsent[: os.write(self._stdin.fileno(), self._unsent)]
        except BrokenPipeError:  # it reads no more; what it says next, or its end, tells why
            self._unsent.clear()
        if not self._unsent:
            self._selector.unregister(self._stdin)

    def _close_input(self) -> None:
        if self._unsent:
            self._unsent.clear()
            self._selector.unregister(self._stdin)
        self._stdin.close()


def _environment(passed: Collection[str]) -> dict[str, str]:
    """Return our environment without keys that are not to be passed on, and without what leads to our packages."""
    ours = ("VIRTUAL_ENV", "__PYVENV_LAUNCHER__")
    return {
        name: value
        for name, value in os.environ.items()
        if name in passed or not (name.startswith("PYTHON") or name in ours or is_secret(name))
    }


def _obituary(code: int | None) -> str:
    if code is None:
        return "closed its standard output and ran on"
    return f"was killed by signal {-code} ({signal.strsignal(-code)})" if code < 0 else f"ended with exit code {code}"
