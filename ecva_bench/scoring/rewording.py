"""Texts made of a text by rules: the same facts told otherwise, and one fact changed. Knows no judge and no model.

Each rule returns None where a text has nothing that it could be applied to. The rules are those of English; the
translations are written by hand, of texts of the embedded split.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

from ..untrusted import parse_json
from .unieval import sentences

PADDING_SENTENCE = "This is what can be said about the video that was shown here."
_ARTICLES = re.compile(r"\b(?:the|an|a)\s+", re.IGNORECASE)
# Words whose exchange makes a fact false: first who and what, then how many, where and when, and colours last.
_EXCHANGED = (
    ("man", "woman"), ("men", "women"), ("boy", "girl"), ("car", "tram"), ("cars", "trams"), ("truck", "bicycle"),
    ("sedan", "motorcycle"), ("vehicle", "horse"), ("vehicles", "horses"), ("pedestrian", "dog"), ("cyclist", "skier"),
    ("fire", "flood"), ("water", "sand"), ("robber", "policeman"), ("thief", "fireman"), ("smoke", "snow"),
    ("two", "five"), ("three", "seven"), ("nobody", "everybody"), ("not", "indeed"), ("street", "river"),
    ("road", "beach"), ("house", "ship"), ("building", "tent"), ("window", "roof"), ("night", "noon"),
    ("left", "right"), ("before", "after"), ("black", "white"), ("red", "blue"), ("grey", "orange"),
)  # fmt: skip
_OTHER = {word: other for pair in _EXCHANGED for word, other in (pair, pair[::-1])}
_RANK = {word: number for number, pair in enumerate(_EXCHANGED) for word in pair}
_WORD = re.compile(r"[A-Za-z]+")


def noted(text: str) -> str | None:
    """Return a text in another style: as a list of notes, a sentence each, without articles and full stops."""
    return "\n".join(f"- {_ARTICLES.sub('', one).strip().rstrip('.')}" for one in sentences(text)) or None


def padded(text: str) -> str:
    """Return a text made twice as long, or more, by sentences that say nothing."""
    times = -(-len(text.split()) // len(PADDING_SENTENCE.split()))
    return " ".join([text, *[PADDING_SENTENCE] * times])


def reordered(text: str) -> str | None:
    """Return a text with its sentences in the opposite order; None of one sentence."""
    found = sentences(text)
    return " ".join(reversed(found)) if len(found) > 1 else None


def translated(text: str) -> str | None:
    """Return a text of the embedded split in German; None of any other."""
    return _translations().get(text)


def with_other_word(text: str) -> str | None:
    """Return a text in which one word is exchanged, so that one fact is wrong; None where it has no such word."""
    words = [match for match in _WORD.finditer(text) if match[0].lower() in _OTHER]
    if not words:
        return None
    match = min(words, key=lambda word: (_RANK[word[0].lower()], word.start()))
    other = _OTHER[match[0].lower()]
    return text[: match.start()] + (other.capitalize() if match[0][0].isupper() else other) + text[match.end() :]


def with_other_sentence(text: str, foreign: str) -> str | None:
    """Return a text whose last sentence is that of another text; None of one sentence, or where they are the same."""
    own, other = sentences(text), sentences(foreign)
    if len(own) < 2 or not other or own[-1] == other[-1]:
        return None
    return " ".join([*own[:-1], other[-1]])


@cache
def _translations() -> dict[str, str]:
    read: dict[str, str] = parse_json((files(__package__) / "translations.json").read_bytes())
    return read
