"""How other harnesses read a class or a span: the rules of six public extractors, in our own lines.

Each was made for another prompt than ours. Where it knows lettered options, the numbers of our classes stand for the
letters, and `1` is not found inside `11`. What an extractor would guess at random counts as unread. The versions whose
rules are followed:

    lmms_eval_mcq       lmms-eval 75571cf, lmms_eval/tasks/_task_utils/mcq_extract.py (Video-MME and others)
    lmms_eval_mmmu      lmms-eval 75571cf, lmms_eval/tasks/_task_utils/mmmu_mcq_utils.py
    vlmevalkit          VLMEvalKit e8e78f0, vlmeval/utils/matching_util.py (can_infer)
    lmms_eval_charades  lmms-eval 75571cf, lmms_eval/tasks/charades_sta/eval_tvg.py
    lmms_eval_timelens  lmms-eval 75571cf, lmms_eval/tasks/timelens/utils.py
    time_r1             www-Ye/Time-R1 d1a0d54, evaluate.py
"""

from __future__ import annotations

import re
from collections.abc import Mapping

Spans = tuple[tuple[float, float], ...]

_OPTION = r"(?<!\d)0?(1[01]|[1-9])(?!\d)"
# How an option may stand in a text, from the form believed most; the last place of the first form decides.
_FORMS = [re.compile(form.replace("#", _OPTION)) for form in (r"\(#\)", r"#\.", "#:", r"#\)", "# ")]
_PHRASE = re.compile(
    r"(?:answer|option|choice) is|i (?:choose|select|pick)|정답은|답은|답:|옵션|答案[是为]|选|答えは", re.IGNORECASE
)


def lmms_eval_mcq(text: str, names: Mapping[int, str]) -> int | None:
    """Options only, no names: at the start, else at the end, else behind a phrase, else by the marks around it."""
    text = text.strip()
    for mark in ",.!?;:'\"":
        text = text.strip(mark)
    if found := re.match(rf"{_OPTION}(?![^\W\d_])", text) or re.search(rf"(?<![^\W\d_]){_OPTION}$", text):
        return int(found[1])
    text = f" {text} "
    behind = {}
    for phrase in _first_of_each(_PHRASE, text):
        for found in reversed(list(re.finditer(_OPTION, text[phrase:]))):
            first = phrase + found.start()
            behind[int(found[1])] = first
    if behind:
        return max(behind, key=lambda option: behind[option])
    for form in [*_FORMS, re.compile(_OPTION)]:
        if last := [found[1] for found in form.finditer(text)][-1:]:
            return int(last[0])
    return None


def _first_of_each(phrase: re.Pattern[str], text: str) -> list[int]:
    ends: dict[str, int] = {}
    for found in phrase.finditer(text):
        ends.setdefault(found[0].lower(), found.end())
    return list(ends.values())


def lmms_eval_mmmu(text: str, names: Mapping[int, str]) -> int | None:
    """Options in round brackets, else before a blank, else before a stop; else names, in more than five words."""
    for mark in ",.!?;:'":
        text = text.strip(mark)
    text = f" {text} "
    for form, place in ((_FORMS[0], "({})"), (_FORMS[4], " {} "), (_FORMS[1], " {} ")):
        if options := sorted({int(found[1]) for found in form.finditer(text)}):
            return max(options, key=lambda option: text.rfind(place.format(option))) if options[1:] else options[0]
    lower = text.lower()
    if len(text.split()) <= 5:
        return None
    places = {option: lower.rfind(name.lower()) for option, name in names.items() if name.lower() in lower}
    return max(places, key=lambda option: places[option]) if places else None


def vlmevalkit(text: str, names: Mapping[int, str]) -> int | None:
    """The only option in the text, if among its last words; else behind "answer is"; else the only name."""
    words = re.sub(r"[.()\[\],:;!*#{}]", " ", text).split()
    options = [option for option in names if str(option) in words]
    if len(options) == 1 and words.index(str(options[0])) > len(words) - 5:
        return options[0]
    if found := re.search(rf"answer\s+is\s+\**{_OPTION}", text, re.IGNORECASE):
        return int(found[1])
    if len(text) > 2 * sum(map(len, names.values())):
        return None
    named = [option for option, name in names.items() if name.lower() in text.lower()]
    return named[0] if len(named) == 1 else None


_NUMBER = r"(\d+(?:\.\d+)?)"
_JOINED = re.compile(rf"{_NUMBER}\s*s?\s*[–-]\s*{_NUMBER}")
_HMS = re.compile(r"\b(\d{1,2}):(\d{2}):(\d{2})\b")
_CLOCK = re.compile(r"\b(?:(\d{1,2}):)?(\d{1,2}):(\d{2}(?:\.\d+)?)\b")


def lmms_eval_charades(text: str) -> Spans:
    """One span, only from lines that speak of a start, an end or a happening.

    The first two numbers joined by "to" or a dash; else the first number of each such line, in pairs; else the same
    with h:mm:ss. An end before its start is exchanged with it.
    """
    lines = re.split(r"[!?\n]", text.lower().replace("to", "-"))
    lines = [line for line in lines if re.search("start|end|happen", line)]
    joined = next((found for line in lines if (found := re.search(rf"{_NUMBER}\s*[–-]\s*{_NUMBER}", line))), None)
    if joined is None:
        times = [float(found[1]) for line in lines if (found := re.search(rf"\b{_NUMBER}\b", line))]
        if len(times) < 2:
            times = [_clock(*found.groups()) for line in lines if (found := _HMS.search(line))]
        if len(times) < 2:
            joined = next((found for line in lines if (found := _JOINED.search(line))), None)
    if joined:
        times = [float(joined[1]), float(joined[2])]
    elif len(times) < 2:
        return ()
    return ((min(times[:2]), max(times[:2])),)


def lmms_eval_timelens(text: str) -> Spans:
    """Clock times in pairs; else numbers joined by a dash; else by "to"; else all numbers in pairs.

    The original scores the first; all are returned here.
    """
    lower = text.lower()
    if len(clocks := [_clock(*found.groups()) for found in _CLOCK.finditer(lower)]) > 1:
        return _pairs(clocks)
    for joint in (r"\s*-\s*", r"\s+to\s+"):
        if found := re.findall(rf"(\d+\.?\d*){joint}(\d+\.?\d*)", lower):
            return tuple((float(start), float(end)) for start, end in found)
    return _pairs([float(number) for number in re.findall(r"\b\d+\.?\d*\b", lower)])


def time_r1(text: str) -> Spans:
    """The last two numbers joined by "to" or "and"."""
    found = re.findall(r"(\d+\.?\d*) (?:to|and) (\d+\.?\d*)", text)
    return ((float(found[-1][0]), float(found[-1][1])),) if found else ()


def _clock(hours: str | None, minutes: str, seconds: str) -> float:
    return 3600 * int(hours or 0) + 60 * int(minutes) + float(seconds)


def _pairs(times: list[float]) -> Spans:
    return tuple(zip(times[::2], times[1::2], strict=False))
