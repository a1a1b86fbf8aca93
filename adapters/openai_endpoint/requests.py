"""A question about a video as a chat-completions request. Knows the form, and nothing of frames, files or a run."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ecva_bench.judging import completions
from ecva_bench.judging.store import Reply

if TYPE_CHECKING:
    from ecva_bench.video import Video

TEMPERATURE, SEED = 0, 0


@dataclass(frozen=True, eq=False)
class SentVideo:
    """A video as it is sent: parts of a message, parameters beside it, most tokens it can count, replies so far."""

    video: Video
    parts: list[dict[str, Any]]
    extra: dict[str, Any]
    most_tokens: int
    replies: dict[str, Reply]


@dataclass(frozen=True)
class ChatRequest:
    """A question about a video, as a `Request`; `most_out` are the most tokens of the answer."""

    model: str
    shown: SentVideo
    question: str
    most_out: int

    @property
    def most_in(self) -> int:
        """Most tokens of the request: those of the pictures, and a token for each byte of words."""
        words = sum(len(part["text"].encode()) for part in self.shown.parts if part["type"] == "text")
        return self.shown.most_tokens + words + len(self.question.encode())

    def body(self, without: Collection[str]) -> dict[str, Any]:
        """Return the body, less the parameters the endpoint has turned down."""
        content = [*self.shown.parts, {"type": "text", "text": self.question}]
        messages = [{"role": "user", "content": content}]
        return {
            "model": self.model,
            "messages": messages,
            **generation(self.most_out, without),
            **self.shown.extra,
        }

    def read(self, raw: bytes, *, without: Collection[str], scrub: Callable[[str], str]) -> Reply | None:
        """Return the reply in a response's body; None for no chat completion."""
        return completions.read_completion(raw, without=without, scrub=scrub)

    def is_settled_by(self, reply: Reply) -> bool:
        """Return that a reply will do: whatever a model says is its answer."""
        return True


def generation(most_out: int, without: Collection[str]) -> dict[str, int]:
    """Return how an answer is to be generated; there always is a limit, under the name the endpoint takes."""
    limit = "max_tokens" if "max_completion_tokens" in without else "max_completion_tokens"
    whole = {"temperature": TEMPERATURE, "seed": SEED, limit: most_out}
    return {name: value for name, value in whole.items() if name not in without}
