"""A client of an OpenAI-compatible endpoint: many requests at once, with retries.

`EndpointClient` decides when to retry, how long to wait and when to stop; it knows nothing of votes, HTTP or metrics.
It sends a request again, after a growing pause or the one the endpoint asks for, on: too many requests, server errors,
timeouts, lost connections, and replies that are cut off, empty or unparsable. If an endpoint rejects an optional
parameter, later requests leave it out; where all replies must be sampled alike, that is allowed before the first reply
only. A rejected key, an unknown model or used-up credit end the run, because no later request could succeed.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import Callable, Collection, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from ..errors import JudgeError
from ..wording import duration
from . import completions
from .bounds import Size
from .budget import Budget
from .completions import RequestFailure
from .store import Reply
from .transport import Transport

PARSE_RETRIES = 2  # at temperature 0 a repeated request seldom gives a parsable reply
FAILURES_IN_A_ROW = 20  # requests given up one after another, from which the endpoint counts as down
FIRST_PAUSE_S, LONGEST_PAUSE_S, LONGEST_RETRY_AFTER_S = 0.5, 30.0, 600.0


Result = TypeVar("Result")


@dataclass(frozen=True)
class EndpointOptions:
    """How requests are sent to an endpoint. `timeout` is in seconds, for a whole request; `retries` is per request.

    `setting` is the option by which a user gives `base_url`; error messages name it.
    """

    base_url: str | None = None
    concurrency: int = 16
    timeout: float = 60.0
    retries: int = 6
    setting: str = "--judge-url"


class Request(Protocol):
    """A request: its body, how its response is read, and which replies are acceptable."""

    @property
    def size(self) -> Size:
        """The most tokens of the request and of the reply."""

    def body(self, without: Collection[str]) -> dict[str, Any]:
        """Return the body without the parameters that the endpoint has rejected."""

    def read(self, raw: bytes, *, without: Collection[str], scrub: Callable[[str], str]) -> Reply | None:
        """Return the reply in a response's body, its texts scrubbed; None where the body is no chat completion."""

    def is_settled_by(self, reply: Reply) -> bool:
        """Return whether a reply is acceptable."""


