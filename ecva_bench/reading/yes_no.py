"""Read whether an answer says that there is an anomaly: by yes or no, or by a statement that there is or is none.

A yes or no counts where it is named as the answer, and at the beginning of the text, of a line or of a sentence; else
what is said of anomalies counts (`no anomaly is visible`, `the video is normal`), those parts left out that only
suppose one. A question that is said again is left out, and decides what its answer means.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ..records.readings import Reading
from .anomaly_statements import CONDITION, FINAL, Said, sentence_says, statements
from .boxes import boxed
from .text import ends, plain

VERSION = 1  # part of signatures: a change of what is read is another metric

_END = r"(?=[\s\"')\]}>*]*(?:[.,;:!<\n]|-\s|$))"
_LAST = r"(?=[\s\"')\]}.*]*(?:$|[,\n]))"
_YES = rf"yes|yeah|yep|yup|true|affirmative|correct|positive|y{_LAST}"
_NO = rf"no|nope|false|negative|n{_LAST}"
# `no doubt`, `no. 3` and `no one else` say no `no`, and neither does `no crash`; `no anomaly` is a statement.
_DETERMINER = (
    r"(?!\.?\s*\d|/|[ ]+(?!(?:there|the|it|its|it's|this|that|i|we|all|everything|nothing|because|since|as|in|from|"
    r"based|and|but|he|she|they|a|an|not|with|so|none|normal|answer|reason|explanation|yes|or)\b)[a-z])"
)
_WORD = (
    rf"(?:(?<![a-z])(?:(?P<yes>{_YES})|(?P<no>{_NO}){_DETERMINER})(?![a-z\-]|'[a-z])|"
    r"(?P<zh_no>(?:不是|没有)(?=[\s.,;:!]|$|的|异常|发现|任何|明显|看到|检测|出现|反常)|(?<!是)否|(?<=是)否(?=定|[\s.,!]|$)|不存在|无异常|"
    r"不(?=[\s.,!]|$)|无(?![a-z一-鿿]))|"
    r"(?P<zh_yes>是的?|有|存在)(?=[\s.,;:!]|异常|$))"
)
_LABEL = rf"(?<![a-z])(?:(?P<abnormal>abnormal|anomalous|anomaly)|(?P<normal>normal))(?![a-z'\-]){_END}"
_KIND = (
    r"(?<![a-z])(?:answers?|ans|conclusion|verdict|judge?ment|result|response|prediction|decision|"
    r"class(?:ification)?|label|category|"
    r"status|output|assessment)(?![a-z])"
)
_CUE = (
    rf"(?:{_KIND}|(?<![a-z])(?:detected|anomal(?:y|ies|ous)|abnormal(?:ity)?|(?:is|has)[_ ]?anomal(?:y|ous)|"
    r"so|therefore|thus|hence|say|think|definitely|certainly|absolutely|clearly)(?![a-z])|"
    r"答案|结论|判断|结果|回答|因此|所以|异常)"
)
_LINK = (
    r"(?:[\s\"'(\[{:=>,*_\-]|(?<![a-z])(?:is|are|would|be|should|my|the|final|answer|present|exists?|detected|event|"
    r"clearly|definitely|simply|probably|likely)(?![a-z])|是(?=[\s:]{0,9}(?:否|没))|为){0,24}"
)
_STATED = re.compile(rf"{_CUE}{_LINK}{_WORD}|{_KIND}{_LINK}{_LABEL}")
_FLAG = re.compile(
    r"(?<![a-z])(?<!no )(?<!not )(?:anomal(?:y|ous)|abnormal)(?:\s(?:detected|"
    r"present))?[\"'\s]*[:=>][\"'\s]*(?:(?P<yes>1)|(?P<no>0))(?![.\d%:/])"
)
_LEAD = (
    r"(?:(?:well|actually|okay|ok|hmm+|so|oh|wait|sorry|correction|and|but|no wait|yes wait|unfortunately|"
    r"answer|a|assistant|"
    r"response|without (?:a |any )?doubt|undoubtedly|definitely|absolutely|certainly|clearly|sure|of course|overall|"
    r"in short|in summary|in conclusion|to conclude|on (?:closer|second) (?:look|inspection|thought)|\d{1,2}(?=[.)])|"
    r"(?:based on|from|in|after|looking at|judging by|given)\b[^,.:;!?\n]{1,60}(?=,))[,:.)]\s*[\"'*]*)*"
)
_FIRST = re.compile(
    rf"(?:^|\n|[.!?]\s|\b(?:wait|actually|correction|on second thought)\b[,:.\s\-]|"
    rf"</[a-z ]+>)[\s\"'(\[{{\-*#>•.,:]{{0,40}}(?:<[a-z ]+>\s*)?{_LEAD}{_WORD}"
)
_TAKEN_BACK = re.compile(r"\b(?:wait|actually|correction|on second thought|let me re\w+|scratch that|i was wrong)\b")
_ASKED = re.compile(r"[^.!?;\n]+(\?)?")
_CONDITIONAL = re.compile(r"\b(?:if|had|were)\b")
_NOT_SAID = re.compile(
    r"(?:\bnot|n't|\bcannot|hard to|difficult to|whether to|\bnor|never)\s+(?:simply |just |definitively )?$"
)
_ALONE = re.compile(r"[\s\"')\]}>]*(?:[.,;:!\n<]|-|$)")
_IF_BEHIND = re.compile(rf"[\s,\-(]{{0,9}}(?:but |only |and )*(?:{CONDITION.pattern})")
# `yes, no`, but not `yes, no doubt`: behind the second word nothing follows, or a statement (`no, yes there is`).
_ALSO = re.compile(
    r"[\s\"')\]*]{0,9}(?:(?P<joined>/|\bor\b|\band\b)|[,;]|-)?[\s\"'(\[*]{0,9}(?<![a-z])"
    rf"(?:(?P<yes>yes)|no{_DETERMINER})(?![a-z\-]|'[a-z])"
    r"(?(joined)|(?=[\s\"')\]}*]{0,9}(?:[.,;:!?<\n]|$)| (?:there|it|i)\b))"
)
_TAG = re.compile(r"</?[a-z ]{1,30}>")
# `Yes—a man falls`: a dash between sentences, told from the hyphen of `no-one` before both become one character.
_DASHED = re.compile(r"((?:^|[\n.:!?>])[\s\"'*(\[]{0,9}(?:yes|no))(—|―|–|--)(?=\w)", re.IGNORECASE)


def read_yes_no(text: str) -> Reading:
    """Return whether an answer says that there is an anomaly: `yes` of the reading, None where it is not read.

    Yes and no, both as the answer, are `ambiguous`, and so is a yes or no that every statement behind it denies.
    """
    parted = _DASHED.sub(lambda match: match[1] + ",".ljust(len(match[2])), text)
    plain_text = re.sub(r"(?<=[a-z])_(?=[a-z])", " ", boxed(ends(plain(parted))))
    unasked = _ASKED.sub(_unasked, plain_text)
    said = list(statements(_TAG.sub(lambda match: "\n" * len(match[0]), unasked)))
    for rule, found in (
        ("answer", list(_words(plain_text, _STATED)) + list(_words(plain_text, _FLAG))),
        ("first", list(_words(plain_text, _FIRST))),
        ("statement", said),
    ):
        if found:
            return _reading(text, plain_text, found, said, rule)
    return Reading(status="unread")


def _unasked(match: re.Match[str]) -> str:
    return match[0] if match[1] is None else " " * (len(match[0]) - 1) + "."


def _reading(text: str, plain_text: str, found: Sequence[Said], said: Sequence[Said], rule: str) -> Reading:
    back = max((match.end() for match in _TAKEN_BACK.finditer(plain_text)), default=0)
    found = [one for one in found if one.start >= back] or found
    if len({one.yes for one in found}) > 1:
        found = [one for one in found if one.final] or found
    denied = [one for one in said if one.yes != found[0].yes]
    if len({one.yes for one in found}) > 1 or (rule != "statement" and denied and len(denied) == len(said)):
        found = [*found, *denied]
        places = tuple(dict.fromkeys((one.start, one.end) for one in found))[:8]
        others = tuple(dict.fromkeys(text[start:end] for start, end in places))
        return Reading(status="ambiguous", rule=rule, places=places, others=others)
    return Reading(yes=found[0].yes, rule=rule, places=tuple((one.start, one.end) for one in found)[:8])


def _words(plain_text: str, pattern: re.Pattern[str]) -> Iterator[Said]:
    for match in pattern.finditer(plain_text):
        group = next(name for name, word in match.groupdict().items() if word is not None)
        start, end = match.span(group)
        begin = max(plain_text.rfind(mark, max(0, start - 200), start) for mark in ".!?\n;")
        sentence = plain_text[begin + 1 : match.start()]
        if pattern is _STATED and (
            _NOT_SAID.search(sentence)
            or (_CONDITIONAL.search(sentence) and "would" in match[0])
            or CONDITION.search(sentence)
            or _asks(plain_text, start, end)
        ):
            continue
        if _IF_BEHIND.match(plain_text, end):
            continue
        later = pattern is _FIRST and re.search(r"\w", plain_text[: match.start()])
        if later and not _ALONE.match(plain_text, end):
            continue  # `yes, a man falls. No further details`
        yes = group in ("yes", "zh_yes", "abnormal")
        if (meant := _question(plain_text, match.start(), start)) is not None:
            yes = yes is meant
        final = FINAL.search(plain_text, max(0, match.start() - 40), start) is not None
        yield Said(yes, start, end, final)
        other = _ALSO.match(plain_text, end)
        if other and (other["yes"] is None) is (group in ("yes", "zh_yes", "abnormal")):
            yield Said(not yes, start, end, final)


def _asks(plain_text: str, start: int, end: int) -> bool:
    """Return whether a word stands in a question: `is there an anomaly, yes or no?`."""
    mark = re.compile(r"[.!?\n;]").search(plain_text, end, end + 120)
    return mark is not None and mark[0] == "?"


def _question(plain_text: str, begin: int, start: int) -> bool | None:
    """Return what a yes means that answers a question right in front of it; None where that is no question."""
    asked = plain_text.rfind("?", max(0, begin - 2), start)
    if asked < 0:
        return None
    first = max(plain_text.rfind(mark, max(0, asked - 200), asked) for mark in ".!?\n;") + 1
    meant = [one.yes for one in sentence_says(plain_text, first, asked)]
    return meant[0] if len(set(meant)) == 1 else None
