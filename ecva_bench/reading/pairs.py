"""Which two times of a text make a span: the second step of reading spans, each rule by its name.

`joined`: with a joint between (`12 s to 20 s`, `00:12 --> 00:20`, `between 12 and 20 s`); `listed`: in brackets, or
alone in a line or behind a label (`[12, 20, 24, 28]`); `first`, `last`: so many seconds of the video; `onward`: from a
time to its end; `whole`: all of it. Starts and ends named apart are paired by `roles`. A time is used once.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from .times import Time, TimeUnit
from .untimed import HEDGE, VIDEO

_FAR = 80  # characters that may stand between the two times of a pair
_NEAR = 48  # and characters on either side of it that say what it is

_TAG = r"</?[a-z_]{1,20}>"
_AFTER = (
    rf"(?:{_TAG}|\([a-z ]{{1,24}}\)|[\s\"')\]}}{{>|]|-(?= (?:and|to)\b)|"
    rf"(?:mark|point|in|into|of|the|this|{VIDEO}|approximately|approx|roughly|or so|starts?|starting)(?![a-z])|"
    r"左右|处|时|钟|附近|位置|开始|起|まで)*+"
)
_AHEAD = (
    rf"(?:{_TAG}|[\s\"'(\[{{}}<|]|{HEDGE}(?![a-z])|"
    r"(?:t\s?[=:]|times?|timestamps?|at|secs?|seconds?|segundos?|sekunden?|frames?|minutes?|mark|ends?|ending|el|die)"
    r"(?![a-z])[\s:=]*)*+"
)
_DASH = r"-{1,3}+>?|\\(?:to|(?:long)?rightarrow)|=+>|→|~|\.{2,5}+|…+|<=?\s?t\s?<=?|≤\s?t\s?≤"
_WORDS = (
    r"(?:all the way |right |up |(?:and )?(?:goes |continues |continuing |lasts |lasting |ending )|一|持续)?"
    r"(?:(?:to|until|till|til|through|thru|bis|hasta|al?|às|até|до)(?![a-z])|à(?![a-z])|直?到|至|から|부터)"
)
_JOINT = re.compile(rf"{_AFTER}(?:,\s?)?(?:(?P<dash>{_DASH})|{_WORDS}){_AHEAD}")
_AND = re.compile(rf"{_AFTER}(?:(?:and|y|et|und)(?![a-z])|&|和|与|及){_AHEAD}")
_COMMA = re.compile(rf"[\s\"']*+[,;]\s*+(?:[\"']|(?:{HEDGE}|t\s?=)\s*)*+")
_TWO_OF = re.compile(
    rf"(?:\bbetween(?: the)?(?: (?:time|timestamp|second|mark)s?)?(?: of)?|介于|在|\bzwischen|\bentre|\bstart(?:s|ing)? (?:and|&) end(?:s|ing)?\b[a-z ]{{0,20}})[:]?{_AHEAD}$"
)
_OPENED = re.compile(rf"[\[({{<][\s\"']*(?:{HEDGE}\s*|t\s?=\s*)*$")
_CLOSED = re.compile(r"[\s\"']*[\])}>]")
_WITH_MORE = re.compile(r"[\s\"']*,\s*[\"'a-z{]")
_ALONE_BEFORE = re.compile(rf"(?:^|\n|[:=])[\s*>#-]*(?:{HEDGE}\s*)*$")
_ALONE_AFTER = re.compile(r"[\s.]*(?:$|\n)")
# What stands before two bare numbers that are a span: a line's begin, a mark, a label, a word of time.
_INTRODUCED = re.compile(
    r"(?:(?:^|[\n:=\[({<|\"'→*•>∈])\s*(?:(?:\d{1,2}|[a-z])[.)])?|"
    r"\b(?:from|between|at|in|on|is|are|be|spans?|during|seconds?|secs?|times?|timestamps?|timeframe|segments?|events?|"
    r"anomaly|anomalies|interval|range|window|answer|response|results?|probably|likely|maybe|perhaps|actually|or|de|(?:range|interval|window|period) of|"
    r"von|desde|das|again|mark)|[从由自在是为于]|时间|片段|区间|,|;|\band)"
    rf"[\s*_#-]*(?:{HEDGE}\s*)*(?:from |between )?[\s\"'(\[<]*$"
)
_FIRST = re.compile(r"(?:\b(?:first|initial|opening)|(?<!之)前|最初的?|开头的?|起初的?)\s?(?:[~≈]|about)?\s*$")
_LAST = re.compile(
    r"(?:(?:^|\b(?:the|its|in|during|for|over)|[:\n(])\s*(?:last|final|closing)|最后的?)\s?(?:[~≈]|about)?\s*$"
)
_ONWARD = re.compile(rf"{_AFTER}(?:and )?(?:onwards?\b|on(?=\s?(?:[.,;!)]|$)))")
_WHOLE = re.compile(
    rf"(?:\bthroughout |\b(?:for |during |over |spans |covers |lasts )?the )(?:the )?(?:entire |whole |full )?"
    rf"(?:\d+(?:\.\d+)?[\s-]?s(?:econds?)? (?:of (?:the )?)?)?(?:(?:duration|length) of (?:the |this )?(?:entire |whole )?)?{VIDEO}\b(?! of|')|"
    r"整个(?:视频|片段|录像)|整段(?:视频|录像)|(?<!安)全程|从头到尾|始终"
)
_WHOLE_WORD = re.compile(r"throughout|entire|whole|full|duration|length|[一-鿿]")
_UNSURE = re.compile(
    r"(?:\boff by|±|\+/?-|\bplus or minus|\bmargin of|\buncertainty(?: of)?|\berror of|\bevery|\beach|\bwithin)\s*$"
)
_SPANS = re.compile(rf"\b(?:span|cover)(?:s|ning|ing)? (?:{HEDGE} )*$")
_MEASURED = re.compile(
    r"\b(?:speed|accelerat|decelerat|slow|increas|decreas|rise|rising|rose|drop|grow|grew|number of|count|score|temperature)"
)
_VAGUE = re.compile(
    r"\b(?:(?P<end>end|finish|stop|conclude)|start|begin|commence)(?:s|es|ed|ing|n?ning)?(?:[\s_]time)?[\"']?(?: is| was|\s?[:=])?"
    rf"(?: (?:somewhere|sometime))?(?: at| in| around|(?P<between> between))?\s*(?:{HEDGE}\s*)*$"
)
_STARTED = re.compile(r"\b(?:start|begin)[a-z]*\W{0,3}(?:and|to|or)?\W{0,3}$")
_COLUMN = re.compile(r"(?:start|begin|onset|end|finish|stop|offset)[a-z_]*[\"']?\s*[:=]\s*\[\s*[\"']?$")
_UNIT_BEHIND = re.compile(
    r"[\s\"']*[\])}][\s\"')\]}]*(?:(?P<seconds>(?:seconds?|secs?|s|segundos?|sekunden|secondes?)(?![a-z])|秒|초)"
    r"|(?:minutes?|mins?)(?![a-z])|分钟)"
)
_LINKED = re.compile(
    rf"[\s\"')\]}}]*+(?:,|;|&|和|与|以及)?+\s*+(?:and |or |then |also |again |once more )*+"
    rf"(?:from |between |[从在])?+{_AHEAD}"
)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two times, by a rule, at the characters [start, end). A `flaw` says why it cannot be a span."""

    first: Time
    last: Time
    rule: str
    start: int
    end: int
    flaw: str = ""


