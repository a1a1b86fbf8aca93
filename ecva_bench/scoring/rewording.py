"""Texts made of a text by rules: the same facts told otherwise, or a sentence that is wrong. Knows no judge, no model.

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
