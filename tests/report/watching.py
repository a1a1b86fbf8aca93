"""What tests of the page look at and wait for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Open = Callable[..., Any]


def place(page: Any) -> tuple[str, float]:
    """The sample shown, and the time the film stands at."""
    return page.inner_text("#heading"), page.evaluate("document.getElementById('video').currentTime")


def until(page: Any, condition: Callable[[], bool]) -> None:
    """Wait for what the page does in its own time. (Its policy forbids Playwright's own way, to evaluate a string.)"""
    for _ in range(1000):
        if condition():
            return
        page.wait_for_timeout(20)
    raise AssertionError("it did not come to pass")


def film_is_there(page: Any) -> None:
    until(page, lambda: page.evaluate("document.getElementById('video').readyState") > 0)


def stands_at(page: Any, seconds: float) -> None:
    until(page, lambda: abs(place(page)[1] - seconds) < 0.05)


def shows(page: Any, heading: str) -> None:
    until(page, lambda: place(page)[0] == heading)


def rows(page: Any) -> list[str]:
    """The samples listed, read at one moment."""
    page.wait_for_timeout(50)
    named = (
        "[...document.querySelectorAll('.row')].map((row) => ['.id', '.task'].map((part) => row.querySelector(part)))"
    )
    return list(page.evaluate(f"{named}.map((parts) => parts.map((part) => part.textContent).join('/'))"))
