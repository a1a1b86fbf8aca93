"""The times a text names, and the numbers that are none: the first step of reading spans. Knows nothing of pairs.

Works on text made `plain`. A number is a time by its form (`1:02.5`, `0m12s`), by its unit (`12 s`, `the 12th second`,
`十二秒`) or, where it is bare, by what stands around it (`untimed`). Linear in the text's length: what is looked at
around a number is bounded.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import Literal

from ..units import TimeUnit
from .numerals import CHINESE, ENGLISH, number
from .untimed import HEDGE, VIDEO, is_length, is_none, numbers_a_span, of_frames, unit_before

# `bare` and `word` (twelve) lack a unit; `edge` is the beginning (0) or the end (infinity) of the video; `length` is a
# duration; `other` is no time, or one that does not exist (`1:75`).
Kind = Literal["time", "clock", "bare", "word", "frame", "edge", "length", "other"]

_WINDOW = 48  # characters that are looked at on either side of a number

_N = rf"(?-x:\d{{1,8}}(?:\.\d+)?|{ENGLISH}|{CHINESE})"
_HOUR = r"(?:hours?|hrs?|h|小时)(?![a-z])"
_MINUTE = r"(?:minutes?|mins?|m|minuten|minutos?|分钟|分(?!之)|분)(?![a-z/])"
_SECOND = (
    r"(?:seconds?|secs?|s|sekunden?|segundos?|secondes?|secondi|сек|секунд[аыу]?|秒钟?|초)(?![a-z])"
    r"(?:(?<=sec)\.(?=\s?(?:-|to|and|until|till|→|,)))?"
)
_THEN = r"\s*+(?:,|and\b|零|又)?\s*+"
_GAP = r"(?:st|nd|rd|th|-?ish)?(?:[\s{]*+|-)"
_TIME = re.compile(
    rf"""(?<![\da-z_])(?=half|{_N})(?<![^.]\.)(?<!\d:)(?:
    (?P<date>\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}} | \d{{1,4}}/\d{{1,4}}(?:/\d{{2,4}})?)
  | (?P<clock>\d{{1,3}}(?::\d{{1,3}})+(?:\.\d+|,\d{{3}}(?![\d:]))?)(?:\s?(?:{_HOUR}|{_MINUTE}|{_SECOND}))?
  | (?P<primes>\d{{1,2}}'\d{{1,2}}(?:"|''))
  | (?P<hour>{_N}){_GAP}{_HOUR}(?:{_THEN}(?P<hour_minute>{_N}){_GAP}{_MINUTE})?
        (?:{_THEN}(?P<hour_second>{_N}){_GAP}{_SECOND})?
  | (?P<minute>{_N}){_GAP}{_MINUTE}(?:{_THEN}(?P<minute_second>{_N}){_GAP}{_SECOND})?
  | (?P<comma>(?<![\[(])\d{{1,4}},\d)\s?{_SECOND}
  | (?P<second>{_N}){_GAP}{_SECOND}(?:{_THEN}(?P<second_milli>\d{{1,3}})\s?ms(?![a-z]))?
  | (?P<milli>{_N}){_GAP}(?:milliseconds?|msecs?|ms|毫秒)(?![a-z])
  | (?P<frame>\d{{1,8}}){_GAP}(?:frames?(?![a-z])|帧)
  | (?P<half>half\ a\ minute|半分钟)
  | (?P<bare>\d{{1,8}}(?:\.\d+)?)(?:st|nd|rd|th)?
  | (?P<word>(?-x:{ENGLISH})|{CHINESE}(?=到第?{CHINESE}秒|至第?{CHINESE}秒))
)(?![a-z]|\.?\d|:\d)""",
    re.VERBOSE,
)

# In a verbose pattern, too.
_OF_VIDEO = rf"(?-x: of (?:the |this )?(?:entire |whole |full )?(?:\d+[- ]second |\d+ ?s )?{VIDEO})"
_ALONE = (
    r"""(?-x:\b(?! of|\s?["']?\s?[:=]|[_>]|[\s_-]?(?:time|sec|point|frame)|"""
    r""",?\s?(?:at |is |time |around |about |near |by |[-=→>≈~*:]+\s?)?\d))"""
)
_EDGE = re.compile(
    rf"""(?<![a-z_</])(?:
    (?P<end>(?:end(?:ing)?|finish|conclusion){_OF_VIDEO} | (?:end|finish){_ALONE}
        | (?P<rest>(?:rest|remainder){_OF_VIDEO})
        | {VIDEO}(?:'s)?\ (?:ends?|ending|finish(?:es)?|is\ over|concludes|stops)\b
        | (?:视频|录像|画面|片段)?的?(?:结束|结尾|末尾|最后|终点)(?!于|时间|在|["']?[:=]))
  | (?P<start>(?:beginning|start|outset|opening){_OF_VIDEO} | (?P<alone>(?:beginning|start|outset){_ALONE})
        | (?:视频|录像|画面|片段)?的?(?:一开始|开头|开始|起始)(?=到|至|直到))
)""",
    re.VERBOSE,
)
_UP_TO = re.compile(
    r"(?:\b(?:to|until|till|til|through|thru)\b|\bbetween\b[^.;]{1,40}\band\b|(?<=[\da-z\s])-|→|>|到|至|"
    r"[\ds][\"']?,|\b(?:end|stop|finish)[a-z_]*\s?[\"']?\s?:)"
    rf"[\s\"'\[(]*(?:{HEDGE}\s*)*$"
)
_SINCE = re.compile(
    rf"(?:\b(?:from|since|between)|从|自|\b(?:start|begin)[a-z_]*(?:\s?[\"']?\s?:| (?:right )?at\b))"
    rf"[\s\"'\[(]*(?:at )?(?:{HEDGE}\s*|this )*$"
)
_GOES_ON = re.compile(r"\s?(?:-|→|(?:up )?to\b|until\b|till\b|through\b|到|至)")


@dataclass(frozen=True, slots=True)
class Time:
    """A number in a text, at the characters [start, end). `value` is in seconds but for `bare`, `word` and `frame`.

    `unit` is the one it names, which a bare partner shares; a `label` may number what follows it: `Segment 1`.
    """

    start: int
    end: int
    kind: Kind
    value: float
    unit: TimeUnit | None = None
    label: bool = False


def find_times(text: str) -> list[Time]:
    """Return the numbers of a plain text in its order, each with what it is, and the edges of the video it names."""
    found: list[Time] = []
    for match in _TIME.finditer(text):
        found.append(_judged(_shaped(match), text, found[-1].end if found else 0))
    edges = [edge for match in _EDGE.finditer(text) if (edge := _edge(match, text))]
    return sorted([*found, *edges], key=lambda time: time.start) if edges else found


def _shaped(match: re.Match[str]) -> Time:
    """Return what a number is by its form alone."""
    start, end = match.span()
    matched = {name: text for name, text in match.groupdict().items() if text}
    if "clock" in matched or "primes" in matched:
        seconds = _clock(matched.get("clock") or matched["primes"])
        return Time(start, end, "other" if seconds is None else "clock", seconds or 0.0)
    if "date" in matched:
        return Time(start, end, "other", 0.0)
    if "half" in matched:
        return Time(start, end, "time", 30.0, "minutes")
    if "bare" in matched:
        return Time(start, end, "bare", float(matched["bare"]))
    if "comma" in matched:  # 8,5 s
        return Time(start, end, "time", float(matched["comma"].replace(",", ".")), "seconds")
    value = {name: number(text) for name, text in matched.items()}
    if "word" in matched:
        return Time(start, end, "word", value["word"])
    if "frame" in matched:
        return Time(start, end, "frame", value["frame"])
    seconds = (
        sum(value.get(name, 0) for name in ("second", "minute_second", "hour_second"))
        + (value.get("milli", 0) + value.get("second_milli", 0)) / 1e3
    )
    minutes = value.get("minute", 0) + value.get("hour_minute", 0) + 60 * value.get("hour", 0)
    return Time(start, end, "time", 60 * minutes + seconds, "minutes" if minutes else "seconds")


def _judged(time: Time, text: str, before: int) -> Time:
    """Return what a number is by what stands around it; `before` is where the number before it ends."""
    cut = max(before, time.start - _WINDOW)
    left = ("…" if cut else "") + text[cut : time.start]
    right = text[time.end : time.end + _WINDOW]
    if is_none(time.kind, left, right):
        return replace(time, kind="other")
    if time.kind in ("bare", "word"):
        if of_frames(left):
            return replace(time, kind="frame")
        if unit := unit_before(left):
            scale = {"ms": 1e-3, "minutes": 60.0}.get(unit, 1.0)
            return replace(
                time, kind="time", value=scale * time.value, unit="minutes" if unit == "minutes" else "seconds"
            )
        if is_length(left, right):
            return replace(time, kind="length")
        return replace(time, label=numbers_a_span(left))
    if time.kind in ("time", "clock") and is_length(left, right):
        return replace(time, kind="length", unit=time.unit or "seconds")
    return time


def _clock(text: str) -> float | None:
    """Return the seconds of `1:02.5`, `1:02:03,500` or `1'02"`; None where there is no such time."""
    *larger, seconds = text.rstrip("\"'").replace("'", ":").replace(",", ".").split(":")
    parts = [*larger, seconds.partition(".")[0]]
    if len(parts) > 3 or any(len(part) != 2 or part > "59" for part in parts[1:]):
        return None
    minutes = 0
    for part in larger:
        minutes = 60 * minutes + int(part)
    return 60 * minutes + float(seconds)


def _edge(match: re.Match[str], text: str) -> Time | None:
    """Return the beginning of the video where something is since it, its end where something goes up to it."""
    left = text[max(0, match.start() - _WINDOW) : match.start()]
    if match["end"]:
        return Time(*match.span(), "edge", math.inf) if match["rest"] or _UP_TO.search(left) else None
    since = _SINCE.search(left) or (not match["alone"] and _GOES_ON.match(text, match.end()))
    return Time(*match.span(), "edge", 0.0) if since else None