def find_pairs(text: str, times: Sequence[Time]) -> list[Pair]:
    """Return the pairs of a plain text's times that stand beside each other, in its order."""
    pairs = _sharp(text, list(_joined(text, times)))
    pairs += _listed(text, unused(times, pairs))
    pairs += _edged(text, unused(times, pairs))
    return _one_unit(text, sorted(pairs, key=lambda pair: pair.start))


def unused(times: Sequence[Time], pairs: Sequence[Pair]) -> list[Time]:
    """Return the times that no pair uses."""
    used = {time.start for pair in pairs for time in (pair.first, pair.last)}
    return [time for time in times if time.start not in used]


def paired(first: Time, last: Time, rule: str, flaw: str = "") -> Pair:
    """Return two times as a pair; what is no time, or a length where a time should be, is its flaw."""
    first, last = _sharing(first, last)
    if any(time.kind in ("other", "length") for time in (first, last)):
        flaw = flaw or "no time"
    return Pair(first, last, rule, min(first.start, last.start), max(first.end, last.end), flaw)


def _gap(pattern: re.Pattern[str], text: str, first: Time, last: Time) -> re.Match[str] | None:
    return pattern.fullmatch(text, first.end, last.start) if last.start - first.end <= _FAR else None


def _left(text: str, place: int) -> str:
    """Return what stands right before a place; cut where the line that is longer than that would seem to begin."""
    return ("…" if place > _NEAR else "") + text[max(0, place - _NEAR) : place]


