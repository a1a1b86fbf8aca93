"""Separate the final answer of a model that thinks aloud from its thought.

The marks are data, by family of models and each with its source: `thoughts.json`. The final answer is the text behind
the mark that ends the last thought. The mark that begins a thought may be absent, since many chat templates write it
themselves. Where there is no text behind the thought, the answer is the text before it. An unfinished thought is not an
answer. The answer may have a pair of marks of its own, such as `<answer>`. A mark in quotes, in JSON or in code is a
quotation.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..untrusted import parse_json

SWITCH = "enable_thinking"  # as templates of many families call it

_PATH = Path(__file__).with_suffix(".json")
_LONGEST = 200  # characters of a mark
# An XML-like tag of these names, with a suffix or attributes; one that is empty (`<think/>`) is a thought that is over.
_OPENS = r"(?i:<\s?(?:{0})(?::[\w.-]{{1,40}})?(?:\s[^<>]{{0,100}})?(?<!/)>)"
_CLOSES = r"(?i:</\s?(?:{0})(?::[\w.-]{{1,40}})?\s?>|<\s?(?:{0})(?:\s[^<>]{{0,100}})?/>)"
_AT_START = r"\A"
_SIGNS = ("<", "\\[", "◁")  # as most marks begin; where none of them stands, a text is passed over quickly
_SPECIAL = re.compile(r"</?s>|<\|[^|<>\s]{1,40}\|>|<turn\|>")
_LEAD = re.compile(rf"(?:\s|{_SPECIAL.pattern})*+")  # what may stand before the mark that begins a text
_VERBATIM = re.compile(r"\s*+[{`]")
_QUOTES = {"`": "`", '"': '"', "'": "'", "“": "”", "‘": "’", "「": "」", "『": "』"}


@dataclass(frozen=True)
class _Family:
    """What is known of a family's marks besides their form.

    `tag`: they may stand in prose, so that the one of a thought that is not over must begin a line. `prose`: so may
    both together; without its end there was no thought.
    """

    tag: bool = False
    prose: bool = False


@dataclass(frozen=True)
class _Mark:
    """A mark and its place. `kind`: it `opens` a thought, `closes` any, or closes only its `own` family's."""

    start: int
    end: int
    kind: str
    family: int


@dataclass(frozen=True)
class _Known:
    """The marks as data. `marks` has a group for each kind and family; one begins a text, or where `signs` finds it.

    `tokens` are those that marks consist of; `answers` are what opens and what closes an answer.
    """

    families: tuple[_Family, ...]
    signs: re.Pattern[str]
    marks: re.Pattern[str]
    tokens: frozenset[str]
    answers: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...]


def final_answer_range(text: str) -> tuple[int, int]:
    """Return which characters [start, end) of a text are the final answer: all of them where it has no thought.

    Else they are those behind the last thought or, where there are none, before it, without the blanks around them.
    """
    start, end = _between_thoughts(text)
    return (start, end) if (start, end) == (0, len(text)) else _taken_out(text, start, end)


def blank_thoughts(text: str) -> str:
    """Return a text of the same length in which all but the final answer is blank."""
    start, end = final_answer_range(text)
    return " " * start + text[start:end] + " " * (len(text) - end)


def without_thought(text: str) -> tuple[str, str]:
    """Return the final answer (`final_answer_range`), and the thought without the marks around it."""
    start, end = _between_thoughts(text)
    if (start, end) == (0, len(text)):
        return text, ""
    first, last = _taken_out(text, start, end)
    thought = (text[:start] + text[end:]).strip()
    marks = list(_marks_in(thought))
    if marks and marks[-1].kind != "opens" and marks[-1].end == len(thought):
        thought = thought[: _without_tokens(thought, 0, marks[-1].start)]
    if marks and marks[0].kind == "opens" and marks[0].start == 0:
        thought = thought[marks[0].end :]
    return text[first:last], thought.strip()


def opened_by(prompt: str) -> str:
    """Return the mark with which a prompt begins the thought, which the model does not repeat; else nothing."""
    tail = prompt.rstrip()[-_LONGEST:]
    return next((tail[m.start :] for m in _marks_in(tail) if m.kind == "opens" and m.end == len(tail)), "")


def is_mark(token: str) -> bool:
    """Return whether a token is a mark of thoughts or a part of one, so that text without it could not be read."""
    known = _known()
    return token in known.tokens or known.marks.fullmatch(token) is not None


def template_options(template: object, thinking: str) -> dict[str, bool]:
    """Return the options of a chat template that let a model think aloud (`yes`) or not (`no`); none for "".

    Raises `UsageError` where the template has no switch for it.
    """
    if thinking and SWITCH not in str(template):
        remedy = "leave thinking out, or take a checkpoint that does the one or the other"
        raise UsageError(f"the chat template has no switch {SWITCH}", f"thinking={thinking}", remedy)
    return {SWITCH: thinking == "yes"} if thinking else {}


