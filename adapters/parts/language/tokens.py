"""Text to ids and back, by the vocabulary beside the weights, the same on every version of transformers.

The LLaMA and Mistral models of the paper were trained on what SentencePiece gives for each stretch of text between
special tokens, and newer tokenizer classes differ from it at a leading blank and around special tokens. So
SentencePiece itself is asked, and special tokens go in by id. Where there is a `tokenizer.json` alone, its own library
is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from ecva_bench.checkpoints.files import read_json_object, reading
from ecva_bench.errors import CheckpointError


class Tokenizer(Protocol):
    """A vocabulary. `bos` is the id that begins a sequence, `size` the number of ids."""

    bos: int
    size: int

    def encode(self, text: str) -> list[int]:
        """Return the ids of a text; no special token is added."""

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of ids; special tokens have none."""

    def id_of(self, token: str) -> int:
        """Return the id of a token by its name, special or not; `CheckpointError` where there is none."""


class SentencePieces:
    """The vocabulary of a `tokenizer.model`, with what `added_tokens.json` beside it adds.

    `added` are tokens that the authors' program adds: those that are not there get the next ids, in order. In text, no
    name of a special token is understood.
    """

    def __init__(self, folder: Path, added: Sequence[str] = ()) -> None:
        from sentencepiece import SentencePieceProcessor

        self._folder = folder
        with reading("the tokenizer", folder / "tokenizer.model"):
            self._pieces = SentencePieceProcessor(model_file=str(folder / "tokenizer.model"))
        self._added: dict[str, int] = read_json_object(folder / "added_tokens.json", optional=True)
        if not all(isinstance(number, int) for number in self._added.values()):
            raise CheckpointError("an added token has no number", folder / "added_tokens.json", "download it again")
        self.bos: int = self._pieces.bos_id()
        self.size = max([self._pieces.vocab_size(), *(number + 1 for number in self._added.values())])
        new = [name for name in added if name not in self._added]
        self._added |= {name: self.size + place for place, name in enumerate(new)}
        self.size += len(new)

    def encode(self, text: str) -> list[int]:
        """Return the ids of a text as SentencePiece gives them."""
        found: list[int] = self._pieces.encode(text)
        return found

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of ids, without added and control tokens and the one for what is unknown."""
        pieces = self._pieces
        known = [i for i in ids if i < pieces.vocab_size() and i != pieces.unk_id() and not pieces.is_control(i)]
        text: str = pieces.decode(known)
        return text

    def id_of(self, token: str) -> int:
        """Return the id of a piece or an added token."""
        if token in self._added:
            return self._added[token]
        found: int = self._pieces.piece_to_id(token)
        if found == self._pieces.unk_id() and token != self._pieces.id_to_piece(found):
            raise _no_token(token, self._folder)
        return found


class TokenizerFile:
    """The vocabulary of a `tokenizer.json`. In text, no name of a special token is understood."""

    def __init__(self, folder: Path) -> None:
        from tokenizers import Tokenizer as Library

        self._folder = folder
        with reading("the tokenizer", folder / "tokenizer.json"):
            self._library = Library.from_file(str(folder / "tokenizer.json"))
        self._library.encode_special_tokens = True  # as any other text
        self.size: int = self._library.get_vocab_size()
        self.bos = self.id_of(_bos_name(folder))

    def encode(self, text: str) -> list[int]:
        """Return the ids of a text as the library gives them."""
        found: list[int] = self._library.encode(text, add_special_tokens=False).ids
        return found

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of ids, without special tokens."""
        text: str = self._library.decode(list(ids), skip_special_tokens=True)
        return text

    def id_of(self, token: str) -> int:
        """Return the id of a token."""
        found: int | None = self._library.token_to_id(token)
        if found is None:
            raise _no_token(token, self._folder)
        return found


def open_tokenizer(*folders: Path) -> Tokenizer:
    """Return the tokenizer in the first folder that has one; `CheckpointError` where none has."""
    for folder in folders:
        if (folder / "tokenizer.model").is_file():
            return SentencePieces(folder)
        if (folder / "tokenizer.json").is_file():
            return TokenizerFile(folder)
    places = ", ".join(map(str, folders))
    raise CheckpointError(
        "there is no tokenizer", places, "put its tokenizer.model or tokenizer.json beside the weights"
    )


def _bos_name(folder: Path) -> str:
    token = read_json_object(folder / "tokenizer_config.json", optional=True).get("bos_token") or "<s>"
    return str(token.get("content") if isinstance(token, dict) else token)


def _no_token(token: str, folder: Path) -> CheckpointError:
    return CheckpointError(
        f"the tokenizer has no token {token!r}", folder, "take the tokenizer of the model's own release"
    )
