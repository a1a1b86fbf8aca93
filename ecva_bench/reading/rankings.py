"""Read the ranking that an answer gives: a list of numbers, the best first."""

from __future__ import annotations

import re

from ..records.readings import Reading
from .classes.cues import denied, example
from .text import plain

_ON_ONE_LINE = r"\d{1,2}(?: *[,;>] *\d{1,2})+"
_NUMBERS = r"\s*\d{1,2}(?:\s*[,;>]\s*\d{1,2})+\s*"
_LIST = re.compile(rf"\[({_NUMBERS})\]|^ *({_ON_ONE_LINE}) *\.? *$", re.MULTILINE)
_KEY = re.compile(r"(?:rank(?:ing|ed)?|order|answer|result|final|list|排序|答案|结果)[\w\s\"']{0,20}[:=][\s\[{(\"']*$")


def read_ranking(text: str, count: int, *, fewest: int = 1) -> Reading:
    """Return the ranking of `count` things that a text gives, in `Reading.order`: numbers from 1, the best first.

    A list counts where it names at least `fewest` of them, none twice and none that is not there. Of several lists
    that differ, one behind a word such as "ranking" is taken, and else none.
    """
    plain_text = plain(text)
    found: dict[tuple[int, ...], tuple[int, int]] = {}
    keyed: dict[tuple[int, ...], tuple[int, int]] = {}
    beside: list[str] = []
    for match in _LIST.finditer(plain_text):
        place = match.span(1) if match[1] else match.span(2)
        order = tuple(map(int, re.findall(r"\d+", plain_text[slice(*place)])))
        readable = fewest <= len(order) == len(set(order)) and set(order) <= set(range(1, count + 1))
        if not readable or denied(plain_text, *match.span()) or example(plain_text, match.start()):
            beside.append(text[slice(*place)])
            continue
        found.setdefault(order, place)
        if _KEY.search(plain_text[max(0, match.start() - 40) : match.start()]):
            keyed.setdefault(order, place)
    chosen = keyed if len(keyed) == 1 else found
    if len(chosen) != 1:
        others = (*beside, *(text[slice(*place)] for place in chosen.values()))
        return Reading(status="ambiguous" if chosen else "unread", others=others[:8])
    ((order, place),) = chosen.items()
    return Reading(order=order, places=(place,), rule="keyed list" if keyed else "list", others=tuple(beside[:8]))
