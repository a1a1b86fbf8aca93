"""From what is said in a conversation to ids and labels, as the authors' programs make them.

Every stretch of text between placeholders is encoded by itself, as in answering (`parts.prompts`), and the words around
a question are those of the template that answering uses. Knows a vocabulary by what it does; knows no torch.

Two things are otherwise than in the authors' programs, on purpose: words that spell a special token are words, and what
is learned is found by lengths, so that no text can hide where an answer begins.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from ..errors import TrainingError
from .conversations import PLACEHOLDERS, Conversation

IGNORED = -100  # the label of what is not learned
PLACES = {"picture": -200, "video": -201}  # stand among ids where visual tokens are to stand
PLAIN = "plain"
CUT_OFF = "cut off before its answer"  # why a sample without a label is skipped
BEFORE, AFTER = "[INST] ", " [/INST]"


class Vocabulary(Protocol):
    """What is asked of a tokenizer; `bos` begins a sequence."""

    bos: int

    def encode(self, text: str) -> list[int]:
        """Return the ids of a text; no special token is added."""

    def id_of(self, token: str) -> int:
        """Return the id of a token by its name."""


@dataclass(frozen=True)
class Tokens:
    """A sample as ids, with a number of `PLACES` where visual tokens are to stand, and labels of the same length."""

    ids: tuple[int, ...]
    labels: tuple[int, ...]

    @property
    def supervised(self) -> int:
        """How many ids are learned."""
        return sum(label != IGNORED for label in self.labels)

    def cut(self, length: int) -> Tokens:
        """Return the first `length` ids and labels."""
        return Tokens(self.ids[:length], self.labels[:length])


class Words:
    """Makes ids of conversations. `template` is a prompt with `{video}` and `{question}`, or `plain`: captions alone.

    Raises `TrainingError` for a template whose turns are not of the form `[INST] … [/INST]`.
    """

    def __init__(self, template: str, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._plain = template == PLAIN
        self._system = ""
        if not self._plain:
            begin, _, rest = template.partition("{video}\n{question}")
            if not (begin.startswith(BEFORE) and rest == AFTER):
                what = "of this template it is not known how later turns look"
                raise TrainingError(what, template[:60], f"take one of the form {BEFORE}{{video}} {{question}}{AFTER}")
            self._system = begin.removeprefix(BEFORE)
            self._end = vocabulary.id_of("</s>")

    def __call__(self, conversation: Conversation) -> Tokens:
        """Return ids and labels; the conversation has no `problem`."""
        mark = PLACEHOLDERS.get(conversation.kind, "")
        place = PLACES.get(conversation.kind, 0)
        rounds = [(_mark_first(question, mark), answer) for question, answer in conversation.rounds]
        if self._plain:
            return self._caption(rounds, place)
        ids, labels = [self._vocabulary.bos], [IGNORED]
        for head, answer in self._stretches(rounds):
            stretch = self._encoded(f"{head} {answer} ", mark, place)
            known = len(self._encoded(f"{head} ", mark, place)) - 1  # the blank in front of the answer is learned
            ids += [*stretch, self._end]
            labels += [IGNORED] * known + stretch[known:] + [self._end]
        return Tokens(tuple(ids), tuple(labels))

    def _caption(self, rounds: Sequence[tuple[str, str]], place: int) -> Tokens:
        """Return the placeholder and the captions behind it: what was asked is left out."""
        head = [self._vocabulary.bos, *([place] if place else [])]
        text = [number for _, answer in rounds if answer for number in self._vocabulary.encode(f"{answer}\n")]
        return Tokens((*head, *text), (*[IGNORED] * len(head), *text))

    def _stretches(self, rounds: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
        """Give what stands before each answer, and the answer; without one, its question is part of the next."""
        head = ""
        for number, (question, answer) in enumerate(rounds):
            head += f"{BEFORE}{self._system if number == 0 else ''}{question}{AFTER}"
            if answer:
                yield head, answer
                head = ""

    def _encoded(self, text: str, mark: str, place: int) -> list[int]:
        parts = text.split(mark) if mark else [text]
        ids = self._vocabulary.encode(parts[0]) if parts[0] else []
        for part in parts[1:]:
            ids += [place, *(self._vocabulary.encode(part) if part else [])]
        return ids


def _mark_first(text: str, mark: str) -> str:
    """Return a turn with its placeholder on a line of its own in front, wherever it stood."""
    if not mark or mark not in text:
        return text
    return f"{mark}\n{text.replace(mark, '').strip()}".strip()