class EndpointClient:
    """Connections to an endpoint, its limits and its budget. Opens nothing before the first request.

    A `steady` client sends all requests with the same parameters; these are `settled` with the first reply.
    """

    def __init__(self, model: str, options: EndpointOptions, budget: Budget, *, steady: bool = False) -> None:
        self.model, self._options, self._budget, self._steady = model, options, budget, steady
        self._runner = asyncio.Runner()
        self._transport: Transport | None = None
        self.without: frozenset[str] = frozenset()  # parameters this endpoint has rejected
        self.settled = False
        self._not_before = 0.0  # monotonic time before which the endpoint wants no request
        self._jitter = random.Random()
        self._failures_in_a_row = 0

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run `work` on the event loop that the connections belong to, and return its result."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return self._runner.run(work)
        with ThreadPoolExecutor(1) as thread:  # in a notebook, whose running loop cannot be used
            return thread.submit(self._runner.run, work).result()

    def close(self) -> None:
        """Close all connections."""
        if self._transport is not None:
            self._runner.run(self._transport.close())
            self._transport = None
        self._runner.close()

    @property
    def where(self) -> str:
        """Host and path of the endpoint, or the model's name before the first request."""
        return self._transport.where if self._transport else self.model

    def settle(self, without: Collection[str]) -> None:
        """Leave out exactly these parameters, as was done for all earlier replies of the run."""
        self.without, self.settled = frozenset(without), True

    async def ask(self, request: Request) -> Reply | RequestFailure:
        """Return the reply to a request, with retries; the last failure if all attempts fail.

        Raises `BudgetExhausted`, or `JudgeError` where no later request could succeed.
        """
        unusable = 0
        for attempt in itertools.count():
            found = await self._request(request)
            last = attempt >= self._options.retries
            if isinstance(found, Reply):
                self._failures_in_a_row = 0
                unusable += 1
                if last or unusable > PARSE_RETRIES or request.is_settled_by(found):
                    return found  # if every attempt is unparsable, that is the outcome
                await self._pause(0)
            elif last or not found.passing:
                return found
            else:
                await self._pause(attempt, found.pause)
            self._budget.usage.retries += 1
        raise AssertionError("unreachable")

    def give_up(self, failure: RequestFailure) -> None:
        """Count a request that failed for good; `JudgeError` where too many fail one after another."""
        self._failures_in_a_row += 1
        if self._failures_in_a_row >= FAILURES_IN_A_ROW:
            what = f"{self._failures_in_a_row} calls in a row failed, the last with: {failure.what}"
            self._failures_in_a_row = 0
            raise JudgeError(
                what, self.where, "check that it runs, then run the same command again: earlier replies are stored"
            )

    async def _request(self, request: Request) -> Reply | RequestFailure:
        """Return the result of a request, repeated at once without the parameters that the endpoint rejects.

        Rejected parameters are left out of later requests too, but only if the request succeeds without them. Where no
        more than a word of the error says so, it is sent again unchanged first: the word may have been about a fault
        that passes.
        """
        without, rejection, repeated = self.without, "", set[str]()
        while True:
            found = await self._send(request, without)
            if isinstance(found, Reply):
                self._leave_out(without, rejection)
                self.settled = self._steady
                return found
            if found.refusal:
                self._leave_out(without, rejection)
                left_out = tuple(sorted(without))
                return Reply("", finish="content_filter", refusal=found.what, left_out=left_out)
            if found.fatal:
                remedy = f"check the model's name, {self._options.setting} and OPENAI_API_KEY"
                raise JudgeError(found.what, self.where, remedy)
            if found.pause is not None and found.pause > LONGEST_RETRY_AFTER_S:
                what = f"the endpoint asks for a pause of {duration(found.pause)}"
                raise JudgeError(what, self.where, "run the same command again after it: earlier replies are stored")
            if not found.without:
                if found.passing and not self.settled:
                    self.without |= without
                return found
            if found.guessed and found.what not in repeated:
                repeated.add(found.what)
                continue
            without, rejection = without | found.without, found.what

    def _leave_out(self, without: frozenset[str], rejection: str) -> None:
        """Leave parameters out from now on; `JudgeError` where the parameters are settled already."""
        if new := without - self.without:
            if self.settled:
                what = f"the endpoint rejects {', '.join(sorted(new))} ({rejection})"
                remedy = "use an endpoint that accepts it, or begin another run: earlier answers were sampled with it"
                raise JudgeError(what, self.where, remedy)
            self.without |= new

    async def _send(self, request: Request, leaving_out: frozenset[str]) -> Reply | RequestFailure:
        """Send one request within the budget."""
        if self._transport is None:
            options = self._options
            self._transport = Transport(
                options.base_url,
                connections=options.concurrency,
                timeout=options.timeout,
                setting=options.setting,
            )
        transport = self._transport
        while (wait := self._not_before - time.monotonic()) > 0:
            await asyncio.sleep(wait)
        without = sorted(leaving_out)
        body = request.body(without)
        number = await self._budget.reserve(request.size)
        found: Reply | RequestFailure | None = None
        try:
            raw = await transport.post(body)
            if isinstance(raw, bytes):
                found = request.read(raw, without=without, scrub=transport.scrub_reply)
                found = found or completions.no_completion(transport.error_body(raw), sent=body)
            else:
                found = raw
        finally:
            reply = found if isinstance(found, Reply) else None
            lost = found is None or (isinstance(found, RequestFailure) and found.lost)
            absurd = self._budget.settle(number, reply, lost=lost)
        return RequestFailure(absurd) if absurd else found

    async def _pause(self, attempt: int, requested: float | None = None) -> None:
        """Wait longer after every attempt, or as long as the endpoint asks for; all other workers then wait too."""
        longest = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2**attempt)
        pause = longest * self._jitter.uniform(0.5, 1.0)  # jittered, so that workers do not all retry at once
        if requested is not None:
            self._not_before = max(self._not_before, time.monotonic() + requested)
            pause = requested + pause / 10
        await asyncio.sleep(pause)
