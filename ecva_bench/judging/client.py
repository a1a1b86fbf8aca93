"""A model behind an OpenAI-compatible endpoint: many calls at once, patient with what passes.

`Caller` is that patience, for whoever asks; `Endpoint` is a judge by it. Knows pauses and when to stop; nothing of the
store, of HTTP or of metrics. Asked again, after a growing pause or the one the endpoint names: too many requests,
errors of the server, timeouts, lost connections, replies that are cut off, empty or unparsable. An endpoint that turns
down an optional parameter is asked without it from then on. A key that is refused, a model that is not there and spent
credit end the run: no later call would fare better.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import time
from collections.abc import Callable, Collection, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, TypeVar

from ..errors import JudgeError
from . import completions
from .backend import Keep, Outcome, Vote
from .budget import Budget
from .completions import Problem
from .store import Reply
from .transport import Transport
from .verdicts import FAILED

PARSE_RETRIES = 2  # at temperature 0 an unparsable reply seldom mends itself
FAILURES_IN_A_ROW = 20  # votes given up one after another: then the endpoint is down, not unlucky
# Workers start one after another: replies that come together are handled step by step together, and would go on coming
# together, each waiting for all.
APART_S = 0.001
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
    def most_in(self) -> int:
        """Most tokens of the request."""

    @property
    def most_out(self) -> int:
        """Most tokens of the reply."""

    def body(self, without: Collection[str]) -> dict[str, Any]:
        """Return the body, less the parameters the endpoint has turned down."""

    def read(self, raw: bytes, *, without: Collection[str], scrub: Callable[[str], str]) -> Reply | None:
        """Return the reply in a response's body, its texts scrubbed; None for no chat completion."""

    def is_settled_by(self, reply: Reply) -> bool:
        """Return whether a reply will do."""


class Caller:
    """Connections to an endpoint, its limits and its budget. Opens nothing before the first request."""

    def __init__(self, model: str, options: Options, budget: Budget) -> None:
        self.model, self._options, self._budget = model, options, budget
        self._runner = asyncio.Runner()
        self._transport: Transport | None = None
        self._without: set[str] = set()  # parameters this endpoint has turned down
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
        """Return what a request brought; it is repeated at once where the endpoint turned parameters down."""
        while True:
            found = await self._send(request)
            if isinstance(found, Reply):
                return found
            if found.refusal:
                return Reply("", finish="content_filter", refusal=found.what)
            if found.fatal:
                remedy = f"check the model's name, {self._options.setting} and OPENAI_API_KEY"
                raise JudgeError(found.what, self.where, remedy)
            if found.pause is not None and found.pause > LONGEST_RETRY_AFTER_S:
                what = f"the endpoint wants to be left alone for {found.pause:.0f} s"
                raise JudgeError(what, self.where, "run the same command again then: what was asked is stored")
            if not found.without:
                return found
            self._without |= found.without

    async def _send(self, request: Request) -> Reply | Problem:
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
        without = sorted(self._without)
        body = request.body(without)
        number = await self._budget.reserve(request.most_in if self._budget.limited else 0, request.most_out)
        reply = None
        try:
            raw = await transport.post(body)
            if isinstance(raw, Problem):
                return raw
            reply = request.read(raw, without=without, scrub=transport.scrub)
        finally:
            self._budget.settle(number, reply)
        return reply or Problem("the response is no chat completion", passing=True)

    async def _pause(self, attempt: int, asked: float | None = None) -> None:
        """Wait longer with every attempt, or as long as the endpoint asks for: then all other workers wait too."""
        longest = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2**attempt)
        pause = longest * self._jitter.uniform(0.5, 1.0)  # jittered, so that many workers do not come back as one
        if asked is not None:
            self._not_before = max(self._not_before, time.monotonic() + asked)
            pause = asked + pause / 10
        await asyncio.sleep(pause)


@dataclass(frozen=True)
class _VoteRequest:
    """A vote as a `Request`."""

    vote: Vote
    model: str
    most_out: int = completions.MAX_TOKENS

    @property
    def most_in(self) -> int:
        return len(json.dumps(self.body(())))  # a token is at least one byte

    def body(self, without: Collection[str]) -> dict[str, Any]:
        return completions.body(self.vote, model=self.model, without=without)

    def read(self, raw: bytes, *, without: Collection[str], scrub: Callable[[str], str]) -> Reply | None:
        return completions.read(raw, self.vote, without=without, scrub=scrub)

    def is_settled_by(self, reply: Reply) -> bool:
        return completions.is_usable(reply, self.vote)


@dataclass
class _Round:
    """What the workers of one `answer` share."""

    votes: Iterator[Vote]
    keep: Keep
    found: list[tuple[Vote, Outcome]] = field(default_factory=list)
    error: Exception | None = None

    def add(self, vote: Vote, outcome: Outcome) -> None:
        """Take an outcome; those that one turn of the event loop brings are kept together, in one transaction."""
        if not self.found:
            asyncio.get_running_loop().call_soon(self.hand_over)
        self.found.append((vote, outcome))

    def hand_over(self) -> None:
        """Have what has come kept."""
        found, self.found = self.found, []
        try:
            if found:
                self.keep(found)
        except Exception as error:  # of whatever kind: the event loop, which calls this, would only log it
            self.error = self.error or error


class Endpoint:
    """A judge at an OpenAI-compatible endpoint."""

    kind: ClassVar[str] = "openai"

    def __init__(self, model: str, options: Options, budget: Budget) -> None:
        """Open nothing yet: what is answered from the store needs no key and no endpoint."""
        self.model, self._concurrency = model, options.concurrency
        self._caller = Caller(model, options, budget)

    def parameters(self, seed: int) -> dict[str, Any]:
        """Return how the model is sampled for a vote with this seed."""
        return completions.parameters(seed)

    def answer(self, votes: Iterator[Vote], keep: Keep) -> None:
        """Put every vote to the endpoint; see `Backend.answer`."""
        self._caller.run(self._answer(_Round(votes, keep)))

    def close(self) -> None:
        """Close all connections."""
        self._caller.close()

    async def _answer(self, work: _Round) -> None:
        try:
            await asyncio.gather(*(self._work(work, number * APART_S) for number in range(self._concurrency)))
        finally:  # an interrupt too loses nothing that came
            work.hand_over()
        if work.error:
            raise work.error

    async def _work(self, work: _Round, wait: float) -> None:
        """Take votes until there are none, or until some worker met what no later call would survive."""
        await asyncio.sleep(wait)
        try:
            for vote in work.votes:
                found = await self._caller.ask(_VoteRequest(vote, self.model))
                if isinstance(found, Reply):
                    work.add(vote, found)
                else:
                    work.add(vote, f"{FAILED}: {found.what}")
                    self._caller.give_up(found)
                await asyncio.sleep(0)  # until it is kept: what a killed run loses is one call per worker
                if work.error:
                    return
        except Exception as error:
            work.error = work.error or error
