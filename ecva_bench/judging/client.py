"""A model behind an OpenAI-compatible endpoint: many calls at once, patient with what passes.

`Caller` is that patience, for whoever asks. Knows pauses and when to stop; nothing of votes, of HTTP or of metrics.
Asked again, after a growing pause or the one the endpoint names: too many requests, errors of the server, timeouts,
lost connections, replies that are cut off, empty or unparsable. An endpoint that turns down an optional parameter is
asked without it from then on; where all replies are to be asked for alike, it may do so before the first one only. A
key that is refused, a model that is not there and spent credit end the run: no later call would fare better.
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
from . import completions
from .budget import Budget, Size
from .completions import Problem
from .store import Reply
from .transport import Transport

PARSE_RETRIES = 2  # at temperature 0 an unparsable reply seldom mends itself
FAILURES_IN_A_ROW = 20  # votes given up one after another: then the endpoint is down, not unlucky
FIRST_PAUSE_S, LONGEST_PAUSE_S, LONGEST_RETRY_AFTER_S = 0.5, 30.0, 600.0


Result = TypeVar("Result")


@dataclass(frozen=True)
class Options:
    """How an endpoint is asked. `timeout` is in seconds, for a whole request; `retries` are those of one question.

    `setting` is the name under which a user gives `base_url`, for messages.
    """

    base_url: str | None = None
    concurrency: int = 16
    timeout: float = 60.0
    retries: int = 6
    setting: str = "--judge-url"


class Request(Protocol):
    """What is asked: a body, how to read the response, and which reply will do."""

    @property
    def size(self) -> Size:
        """The most tokens of the request and of the reply."""

    def body(self, without: Collection[str]) -> dict[str, Any]:
        """Return the body, less the parameters the endpoint has turned down."""

    def read(self, raw: bytes, *, without: Collection[str], scrub: Callable[[str], str]) -> Reply | None:
        """Return the reply in a response's body, its texts scrubbed; None for no chat completion."""

    def is_settled_by(self, reply: Reply) -> bool:
        """Return whether a reply will do."""


class Caller:
    """Connections to an endpoint, its limits and its budget. Opens nothing before the first request.

    A `steady` one asks for every reply with the same parameters: it is `settled` with its first reply.
    """

    def __init__(self, model: str, options: Options, budget: Budget, *, steady: bool = False) -> None:
        self.model, self._options, self._budget, self._steady = model, options, budget, steady
        self._runner = asyncio.Runner()
        self._transport: Transport | None = None
        self.without: frozenset[str] = frozenset()  # parameters this endpoint has turned down
        self.settled = False
        self._not_before = 0.0  # monotonic: until then the endpoint wants to be left alone
        self._jitter = random.Random()
        self._failures_in_a_row = 0

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Return what `work` returns, on the one event loop that connections belong to."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return self._runner.run(work)
        with ThreadPoolExecutor(1) as thread:  # in a notebook: that loop is not ours to run
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
        """Leave out these parameters from the start, as every reply before was asked for, and no other."""
        self.without, self.settled = frozenset(without), True

    async def ask(self, request: Request) -> Reply | Problem:
        """Return the reply to a request, asking again while that may help; else the last problem.

        Raises `BudgetExhausted`, or `JudgeError` where no later request would fare better.
        """
        unusable = 0
        for attempt in itertools.count():
            found = await self._request(request)
            last = attempt >= self._options.retries
            if isinstance(found, Reply):
                self._failures_in_a_row = 0
                unusable += 1
                if last or unusable > PARSE_RETRIES or request.is_settled_by(found):
                    return found  # if unparsable to the last, then that is the outcome
                await self._pause(0)
            elif last or not found.passing:
                return found
            else:
                await self._pause(attempt, found.pause)
            self._budget.usage.retries += 1
        raise AssertionError("unreachable")

    def give_up(self, problem: Problem) -> None:
        """Count a request that came to nothing; `JudgeError` where too many did, one after another."""
        self._failures_in_a_row += 1
        if self._failures_in_a_row >= FAILURES_IN_A_ROW:
            what = f"{self._failures_in_a_row} calls in a row failed, the last with: {problem.what}"
            self._failures_in_a_row = 0
            raise JudgeError(
                what, self.where, "see that it runs, then run the same command again: what was asked is stored"
            )

    async def _request(self, request: Request) -> Reply | Problem:
        """Return what a request brought; it is repeated at once where the endpoint turned parameters down.

        Those it turned down are left out from then on, unless nothing came of that: then it was this request's fault.
        """
        without, turned_down = self.without, ""
        while True:
            found = await self._send(request, without)
            if isinstance(found, Reply):
                self._leave_out(without, turned_down)
                self.settled = self._steady
                return found
            if found.refusal:
                self._leave_out(without, turned_down)
                left_out = tuple(sorted(without))
                return Reply("", finish="content_filter", refusal=found.what, left_out=left_out)
            if found.fatal:
                remedy = f"check the model's name, {self._options.setting} and OPENAI_API_KEY"
                raise JudgeError(found.what, self.where, remedy)
            if found.pause is not None and found.pause > LONGEST_RETRY_AFTER_S:
                what = f"the endpoint wants to be left alone for {found.pause:.0f} s"
                raise JudgeError(what, self.where, "run the same command again then: what was asked is stored")
            if not found.without:
                if found.passing and not self.settled:
                    self.without |= without
                return found
            without, turned_down = without | found.without, found.what

    def _leave_out(self, without: frozenset[str], turned_down: str) -> None:
        """Leave parameters out from now on; `JudgeError` where all was to be asked for alike and began otherwise."""
        if new := without - self.without:
            if self.settled:
                what = f"the endpoint turns down {', '.join(sorted(new))} ({turned_down})"
                remedy = "go on where it takes that, or begin another run: the answers there were asked for with it"
                raise JudgeError(what, self.where, remedy)
            self.without |= new

    async def _send(self, request: Request, leaving_out: frozenset[str]) -> Reply | Problem:
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
        number = await self._budget.reserve(request.size if self._budget.limited else Size(0, 0))
        found: Reply | Problem | None = None
        try:
            raw = await transport.post(body)
            if isinstance(raw, bytes):
                found = request.read(raw, without=without, scrub=transport.scrub)
                found = found or completions.no_completion(transport.complaint(raw), sent=body)
            else:
                found = raw
        finally:
            reply = found if isinstance(found, Reply) else None
            lost = found is None or (isinstance(found, Problem) and found.lost)
            absurd = self._budget.settle(number, reply, lost=lost)
        return Problem(absurd) if absurd else found

    async def _pause(self, attempt: int, asked: float | None = None) -> None:
        """Wait longer with every attempt, or as long as the endpoint asks for: then all other workers wait too."""
        longest = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2**attempt)
        pause = longest * self._jitter.uniform(0.5, 1.0)  # jittered, so that many workers do not come back as one
        if asked is not None:
            self._not_before = max(self._not_before, time.monotonic() + asked)
            pause = asked + pause / 10
        await asyncio.sleep(pause)
