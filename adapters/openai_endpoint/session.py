"""Questions about videos put to an endpoint, one by one, together or in batches, and what came of them.

Knows what a question without a reply means for the run, and no frames, options or prices.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from ecva_bench.errors import AnswerLost, AnswerPending, EcvaError, JudgeError, ModelGone
from ecva_bench.judging.batches import Batches
from ecva_bench.judging.budget import Budget
from ecva_bench.judging.client import FAILURES_IN_A_ROW, EndpointClient
from ecva_bench.judging.store import Reply

from .replies import MORE_ROOM, why_lost
from .requests import ChatRequest, EndpointQuestion, Generation, SentVideo


class EndpointSession:
    """All questions of a run to one model: so many at once as `concurrency`, or in `batches` where there are some.

    With `once`, a question about one video is that about all videos, and so is the reply to it.
    """

    def __init__(
        self,
        client: EndpointClient,
        budget: Budget,
        generation: Generation,
        *,
        concurrency: int,
        batches: Batches | None,
        once: bool,
    ) -> None:
        self._client, self._budget, self._generation = client, budget, generation
        self._concurrency, self._batches, self._once = concurrency, batches, once
        self._first: SentVideo | None = None  # which stands for all videos
        self._known: dict[EndpointQuestion, Reply] = {}  # about all videos
        price = budget.price
        self._caching_pays = price is not None and price.cached_input < price.input
        self._taken: set[str] = set()  # requests of batches whose outcome is counted
        self._served: dict[str, None] = {}  # what answered, in order of appearance
        self._reported: dict[str, float] = {}  # of the usage
        self._reported_served = 0  # so many of those that answered
        self._in_thought, self._answered = 0, False  # replies of thoughts alone, and whether there was another

    @property
    def served(self) -> list[str]:
        """The models that have answered, as the endpoint calls them, with its fingerprints."""
        return list(self._served)

    def ask(self, shown: SentVideo, asked: Sequence[EndpointQuestion]) -> None:
        """Have every question have its reply in `shown.replies`; one that has it is not asked again.

        Raises, where one has none, `AnswerPending`, `AnswerLost` or `AdapterError`, and `ModelGone` where no other
        would have one either. The replies to the others are kept.
        """
        wanted = self._without_reply(shown, asked)
        if known := {one: self._known[one] for one in asked if one not in wanted and one not in shown.replies}:
            for one, reply in known.items():
                self._keep(shown, one, reply)
            if not self._batches:
                self._check_thoughts()
        failures = self._client.run(self._ask_all(shown, wanted))
        if gone := next((error for error in failures if isinstance(error, ModelGone)), None):
            if len(failures) == len(wanted):
                raise gone
            raise AnswerLost(gone.what, gone.where, gone.remedy)  # only these: others of the same batch have an answer
        if pending := next((error for error in failures if isinstance(error, AnswerPending)), None):
            raise pending
        if failures:
            raise failures[0]

    def new_usage(self) -> dict[str, Any]:
        """Return where the model was asked since the last call, how often, and what that took in tokens and USD.

        `served` are the models that have answered by then for the first time.
        """
        usage = self._budget.usage
        now = {name: value for name, value in vars(usage).items() if name != "from_store" and value is not None}
        if not usage.tokens_reasoning:
            del now["tokens_reasoning"]  # which most models do not count
        new = {name: value - self._reported.get(name, 0) for name, value in now.items()}
        self._reported = now
        if not any(new.values()):
            return {}
        served, self._reported_served = list(self._served)[self._reported_served :], len(self._served)
        return {"endpoint": self._client.where, **({"served": served} if served else {}), **new}

    def estimated_usage(self, shown: SentVideo, asked: Sequence[EndpointQuestion]) -> dict[str, Any]:
        """Return what the questions without a reply are likely to take; of batches, what is asked outside of them."""
        wanted = self._without_reply(shown, asked)
        if self._batches:  # which a file of their own names
            wanted = [] if self._client.settled else wanted[:1]
        sizes = [self._request(shown, one).size for one in wanted]
        estimate = vars(self._budget.estimate(sizes)) if sizes else {}
        return {name: value for name, value in estimate.items() if value}

    def collect(self) -> bool:
        """Submit the questions that wait as batches and wait for those; return whether replies came."""
        if not self._batches:
            return False
        if self._taken:  # before more is paid; until a batch is back, what waits for it may fare better
            self._check_thoughts()
        try:
            came = self._batches.wait()
        except JudgeError as error:
            raise ModelGone(error.what, error.where, error.remedy) from None
        if not came:
            self._check_thoughts()
        return came

    def close(self) -> None:
        """Close all connections."""
        if self._batches:
            self._batches.close()
        self._client.close()

    async def _ask_all(self, shown: SentVideo, questions: Sequence[EndpointQuestion]) -> list[EcvaError]:
        """Put questions to the endpoint; keep the replies, and return why the others have none.

        Until it is known what the endpoint rejects they are sent one by one, so that all are asked alike. So is a
        video's first where tokens that were read before are cheaper: the video is in the endpoint's cache for the rest.
        """
        failures: list[EcvaError] = []
        waiting = list(questions)
        lead = self._caching_pays and not self._batches
        while waiting and not (self._client.settled and (shown.replies or self._known or not lead)):
            failures += await self._ask_together(shown, [waiting.pop(0)])
        if self._batches:
            return failures + self._ask_in_batches(self._batches, shown, waiting)
        return failures + await self._ask_together(shown, waiting)

    def _ask_in_batches(
        self, batches: Batches, shown: SentVideo, questions: Sequence[EndpointQuestion]
    ) -> list[EcvaError]:
        """Keep the replies that batches brought; have the other questions go out with the next."""
        failures: list[EcvaError] = []
        without = self._client.without
        for question in questions:
            request = self._request(shown, question)
            name = request.name(without)
            found = batches.take(name, request, without)
            if found is None:
                batches.put(name, request, without)
                failures.append(AnswerPending("the question waits for its batch", self._client.model))
                continue
            new = name not in self._taken
            self._taken.add(name)
            self._budget.usage.asked += new
            if isinstance(found, Reply):
                self._keep(shown, question, found)
            else:
                self._budget.usage.failed += new
                failures.append(why_lost(found, self._client.where))
        return failures

    async def _ask_together(self, shown: SentVideo, questions: Sequence[EndpointQuestion]) -> list[EcvaError]:
        free = asyncio.Semaphore(self._concurrency)

        async def ask(question: EndpointQuestion) -> None:
            async with free:
                found = await self._client.ask(self._request(shown, question))
            self._budget.usage.asked += 1
            if isinstance(found, Reply):
                self._keep(shown, question, found)
                self._check_thoughts()
                return
            self._budget.usage.failed += 1
            self._client.give_up(found)
            raise why_lost(found, self._client.where)

        done = await asyncio.gather(*map(ask, questions), return_exceptions=True)
        failures: list[EcvaError] = []
        for error in done:
            if isinstance(error, JudgeError):
                failures.append(ModelGone(error.what, error.where, error.remedy))
            elif isinstance(error, EcvaError):
                failures.append(error)
            elif error is not None:
                raise error
        return failures

    def _keep(self, shown: SentVideo, question: EndpointQuestion, reply: Reply) -> None:
        shown.replies[question] = reply
        if self._once:
            self._known[question] = reply
        self._served |= {reply.served: None} if reply.served else {}
        if reply.ended_in_thought and not question.likely:  # whose one token may be any
            self._in_thought += 1
        else:
            self._answered = True

    def _check_thoughts(self) -> None:
        """Raise `ModelGone` where all replies since the last check held thoughts alone, or all since the last answer.

        No later one would fare better, and each is paid. Checked after every reply; of batches, within which the order
        says nothing, when all of them are there. A reply that is known of another video counts for each video.
        """
        if self._answered:
            self._in_thought, self._answered = 0, False
        elif self._in_thought >= FAILURES_IN_A_ROW:
            what = f"{self._in_thought} replies in a row ended at their most tokens before an answer began"
            raise ModelGone(what, self._client.model, MORE_ROOM)

    def _without_reply(self, shown: SentVideo, asked: Sequence[EndpointQuestion]) -> list[EndpointQuestion]:
        return [one for one in dict.fromkeys(asked) if one not in shown.replies and one not in self._known]

    def _request(self, shown: SentVideo, question: EndpointQuestion) -> ChatRequest:
        if self._once:  # though the seed of what is asked again is a video's
            shown = self._first = self._first or shown
        return ChatRequest(self._client.model, shown, question, self._generation)
