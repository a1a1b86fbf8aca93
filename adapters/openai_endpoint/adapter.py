"""A model behind an OpenAI-compatible endpoint, as `openai:gpt-4o-mini`: frames as pictures, or as a video's frames.

Knows the options; leaves the pictures to `frames`, a request to `requests`, all of them to `session`, and connections,
patience, prices and budget to `judging`. The key comes from OPENAI_API_KEY alone (design/endpoints.md).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecva_bench.answering import Adapter
from ecva_bench.answering.adapter import QuestionCost
from ecva_bench.answering.question import repeat_of
from ecva_bench.errors import AdapterError, ModelGone, UsageError
from ecva_bench.judging.batches import Batches
from ecva_bench.judging.client import EndpointClient, EndpointOptions
from ecva_bench.judging.extras import RequestExtras
from ecva_bench.tasks import about_times

from ..parts.media.frames import INTRODUCTION, TIME, UNSEEN, uneven
from ..parts.options import choice, count, positive
from .cost import count_before, most_of_a_question, open_budget
from .frames import FrameEncoding, FrameRule, video_parts
from .picture_tokens import most_tokens
from .replies import answer_in
from .requests import TEMPERATURE, EndpointQuestion, Generation, SentVideo
from .session import EndpointSession

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
        most_out = count("max_new_tokens", max_new_tokens)
        drawn = positive("temperature", temperature, zero=True) if temperature else TEMPERATURE
        said = {"reasoning_effort": reasoning_effort, "thinking_budget": thinking_budget, "extra_body": extra_body}
        extras = RequestExtras.of(said, base_url=base_url, most_out=most_out, option="--model-arg")
        self._generation = Generation(most_out, drawn, extras)
        options = EndpointOptions(
            base_url or None,
            count("concurrency", concurrency),
            positive("timeout", timeout),
            int(positive("retries", retries, zero=True)),
            "--model-arg base-url",
        )
        self._budget = open_budget(target, budget_usd, budget_tokens, prices, sharing)
        self._client = EndpointClient(target, options, self._budget, steady=True)
        self._session = EndpointSession(
            self._client,
            self._budget,
            self._generation,
            concurrency=options.concurrency,
            batches=Batches(Path(batch), options, self._budget) if batch else None,
            once=self.same_for_all_videos,
        )
        self._shown: SentVideo | None = None
        self._gives_likely = False  # whether an answer came with probabilities

    def share(self, options: Mapping[str, str], workers: int) -> dict[str, str]:
        """Return the options for workers that share each budget: what all spend is what one would."""
        return {**options, "sharing": str(workers)}

    def describe(self) -> dict[str, Any]:
        """Return what is sent besides the question: frames, pictures, words, generation.

        What of the latter the endpoint rejected before its first answer is not claimed, and named in `left_out`.
        """
        generation = self._generation.describe(self._client.without)
        if not self._rule.count:
            return {"frames": self._rule.describe(), "introduction": UNSEEN, "generation": generation}
        form: dict[str, Any] = (
            {"frames_as": "video"} if self._as_video else {"introduction": INTRODUCTION, "time": TIME}
        )
        return {
            "frames": self._rule.describe(),
            "picture": self._picture.describe() | ({"detail": self._detail} if self._detail else {}),
            **form,
            "generation": generation,
        }

    def adopt(self, description: Mapping[str, Any]) -> None:
        """Leave out what was left out, and nothing else: all answers of a run are asked for alike."""
        self._client.settle(description["generation"].get("left_out", ()))

    def served(self) -> list[str]:
        """Return the models that have answered, as the endpoint calls them, with its fingerprints."""
        return self._session.served

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
        asked = _asked(questions)
        self._session.ask(shown, asked)
        return [answer_in(shown.replies[one], self._model) for one in asked]

    def first_token_probabilities(self, video: Video, question: str, words: Sequence[str]) -> list[float]:
        """Return how probable it is that the answer begins with each of some words, 0 for those of low rank.

        Raises what `answer_many` does, and where the endpoint gives no probabilities `AdapterError`, or `ModelGone`
        where it never gave any: of no other video it would.
        """
        shown, asked = self._show(video), EndpointQuestion(question, likely=True)
        self._session.ask(shown, [asked])
        likely = shown.replies[asked].beginnings
        if not likely:
            remedy = "ask for words: --severity-from segments"
            no_use = AdapterError if self._gives_likely else ModelGone
            raise no_use("the endpoint gives no log-probabilities", self._model, remedy)
        self._gives_likely = True
        return [sum(probability for text, probability in likely if text.strip() == word) for word in words]

    def usage(self) -> dict[str, Any]:
        """Return where the model was asked, how often, and what that took in tokens and, where known, in USD.

        `served` are the models that have answered by then for the first time.
        """
        return self._session.new_usage()

    def estimated_usage(self, video: Video, questions: Sequence[str]) -> dict[str, Any]:
        """Return what the questions without a reply are likely to take; of batches, what is asked outside of them."""
        return self._session.estimated_usage(self._show(video), _asked(questions))

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
            out=self._generation.most_out,
        )

    def collect(self) -> bool:
        """Submit the questions that wait as batches and wait for those; see `Adapter.collect`."""
        return self._session.collect()

    def close(self) -> None:
        """Close all connections."""
        self._session.close()

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


def _asked(questions: Sequence[str]) -> list[EndpointQuestion]:
    return [EndpointQuestion(question, repeat=repeat_of(question)) for question in questions]
