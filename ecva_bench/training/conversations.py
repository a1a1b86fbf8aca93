"""What a model is trained on: a picture or a video and what is said about it, whatever file it was read from.

Knows records; knows no file format, no vocabulary and no torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal

Kind = Literal["picture", "video", "words"]

# Where a text holds one of these, the visual tokens are to stand: the trainers' names for both.
PLACEHOLDERS: dict[Kind, str] = {"picture": "<image>", "video": "<video>"}


@dataclass(frozen=True)
class Turn:
    """What one side says. `text` is as its file has it, placeholder included."""

    role: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True)
class Conversation:
    """One training sample.

    id: unique in its data set, for records and messages. path: the picture or the video; None where `kind` is `words`.
    """

    id: str
    path: Path | None
    kind: Kind
    turns: tuple[Turn, ...]

    @property
    def rounds(self) -> list[tuple[str, str]]:
        """Questions with their answers, in order; a first turn of the assistant and a last one of the user are cut."""
        turns = self.turns[1:] if self.turns and self.turns[0].role == "assistant" else self.turns
        return [(question.text, answer.text) for question, answer in zip(turns[::2], turns[1::2], strict=False)]

    def problem(self) -> str | None:
        """Return why nothing can be learned from it, in words that count as one kind; None where it is as it should be.

        The file is not looked at.
        """
        roles = [turn.role for turn in self.turns]
        if any(one == other for one, other in pairwise(roles)):
            return "turns of one side follow each other"
        if not any(answer.strip() for _, answer in self.rounds):
            return "no answer"
        words = " ".join(turn.text for turn in self.turns)
        counts = {kind: words.count(mark) for kind, mark in PLACEHOLDERS.items()}
        if counts.get(self.kind, 0) > 1:
            return "two placeholders"
        if any(count for kind, count in counts.items() if kind != self.kind):
            return "a placeholder of another kind than its file" if self.path else "a placeholder and no file"
        if counts.get(self.kind) and PLACEHOLDERS[self.kind] not in self._asked:
            return "a placeholder in no question that is answered"
        return None

    @property
    def _asked(self) -> str:
        """Return the questions that are trained on: what follows the last answer is not."""
        rounds = self.rounds
        last = max((place for place, (_, answer) in enumerate(rounds) if answer), default=-1)
        return " ".join(question for question, _ in rounds[: last + 1])
