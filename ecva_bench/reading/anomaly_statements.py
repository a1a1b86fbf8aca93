"""What an answer states of anomalies, where it says neither yes nor no: that there is one, none, or that all is normal.

A negation counts where it governs the word for an anomaly: `no sign of an anomaly`, `an anomaly is not seen`. One of
something else does not (`a car without lights causes an anomaly`). Where that is not plain, nothing is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_REACH = 240  # characters before a word in which its negation is looked for

_ANOMALY = re.compile(
    r"(?<![a-z])(?:anomal(?:y|ies|ous(?:ly)?)|abnormal(?:it(?:y|ies)|ly)?|unusual(?:ly)?(?: events?)?|"
    r"irregularit(?:y|ies)|out of the ordinary|out of place|suspicious(?:ly)?|strange(?:ly)?|atypical|"
    r"wrong)(?![a-z])|"
    r"异常|反常"
)
_NORMAL = re.compile(r"(?<![a-z])(?<!ab)(?:normal(?:ly)?|ordinary|as usual|routine|uneventful)(?![a-z])|正常")
_OF_ALL = re.compile(
    r"\b(?:video|scene|footage|clip|everything|all|situation|traffic|events?|activit(?:y|ies)|behaviou?rs?|it|this|"
    r"nothing|only)\b|视频|一切|画面|场景|行为"
)
_FEW = 3  # words: `normal` alone is an answer, and so is `final verdict: normal`

_SENTENCE = re.compile(r"(?:[^.!?;\n]|\.(?=\d))+")
_CLAUSE = re.compile(
    r"\b(?:(?<!anything )(?<!nothing )but|however|although|though|while|yet|because|since|until|when|where|"
    r"only|just|rather(?! than))\b|"
    r"但|不过|:(?=\s)|\s-+\s|[()]"
)
# What begins a clause of its own behind a comma; `it` names one that may speak of what stands in front of it.
_RELATIVE = re.compile(
    r",\s*(?:and\s+)?(?:who|it|there|he|she|they|so|then|thus|the (?:\w+ ){1,3}(?:is|was|are|were)(?= )|"
    r"(?P<it>which|this|that|making|causing|creating|resulting|indicating|leading|属于|这是|是))|"
    r"\band\s+(?:(?P<one>an?)|the|this|it|there|then)\s|,\s*(?P<apposed>an?|one)\s+(?=\S+$|$)"
)
_BOTH = re.compile(
    r"\b(?:ab)?normal(?:ity)?\s*(?:/|\\|\bn?or\b|\band\b|\bvs\.?|\bfrom\b)\s*(?:an? |the )?(?:ab)?normal(?:ity)?\b"
)
_NAMED = re.compile(
    r"[\s\"'_]*(?:detection|scores?|types?|categor(?:y|ies)|class(?:es|ification)?|levels?|probabilit(?:y|"
    r"ies)|labels?|"
    r"confidence|description|analysis|likelihood|rating)\b|[\"'\s]*[:=(][\"'\s]*\d*\.\d|[\"'\s]*[:=(][\"'\s]*\d+\s*%"
)
_OTHER = re.compile(
    r"\b(?:(?<!or )(?<!and )(?<!or any )other|another|further|additional|more|else|rest|remaining|remainder|"
    r"otherwise|elsewhere|except|apart from|"
    r"aside from|besides|but for|background)\b"
)

_NOT = r"(?:\bnot(?! only)|n't|\bnever|\bcannot|\bneither|\bnor|\bno longer)"
_NONE = (
    r"(?:\bnobody|\bno(?!\.|\s+(?:doubt|question|matter|longer)\b)|\bnothing|\bnone|\bneither|\bnor|\bwithout|"
    r"\bfree (?:of|from)|"
    r"\babsence of|\bdevoid of|\black(?:s|ed|ing)?(?: of)?|\bzero|(?<![\d.,:])0(?=\s)|\bnon-?|\brule[sd]? out|"
    r"\bruling out)"
)
_HEDGE = (
    r"(?:\b(?:un(?:likely|probable)|improbable|doubtful)|(?<!no )(?<!without )(?<!without a )(?<!without any )"
    r"(?<!beyond )(?<!beyond a )(?<!beyond any )\bdoubt|\b(?:little|scant|insufficient|not enough)"
    r"(?= (?:\w+ )?(?:evidence|sign|indication|reason|chance|to suggest))|"
    r"\b(?:hardly|scarcely|barely|rarely|seldom)|\b(?:rather than|instead of|as opposed to|unable to|fail(?:s|"
    r"ed)? to))"
)
# Words that may stand between a negation and what it governs.
_WORDS = (
    r"(?:an?|the|any|anything|of|in|on|to|as|that|for|is|are|was|were|be|been|being|has|have|had|there|"
    r"it|this|these|those|video|scene|footage|clip|sign|signs|evidence|indications?|indicators?|hints?|traces?|"
    r"instances?|cases?|kinds?|types?|forms?|sorts?|occurrences?|signals?|part|clear|clearly|visible|visibly|obvious|"
    r"obviously|apparent|apparently|significant|significantly|notable|noticeable|noticeably|major|real|really|such|"
    r"particularly|especially|specific|discernible|detectable|overt|immediate|actual|explicit|direct|strong|"
    r"events?|activit(?:y|ies)|behaviou?rs?|actions?|incidents?|reason|chance|believe|think|say|suggests?|suggesting|"
    r"indicat(?:e|es|ed|ing)|see|seen|seem|seems|seemed|observ(?:e|ed)|detect|detected|find|found|notice|noticed|"
    r"identify|identified|spot|contain|contains|containing|shows?|shown|showing|depicts?|include|includes|exhibit|"
    r"exhibits|display|displays|reveal|present|presents|feature|features|involve|involves|capture|captures|appears?|"
    r"appeared|consider|considered|happens?|happened|happening|occurs?|occur|taking place|going on|i|can|"
    r"could|do|does|"
    r"anyone|anybody|behav(?:e|es|ing)|acts?|acting|doing|constitutes?|represents?|qualif(?:y|ies)|"
    r"count|counts|deemed|classified|regarded|or|and|all|at|even|very|too|about|potential|possible|truly|actually|"
    r"unusual|suspicious|abnormal|anomalous|strange|irregular|criminal|dangerous|violent|unexpected|person|"
    r"people|one|other|something|looks?|looked|sounds?|there's|it's|that's|call|called|calling|would|we|way|"
    r"means|point|frames?|images?|people|vehicles|animals)"
)
_BETWEEN = rf"(?:\s*(?:{_WORDS}\b|[,/'\"]))*\s*$"
_WORD = re.compile(_WORDS)
_GOVERNS = re.compile(rf"(?:{_NOT}|{_NONE}|{_HEDGE}){_BETWEEN}|"
                      r"(?:没有|没|无|未|不|并非|非)[^\s,.:;是]{0,8}$|不是[^\s,.:;是]{0,6}$")  # fmt: skip
# `nobody does anything unusual`, `without a crash or another abnormal event`
_LISTED = re.compile(r"\b(?:any|anything|anyone|or|nor)\b" + _BETWEEN + r"|(?:或|和|及|与|,)[^\s,.:;是]{0,4}$")
_DENIES = re.compile(
    rf"{_NONE}|{_HEDGE}|\bno(?:body| one)\b|\bfew\b|\b(?:don|doesn|didn|can|couldn|haven|hasn|isn|aren|wasn|"
    rf"weren)'t\b|"
    rf"\b(?:not|cannot|never) (?:see|observe|detect|find|contain|show|depict|notice|identify|appear|seem|"
    rf"think|believe|"
    r"include|exhibit|indicate|suggest|involve|consider|any)|没有|没|无|未|不|并非"
)
_SOME = re.compile(
    r"\b(?:no(?![.,]|\s+(?:doubt|question|matter))|nothing|none|nobody|neither|any|few|zero|"
    r"(?<![\d.:,])0(?![\d.:,]))\b|没有|没|无|未"
)
_EVENT = re.compile(  # what a negation says of a doing; it leaves an anomaly as it is
    r"(?:\b(?:not|never|cannot)|n't|\bfail(?:s|ed|ing)? to)\s+(?!be\b)(?:\w+ly\s+)?(?P<verb>[a-z]+)"
)
_ASSERTED = re.compile(
    r"(?:\b(?:is|are|was|were|becomes?|caus(?:es?|ed|ing)|creat(?:es?|ed|ing)|constitut(?:es?|ed|ing)|"
    r"leads? to|led to|results? in|resulted in|makes? (?:it|this)|behav(?:es?|ed|ing)|acts?|acted|represents?|"
    r"marks?)|是|属于)"
    r"(?:\s+(?:clearly|certainly|definitely|highly|very|also|itself|indeed|considered|in an?|an?|the|most))*\s*$"
)
_TWICE = re.compile(
    rf"(?:{_NOT}|\bunable to|\bhard to|\bdifficult to|不能|无法)\s+(?:\w+\s+){{0,2}}(?:rul(?:e|ed|ing) out|exclud\w+|"
    rf"den(?:y|ied)|without|unlikely|doubt\w*|free (?:of|from)|lack\w*|rare\w*|ignore\w*|miss\w*|hardly|"
    rf"nothing|no)\b|"
    r"\bfew\b|(?:不能|无法)排除"
)
_GONE_BEHIND = re.compile(
    r"(?:\s+(?:events?|behaviou?rs?|activit(?:y|ies)|actions?|incidents?))?\s*(?:"
    r"(?:(?:is|are|was|were|be|been|can be|could be|have|has|do|does|did|can|could)\s*)?(?:\bnot|n't|cannot|"
    r"never)\s*(?:be\s+|been\s+|being\s+)?"
    r"(?:clearly |really |actually )?(?:present|detect\w*|seen|visible|observ\w*|found|evident|there|here|"
    r"shown|exist\w*|"
    r"occur\w*|appear\w*|happen\w*|taking place|take place|apparent|noticeable|identified|depicted|noted|"
    r"spotted|likely)\b|"
    r"(?:is|are|was|were|seems?|appears?)\s+(?:to be\s+)?(?:very |highly |rather |quite )?"
    r"(?:low|nowhere|not real|not the case|un(?:likely|probable)|improbable|absent|nonexistent|non-existent|"
    r"doubtful|lacking|missing|ruled out|none|zero)\b|"
    r"(?:can|could) be (?:ruled out|excluded)\b|-free\b|"
    r"[\"'\s]*(?:(?:detected|present|found|observed|exists?|count|status|occurring)[\"'\s]*)?[:=\-][\"'\s]*"
    r"(?:none|no|normal|not|nothing|absent|null|nil|0|zero|false|n/?a|undetected|negative|nope|unlikely)"
    r"(?:\s+(?:any(?:thing)?|clear|visible|applicable|detect\w*|found|observed|seen|present|identified|"
    r"anomal\w+|abnormal\w*|unusual))*"
    r"(?=[\s\"'}\])]*(?:[,;\n<]|\.(?!\d)|$))|\s*:\s*(?:无|没有?|否|不是?)(?=[\s.,;}\"]|$)|不存在|未)"
)
_OPEN_BEHIND = re.compile(
    r"\s+(?:means|refers)\b|(?:\s+(?:events?|behaviou?rs?|activit(?:y|ies)))?\s*(?:\b(?:may|might|could|would|"
    r"should|cannot|can't)\b"
    r"(?!\s+(?:not )?be (?:missed|ignored|denied|overlooked|seen|observed|detected))|"
    r"(?:is|are)\s+(?:defined|possible|unclear|uncertain|unknown|undetermined)|"
    r"[\"'\s]*[:=][\"'\s]*(?:unclear|uncertain|unknown|possibl[ey]|maybe|perhaps|undetermined|yes/no|true/false))"
)
_SUPPOSED = re.compile(
    r"\b(?:if|unless|whether|may|might|could|would(?! (?:not )?(?:classify|say|call|label|consider|call|"
    r"describe|conclude|judge|rate|categorize))|should|possibl[ey]|potential(?:ly)?|perhaps|maybe|unclear|"
    r"uncertain|unsure|not sure|"
    r"not certain|not clear|hard to (?:say|tell)|difficult to (?:say|tell|determine)|looking for|look for|"
    r"search(?:ing)? for|check(?:ing)? for|(?:the|a) (?:word|term)|"
    r"(?<!unable )(?<!fail )(?<!fails )(?<!failed )to (?:detect|determine|identify|find|recogni[sz]e|spot|"
    r"judge)|so that i can \w+|unlikely event|"
    r"(?:cannot|can't|unable to|not possible to|impossible to) (?:\w+ )?(?:say|tell|determine|answer|judge|"
    r"assess|confirm|conclude))\b|"
    r"^\W*(?:describe|explain|determine|identify|detect|find|analy[sz]e|check)\b|如果|是否|可能|无法(?:判断|确定)|不确定"
)
_EARLIER = re.compile(
    r"\b(?:at first|initially|before|in the beginning|at the beginning|at the start|prior to|so far|"
    r"earlier)\b|起初|一开始"
)

_NOT_NORMAL = re.compile(
    rf"(?:{_NOT}|\b(?:far|deviat\w+|depart\w*|differ\w*|diverg\w+|different) from|\banything but|\bnothing|\bnone|"
    rf"\bhardly|\bscarcely|\bbarely|\bun(?:likely)|\bdoubt|\bneither|\bno longer|\brather than|\binstead of|"
    rf"\bno way|\bby no means)"
    r"(?:\s*(?:a|an|i|think|believe|say|call|depict|show|everything|that|the|of|that|to|be|is|are|was|were|it|"
    r"this|what|its|about|in|here|looks?|seems?|appears?|appear|"
    r"look|seem|entirely|completely|all|quite|very|at|as|considered|behaving|video|scene|going|acting|behave|"
    r"proceeding|"
    r"proceed|act|anything|activity|behaviou?r|completely|exactly|really|perfectly|typical|usual|happening|"
    r"remains?)\b)*\s*$|不$|非$"
)
_NOTHING_BUT = re.compile(r"\b(?:nothing but|not(?:hing)? (?:other than|anything but)|n't anything but)\b[^,.]{0,30}$")
_NO_NORMAL = re.compile(  # `normal` of something else than what is seen now
    r"\b(?:than|return\w*|back|to|disrupt\w*|interrupt\w*|violat\w*|break\w*|beyond|outside|unlike|out of|"
    r"would(?! (?:not )?(?:classify|say|call|label|consider|call|describe|conclude|judge|rate|categorize))|does|"
    r"should|supposed to|expected|against|compared (?:to|with)|no|not|n't|without|never|few|cannot|some|"
    r"parts?|mostly|"
    r"largely|otherwise|most|despite|threaten\w*|disturb\w*|under|lack\w*|fail\w*|usually|half)\b|n't\b|"
    r"^\W*(?:under )?normally,"
)
_IS_TO = re.compile(
    r"\b(?:appears?|seems?|looks?|found|considered|appearing|seeming|conclude\w*|according)\s+(?:overall\s+)?to\b"
)
_LATER = re.compile(r"\b(?:until|till|before)\b")
_VALUE = re.compile(r"[\"'\s]*[:=][\"'\s]*(?:(?P<yes>true|yes|1(?![.\d%]))|(?P<no>false|no|not|none|0(?![.\d%])))\b")


# What holds under a condition is not said; `if you look closely` and `to check if` set none.
CONDITION = re.compile(
    r"(?<!even )(?<!as )(?<!see )(?<!sees )(?<!check )(?<!checks )(?<!checking )(?<!tell )(?<!know )(?<!knows )"
    r"(?<!wonder )(?<!wonders )(?<!ask )(?<!asks )(?<!asked )(?<!asking )(?<!sure )"
    r"\bif\b(?! (?:any|i|you|we|one|asked|only|not|so|anything|at all)\b)|"
    r"\bunless\b|\b(?:provided|providing|assuming|supposing)(?: that)? (?:an?|the|he|she|it|they|this|that|no|nobody|"
    r"nothing|all)\b|"
    r"\b(?:as|so) long as\b|\bin case\b(?! of)|\bon condition\b|如果|除非|假如"
)


class Said(NamedTuple):
    """What is said at a place: whether there is an anomaly, and whether it is the last word on it."""

    yes: bool
    start: int
    end: int
    final: bool


FINAL = re.compile(
    r"\bfinal(?:ly)?\b|\bin conclusion\b|\boverall\b|\btherefore\b|\bthus\b|\bhence\b|最终|综上|因此|所以"
)


def statements(plain_text: str) -> Iterator[Said]:
    """Yield what the clauses of a text say of anomalies; a clause that supposes one or asks for it says nothing."""
    for sentence in _SENTENCE.finditer(plain_text):
        if plain_text[sentence.end() : sentence.end() + 1] != "?":
            yield from sentence_says(plain_text, sentence.start(), sentence.end())


def sentence_says(plain_text: str, start: int, end: int) -> Iterator[Said]:
    """Yield what the clauses of one sentence say of anomalies."""
    sentence = plain_text[start:end]
    if CONDITION.search(sentence):
        return
    final = FINAL.search(sentence) is not None
    sentence = _BOTH.sub(lambda match: " " * len(match[0]), sentence)
    breaks = [0, *(match.end() for match in _CLAUSE.finditer(sentence))]
    ends = [*(match.start() for match in _CLAUSE.finditer(sentence)), len(sentence)]
    for at, to in zip(breaks, ends, strict=True):
        clause = sentence[at:to]
        if anomaly := _ANOMALY.search(clause):
            said = _anomaly(clause, sentence[at + anomaly.end() :][:120], anomaly.start())
            match = anomaly
        elif normal := _NORMAL.search(clause):
            said = _normal(clause, sentence[at + normal.end() :][:40], normal.start())
            match = normal
        else:
            continue
        if said is not None:
            yield Said(said, start + at + match.start(), start + at + match.end(), final)


def _anomaly(clause: str, behind: str, at: int) -> bool | None:
    """Return whether a clause says that there is an anomaly, whose word begins at `at`; None for neither."""
    whole = clause[max(0, at - _REACH) : at]
    if _NAMED.match(behind):
        return False if _GONE_BEHIND.match(re.sub(r"^[\s\"'_]*[a-z]+", "", behind)) else None
    breaks = list(_RELATIVE.finditer(whole))
    before = whole[breaks[-1].end() :] if breaks else whole
    if _SUPPOSED.search(before) or _OPEN_BEHIND.match(behind) or _TWICE.search(before):
        return None
    if _GONE_BEHIND.match(behind):
        return None if _SOME.search(before) else False
    if _negates(before):
        return None if _OTHER.search(clause) or _EARLIER.search(clause) else False
    if breaks and breaks[-1].lastgroup and _SOME.search(whole[: breaks[-1].start() + 1]):
        return None  # `no car stops, an anomaly`; `no crash is seen, which is abnormal`
    if _ASSERTED.search(before) and not _SOME.match(before.lstrip()):
        return True
    return None if _denies(before) else True


def _negates(before: str) -> bool:
    if _GOVERNS.search(before):
        return True
    return _LISTED.search(before) is not None and _denies(before)


def _denies(before: str) -> bool:
    """Return whether something is denied in front of the word that may be the anomaly, and not only a doing."""
    rest = _EVENT.sub(lambda match: match[0] if _WORD.fullmatch(match["verb"]) else " ", before)
    return _DENIES.search(rest) is not None


def _normal(clause: str, behind: str, at: int) -> bool | None:
    """Return False where a clause says that all is normal, True where it says that it is not; None for neither."""
    before = clause[max(0, at - _REACH) : at]
    if value := _VALUE.match(behind):
        return value["no"] is not None
    if _NAMED.match(behind) or _SUPPOSED.search(before):
        return None
    if _NOT_NORMAL.search(before) and not _NOTHING_BUT.search(before):
        return None if _TWICE.search(before) else True
    if _LATER.search(behind):
        return None
    if not (_OF_ALL.search(clause) or len(clause.split()) <= _FEW):
        return None
    kept = _IS_TO.sub(" ", _NOTHING_BUT.sub(" ", before))
    if _NO_NORMAL.search(kept) or _EARLIER.search(clause) or _OTHER.search(clause):
        return None
    return False
