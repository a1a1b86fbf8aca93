"""The program: the command line. An interrupt or SIGTERM ends it with one line and code 130 from its first moment."""

from __future__ import annotations

import signal
import sys
from types import FrameType

from .errors import Terminated

INTERRUPTED = 130  # the exit code, also typer's at ctrl-C
AGAIN = 5.0  # seconds until it is raised again, since Python drops what is raised while it clears up an object


def program() -> None:
    """Run the command line. SIGTERM, unlike an interrupt, also ends what is there until it is interrupted."""
    try:
        signal.signal(signal.SIGTERM, _end)
        from .cli import main as command_line

        command_line()
    except (KeyboardInterrupt, SystemExit, Terminated) as end:
        if sys.platform != "win32":  # which has no alarm, and where nothing sends SIGTERM
            signal.setitimer(signal.ITIMER_REAL, 0)
        if isinstance(end, SystemExit) and end.code != INTERRUPTED:
            raise
        print("interrupted; what was written is kept", file=sys.stderr)
        raise SystemExit(INTERRUPTED) from None


def _end(number: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGALRM, _end)
    signal.setitimer(signal.ITIMER_REAL, AGAIN)
    raise Terminated


if __name__ == "__main__":
    program()
