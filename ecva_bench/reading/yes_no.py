"""Read whether an answer says that there is an anomaly: by yes or no, or by a statement that there is or is none.

A yes or no counts where it is named as the answer, and at the beginning of the text or of a line; else what is said of
anomalies counts (`no anomaly is visible`, `the video is normal`), those parts left out that only suppose one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..records.scores import Reading
from .boxes import boxed
from .text import ends, plain

VERSION = 1  # part of signatures: a change of what is read is another metric

_YES = r"yes|yeah|yep|yup|true|affirmative|correct"
_NO = r"no|nope|false|negative"
# `no doubt`, `no. 3` and `no one else` say no `no`; `no anomaly` does.
_WORD = (
    rf"(?:(?<![a-z])(?:(?P<yes>{_YES})|(?P<no>{_NO})(?!\.?\s*\d|\s+(?:doubt|question|one|matter)\b))(?![a-z'\-])|"
    r"(?P<zh_no>不是|没有|否|不存在|无异常|无(?![a-z一-鿿]))|(?P<zh_yes>是的?|有|存在)(?=[\s.,;:!]|异常|$))"
)
_CUE = (
    r"(?<![a-z])(?:answers?|conclusion|verdict|judge?ment|result|response|prediction|detected|decision|anomal(?:y|ies|ous)|"
    r"abnormal(?:ity)?|is_?anomal(?:y|ous)|has_?anomaly|anomaly_?detected|so|therefore|thus|hence|"
    r"say|think|definitely|certainly|absolutely|clearly)(?![a-z])|"
    r"答案|结论|判断|结果|回答|因此|所以|异常"
)
_LINK = (
    r"(?:[\s\"'(\[{:=>,*_\-]|(?<![a-z])(?:is|are|would|be|should|my|the|final|answer|present|exists?|detected|event|"
    r"clearly|definitely|simply|probably|likely)(?![a-z])|是(?=[\s:]*(?:否|没))|为){0,60}"
)
_STATED = re.compile(rf"(?:{_CUE}){_LINK}{_WORD}")
_FIRST = re.compile(
    rf"(?:^|\n|[.!]\s)[\s\"'(\[{{\-*#>•]{{0,100}}+(?:(?:well|actually|okay|ok|hmm|so|oh)[,\s]+)*{_WORD}"
)
_FINAL = re.compile(
    r"\bfinal(?:ly)?\b|\bin conclusion\b|\boverall\b|\btherefore\b|\bthus\b|\bhence\b|最终|综上|因此|所以"
)
_TAKEN_BACK = re.compile(r"\b(?:wait|actually|correction|on second thought|let me re\w+)\b")

_FEW = 2  # words: `normal` alone is an answer
_ALONE = re.compile(r"[\s\"')\]}>]*(?:[.,;:!\n]|$)")
_ALSO = re.compile(r"\s*(?:/|\bor\b|\band\b)\s*(?:yes|no)\b")
_SENTENCE = re.compile(r"[^.!?;\n]+")
_CLAUSE = re.compile(r"\b(?:but|however|although|though|while|yet)\b|但|不过")
_ANOMALY = re.compile(
    r"(?<![a-z])(?:anomal(?:y|ies|ous)|abnormal(?:it(?:y|ies)|ly)?|unusual(?: events?)?|irregularit(?:y|ies)|"
    r"out of the ordinary|suspicious|wrong)(?![a-z])|异常|反常"
)
_NORMAL = re.compile(r"(?<![a-z])(?:normal(?:ly)?|ordinary|as usual|routine|uneventful)(?![a-z])|正常")
_OF_ALL = re.compile(
    r"\b(?:video|scene|footage|clip|everything|all|situation|traffic|events?|activit(?:y|ies)|behaviou?r|it|this|"
    r"nothing but|only)\b|视频|一切|画面|场景|行为"
)
_NEGATED = re.compile(
    r"\b(?:no(?! doubt| question)|not|never|nothing|none|neither|nor|without|free (?:of|from)|absence of|"
    r"lack(?:s|ing)? (?:of)?|cannot|fail(?:s|ed)? to)\b|n't\b|没有|没|无|未|不"
)
_SUPPOSED = re.compile(
    r"\b(?:if|whether|may|might|could|possibly|perhaps|unclear|hard to (?:say|tell)|at first|initially|until|"
    r"(?:cannot|can't) (?:say|tell|determine|answer))\b|如果|是否|可能"
)


class _Said(NamedTuple):
    """What is said at a place: whether there is an anomaly, and whether it is the last word on it."""

    yes: bool
    start: int
    end: int
    final: bool


def read_yes_no(text: str) -> Reading:
    """Return whether an answer says that there is an anomaly: `yes` of the reading, None where it is not read.

    Yes and no, both as the answer, are `ambiguous`.
    """
    plain_text = boxed(ends(plain(text)))
    for rule, found in (
        ("answer", list(_words(plain_text, _STATED))),
        ("first", list(_words(plain_text, _FIRST))),
        ("statement", list(_statements(plain_text))),
    ):
        if found:
            return _reading(text, plain_text, found, rule)
    return Reading(status="unread")


def _reading(text: str, plain_text: str, found: Sequence[_Said], rule: str) -> Reading:
    back = max((match.end() for match in _TAKEN_BACK.finditer(plain_text)), default=0)
    found = [one for one in found if one.start >= back] or found
    if len({one.yes for one in found}) > 1:
        found = [one for one in found if one.final] or found
    places = tuple((one.start, one.end) for one in found)[:8]
    if len({one.yes for one in found}) > 1:
        others = tuple(dict.fromkeys(text[start:end] for start, end in places))
        return Reading(status="ambiguous", rule=rule, places=places, others=others)
    return Reading(yes=found[0].yes, rule=rule, places=places)


def _words(plain_text: str, pattern: re.Pattern[str]) -> Iterator[_Said]:
    for match in pattern.finditer(plain_text):
        group = next(name for name in ("yes", "no", "zh_yes", "zh_no") if match[name] is not None)
        start, end = match.span(group)
        later = pattern is _FIRST and re.search(r"\w", plain_text[:start])
        if later and not _ALONE.match(plain_text, end):
            continue  # `yes, a man falls. No further details`
        final = _FINAL.search(plain_text, max(0, match.start() - 40), start) is not None
        yield _Said(group.endswith("yes"), start, end, final)
        if _ALSO.match(plain_text, end):
            yield _Said(not group.endswith("yes"), start, end, final)


def _statements(plain_text: str) -> Iterator[_Said]:
    """Yield what the clauses of a text say of anomalies; a clause that supposes one or asks for it says nothing."""
    for sentence in _SENTENCE.finditer(plain_text):
        if plain_text[sentence.end() : sentence.end() + 1] == "?":
            continue
        final = _FINAL.search(sentence[0]) is not None
        start = sentence.start()
        for clause in _CLAUSE.split(sentence[0]):
            at = plain_text.index(clause, start)
            start = at + len(clause)
            if _SUPPOSED.search(clause):
                continue
            anomaly, normal = _ANOMALY.search(clause), _NORMAL.search(clause)
            if anomaly:
                denied = _NEGATED.search(clause) is not None
                yield _Said(not denied, at + anomaly.start(), at + anomaly.end(), final)
            elif normal and (_OF_ALL.search(clause) or len(clause.split()) <= _FEW):
                denied = _NEGATED.search(clause, 0, normal.start()) is not None
                denied &= re.search(r"nothing but\W*$", clause[: normal.start()]) is None
                yield _Said(denied, at + normal.start(), at + normal.end(), final)