def _joint(text: str, first: Time, last: Time) -> bool:
    match = _gap(_JOINT, text, first, last)
    return bool(match) and not (match["dash"] and "\n" in match[0] if match else False)


def _joined(text: str, times: Sequence[Time]) -> Iterator[Pair]:
    chain: list[Time] = []
    for time, following in zip_longest(times, times[1:]):
        chain.append(time)
        if following and _joint(text, time, following):
            continue
        if len(chain) == 3 and chain[0].label:
            chain = chain[1:]
        elif len(chain) == 3 and _is_whole(chain[0]) and _is_whole(chain[1]) and not _is_whole(time):
            chain = chain[:2]  # `0:12 - 0:20 - 2 men fight`
        if len(chain) == 2:
            yield _checked(text, *chain)
        elif len(chain) > 2:
            yield paired(chain[0], chain[-1], "joined", "chain")
        elif following and _gap(_AND, text, time, following) and _TWO_OF.search(_left(text, time.start)):
            yield _checked(text, time, following)
        chain = []


def _is_whole(time: Time) -> bool:
    """Return whether a time needs no other to be one."""
    return time.kind == "clock" or (time.kind == "time" and time.unit is not None)


def _sharp(text: str, pairs: Sequence[Pair]) -> list[Pair]:
    """Return the pairs; those that say how uncertain a start or an end is are none: `starts between 10 and 12 s`."""
    lefts = [_left(text, pair.start) for pair in pairs]
    vague = [match for left in lefts for match in [_VAGUE.search(left)]]
    vague = [match and (None if _STARTED.search(match.string[: match.start()]) else match) for match in vague]
    ends = any(match and match["end"] for match in vague)
    return [
        replace(pair, flaw="uncertain") if match and (ends or match["between"]) else pair
        for pair, match in zip(pairs, vague, strict=True)
    ]


def _checked(text: str, first: Time, last: Time) -> Pair:
    """Return a joined pair; two bare numbers that nothing introduces are none."""
    left = _left(text, first.start)
    flaw = ""
    bare = first.kind in ("bare", "word") and last.kind == first.kind
    if bare and (not _INTRODUCED.search(left) or _MEASURED.search(left)):
        flaw = "no time"
    elif _UNSURE.search(left) or _FIRST.search(left) or _LAST.search(left):
        flaw = "no time"
    if first.kind == "length" and (":" in text[first.start : first.end] or _SPANS.search(left)):
        first = replace(first, kind="time" if first.unit else "bare")  # `Duration: 0:12 - 0:20`, `spans 12 to 20 s`
    if first.kind == "clock" and last.kind == "bare" and last.end - last.start == 2 and last.value < 60:
        minute = first.value // 60 * 60  # `1:05-20`
        last = replace(last, kind="clock", value=minute + last.value)
    return paired(first, last, "joined", flaw)


