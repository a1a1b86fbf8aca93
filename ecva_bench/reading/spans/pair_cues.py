"""What stands between the two times of a span, before them and behind them.

Patterns over plain text (`text.plain`). `JOINT`, `AND`, `COMMA` and `LINKED` are to match all that stands between two
times, or two pairs; those that end in `$` what stands right before one. Knows no time.
"""

from __future__ import annotations

import re

from .untimed import HEDGE, VIDEO

_TAG = r"</?[a-z_]{1,20}>"
_AFTER = (  # what may belong to the time before
    rf"(?:{_TAG}|\([a-z ]{{1,24}}\)|[\s\"')\]}}{{>|]|-(?= (?:and|to)\b)|"
    rf"(?:mark|point|in|into|of|the|this|{VIDEO}|approximately|approx|roughly|or so|starts?|starting)(?![a-z])|"
    r"左右|处|时|钟|附近|位置|开始|起|まで|까지)*+"
)
_AHEAD = (  # what may belong to the time behind
    rf"(?:{_TAG}|[\s\"'(\[{{}}<|]|{HEDGE}(?![a-z])|"
    r"(?:t\s?[=:]|times?|timestamps?|at|secs?|seconds?|segundos?|sekunden?|frames?|minutes?|mark|ends?|ending|el|die)"
    r"(?![a-z])[\s:=]*)*+"
)
_DASH = r"-{1,3}+>?|\\(?:to|(?:long)?rightarrow)|=+>|→|~|\.{2,5}+|…+|<=?\s?t\s?<=?|≤\s?t\s?≤"
_WORDS = (
    r"(?:all the way |right |up |(?:and )?(?:goes |continues |continuing |lasts |lasting |ending )|一|持续)?"
    r"(?:(?:to|until|till|til|through|thru|bis|hasta|al?|às|até|до|по)(?![a-z])|à(?![a-z])|直?到|至|から|부터|에서)"
)
JOINT = re.compile(rf"{_AFTER}(?:,\s?)?(?:(?P<dash>{_DASH})|{_WORDS}){_AHEAD}")
AND = re.compile(rf"{_AFTER}(?:(?:and|y|et|und)(?![a-z])|&|和|与|及){_AHEAD}")
COMMA = re.compile(rf"[\s\"']*+[,;]\s*+(?:[\"']|(?:{HEDGE}|t\s?=)\s*)*+")
LINKED = re.compile(
    rf"[\s\"')\]}}]*+(?:,|&|和|与|以及)?+\s*+(?:and |or |then |also |again |once more )*+"
    rf"(?:from |between |[从在])?+{_AHEAD}"
)

