"""A judge at an OpenAI-compatible endpoint: many votes at once, each stored as it arrives.

Knows votes; retries and connections are left to `client`, the format to `completions`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from . import completions
from .backend import Keep, Outcome, Vote
from .batches import Batches
from .bounds import Size
from .budget import Budget
from .client import EndpointClient, EndpointOptions
from .extras import NO_EXTRAS, RequestExtras
from .store import Cost, Reply
from .verdicts import FAILED, REJECTED

# Workers start one after another: replies that come together are handled step by step together, and would go on coming
# together, each waiting for all.
APART_S = 0.001


@dataclass(frozen=True)
class _VoteRequest:
    """A vote as a `Request`."""

    vote: Vote
    model: str
    most_out: int
    extras: RequestExtras

    @property
    def size(self) -> Size:
        text = len(json.dumps(self.body(())))  # a token is at least one byte
        return Size(text=text, out=self.most_out, key=self.vote.key)

    def body(self, without: Collection[str]) -> dict[str, Any]:
        return completions.request_body(
            self.vote, model=self.model, max_tokens=self.most_out, without=without, extras=self.extras
        )

    def read(self, raw: bytes, *, without: Collection[str], scrub: Callable[[str], str]) -> Reply | None:
        return completions.read_completion(raw, self.vote, without=without, scrub=scrub)

    def is_settled_by(self, reply: Reply) -> bool:
        return completions.is_usable(reply, self.vote)


@dataclass
class _Round:
    """The state that the workers of one `answer` share."""

    votes: Iterator[Vote]
    keep: Keep
    found: list[tuple[Vote, Outcome]] = field(default_factory=list)
    error: Exception | None = None

    def add(self, vote: Vote, outcome: Outcome) -> None:
        """Add an outcome; all outcomes of one turn of the event loop are stored in one transaction."""
        if not self.found:
            asyncio.get_running_loop().call_soon(self.hand_over)
        self.found.append((vote, outcome))

    def hand_over(self) -> None:
        """Pass the collected outcomes on to be stored."""
        found, self.found = self.found, []
        try:
            if found:
                self.keep(found)
        except Exception as error:  # of whatever kind: the event loop, which calls this, would only log it
            self.error = self.error or error


class Endpoint:
    """A judge at an OpenAI-compatible endpoint."""

    kind: ClassVar[str] = "openai"

    def __init__(
        self,
        model: str,
        options: EndpointOptions,
        budget: Budget,
        *,
        max_tokens: int,
        extras: RequestExtras = NO_EXTRAS,
        batches: Path | None = None,
    ) -> None:
        """Open nothing yet: what is answered from the store needs no key and no endpoint.

        `max_tokens` are the most of a reply. With `batches`, the file that names them, votes go out as batches.
        """
        self.model, self._concurrency, self._max_tokens = model, options.concurrency, max_tokens
        self._extras = extras
        self._client, self._budget = EndpointClient(model, options, budget), budget
        self._batches = Batches(batches, options, budget) if batches else None
        self._answered = False  # whether a vote was put to the endpoint at all

    def parameters(self, seed: int) -> dict[str, Any]:
        """Return the sampling parameters of a vote with this seed."""
        return completions.sampling_parameters(seed, self._max_tokens, self._extras)

    @property
    def limited(self) -> bool:
        """Return whether there is a budget."""
        return self._budget.limited

    def estimate(self, vote: Vote) -> Cost | None:
        """Return what a vote is likely to cost; None in batches, which a file of their own names."""
        if self._batches or not self._budget.price:
            return None
        likely = self._budget.estimate([self._request(vote).size])
        return Cost(likely.usd, likely.uncounted_in + likely.uncounted_out)

    def _request(self, vote: Vote) -> _VoteRequest:
        return _VoteRequest(vote, self.model, self._max_tokens, self._extras)

    def take_cost(self, vote: Vote) -> Cost:
        """Return what was spent on a vote since the last call of this."""
        return self._budget.cost_of.pop(vote.key, Cost())

    def count_before(self, votes: Sequence[Vote], replies: Mapping[str, Reply], costs: Mapping[str, Cost]) -> None:
        """Count what these votes have cost earlier commands: as written, else by the tokens of the reply."""
        price, usd, tokens = self._budget.price, 0.0, 0
        for vote in votes:
            reply, cost = replies.get(vote.key), costs.get(vote.key)
            said_in, said_out = (reply.tokens_in or 0, reply.tokens_out or 0) if reply else (0, 0)
            tokens += cost.tokens if cost else said_in + said_out
            if cost and cost.usd is not None:
                usd += cost.usd
            elif price and reply:
                usd += price.of(said_in, said_out, reply.tokens_cached or 0)
        self._budget.count_before(usd, tokens)

    def answer(self, votes: Iterator[Vote], keep: Keep) -> None:
        """Send every vote to the endpoint; see `Backend.answer`."""
        if self._batches:
            self._answer_in_batches(self._batches, list(votes), keep)
        else:
            self._client.run(self._answer(_Round(votes, keep)))

    def close(self) -> None:
        """Close all connections."""
        if self._batches:
            self._batches.close()
        self._client.close()

    def _answer_in_batches(self, batches: Batches, votes: list[Vote], keep: Keep) -> None:
        """Put votes to the endpoint as batches, as many at a time as the budget covers.

        The first that is not under way is asked alone: it shows what the endpoint rejects.
        """
        alone = next((vote for vote in votes if not batches.is_under_way(vote.key)), None)
        if alone and not self._answered:
            self._client.run(self._answer(_Round(iter([alone]), keep)))
            votes, self._answered = [vote for vote in votes if vote is not alone], True
        without = self._client.without
        while votes:
            requests = [(vote, self._request(vote)) for vote in votes]
            for vote, request in requests:
                batches.put(vote.key, request, without)
            batches.wait()
            votes = []
            for vote, request in requests:
                found = batches.take(vote.key, request, without)
                if found is None:
                    votes.append(vote)
                else:
                    keep([(vote, found if isinstance(found, Reply) else _reason(found))])
            batches.check_replies()

    async def _answer(self, work: _Round) -> None:
        try:
            await asyncio.gather(*(self._work(work, number * APART_S) for number in range(self._concurrency)))
        finally:  # an interrupt too loses nothing that came
            work.hand_over()
        if work.error:
            raise work.error

    async def _work(self, work: _Round, wait: float) -> None:
        """Take votes until none is left, or until a worker met an error that would stop all later calls too."""
        await asyncio.sleep(wait)
        try:
            for vote in work.votes:
                found = await self._client.ask(self._request(vote))
                if isinstance(found, Reply):
                    work.add(vote, found)
                else:
                    work.add(vote, _reason(found))
                    self._client.give_up(found)
                await asyncio.sleep(0)  # until it is stored: a killed run loses at most one call per worker
                if work.error:
                    return
        except Exception as error:
            work.error = work.error or error


def _reason(failure: completions.RequestFailure) -> str:
    return f"{REJECTED if failure.rejected else FAILED}: {failure.what}"
