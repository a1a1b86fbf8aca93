"""A judge behind an OpenAI-compatible endpoint: many calls at once, patient with what passes.

Knows pauses and when to stop; nothing of the store, of HTTP or of metrics. Asked again, after a growing pause or the
one the endpoint names: too many requests, errors of the server, timeouts, lost connections, replies that are cut off,
empty or unparsable. An endpoint that turns down an optional parameter is asked without it from then on. A key that is
refused, a model that is not there and spent credit end the run: no later call would fare better.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, ClassVar

from ..errors import JudgeError
from . import completions
from .backend import Keep, Vote
from .budget import Budget
from .completions import Problem
from .store import Reply
from .transport import Transport
from .verdicts import FAILED

PARSE_RETRIES = 2  # at temperature 0 an unparsable reply seldom mends itself
FAILURES_IN_A_ROW = 20  # votes given up one after another: then the endpoint is down, not unlucky
FIRST_PAUSE_S, LONGEST_PAUSE_S, LONGEST_RETRY_AFTER_S = 0.5, 30.0, 600.0


@dataclass(frozen=True)
class Options:
    """How an endpoint is asked. `timeout` is in seconds, for a whole request; `retries` are those of one vote."""

    base_url: str | None = None
    concurrency: int = 16
    timeout: float = 60.0
    retries: int = 6


@dataclass
class _Round:
    """What the workers of one `answer` share."""

    votes: Iterator[Vote]
    keep: Keep
    transport: Transport
    error: JudgeError | None = None
    failures_in_a_row: int = 0


class Endpoint:
    """A model at an OpenAI-compatible endpoint."""

    kind: ClassVar[str] = "openai"

    def __init__(self, model: str, options: Options, budget: Budget) -> None:
        """Open nothing yet: what is answered from the store needs no key and no endpoint."""
        self.model, self._options, self._budget = model, options, budget
        self._runner = asyncio.Runner()
        self._transport: Transport | None = None
        self._without: set[str] = set()  # parameters this endpoint has turned down
        self._not_before = 0.0  # monotonic: until then the endpoint wants to be left alone
        self._jitter = random.Random()

    def parameters(self, seed: int) -> dict[str, Any]:
        """Return how the model is sampled for a vote with this seed."""
        return completions.parameters(seed)

    def answer(self, votes: Iterator[Vote], keep: Keep) -> None:
        """Put every vote to the endpoint; see `Backend.answer`."""
        work = self._answer(votes, keep)
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            self._runner.run(work)
        else:  # in a notebook: that loop is not ours to run
            with ThreadPoolExecutor(1) as thread:
                thread.submit(self._runner.run, work).result()

    def close(self) -> None:
        """Close all connections."""
        if self._transport is not None:
            self._runner.run(self._transport.close())
            self._transport = None
        self._runner.close()

    async def _answer(self, votes: Iterator[Vote], keep: Keep) -> None:
        if self._transport is None:
            options = self._options
            self._transport = Transport(options.base_url, connections=options.concurrency, timeout=options.timeout)
        work = _Round(votes, keep, self._transport)
        await asyncio.gather(*(self._work(work) for _ in range(self._options.concurrency)))
        if work.error:
            raise work.error

    async def _work(self, work: _Round) -> None:
        """Take votes until there are none, or until some worker met what no later call would survive."""
        try:
            for vote in work.votes:
                found = await self._ask(vote, work.transport)
                if isinstance(found, Reply):
                    work.failures_in_a_row = 0
                    work.keep(vote, found)
                else:
                    self._give_up(work, vote, found)
                if work.error:
                    return
        except JudgeError as error:
            work.error = work.error or error

    def _give_up(self, work: _Round, vote: Vote, problem: Problem) -> None:
        work.keep(vote, f"{FAILED}: {problem.what}")
        work.failures_in_a_row += 1
        if work.failures_in_a_row >= FAILURES_IN_A_ROW:
            what = f"{work.failures_in_a_row} calls in a row failed, the last with: {problem.what}"
            remedy = "see that it runs, then run the same command again: what was asked is stored"
            raise JudgeError(what, work.transport.where, remedy)

    async def _ask(self, vote: Vote, transport: Transport) -> Reply | Problem:
        """Return the reply to a vote, asking again while that may help; else the last problem."""
        unusable = 0
        for attempt in itertools.count():
            found = await self._request(vote, transport)
            last = attempt >= self._options.retries
            if isinstance(found, Reply):
                unusable += 1
                if last or unusable > PARSE_RETRIES or completions.is_usable(found, vote):
                    return found  # if unparsable to the last, then that is the outcome
                await self._pause(0)
            elif last or not found.passing:
                return found
            else:
                await self._pause(attempt, found.pause)
            self._budget.usage.retries += 1
        raise AssertionError("unreachable")

    async def _request(self, vote: Vote, transport: Transport) -> Reply | Problem:
        """Return what a request brought; it is repeated at once where the endpoint turned parameters down."""
        while True:
            found = await self._send(vote, transport)
            if isinstance(found, Reply):
                return found
            if found.refusal:
                return Reply("", finish="content_filter", refusal=found.what)
            if found.fatal:
                raise JudgeError(found.what, transport.where, "check --judge, --judge-url and OPENAI_API_KEY")
            if found.pause is not None and found.pause > LONGEST_RETRY_AFTER_S:
                what = f"the judge's endpoint wants to be left alone for {found.pause:.0f} s"
                raise JudgeError(what, transport.where, "run the same command again then: what was asked is stored")
            if not found.without:
                return found
            self._without |= found.without

    async def _send(self, vote: Vote, transport: Transport) -> Reply | Problem:
        """Send one request within the budget."""
        while (wait := self._not_before - time.monotonic()) > 0:
            await asyncio.sleep(wait)
        without = sorted(self._without)
        body = completions.body(vote, model=self.model, without=without)
        # A token is at least one byte, so this is the most the request can hold.
        most_in = len(json.dumps(body)) if self._budget.limited else 0
        number = await self._budget.reserve(most_in, completions.MAX_TOKENS)
        reply = None
        try:
            raw = await transport.post(body)
            if isinstance(raw, Problem):
                return raw
            reply = completions.read(raw, vote, without=without, scrub=transport.scrub)
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
