"""What a results file has cost, as its events tell it, also where a run was killed while calls were under way."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from ..records.answers import Event

ASKING, SPENT = "asking", "spent"  # before calls go out, with what they will take; behind them, with what they took


class Spending:
    """The sum over the events of a file, or of a worker. An event `asking` counts until its `spent` has come."""

    def __init__(self) -> None:
        self._spent: dict[str, float] = defaultdict(float)
        self._asking: dict[str, dict[str, Any]] = {}  # by the number of the calls

    def add(self, event: Event) -> None:
        """Count an event; those of other kinds cost nothing."""
        if event.event == ASKING:
            self._asking[str(event.detail.get("calls"))] = event.detail
        elif event.event == SPENT:
            self._asking.pop(str(event.detail.get("calls")), None)
            _add(self._spent, event.detail)

    @property
    def total(self) -> dict[str, float]:
        """Requests, tokens and USD by name, as `Adapter.usage` names them.

        `unpriced_in`, `unpriced_out` and `unpriced_cached` are the tokens of what was asked while no price was known.
        """
        total = defaultdict(float, self._spent)
        for detail in self._asking.values():
            _add(total, detail)
        return dict(total)


def _add(total: dict[str, float], detail: dict[str, Any]) -> None:
    amounts = {name: amount for name, amount in detail.items() if isinstance(amount, int | float)}
    for name, amount in amounts.items():
        total[name] += amount
    if "usd" not in amounts:
        for way in ("in", "out", "cached"):
            if tokens := amounts.get(f"tokens_{way}", 0) + amounts.get(f"uncounted_{way}", 0):
                total[f"unpriced_{way}"] += tokens
