"""A question about a video as a chat-completions request. Knows the form, and nothing of frames, files or a run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from ecva_bench.answering.question import Question
from ecva_bench.judging import completions
from ecva_bench.judging.bounds import Size
from ecva_bench.judging.extras import RequestExtras
from ecva_bench.judging.store import Reply

from ..parts.seeds import seed_of

if TYPE_CHECKING:
    from ecva_bench.video import Video

TEMPERATURE, SEED = 0, 0
BY_ANSWER = "of its own for each answer"  # what a description says of seeds that differ
LIKELY = 20  # first words whose probabilities are asked for, the most that OpenAI gives
TEMPLATE = 100  # tokens that a chat template may add to a message


class EndpointQuestion(NamedTuple):
    """What is asked about a video: a question, and whether how `likely` the answer's first words are is all of it.

    `repeat` is which time it is asked, from 0.
    """

    question: str
    likely: bool = False
    repeat: int = 0


@dataclass(frozen=True, eq=False)
class SentVideo:
    """A video as it is sent: parts of a message, parameters beside it, and replies so far.

    Its pictures count `most_tokens` at most, and as many as those of any other with an equal `alike`.
    """

    video: Video
    parts: list[dict[str, Any]]
    extra: dict[str, Any]
    most_tokens: int
    alike: Hashable
    replies: dict[EndpointQuestion, Reply]


@dataclass(frozen=True)
class Generation:
    """How an answer is generated: at a `temperature`, in at most `most_out` tokens with its thoughts, with `extras`."""

    most_out: int
    temperature: float
    extras: RequestExtras

    def parameters(
        self, without: Collection[str], seed: int | str, *, most_out: int | None = None
    ) -> dict[str, float | str]:
        """Return what a request says of it, of a reply of at most `most_out` tokens where these are others.

        There always is a limit, under the name the endpoint takes.
        """
        limit = "max_tokens" if "max_completion_tokens" in without else "max_completion_tokens"
        whole = {"temperature": self.temperature, "seed": seed, limit: most_out or self.most_out}
        return {name: value for name, value in whole.items() if name not in without}

    def describe(self, without: Collection[str]) -> dict[str, Any]:
        """Return it as data; what the endpoint rejected is not claimed, and named in `left_out`."""
        sent = self.parameters(without, BY_ANSWER if self.temperature else SEED)
        return {**sent, **self.extras.described, **({"left_out": sorted(without)} if without else {})}


@dataclass(frozen=True)
class ChatRequest:
    """What is asked about a video, as a `Request`."""

    model: str
    shown: SentVideo
    asked: EndpointQuestion
    generation: Generation

    @property
    def size(self) -> Size:
        """The most tokens of request and answer: a byte of words is at most one."""
        words = sum(len(part["text"].encode()) for part in self.shown.parts if part["type"] == "text")
        words += len(self.asked.question.encode())
        return Size(TEMPLATE + words, self.generation.most_out, self.shown.most_tokens, self.shown.alike, words)

    def name(self, without: Collection[str]) -> str:
        """Return a hash of all that is sent, and of which time it is, which not every endpoint takes as a seed."""
        again = f" {self.asked.repeat}" if self.asked.repeat else ""
        return hashlib.sha256((json.dumps(self.body(without), sort_keys=True) + again).encode()).hexdigest()

    def body(self, without: Collection[str]) -> dict[str, Any]:
        """Return the body, without the parameters that the endpoint has rejected."""
        content = [*self.shown.parts, {"type": "text", "text": self.asked.question}]
        messages = [{"role": "user", "content": content}]
        return {
            "model": self.model,
            "messages": messages,
            **self.generation.parameters(without, self._seed, most_out=1 if self.asked.likely else None),
            **(_likely(without) if self.asked.likely else {}),
            **self.shown.extra,
            **self.generation.extras.body,
        }

    @property
    def _seed(self) -> int:
        if self.generation.temperature == TEMPERATURE and not self.asked.repeat:
            return SEED
        return seed_of(self.shown.video, Question(self.asked.question, repeat=self.asked.repeat))

    def read(self, raw: bytes, *, without: Collection[str], scrub: Callable[[str], str]) -> Reply | None:
        """Return the reply in a response's body; None for no chat completion."""
        return completions.read_completion(raw, without=without, scrub=scrub)

    def is_settled_by(self, reply: Reply) -> bool:
        """Return that a reply will do: whatever a model says is its answer."""
        return True


def _likely(without: Collection[str]) -> dict[str, Any]:
    """Return what asks for the probabilities of the first words."""
    return {name: value for name, value in (("logprobs", True), ("top_logprobs", LIKELY)) if name not in without}
