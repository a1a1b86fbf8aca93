"""What stands around a number and says that it is no time: a count, an age, a class, a speed, a length, a clock's hour.

Every rule sees the few characters on the left or on the right of a number, in plain text.
"""

from __future__ import annotations

import re

VIDEO = r"(?:video|clip|footage|recording|film|sequence|timeline)"
HEDGE = (
    r"(?:(?:right|just|shortly) (?:before|after)|maybe|perhaps|possibly|probably|about|approximately|approx\.?|around|"
    r"roughly|nearly|almost|circa|ca\.|c\.|some|exactly|just|precisely|only|near|the|very|its|a|an|=|≈|~|大约|大概|约|近|将近|第)"
)

_OPENING = r"""[\s"'(\[{<]*+"""
_SET_TO = rf"""["')\]]?\s*(?:[:=#]|\b(?:is|was|of|are)\b)?{_OPENING}$"""
_NAMED = re.compile(  # what is counted or numbered and never timed, before its number
    r"(?<![a-z])(?:class(?:es)?|categor(?:y|ies)|type|label|level|severity|score|confidence|probability|aged?|car|"
    r"vehicle|truck|bus|bike|driver|person|people|man|men|woman|women|pedestrian|suspect|officer|camera|cam|channel|lane|"
    r"step|stage|phase|option|figure|number|no\.|nr\.?|id|route|room|floor|gate|platform|line|track|train|section|"
    r"chapter|item|case|example|question|version|plate|width|height|speed|rank|index|idx|count|total|temperature|street|"
    r"house|highway|exit|unit|player|object|group|team|fps|bbox|box(?:es)?|coordinate|position|resolution|size|date|"
    r"year|road|zone|area|importance|weight|iou|priority)s?(?:[\s_]?(?:number|no\.?|ids?|index|code|2d|involved|present|visible))?"
    + _SET_TO
)
_NUMBERED = re.compile(r"(?:[#№/×@$€£¥]|[类别级]|编号|年龄|数量|概率|置信度|严重程度|车牌|尾号|号码)\s*[:=为是]?\s*$")
_SPAN_NAMED = re.compile(
    r"(?<![a-z])(?:event|anomaly|segment|clip|scene|part|interval|window|shot|incident|moment|片段|事件)"
    r"(?P<many>s|ies)?\s?[#(]?\s?$"
)
_SET_APART = re.compile(r"\s?[:(\[]|\)|\s(?:of|from|is|was|starts|begins|takes|occurs|happens|lasts)\b")
_LISTING = re.compile(r"[.):](?:\s|$)")
_LIST_MARK = re.compile(r"(?:^|\n)[\s#>|*-]*$")
_FRAME = re.compile(
    r"(?:(?<![a-z])frames?(?:_[a-z]{1,12})?|(?<=_)frames?|帧)[\s_]*(?:start|end|begin|number|no\.?|index|idx|ids?|range|from|between)?"
    + _SET_TO
)
_LASTING = re.compile(
    rf"(?:\bfor|\bwait(?:s|ed|ing)?|\blast(?:s|ed|ing)?(?: for)?|\bspan(?:s|ning)|"
    rf"\b(?:duration|length|runtime)[\"']?(?: of| is|\s?[:=])?|"
    rf"\btak(?:es|ing)|\btotal(?:l?ing|s)?(?: of|:)?|持续了?|历时|长达|时长为?:?)[\s\"']*(?:{HEDGE}\s*)*$"
)
_VIDEO_LONG = re.compile(
    rf"\b{VIDEO}(?:'s)?(?: itself)? (?:is|lasts|runs|has|duration|length|total|of)"
    rf"(?: (?:is|duration|length|total|of|for|only))*:? ?(?:{HEDGE} ?)*$"
)
_DECADE = re.compile(r"\b(?:his|her|their|my|mid|early|late)[\s-]$")
_UNIT = re.compile(
    r"(?:(?<![a-z])(?P<unit>sec|second|segundo|secondo|sekunde|seconde|ms|min|minute)[sn]?|(?<=[(_\[])s)"
    r"\s?(?:[)\]]\s?[:=#]|\s|[\"']?\s?[:=#])" + _OPENING + "$"
)
# A sign, or a hyphen in a name: `-1`, `gpt-4`.
_MINUS = re.compile(r"(?:^|[(\[,:=\"'{]|\b(?:to|from|and|is|at))\s*[-+]$|[a-z]-$")

_LONG = re.compile(
    rf"[\s-](?:long\b|in (?:total|length|duration)\b|total\b|later\b|(?:of )?{VIDEO}\b(?! (?:mark|point)))"
)
_MEASURE = re.compile(
    r"\s?(?:%|‰|°|percent\b|degrees?\b|fps\b|hz\b|k[mg]|kph|mph|m/s|[kmg]?bits?\b|[kmg]?bps\b|met(?:er|re)s?\b|[cm]m\b|"
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?)\b|may \d{4}|"
    r"lbs?\b|px\b|pixels?\b|years?\b|yrs?\b|months?\b|weeks?\b|days?\b|times\b|x\b|o'clock|[ap]\.?m\b|[名个辆人岁位次公米点年月日号楼层类级条])"
    r"|-(?!to-|-|>)[a-z]"
)
_ADJECTIVE = r"(?:young|old|other|more|black|white|red|blue|large|small|different|separate|armed|masked|parked|of the)"
_PLURAL = re.compile(
    rf"\s(?:{_ADJECTIVE} )*+(?!(?:is|was|has|as|bis|this|its|his|us|does|shows|depicts|contains|features|captures|"
    r"involves|marks|covers|corresponds|represents|across|plus|versus|always|perhaps|thus|unless|onwards|afterwards|towards|"
    r"seconds|secs|minutes|mins|less)\b)(?:[a-z]{2,}s|people|men|women|children|police)\b"
)
_AWAY = re.compile(r"\s(?:away|apart|tall|high|wide|deep|above|below|from the (?:camera|car|road))\b")


def is_none(kind: str, left: str, right: str) -> bool:
    """Return whether a number is no time at all."""
    if _MINUS.search(left):
        return True
    if kind == "clock":
        return bool(_MEASURE.match(right))
    if kind == "time":
        return bool(_DECADE.search(left) or _AWAY.match(right))
    if kind in ("bare", "word"):
        if _MEASURE.match(right) or _PLURAL.match(right) or _NAMED.search(left):
            return True
        if _NUMBERED.search(left) and not _FRAME.search(left):
            return True
        named = _SPAN_NAMED.search(left)
        if named and (named["many"] or _SET_APART.match(right)):
            return True
        return bool(_LIST_MARK.search(left) and _LISTING.match(right))
    return False


def is_length(left: str, right: str) -> bool:
    """Return whether a time says how long something lasts, or the video is, rather than when."""
    return bool(_LASTING.search(left) or _VIDEO_LONG.search(left) or _LONG.match(right))


def of_frames(left: str) -> bool:
    """Return whether a bare number counts frames."""
    return bool(_FRAME.search(left))


def unit_before(left: str) -> str | None:
    """Return the unit that stands before a number (`second 12`, `"start_s": 12`): seconds, minutes, ms, or None."""
    match = _UNIT.search(left)
    unit = match and (match["unit"] or "s")
    return unit and ("ms" if unit == "ms" else "minutes" if unit.startswith("min") else "seconds")


def numbers_a_span(left: str) -> bool:
    """Return whether a number may say which span follows (`Event 1 - 12 to 20`) rather than when."""
    return bool(_SPAN_NAMED.search(left) or _LIST_MARK.search(left))
