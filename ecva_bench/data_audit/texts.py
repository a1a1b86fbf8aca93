"""Texts that are no annotations: messages of programs, placeholders, and texts in another script than the others."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import lru_cache

from ..data import Dataset
from ..records import Annotation
from .findings import DataFinding, finding_of

FIELDS = ("description", "cause", "effect")
_PLACEHOLDER = re.compile(r"[-–—./_ ]*|-1(\.0)?|nan|null|none|n/?a|tbd|todo|unknown|undefined", re.IGNORECASE)
_LONGEST_PLACEHOLDER = 20  # characters, spaces around it among them
_MESSAGE = re.compile(
    r"\btraceback \(most recent call last\)|\b(internal server error|rate limit(ed| exceeded)|request timed out"
    r"|timeout error|http(s)? (error|status)|(status|error) code:? [345]\d\d|api[ _]error"
    r"|connection (error|refused|reset|aborted)|bad gateway|too many requests|service unavailable"
    r"|\w{1,40}_error|context_length_exceeded|invalid_api_key|insufficient_quota"
    r"|out of memory)\b"
    r"|^\W*(error|exception|failed|failure)\b\s*[:\-–(\]>]"
    r"|\b\w{1,60}(Error|Exception):|^\W*\w{1,60}(Error|Exception)\W*$"
    r"|\bas an ai\b|^\W*(i'?m sorry|sorry)\b.{0,20}\b(i|but)\b"
    r"|\bi (cannot|can't|am unable to|am not able to) (assist|help|view|watch|see|process|analy[sz]e|provide|access)\b"
    r"|\b(could not|cannot|unable to|failed to) (process|load|open|decode|read) (the )?(video|file)\b",
    re.IGNORECASE,
)
# Some word of every message; asked first, for the expression is slow and texts are many.
_HINTS = (
    "error", "exception", "traceback", "fail", "limit", "timed out", "status", "gateway", "connection",
    "too many", "unavailable", "exceeded", "invalid_", "quota", "out of memory",
    " ai", "sorry", "cannot", "can't", "unable", "could not", "not able",
)  # fmt: skip
_FEWEST_LETTERS = 8  # of a text whose script is told


def texts_of(annotation: Annotation) -> list[tuple[str, str]]:
    """Return (field, text) of all that is written about a video: annotations, key sentences, questions, options."""
    found = [(field, text) for field in FIELDS if (text := getattr(annotation, field)) is not None]
    found += [("key sentences", text) for text in annotation.key_sentences]
    for query in annotation.queries:
        found += [(f"{query.task} question", query.text)] if query.text else []
        found += [(f"{query.task} option", option) for option in query.options if option.strip()]
    return found


def find_in_texts(dataset: Dataset) -> list[DataFinding]:
    """Return the texts of a data set that are no annotations, by field."""
    fields: dict[str, list[tuple[str, str]]] = {}
    for annotation in dataset.annotations:
        for field, text in texts_of(annotation):
            fields.setdefault(field, []).append((annotation.video, text))
    findings = []
    for field, texts in fields.items():
        scripts = [_script_of(text) for _, text in texts]
        usual = next((script for script, _ in Counter(filter(None, scripts)).most_common(1)), "")
        tests = {
            "placeholder": [not field.endswith("option") and _is_placeholder(text) for _, text in texts],
            "error-text": [_is_message(text) for _, text in texts],
            "language": [bool(script) and script != usual for script in scripts],
        }
        for rule, hits in tests.items():
            cases = [(video, hit) for (video, _), hit in zip(texts, hits, strict=True)]
            shown = (f"{video}: {text[:80]}" for (video, text), hit in zip(texts, hits, strict=True) if hit)
            said = f"most texts are {usual}" if rule == "language" else ""
            findings += finding_of(rule, dataset.name, cases, shown, task=field, text=said)
    return findings


def _is_placeholder(text: str) -> bool:
    return len(text) <= _LONGEST_PLACEHOLDER and bool(_PLACEHOLDER.fullmatch(text.strip()))


def _is_message(text: str) -> bool:
    lower = text.casefold()
    return any(hint in lower for hint in _HINTS) and bool(_MESSAGE.search(text))


def _script_of(text: str) -> str:
    """Return the script of most letters of a text, such as LATIN or CJK; empty where it has few letters."""
    if text.isascii():
        return "LATIN" if len(text) >= _FEWEST_LETTERS and text.upper() != text.lower() else ""
    scripts = Counter(_script(letter) for letter in text if letter.isalpha())
    wide = scripts["CJK"] + scripts["HIRAGANA"] + scripts["KATAKANA"] + scripts["HANGUL"]
    if sum(scripts.values()) + 3 * wide < _FEWEST_LETTERS:  # a letter there is a word elsewhere
        return ""
    return scripts.most_common(1)[0][0]


@lru_cache(maxsize=20_000)
def _script(letter: str) -> str:
    return unicodedata.name(letter, "UNKNOWN").split(" ")[0].split("-")[0]
