"""From a question to the pieces a language model reads: text, ids, and places where visual tokens stand.

Every piece of text is tokenised by itself, as the LLaVA family does around its placeholder, so that a question can
neither name a special token nor a placeholder. Knows prompt files; knows no tokenizer of any library and no torch.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from ecva_bench import prompt_files

VIDEO, QUESTION = "{video}", "{question}"


@dataclass(frozen=True)
class Text:
    """Text, encoded by itself and without special tokens."""

    text: str


@dataclass(frozen=True)
class TokenIds:
    """Tokens by id, such as the one that begins a sequence or one the tokenizer does not know."""

    ids: tuple[int, ...]


@dataclass(frozen=True)
class Special:
    """A token by its name."""

    name: str


@dataclass(frozen=True)
class Visual:
    """The place of the visual tokens `start` to `stop` (excluded), of all where not said otherwise."""

    start: int = 0
    stop: int | None = None


Piece = Text | TokenIds | Special | Visual


class Encoder(Protocol):
    """What prompts need of a tokenizer."""

    def encode(self, text: str) -> list[int]:
        """Return the ids of a text, without special tokens."""

    def id_of(self, token: str) -> int:
        """Return the id of a token by its name."""


@dataclass(frozen=True)
class Template:
    """A conversation template: a prompt file with `{question}` once and `{video}` wherever visual tokens stand.

    `special` are the names of special tokens in it; a question's words are never one of them.
    """

    id: str
    version: int
    text: str
    special: tuple[str, ...] = ()

    @property
    def sha256(self) -> str:
        """Hex SHA-256 of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def describe(self) -> dict[str, str]:
        """Return what identifies the words used."""
        return {"id": f"{self.id}.v{self.version}", "sha256": self.sha256}

    def pieces(self, question: str) -> list[Piece]:
        """Return the text around the visual tokens, and their places, with the question put in last."""
        marks: dict[str, Piece] = {VIDEO: Visual(), **{name: Special(name) for name in self.special}}
        parts = re.split(f"({'|'.join(map(re.escape, marks))})", self.text)
        return [marks.get(part) or Text(part.replace(QUESTION, question)) for part in parts if part]


def read_template(name: str, version: int, special: tuple[str, ...] = ()) -> Template:
    """Return the template in `models/<name>.v<version>.md` of the prompts."""
    fields, text = prompt_files.read_prompt("models", name, version)
    return Template(fields["id"], version, text, special)


def encode(pieces: Iterable[Piece], encoder: Encoder) -> list[int | Visual]:
    """Return pieces as ids, in order, with `Visual` left where visual tokens are to stand."""
    sequence: list[int | Visual] = []
    for piece in pieces:
        match piece:
            case Text(text):
                sequence += encoder.encode(text)
            case TokenIds(ids):
                sequence += ids
            case Special(name):
                sequence.append(encoder.id_of(name))
            case Visual():
                sequence.append(piece)
    return sequence