# Before two times with `and` between that are a span.
BETWEEN = re.compile(
    r"(?:\bbetween(?: the)?(?: (?:time|timestamp|second|mark)s?)?(?: of)?|介于|在|\bzwischen|\bentre|"
    rf"\bstart(?:s|ing)? (?:and|&) end(?:s|ing)?\b[a-z ]{{0,20}}):?{_AHEAD}$"
)
# Before two bare numbers that are a span: a line's begin, a mark, a label, a word of time.
INTRODUCED = re.compile(
    r"(?:(?:^|[\n:=\[({<|\"'→*•>∈])\s*(?:(?:\d{1,2}|[a-z])[.)])?|"
    r"\b(?:from|between|at|in|is|are|be|spans?|during|seconds?|secs?|times?|timestamps?|timeframe|segments?|events?|"
    r"anomaly|anomalies|interval|range|window|answer|response|results?|probably|likely|maybe|perhaps|actually|"
    r"(?:range|interval|window|period) of|de|von|desde|das|again|mark)|[从由自在是为于]|时间|片段|区间|"
    r"[\ds\])\"']\s?(?:[,;]|,? ?\b(?:and|or)\b))"
    rf"[\s*_#-]*(?:{HEDGE}\s*)*(?:from |between )?[\s\"'(\[<]*$"
)
# Before two numbers that are none: how far off a time is, how often; what is measured; years.
UNSURE = re.compile(
    r"(?:\boff by|±|\+/?-|\bplus or minus|\bmargin of|\buncertainty(?: of)?|\berror (?:of|is)|\bgive or take|"
    r"\baccura[a-z]* of|\btolerance of|\bevery|\beach|\bwithin)\s*$"
)
MEASURED = re.compile(
    r"\b(?:speed|accelerat|decelerat|slow|increas|decreas|rise|rising|rose|drop|grow|grew|number of|count|score|"
    r"temperature)"
)
YEARS, IN_YEARS = range(1900, 2100), re.compile(r"\b(?:from|between|in|since|years?)\s*$")
# Before two times that say how uncertain one is: `starts between 10 and 12 s`; but not `start and end: 12-20`.
VAGUE = re.compile(
    r"\b(?:(?P<end>end|finish|stop|conclude)|start|begin|commence)(?:s|es|ed|ing|n?ning)?(?:[\s_]time)?[\"']?"
    r"(?: is| was|\s?[:=])?(?: (?:somewhere|sometime))?(?: at| in| around|(?P<between> between))?"
    rf"\s*(?:{HEDGE}\s*)*$"
)
STARTED = re.compile(r"\b(?:start|begin)[a-z]*\W{0,3}(?:and|to|or)?\W{0,3}$")
SPANNED = re.compile(rf"\b(?:span|cover)(?:s|ning|ing)? (?:{HEDGE} )*$")

OPENED = re.compile(rf"[\[({{<][\s\"']*(?:{HEDGE}\s*|t\s?=\s*)*$")
CLOSED = re.compile(r"[\s\"']*[\])}>]|[\s\"']*,\s*[\"'a-z{]")  # or more than times stands in the list
ALONE_BEFORE = re.compile(rf"(?:^|\n|[:=>])[\s*>#-]*(?:{HEDGE}\s*)*$")
ALONE_AFTER = re.compile(r"[\s.]*(?:$|\n|</)")
COLUMN = re.compile(r"(?:start|begin|onset|end|finish|stop|offset)[a-z_]*(?: times?)?[\"']?\s*[:=]\s*(?:\[\s*[\"']?)?$")
UNIT_BEHIND = re.compile(
    r"[\s\"']*[\])}][\s\"')\]}]*(?:(?P<seconds>(?:seconds?|secs?|s|segundos?|sekunden|secondes?)(?![a-z])|秒|초)|"
    r"(?:minutes?|mins?)(?![a-z])|分钟)"
)

FIRST = re.compile(
    r"(?:(?<!after the )(?<!after )(?<!beyond the )(?<!except the )\b(?:first|initial|opening)|"
    r"(?<!之)前|最初的?|开头的?|起初的?)\s?(?:[~≈]|about)?\s*$"
)
LAST = re.compile(
    r"(?:(?:^|\b(?:the|its|in|during|for|over)|[:\n(])\s*(?:last|final|closing)|最后的?)\s?(?:[~≈]|about)?\s*$"
)
ONWARD = re.compile(rf"{_AFTER}(?:and )?(?:onwards?\b|on(?=\s?(?:[.,;!)]|$)))")
_ALL = r"(?:entire|whole|full)"
WHOLE = re.compile(
    rf"(?:\bthroughout (?:the )?(?:{_ALL} )?|\bthe {_ALL} )(?:\d+(?:\.\d+)?[\s-]?s(?:econds?)? (?:of (?:the )?)?)?"
    rf"(?:(?:duration|length) of (?:the |this )?(?:{_ALL} )?)?{VIDEO}\b(?! of|')|"
    rf"\bthe (?:duration|length) of (?:the )?{_ALL} {VIDEO}\b|"
    r"\bfrom (?:the )?(?:very )?first to (?:the )?(?:very )?last (?:second|frame|moment)\b|"
    r"整个(?:视频|片段|录像)|整段(?:视频|录像)|(?<!安)全程|从头到尾"
)
