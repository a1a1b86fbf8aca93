"""Judges against a scripted endpoint, with short pauses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from ecva_bench.judging import client
from ecva_bench.judging.judge import LanguageJudge, open_judge

from .server import JudgeServer

KEY = "sk-very-secret-0123456789"
Open = Callable[..., LanguageJudge]


@pytest.fixture(autouse=True)
def _no_long_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(client, "LONGEST_PAUSE_S", 0.02)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)


@pytest.fixture
def judge_at(tmp_path: Path) -> Iterator[Open]:
    """A function that opens a judge at a scripted server; judges are closed when the test ends."""
    with ExitStack() as stack:

        def open_at(server: JudgeServer, **options: Any) -> LanguageJudge:
            options.setdefault("store", tmp_path / "judge.sqlite")
            model = options.pop("model", "scripted")
            return stack.enter_context(open_judge(model, base_url=server.url, **options))

        yield open_at