def _between_thoughts(text: str) -> tuple[int, int]:
    """Return where the last thought that is over ends, and where one begins that is not, else the text's end.

    Where nothing stands there, but something before a thought that its mark begins, the two ends of that.
    """
    families = _known().families
    start, before = 0, (0, 0)
    opened: _Mark | None = None
    sure = False  # that `opened` begins a thought, though nothing ends it
    lead, verbatim = _beginning(text, start)
    for mark in _marks_in(text):
        if opened is None and verbatim:
            break
        if mark.kind != "opens":
            if mark.kind == "closes" or (opened and opened.family == mark.family):
                if opened is None or lead < opened.start:
                    before = (start, opened.start) if opened else (0, 0)
                start, opened, sure = mark.end, None, False
                lead, verbatim = _beginning(text, start)
        elif not sure:
            family = families[mark.family]
            sure = not family.prose and (not family.tag or mark.start <= lead or _begins_line(text, mark.start))
            opened = mark if sure or opened is None else opened
    end = opened.start if opened and sure else len(text)
    return (start, end) if lead < end or before == (0, 0) else before


def _beginning(text: str, start: int) -> tuple[int, bool]:
    """Return where the first word from `start` on stands, and whether what begins there is JSON or code."""
    lead = _LEAD.match(text, start)
    return lead.end() if lead else start, _VERBATIM.match(text, start) is not None


def _begins_line(text: str, place: int) -> bool:
    while place and text[place - 1] in " \t":
        place -= 1
    return place == 0 or text[place - 1] == "\n"


def _taken_out(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the range of the answer between two places, without final special tokens and without marks around it."""
    start, end = _trimmed(text, start, end)
    ended = _without_tokens(text, start, end)
    for opens, closes in _known().answers:
        first = opens.match(text, start, end)
        if first and not opens.search(text, first.end(), end):
            last = closes.search(text, first.end(), end)
            if last is None or last.end() >= ended:  # without its close, it was cut off
                start, end = _trimmed(text, first.end(), last.start() if last else ended)
                ended = end
    return start, ended


def _without_tokens(text: str, start: int, end: int) -> int:
    """Return where a text ends without the special tokens behind it."""
    while token := _SPECIAL.fullmatch(text, max(start, text.rfind("<", start, end)), end):
        if any(closes.fullmatch(token[0]) for _, closes in _known().answers):
            break
        end = _trimmed(text, start, token.start())[1]
    return end


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    return start, end


def _marks_in(text: str) -> Iterator[_Mark]:
    """Yield the marks of a text that are no quotations, in order."""
    known, end = _known(), 0
    for place in itertools.chain([0], (sign.start() for sign in known.signs.finditer(text))):
        match = known.marks.match(text, place) if place >= end else None
        if match and not _is_quoted(text, match.start(), match.end()):
            end = match.end()
            kind, _, family = str(match.lastgroup).partition("_")
            yield _Mark(match.start(), end, kind, int(family))


def _is_quoted(text: str, start: int, end: int) -> bool:
    """Return whether a place is within quotes, the first of which does not follow a word."""
    before, opening, after = text[max(0, start - 2) : start - 1], text[start - 1 : start], text[end : end + 1]
    return after != "" and _QUOTES.get(opening) == after and (before.isspace() or before in "([{:,")


@cache
def _known() -> _Known:
    data = parse_json(_PATH.read_text(encoding="utf-8"))
    names = "|".join(dict.fromkeys(re.escape(one["tag"]) for one in data["thoughts"] if "tag" in one))
    families, parts = (
        [_Family(tag=True)],
        [f"(?P<opens_0>{_OPENS.format(names)})|(?P<closes_0>{_CLOSES.format(names)})"],
    )
    signs, tokens = list(_SIGNS), set[str]()
    for number, one in enumerate((one for one in data["thoughts"] if "tag" not in one), 1):
        families.append(_Family(prose=one.get("prose", False)))
        forms = {"opens": one["open"], "closes": one.get("close"), "own": one.get("own_close")}
        parts += [f"(?P<{kind}_{number}>{form})" for kind, form in forms.items() if form]
        signs += [
            form for form in forms.values() if form and not form.removeprefix("(?:").startswith((*_SIGNS, _AT_START))
        ]
        tokens.update(one.get("tokens", ()))
    answers = tuple(map(_answer_marks, data["answers"]))
    return _Known(tuple(families), re.compile("|".join(signs)), re.compile("|".join(parts)), frozenset(tokens), answers)


def _answer_marks(one: Mapping[str, Any]) -> tuple[re.Pattern[str], re.Pattern[str]]:
    if "tag" in one:
        name = re.escape(one["tag"])
        return re.compile(_OPENS.format(name)), re.compile(_CLOSES.format(name))
    return re.compile(one["open"]), re.compile(one["close"])
