"""What can be read out of a text that hides it: markup, escapes, codes, spaced, mirrored and turned letters."""

from __future__ import annotations

import base64
import binascii
import codecs
import html
import re
from collections.abc import Iterator
from functools import partial
from urllib.parse import unquote

_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")
_HEX = re.compile(r"(?:(?:0x|\\x)?[0-9a-fA-F]{2}[ :,]{0,2}){12,}")
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})")
_MARKUP = re.compile(r"<!--|-->|</?[A-Za-z][^<>]{0,200}>|[*_`~]+")
_SPACED = re.compile(r"(?<![^\W_])[^\W_](?:[ \n._*-][^\W_](?![^\W_])){3,}")
_SPELLED = re.compile(r"(?<![^\W_])[^\W_](?:([._*-])[^\W_](?![^\W_]))(?:\1[^\W_](?![^\W_]))+")
# Words that instructions are made of: read from the right, or with each letter 13 further on, they tell such a text.
_WORDS = (
    *("ignore", "regard", "answer", "marks", "points", "score", "grade", "grading", "rating", "correct", "judge"),
    *("verdict", "credit", "maximum", "highest", "perfect", "instruction", "response", "reference", "evaluat", "reply"),
    *("candidate", "rubric", "output", "prompt", "award", "accept", "assign", "omission", "criteri", "guideline"),
)
_MIRRORED = tuple(word[::-1] for word in _WORDS)
_TURNED = tuple(codecs.encode(word, "rot13") for word in _WORDS)
_JOINED = re.compile(r"(?<=[a-z])(?=[A-Z])")  # GiveThisFullMarks
_MIXED = re.compile(r"[A-Za-z][0134578@$]|[0134578@$][A-Za-z]")
_RUN = re.compile(r"[\w@$]+")
_LETTERS = str.maketrans("034578@$", "oeastbas")


def readings_of(text: str) -> Iterator[str]:
    """Yield a text and, where it hides something, what can be read out of it; each in time linear in it."""
    yield text
    plain = _ESCAPED.sub(lambda one: chr(int(one[1] or one[2], 16)), unquote(html.unescape(text)))
    plain = _MARKUP.sub("", plain)
    plain = _SPELLED.sub(lambda one: one[0].replace(one[1], ""), plain)
    plain = _SPACED.sub(lambda one: re.sub(r"[ \n._*-]", "", one[0]), plain)
    if plain != text:
        yield plain
    if (parted := _JOINED.sub(" ", plain)) != plain:
        yield parted
    if _MIXED.search(plain):
        letters = {_RUN.sub(partial(_as_letters, one=one), plain) for one in "li"}
        yield from sorted(letters - {plain})
    lower = plain.lower()
    if any(word in lower for word in _MIRRORED):
        yield plain[::-1]
    if any(word in lower for word in _TURNED):
        yield codecs.encode(plain, "rot13")
    for pattern, decode in ((_BASE64, _of_base64), (_HEX, _of_hex)):
        hidden = [decoded for one in pattern.finditer(text) if (decoded := decode(one[0]))]
        if hidden:
            yield "\n".join(hidden)


def _as_letters(found: re.Match[str], one: str) -> str:
    """Return a word with digits read as the letters they look like; a word that ends in digits alone is a number."""
    word = found[0]
    if word.rstrip("0123456789").isalpha() or word.lstrip("0123456789").isalpha():
        inner = word.strip("0123456789")
        if len(word) - len(inner) > 1 or len(inner) < 3:
            return word
    return word.translate(_LETTERS).replace("1", one)


def _of_base64(code: str) -> str:
    """Return the text of a code, of its code, and so on."""
    text = _decoded(code)
    return (text if not _BASE64.fullmatch(text) else _of_base64(text) or text) if text else ""


def _decoded(code: str) -> str:
    letters = code.rstrip("=").translate({ord("-"): "+", ord("_"): "/"})
    try:
        return base64.b64decode(letters + "=" * (-len(letters) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _of_hex(code: str) -> str:
    try:
        return bytes.fromhex(re.sub(r"0x|\\x|[:,]", " ", code)).decode()
    except ValueError:
        return ""
