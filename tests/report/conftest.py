"""The page of the small story, opened in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from ecva_bench.report.page import write_page
from ecva_bench.report.server import Server
from ecva_bench.report.videos import Videos
from tests.clips import write_clip

from .build import annotations, story
from .watching import Open


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of two runs and three videos, of which two have a file."""
    base = tmp_path_factory.mktemp("view")
    for video in ("v0", "v1"):
        write_clip(base / "videos" / f"{video}.mp4")
    return write_page(story(), base / "page", Videos(annotations(), base / "videos")).folder


@contextmanager
def serving(page: Path) -> Iterator[Server]:
    """The server of a page, in a thread for as long as the context lasts."""
    with Server(page) as running:
        thread = Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield running
        finally:
            running.shutdown()
            thread.join()


@pytest.fixture
def server(folder: Path) -> Iterator[Server]:
    with serving(folder) as running:
        yield running


@pytest.fixture
def opened(browser: Any) -> Iterator[Open]:
    """A function that opens an address. At the end no page may have complained or asked anyone else."""
    contexts, complaints, asked = [], [], []
    own: set[str] = set()

    def open_page(address: str, *, selector: str = "#answers article", **options: Any) -> Any:
        context = browser.new_context(**{"viewport": {"width": 1440, "height": 1000}, **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(address)
        page.wait_for_selector(selector)
        own.add(address.split("#")[0].rsplit("/", 1)[0])
        return page

    yield open_page
    try:
        assert complaints == []
        assert [url for url in asked if not url.startswith(("blob:", *own))] == []
    finally:
        for context in contexts:
            context.close()


@pytest.fixture
def page(opened: Open, server: Server) -> Any:
    return opened(server.url)
