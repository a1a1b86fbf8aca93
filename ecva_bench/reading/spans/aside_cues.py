"""The words around a span that say it is not the answer: normal, denied, an example, a clock in the picture, a guess.

Patterns over plain text (`text.plain`): those that end in `$` over what stands right before a span. Knows no pair.
"""

from __future__ import annotations

import re

from .untimed import HEDGE, VIDEO

# Where a clause ends. `but` and its like begin another.
BREAK = re.compile(
    r"[;!?\n]|(?<!i\.e)(?<!e\.g)(?<!approx)(?<!\bca)\.(?=\s|$|[^\x00-\x7f])|"
    r"\b(?:but|while|whereas|however|and then|then)\b|但|而"
)
BREAK_OR_COMMA = re.compile(BREAK.pattern + "|,")
# What says nothing of a span that it stands before.
NOTHING = re.compile(rf"[\s*#>\"'(\[{{•\d.)-]*(?:(?:from|between|at|during|in|and|or|[从在])\s*|{HEDGE}\s*)*")

_GOES = (
    r"(?:is|are|was|were|looks?|seems?|appears?|remains?|flows?|flowing|drives?|driving|moves?|moving|walks?|walking|"
    r"everything|all|continues?|proceeds?|returns? to|returned to|back to|quite|still|relatively|mostly)"
)
NORMAL = re.compile(
    rf"\b{_GOES}\s+(?:(?:still|quite|completely|perfectly|all|just|as|entirely|rather) )?normal(?:ly)?\b|"
    r"(?:^|[:(=|,-]\s*)(?:(?:all|is|status|label|everything)\s*[:=]?\s*)?[\"']?normal\b|"
    r"\bnormal[.\"')]?\s*(?:[:=]\s*)?$|"
    r"\bnormal (?:traffic|activit|driving|scene|behaviou?r|operation|condition|flow|footage|period|segment|part|"
    r"pedestrian|day|walking|working|situation|state|event|movement|again)|"
    r"\bcalm\b|\bempty again\b|\bas usual\b|"
    r"\bnothing (?:unusual|abnormal|anomalous|happens|of note|out of|suspicious|special|strange|is wrong)|"
    r"\bno (?:signs? of |visible |clear |obvious |real )?(?:an |any )?"
    r"(?:anomal|abnormal|unusual|incident|accident|event)|"
    r"\bwithout (?:an |any )?(?:anomal|incident|abnormal)|\buneventful|\bnot (?:an? )?(?:anomal|abnormal|unusual)|"
    r"\b(?:before|prior to|leading up to) the (?:anomal|abnormal|incident|accident|event|crash|collision)|"
    r"\|\s*(?:no|none|false)\s*\|?\s*$|"
    r"\bthere (?:is|was|are|were) no (?:fight|fire|crash|collision|attack|violence|danger|accident|theft|robbery)|"
    r"(?<![不非])正常|(?:没有|无)(?:任何|明显)?(?:的)?异常|一切如常"
)
NORMAL_LIST = re.compile(r"""["'](?:normal|calm|background|no_anomaly)[a-z_]*["']\s*:\s*[\s\d.,:"'\[\]]*$""")
NORMAL_KEY = re.compile(
    r""":\s*["']?(?:normal\b|no anomaly\b|not? abnormal\b|正常)|"""
    r"""(?:anomal|abnormal)[a-z_]*["']?\s*:\s*["']?(?:false|no\b|0\b(?!\.))"""
)

_UP_TO_IT = rf"[\s:,]*(?:(?:from|between|at|during|in|on|it is|it's|the|span|interval|of)\s|[\[({{<\"'\s]|{HEDGE}\s*)*$"
DENIED = re.compile(
    r"(?:(?:\bnot|n't|\bnever)(?:\s+(?:take place|happen|occur|fall|lie|last))?|\bexcept(?: for)?|"
    r"(?:\brather than|\binstead of|\bother than)(?: [a-z]+){0,4}?|不是|并非|而非)" + _UP_TO_IT
)
EXAMPLE = re.compile(
    r"(?:\bfor (?:example|instance)|\be\.\s?g\.?|\bsuch as|\bexample(?: output| answer| format)?|"
    r"\bin the (?:form|format)(?: of)?|\bformat(?:ted)?(?: is)?(?: as)?(?: follows)?|\blike(?: this)?|"
    r"例如|比如|格式(?:为|如)?)" + _UP_TO_IT
)
ON_SCREEN = re.compile(
    r"\bon-?\s?screen|\boverlay|\bwatermark|\bburned?[- ]in|\bclock\b|\blocal time|\btime of day|"
    r"\bcctv time|\bdisplay (?:shows|reads)|"
    r"\b(?:timestamp|time ?code|timer)\b[^.\n]{0,24}\b(?:shows?|reads?|displays?|says|goes|runs|corner|displayed)\b|"
    r"\btime (?:is )?(?:displayed|shown|printed|visible|in the (?:top|bottom|upper|lower|corner))|"
    r"屏幕|水印|角落|画面上|监控时间|时间戳显示|[左右]上角|[左右]下角"
)
OF_VIDEO = re.compile(
    rf"\b{VIDEO}(?:'s)? (?:(?:itself|timeline|length|duration) )?"
    r"(?:runs|lasts|spans|goes|covers|is|plays|extends|has)\b[a-z :]{0,24}[\[(\"']*$|"
    rf"\b(?:whole|entire|full|total) {VIDEO}[\s:(\[]*$|[\"']{VIDEO}(?:_[a-z]+)?[\"']\s*:\s*[\[(\"']*$"
)
# What is said beside a span that holds more.
MINOR = re.compile(
    r"\bafterwards?\b|\bafter that\b|"
    r"\bpeak|\bclimax|\baftermath|\bmost intense|\bworst|\binitially (?:thought|guess|estimat)|"
    r"\bat first (?:glance|i|sight)|"
    r"\b(?:first|initial|rough) (?:thought|guess|impression|estimate|pass)|\boriginally (?:thought|guess)|"
    r"\b(?:might|may|could) (?:also )?be\b(?=.{0,9}$)|"
    r"\bi (?:initially |first |originally )?(?:considered|thought|guessed)|最激烈|高潮"
)
# What takes back all that was said, and what only the span before.
RESTART = re.compile(
    r"\bwait\b\s*(?:[,.!:-]|$)|\bno,\s|\bcorrection\b|\bscratch that\b|\bon second thought|\blet me (?:re|correct)|"
    r"\bhmm\b|\bi was wrong|不对|更正"
)
REFINED = re.compile(
    r"\bactually\b|\bmore (?:precisely|exactly|accurately|specifically)|\bto be (?:more )?(?:precise|exact|specific)|"
    r"\bor rather\b|\bi mean\b|\bspecifically\b|\bcorrected\s*:|\bprecisely,|更准确|准确地?说|确切地?说|应该是"
)
# What says that a span is the anomaly's, as a title or in its clause; and that it is not the only one.
TITLE = re.compile(r"(?:^|\n)\W*(?:the )?(?:anomal|abnormal|unusual|异常)[^\n:]{0,40}:[^\n:]{0,16}$")
ANOMALY = re.compile(r"(?<!no )(?:anomal|abnormal|unusual|incident)|异常")
FURTHER = re.compile(r"\b(?:second|another|also|again|further|additional|next|other|later|too|third)\b|另|又|再|还")
