"""Which spans of a text are not its answer, each for a reason by name: what is called normal, denied, an example, an
on-screen clock's, the video's own, corrected, or only told on the way to a conclusion. Knows pairs and no unit.

A rule looks at the clause around a pair: up to the next end of a clause, or to the next pair.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from .conclusions import by_themselves
from .pairs import Pair
from .untimed import HEDGE, VIDEO

_REACH = 160  # characters of a clause that are looked at
_OBJECT = 400  # and of an object in braces

_BREAK = re.compile(
    r"[;!?\n]|(?<!i\.e)(?<!e\.g)(?<!approx)(?<!\bca)\.(?=\s|$|[^\x00-\x7f])|"
    r"\b(?:but|while|whereas|however|and then|then|afterwards)\b|但|而"
)
_COMMA = re.compile(_BREAK.pattern + "|,")
_BARE_LEFT = re.compile(rf"[\s*#>\"'(\[{{•\d.)-]*(?:(?:from|between|at|during|in|and|or|[从在])\s*|{HEDGE}\s*)*")

_NORMAL = re.compile(
    r"\b(?:is|are|was|were|looks?|seems?|appears?|remains?|flows?|flowing|drives?|driving|moves?|moving|walks?|walking|"
    r"everything|all|continues?|proceeds?|returns? to|returned to|back to|quite|still|relatively|mostly)\s+"
    r"(?:(?:still|quite|completely|perfectly|all|just|as|entirely|rather) )?normal(?:ly)?\b|"
    r"(?:^|[:(=|,-]\s*)(?:(?:all|is|status|label|everything)\s*[:=]?\s*)?[\"']?normal\b(?!ized)|\bnormal[.\"')]?\s*(?:[:=]\s*)?$|"
    r"\bnormal (?:traffic|activit|driving|scene|behaviou?r|operation|condition|flow|footage|period|segment|part|"
    r"pedestrian|day|walking|working|situation|state|event|movement|again)|"
    r"\bnothing (?:unusual|abnormal|anomalous|happens|of note|out of|suspicious|special|strange|is wrong)|"
    r"\bno (?:sign of |signs of |visible |clear |obvious |real )?(?:an |any )?(?:anomal|abnormal|unusual|incident|accident|event)|"
    r"\bwithout (?:an |any )?(?:anomal|incident|abnormal)|\buneventful|\bnot (?:an? )?(?:anomal|abnormal|unusual)|"
    r"\b(?:before|prior to|leading up to) the (?:anomal|abnormal|incident|accident|event|crash|collision)|"
    r"(?<![不非])正常|(?:没有|无)(?:任何|明显)?(?:的)?异常|一切如常"
)
_NORMAL_KEY = re.compile(
    r""":\s*["']?(?:normal\b|no anomaly\b|not? abnormal\b|正常)|(?:anomal|abnormal)[a-z_]*["']?\s*:\s*["']?(?:false|no\b|0\b(?!\.))"""
)
_PLACED = rf"(?:(?:from|between|at|during|in|on|it is|it's|the|span|interval|of)\s|[\[({{<\"'\s]|{HEDGE}\s*)*$"
_DENIED = re.compile(
    rf"(?:\bnot|n't|\bnever|\brather than|\binstead of|\bexcept(?: for)?|\bother than|不是|并非|而非)[\s:,]*{_PLACED}"
)
_EXAMPLE = re.compile(
    rf"(?:\bfor (?:example|instance)|\be\.\s?g\.?|\bsuch as|\bexample(?: output| answer| format)?|\bin the (?:form|format)(?: of)?|"
    rf"\bformat(?:ted)?(?: is)?(?: as)?(?: follows)?|\blike(?: this)?|例如|比如|格式(?:为|如)?)[\s:,]*{_PLACED}"
)
_CLOCK = re.compile(
    r"\bon-?\s?screen|\boverlay|\bwatermark|\bburned?[- ]in|\bwall[- ]clock|\bclock\b|\blocal time|\btime of day|\bcctv time|"
    r"\b(?:timestamp|time ?code|timer|counter|date|time|display|camera)\b[^.\n]{0,24}\b(?:shows?|reads?|displays?|says|corner|"
    r"displayed|printed)\b|\breal[- ](?:world )?time\b|屏幕|水印|角落|画面上|监控时间|时间戳显示"
)
_OF_VIDEO = re.compile(
    rf"\b{VIDEO}(?:'s)? (?:(?:itself|timeline|length|duration) )?(?:runs|lasts|spans|goes|covers|is|plays|extends|has)\b[a-z :]{{0,24}}[\[(\"']*$|"
    rf"\b(?:whole|entire|full|total) {VIDEO}[\s:(\[]*$"
)
_MINOR = re.compile(
    r"\bpeak|\bclimax|\baftermath|\bmost intense|\bworst|\binitially (?:thought|guess|estimat)|\bat first (?:glance|i|sight)|"
    r"\bfirst (?:thought|guess|impression|estimate)|\boriginally (?:thought|guess)|\b(?:might|may|could) (?:also )?be\b(?=.{0,9}$)|"
    r"\bi (?:considered|thought)|最激烈|高潮"
)
_RESTART = re.compile(
    r"\bwait\b\s*(?:[,.!:-]|$)|\bno,\s|\bcorrection\b|\bscratch that\b|\bon second thought|\blet me (?:re|correct)|\bhmm\b|"
    r"\bi was wrong|不对|更正"
)
_REFINED = re.compile(
    r"\bactually\b|\bmore (?:precisely|exactly|accurately|specifically)|\bto be (?:more )?(?:precise|exact|specific)|"
    r"\bor rather\b|\bi mean\b|\bspecifically\b|\bprecisely,|更准确|准确地?说|确切地?说|应该是"
)
_TITLED = re.compile(r"(?:^|\n)\W*(?:the )?(?:anomal|abnormal|unusual|异常)[^\n:]{0,40}:[^\n:]{0,16}$")
_TITLE = 64
_ANCHOR = re.compile(r"(?<!no )(?:anomal|abnormal|unusual|incident)|异常")
_FURTHER = re.compile(r"\b(?:second|another|also|again|further|additional|next|other|later|too|third)\b|另|又|再|还")


class Clause(NamedTuple):
    """What stands around a pair in its clause, and in its braces where it is in an object."""

    left: str
    right: str
    inside: str


def find_asides(text: str, pairs: Sequence[Pair]) -> list[str]:
    """Return for each pair of a plain text, in its order, why it is not the answer; empty where it may be."""
    clauses = _clauses(text, pairs)
    reasons = [_reason(pair, clause) for pair, clause in zip(pairs, clauses, strict=True)]
    _correct(text, pairs, reasons)
    alone = by_themselves(text, pairs)
    if any(one and not pair.flaw and not reason for one, pair, reason in zip(alone, pairs, reasons, strict=True)):
        reasons = [reason or ("" if one else "told beside") for one, reason in zip(alone, reasons, strict=True)]
    _tell(text, pairs, clauses, reasons)
    _minor(pairs, clauses, reasons)
    return reasons


def _reason(pair: Pair, clause: Clause) -> str:
    left, right, inside = clause
    around = left + "\x00" + right
    if _NORMAL_KEY.search(inside) if inside else _NORMAL.search(left) or _NORMAL.search(right):
        return "normal"
    if _DENIED.search(left):
        return "denied"
    if _EXAMPLE.search(left):
        return "example"
    if _CLOCK.search(around) and pair.rule != "keys":
        return "clock"
    if _OF_VIDEO.search(left) and not pair.first.value and pair.rule != "whole":
        return "the video's own"
    return ""


def _correct(text: str, pairs: Sequence[Pair], reasons: list[str]) -> None:
    """Mark what is taken back: all before `wait`, the one before `more precisely`."""
    able = [n for n, pair in enumerate(pairs) if not pair.flaw and not reasons[n]]
    for n, (one, other) in enumerate(pairwise(able)):
        between = text[max(pairs[one].end, pairs[other].start - _REACH) : pairs[other].start]
        if _RESTART.search(between):
            for before in able[: n + 1]:
                reasons[before] = "corrected"
        elif _REFINED.search(between):
            reasons[one] = "corrected"


def _tell(text: str, pairs: Sequence[Pair], clauses: Sequence[Clause], reasons: list[str]) -> None:
    """Mark what is told in a line before the span that is called the anomaly."""
    able = [n for n, pair in enumerate(pairs) if not pair.flaw and not reasons[n] and not clauses[n].inside]
    titled = [n for n in able if _TITLED.search(text[max(0, pairs[n].start - _TITLE) : pairs[n].start])]
    for n in able:
        if titled and n < titled[0] and _BARE_LEFT.fullmatch(clauses[n].left):
            reasons[n] = "told before"
    anchored = [n for n in able if _ANCHOR.search(clauses[n].left) or _ANCHOR.search(clauses[n].right)]
    if anchored and not any(_FURTHER.search(part) for part in clauses[anchored[0]][:2]):
        line = text.rfind("\n", 0, pairs[anchored[0]].start)
        for n in able:
            if (
                line < pairs[n].start
                and n < anchored[0]
                and _BREAK.search(text, pairs[n].end, pairs[anchored[0]].start)
            ):
                reasons[n] = "told before"


def _minor(pairs: Sequence[Pair], clauses: Sequence[Clause], reasons: list[str]) -> None:
    """Mark the peak of an anomaly, a first guess, and the whole video, where another span is left."""
    able = [n for n, pair in enumerate(pairs) if not pair.flaw and not reasons[n]]
    for find in (
        lambda n: pairs[n].rule == "whole",
        lambda n: _MINOR.search(clauses[n].left) or _MINOR.search(clauses[n].right),
    ):
        rest = [n for n in able if not find(n)]
        if rest:
            for n in set(able) - set(rest):
                reasons[n] = "minor"
            able = rest


def _clauses(text: str, pairs: Sequence[Pair]) -> list[Clause]:
    """Return the clause of each pair. Where two pairs share one, what stands between belongs to the one it speaks of:

    the second, as in `normal from 0 to 12 and abnormal from 12 to 20`, unless the first has nothing before it.
    """
    ends = [0, *(pair.end for pair in pairs)]
    starts = [*(pair.start for pair in pairs), len(text)]
    found: list[Clause] = []
    behind = True  # whether the text between the last pair and this one was the last one's
    for n, pair in enumerate(pairs):
        left = text[max(ends[n], pair.start - _REACH) : pair.start] if ends[n] <= pair.start else ""
        near = n > 0 and ends[n] >= pair.start - _REACH  # nothing but what stands between divides the two
        breaks = list((_COMMA if near else _BREAK).finditer(left))
        own = left[breaks[-1].end() :] if breaks else left
        if near and not breaks and behind:
            own = ""
        else:
            behind = bool(_BARE_LEFT.fullmatch(own))
        right = text[pair.end : max(pair.end, min(starts[n + 1], pair.end + _REACH))]
        own_right, shared = _until_break(right, more=n + 1 < len(pairs) and starts[n + 1] <= pair.end + _REACH)
        if shared and not behind:
            own_right = ""
        if len(own_right.split()) > 1 and "," in own:
            own = own.rpartition(",")[2]
        found.append(Clause(own, own_right, _braced(text, pair, ends[n], starts[n + 1])))
    return found


def _until_break(right: str, *, more: bool) -> tuple[str, bool]:
    """Return what stands behind a pair in its clause, and whether that reaches to the next pair."""
    first = _BREAK.search(right)
    if first is None and more and "," in right:
        return right.rpartition(",")[0], False
    if first is None:
        return right, more
    if first[0] == "\n" and not right[: first.start()].strip(" |*:-"):  # a title of its own: what it is stands below
        second = _BREAK.search(right, first.end())
        return right[: second.start()] if second else right, False
    return right[: first.start()], False


def _braced(text: str, pair: Pair, before: int, following: int) -> str:
    """Return what stands beside a pair in its innermost braces; empty where it is in none."""
    left = text[max(min(before, pair.start), pair.start - _OBJECT) : pair.start]
    opened, closed = left.rfind("{"), left.rfind("}")
    if opened <= closed:
        return ""
    right = text[pair.end : max(pair.end, min(following, pair.end + _OBJECT))]
    within = text[pair.start : pair.end][:_OBJECT] if pair.rule == "keys" else "\x00"
    return left[opened:] + within + right.partition("}")[0]