def _listed(text: str, times: Sequence[Time]) -> Iterator[Pair]:
    run: list[Time] = []
    for time, following in zip_longest(times, times[1:]):
        run.append(time)
        if following is None or not _gap(_COMMA, text, time, following):
            if len(run) > 1:
                yield from _list(text, run)
            run = []


def _list(text: str, run: Sequence[Time]) -> Iterator[Pair]:
    left, end = _left(text, run[0].start), run[-1].end
    if _COLUMN.search(left):
        return  # `"starts": [12, 24]`: paired with the ends
    if _OPENED.search(left):
        if len(run) == 3 and run[2].kind == "bare" and run[2].value <= 1 < run[1].value:
            run = run[:2]  # a score stands behind
        whole = len(run) % 2 == 0 and (_CLOSED.match(text, end) or _WITH_MORE.match(text, end))
    else:
        whole = len(run) == 2 and _ALONE_BEFORE.search(left) and _ALONE_AFTER.match(text, end)
    whole = whole and all(time.kind != "other" for time in run)  # not where it is a box of numbers
    pairs = [paired(first, last, "listed") for first, last in zip(run[::2], run[1::2], strict=False)]
    if whole and len(pairs) > 1 and any(pair.first.value > pair.last.value for pair in pairs):
        whole = False  # a box, and no list of pairs
    yield from pairs if whole else [paired(run[0], run[-1], "listed", "no pairs")]


def _edged(text: str, times: Sequence[Time]) -> Iterator[Pair]:
    for time in times:
        left = _left(text, time.start)
        if time.kind in ("time", "length"):
            known = replace(time, kind="time")
            start, final = Time(time.start, time.start, "edge", 0.0), Time(time.end, time.end, "edge", math.inf)
            if _FIRST.search(left):
                yield paired(start, known, "first")
                continue
            if _LAST.search(left):
                yield paired(known, final, "last")
                continue
        if time.kind in ("time", "clock", "bare") and (onward := _ONWARD.match(text, time.end, time.end + _NEAR)):
            yield paired(time, Time(onward.end(), onward.end(), "edge", math.inf), "onward")
    for match in _WHOLE.finditer(text):
        if _WHOLE_WORD.search(match[0]):
            start, final = (
                Time(match.start(), match.start(), "edge", 0.0),
                Time(match.end(), match.end(), "edge", math.inf),
            )
            yield paired(start, final, "whole")


def _one_unit(text: str, pairs: Sequence[Pair]) -> list[Pair]:
    """Return the pairs with units that are named for several at once: `[12, 20] seconds`, `2-3 and 5-8 s`."""
    found = list(pairs)
    for n, pair in enumerate(found):
        behind = _UNIT_BEHIND.match(text, pair.end, pair.end + _NEAR)
        if behind:
            found[n] = with_unit(pair, "seconds" if behind["seconds"] else "minutes")
    for order in (range(len(found) - 1), range(len(found) - 2, -1, -1)):
        for n in order:
            one, other = found[n], found[n + 1]
            if other.start - one.end <= _FAR and _LINKED.fullmatch(text, one.end, other.start):
                found[n], found[n + 1] = with_unit(one, other.last.unit), with_unit(other, one.last.unit)
    return found


def _sharing(first: Time, last: Time) -> tuple[Time, Time]:
    """Return two times, the bare one of them with the unit of the other: `3 to 12 seconds`, `frames 3 to 12`."""
    if "frame" in (first.kind, last.kind):
        first, last = (replace(time, kind="frame") if time.kind == "bare" else time for time in (first, last))
    return _named(first, last.unit), _named(last, first.unit)


def _named(time: Time, unit: TimeUnit | None) -> Time:
    if unit is None or time.kind not in ("bare", "word"):
        return time
    return replace(time, kind="time", value=time.value * (60 if unit == "minutes" else 1), unit=unit)


def with_unit(pair: Pair, unit: TimeUnit | None) -> Pair:
    """Return a pair whose bare numbers have a unit."""
    return replace(pair, first=_named(pair.first, unit), last=_named(pair.last, unit))
