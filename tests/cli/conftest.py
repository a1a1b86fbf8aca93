"""The command line as a test types it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ecva_bench import cli

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def ecva_bench(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """A function that runs the command line in this process and returns exit code, output and error output."""

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["ecva-bench", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        shown = capsys.readouterr()
        return int(stop.value.code or 0), shown.out, shown.err

    return run
