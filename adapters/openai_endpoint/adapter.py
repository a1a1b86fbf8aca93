"""A model behind an OpenAI-compatible endpoint, as `openai:gpt-4o-mini`: frames as pictures, or as a video's frames.

Knows what a reply means for the run; leaves connections, patience, prices and budget to the caller that judges use too,
the pictures to `frames` and the request to `requests`. The key comes from OPENAI_API_KEY alone (design/endpoints.md).
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecva_bench.answering import Adapter
from ecva_bench.answering.adapter import QuestionCost
from ecva_bench.answering.question import repeat_of
from ecva_bench.errors import (
    AdapterError,
    AnswerLost,
    AnswerPending,
    EcvaError,
    JudgeError,
    ModelGone,
    UsageError,
)
from ecva_bench.judging.batches import Batches
from ecva_bench.judging.budget import Usage
from ecva_bench.judging.client import FAILURES_IN_A_ROW, EndpointClient, EndpointOptions
from ecva_bench.judging.extras import RequestExtras
from ecva_bench.judging.store import Reply
from ecva_bench.tasks import about_times

from ..parts.media.frames import INTRODUCTION, TIME, UNSEEN, uneven
from ..parts.options import choice, count, positive
from .cost import count_before, most_of_a_question, open_budget
from .frames import FrameEncoding, FrameRule, video_parts
from .picture_tokens import most_tokens
from .replies import MORE_ROOM, answer_in, why_lost
from .requests import BY_ANSWER, SEED, TEMPERATURE, ChatRequest, EndpointQuestion, SentVideo, generation

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ecva_bench.video import Video


class OpenAIEndpoint(Adapter):
    """A model at an OpenAI-compatible endpoint.

    Options, as strings. What is asked: `frames` (at most so many; 0: the words alone, for what a model says of a video
    that it does not see), `sampler` or `fps`; `frames_as` (images, video: the
    latter for vLLM); `image` (jpeg, png) and `max_side` in pixels; `detail` (low, high: how closely a
    picture is looked at, by OpenAI's models; by default nothing is said of it); `max_new_tokens`; `temperature`, 0
    unless answers are to be drawn, each with a seed of its own; `reasoning_effort`, `thinking_budget` and `extra_body`
    as in `judging.extras`. How: `base_url`, else
    OPENAI_BASE_URL, else OpenAI's; `concurrency`; `timeout` in seconds per request; `retries`; `budget_usd` and
    `budget_tokens`, what a results file may cost over all commands, and `prices`, a price table; `batch`, a file that
    names the batches in which questions go out, at half the price and within a day. `sharing` is set by the harness:
    how many workers share the budget. Nothing is opened before the first question.
    """

    scheme = True
    independent = True
    immaterial = frozenset(
        {"base_url", "concurrency", "timeout", "retries", "budget_usd", "budget_tokens", "prices", "batch", "sharing"}
    )

    def __init__(
        self,
        *,
        target: str,
        frames: str = "16",
        sampler: str = "",
        fps: str = "",
        frames_as: str = "images",
        image: str = "jpeg",
        max_side: str = "768",
        detail: str = "",
        max_new_tokens: str = "1024",
        temperature: str = "",
        reasoning_effort: str = "",
        thinking_budget: str = "",
        extra_body: str = "",
        base_url: str = "",
        concurrency: str = "8",
        timeout: str = "120",
        retries: str = "6",
        budget_usd: str = "",
        budget_tokens: str = "",
        prices: str = "",
        batch: str = "",
        sharing: str = "1",
    ) -> None:
        self._model = target
        self._rule = FrameRule.of(frames, sampler, fps)
        self._picture = FrameEncoding(choice("image", image, ("jpeg", "png")), count("max_side", max_side))
        self._as_video = choice("frames_as", frames_as, ("images", "video")) == "video"
        if self._as_video and image != "jpeg":
            raise UsageError("a video's frames are sent as JPEG", f"image={image}", "leave out one of the two options")
        self._detail = choice("detail", detail, ("low", "high")) if detail else ""
        if self._as_video and detail:
            raise UsageError("a video has no detail, pictures have", f"detail={detail}", "leave out frames_as=video")
        self._most_out = count("max_new_tokens", max_new_tokens)
        self._temperature = positive("temperature", temperature, zero=True) if temperature else TEMPERATURE
        said = {"reasoning_effort": reasoning_effort, "thinking_budget": thinking_budget, "extra_body": extra_body}
        self._extras = RequestExtras.of(said, base_url=base_url, most_out=self._most_out, option="--model-arg")
        self._concurrency = count("concurrency", concurrency)
        options = EndpointOptions(
            base_url or None,
            self._concurrency,
            positive("timeout", timeout),
            int(positive("retries", retries, zero=True)),
            "--model-arg base-url",
        )
        self._usage = Usage()
        self._budget = open_budget(target, self._usage, budget_usd, budget_tokens, prices, sharing)
        price = self._budget.price
        self._caching_pays = price is not None and price.cached_input < price.input
        self._client = EndpointClient(target, options, self._budget, steady=True)
        self._batches = Batches(Path(batch), options, self._budget) if batch else None
        self._taken: set[str] = set()  # requests of batches whose outcome is counted
        self._served: dict[str, None] = {}  # what answered, in order of appearance
        self._shown: SentVideo | None = None
        self._reported: dict[str, float] = {}  # of the usage
        self._reported_served = 0  # so many of those that answered
        self._in_thought = 0  # so many replies in a row held nothing but thoughts
        self._gives_likely = False  # whether an answer came with probabilities

    def share(self, options: Mapping[str, str], workers: int) -> dict[str, str]:
        """Return the options for workers that share each budget: what all spend is what one would."""
        return {**options, "sharing": str(workers)}

    def describe(self) -> dict[str, Any]:
        """Return what is sent besides the question: frames, pictures, words, generation.

        What of the latter the endpoint rejected before its first answer is not claimed, and named in `left_out`.
        """
        if not self._rule.count:
            return {"frames": self._rule.describe(), "introduction": UNSEEN, "generation": self._generation()}
        form: dict[str, Any] = (
            {"frames_as": "video"} if self._as_video else {"introduction": INTRODUCTION, "time": TIME}
        )
        return {
            "frames": self._rule.describe(),
            "picture": self._picture.describe() | ({"detail": self._detail} if self._detail else {}),
            **form,
            "generation": self._generation(),
        }

    def _generation(self) -> dict[str, Any]:
        left_out = sorted(self._client.without)
        seed = BY_ANSWER if self._temperature else SEED
        sent = generation(self._most_out, left_out, self._temperature, seed)
        return {**sent, **self._extras.described, **({"left_out": left_out} if left_out else {})}

    def adopt(self, description: Mapping[str, Any]) -> None:
        """Leave out what was left out, and nothing else: all answers of a run are asked for alike."""
        self._client.settle(description["generation"].get("left_out", ()))

    def served(self) -> list[str]:
        """Return the models that have answered, as the endpoint calls them, with its fingerprints."""
        return list(self._served)

    def frame_indices(self, video: Video) -> NDArray[np.int64]:
        """Return the indices of the frames that are sent."""
        return self._rule.indices(video)

    def notes(self, tasks: Collection[str]) -> Sequence[str]:
        """Say where tasks about times are asked of a video whose model may be told none."""
        if not self._as_video or not (asked := " and ".join(about_times(tasks))):
            return ()
        why = f"whether {self._model} is told when a frame was depends on what serves it, and it is asked {asked}"
        return (f"{why}: --model-arg frames-as=images writes each frame's second",)

    def warnings(self, video: Video) -> Sequence[str]:
        """Say where a video's frames have uneven times: what is made of them behind the endpoint is not known."""
        return uneven(video, self.frame_indices(video)) if self._as_video else ()

    def answer(self, video: Video, question: str) -> str:
        """Return the reply to one question."""
        return self.answer_many(video, [question])[0]

    def answer_many(self, video: Video, questions: Sequence[str]) -> list[str]:
        """Return the replies, all asked for at once.

        Raises, where a question has none, `AnswerRefused`, `AnswerLost` or `AdapterError`, and `ModelGone` where no
        other would have one either. The replies to the others are kept: asked for again, they are not paid again.
        """
        shown = self._show(video)
        asked = [EndpointQuestion(question, repeat=repeat_of(question)) for question in questions]
        self._have_asked(shown, asked)
        return [answer_in(shown.replies[one], self._model) for one in asked]

    def first_token_probabilities(self, video: Video, question: str, words: Sequence[str]) -> list[float]:
        """Return how probable it is that the answer begins with each of some words, 0 for those of low rank.

        Raises what `answer_many` does, and where the endpoint gives no probabilities `AdapterError`, or `ModelGone`
        where it never gave any: of no other video it would.
        """
        shown, asked = self._show(video), EndpointQuestion(question, likely=True)
        self._have_asked(shown, [asked])
        likely = shown.replies[asked].beginnings
        if not likely:
            remedy = "ask for words: --severity-from segments"
            no_use = AdapterError if self._gives_likely else ModelGone
            raise no_use("the endpoint gives no log-probabilities", self._model, remedy)
        self._gives_likely = True
        return [sum(probability for text, probability in likely if text.strip() == word) for word in words]

    def _have_asked(self, shown: SentVideo, asked: Sequence[EndpointQuestion]) -> None:
        """Have everything asked for have a reply, or raise why one has none."""
        wanted = [one for one in dict.fromkeys(asked) if one not in shown.replies]
        failures = self._client.run(self._ask_all(shown, wanted))
        if gone := next((error for error in failures if isinstance(error, ModelGone)), None):
            if len(failures) == len(wanted):
                raise gone
            raise AnswerLost(gone.what, gone.where, gone.remedy)  # only these: others of the same batch have an answer
        if pending := next((error for error in failures if isinstance(error, AnswerPending)), None):
            raise pending
        if failures:
            raise failures[0]

    def usage(self) -> dict[str, Any]:
        """Return where the model was asked, how often, and what that took in tokens and, where known, in USD.

        `served` are the models that have answered by then for the first time.
        """
        now = {name: value for name, value in vars(self._usage).items() if name != "from_store" and value is not None}
        if not self._usage.tokens_reasoning:
            del now["tokens_reasoning"]  # which most models do not count
        new = {name: value - self._reported.get(name, 0) for name, value in now.items()}
        self._reported = now
        if not any(new.values()):
            return {}
        served, self._reported_served = list(self._served)[self._reported_served :], len(self._served)
        return {"endpoint": self._client.where, **({"served": served} if served else {}), **new}

    def estimated_usage(self, video: Video, questions: Sequence[str]) -> dict[str, Any]:
        """Return what the questions without a reply are likely to take; of batches, what is asked outside of them."""
        shown = self._show(video)
        asked = dict.fromkeys(EndpointQuestion(question, repeat=repeat_of(question)) for question in questions)
        wanted = [one for one in asked if one not in shown.replies]
        if self._batches:  # which a file of their own names
            wanted = [] if self._client.settled else wanted[:1]
        sizes = [self._request(shown, one).size for one in wanted]
        estimate = vars(self._budget.estimate(sizes)) if sizes else {}
        return {name: value for name, value in estimate.items() if value}

    def count_spent(self, spent: Mapping[str, float]) -> None:
        """Count what the results file has cost before; see `Adapter.count_spent`."""
        count_before(self._budget, spent)

    def question_cost(self, words: int) -> QuestionCost:
        """Return the most a question of so many bytes takes, about a video of 16:9."""
        return most_of_a_question(
            self._model,
            self._budget.price,
            words=words,
            frames=self._rule.count,
            max_side=self._picture.max_side,
            low=self._detail == "low",
            out=self._most_out,
        )

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
        while waiting and not (self._client.settled and (shown.replies or not lead)):
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
                failures.append(AnswerPending("the question waits for its batch", self._model))
                continue
            new = name not in self._taken
            self._taken.add(name)
            self._usage.asked += new
            if isinstance(found, Reply):
                shown.replies[question] = found
                self._served |= {found.served: None} if found.served else {}
            else:
                self._usage.failed += new
                failures.append(why_lost(found, self._client.where))
        return failures

    def collect(self) -> bool:
        """Submit the questions that wait as batches and wait for those; see `Adapter.collect`."""
        try:
            return self._batches.wait() if self._batches else False
        except JudgeError as error:
            raise ModelGone(error.what, error.where, error.remedy) from None

    async def _ask_together(self, shown: SentVideo, questions: Sequence[EndpointQuestion]) -> list[EcvaError]:
        free = asyncio.Semaphore(self._concurrency)

        async def ask(question: EndpointQuestion) -> None:
            async with free:
                found = await self._client.ask(self._request(shown, question))
            self._usage.asked += 1
            if isinstance(found, Reply):
                shown.replies[question] = found
                self._served |= {found.served: None} if found.served else {}
                only_thought = found.ended_in_thought and not question.likely  # whose one token may be any
                self._in_thought = self._in_thought + 1 if only_thought else 0
                if self._in_thought >= FAILURES_IN_A_ROW:  # each is paid, and no later one would fare better
                    what = f"{self._in_thought} replies in a row ended at their most tokens before an answer began"
                    raise JudgeError(what, self._model, MORE_ROOM)
                return
            self._usage.failed += 1
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

    def _request(self, shown: SentVideo, question: EndpointQuestion) -> ChatRequest:
        return ChatRequest(self._model, shown, question, self._most_out, self._temperature, self._extras)

    def _show(self, video: Video) -> SentVideo:
        """Return what is sent of a video, encoded once; frames are asked for each time, so that they are recorded."""
        frames = video.frames_at(self.frame_indices(video)) if self._rule.count else None
        if self._shown and self._shown.video is video:
            return self._shown
        if frames is None:
            self._shown = SentVideo(video, [{"type": "text", "text": UNSEEN}], {}, 0, (), {})
            return self._shown
        parts, extra = video_parts(frames, video, self._picture, as_video=self._as_video, detail=self._detail)
        size = self._picture.size(*video.size)
        most = len(frames) * most_tokens(self._model, *size, low=self._detail == "low")
        self._shown = SentVideo(video, parts, extra, most, (*size, len(frames)), {})
        return self._shown
