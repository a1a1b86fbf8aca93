"""Where a text that reasons says what its answer is: in `\\boxed{}`, in `<answer>`, behind `Final answer:`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from .pairs import TimePair

_TAGGED = re.compile(r"<answer>|<\|begin_of_box\|>|\\boxed\s*\{")
_CLOSING = {"<answer>": "</answer>", "<|begin_of_box|>": "<|end_of_box|>"}
_NAMED = re.compile(
    r"\b(?:answer|prediction|final (?:timestamps?|output|result|spans?|segments?|intervals?))\b[\"']?"
    r"(?:\s(?:is|are)\b|\s?[:=])|\b(?:assistant|response)\s?:|(?:最终)?(?:答案|结论)(?:是|为|:)|"
    r"(?:^|\n)\W{0,8}(?:final|result|output|conclusion|verdict)\W{0,4}:|"
    r"\b(?:in conclusion|to conclude|in summary|to summari[sz]e)\b"
)
_CONCLUDING = re.compile(
    r"(?:^|[.;!?\n]\s{0,8})(?:therefore|thus|hence|so|overall|altogether|因此|所以|综上(?:所述)?)[,\s][^.\n]{0,80}?"
    r"(?:anomal|abnormal|event|incident|answer|span|segment|interval|timestamp|异常|事件)"
)
_EXPLAINED = re.compile(
    r"\n\W{0,8}(?:explanation|reason(?:ing)?|rationale|justification|analysis|details?|description|note|evidence|"
    r"observations?|because|here'?s why|解释|理由|说明|分析|原因)\b[^\n]{0,40}?[:\n]"
)


_NONE = re.compile(r"\W*(?:none\b|n/?a\b|null\b|nothing\b|no (?:anomal|abnormal|unusual|event|such)|\[\s*\]|没有|无)")
_NEAR = 64
_ONLY_MARKS = re.compile(r"[\s\"',;\[\](){}]*(?:[01]?\.\d+[\s\"',;\[\](){}]*)?")  # and a score
_LINE_BEFORE = re.compile(r"(?:^|\n)[\s\"'`*>#|\[({<]*(?:(?:\d{1,2}|[a-z])[.)])?[\s\"'`*>#|\[({<-]*$")
_LINE_AFTER = re.compile(r"[\s\"'*|.,\])}>]*(?:\n|$|(?:seconds?|secs?|s)\b[\s.]*(?:\n|$))")
_KEY = re.compile(r"[\"']\s*:\s*[\"'\[({\s]*$")
_AT_MOST = 4  # marks of a kind that are looked at, from the text's end


def conclusions(text: str) -> Iterator[tuple[int, int]]:
    """Yield the stretches [start, end) of a plain text that say what its answer is: most explicit first, last first."""
    for match in reversed(list(_TAGGED.finditer(text))[-_AT_MOST:]):
        yield match.end(), _closed(text, match)
    for pattern in (_NAMED, _CONCLUDING):
        for match in reversed(list(pattern.finditer(text))[-_AT_MOST:]):
            explained = _EXPLAINED.search(text, match.end())
            yield match.end(), explained.start() if explained else len(text)
    if explained := _EXPLAINED.search(text):
        yield 0, explained.start()


def says_none(text: str, start: int) -> bool:
    """Return whether a conclusion that starts there is that there is nothing to name."""
    return bool(_NONE.match(text, start))


def by_themselves(text: str, pairs: Sequence[TimePair]) -> list[bool]:
    """Return which pairs stand in a table or an object, or alone in their lines: beside them, prose only explains."""
    found = [False] * len(pairs)
    group: list[int] = []
    for n, pair in enumerate(pairs):
        group.append(n)
        following = pairs[n + 1].start if n + 1 < len(pairs) else len(text)
        if n + 1 < len(pairs) and (following < pair.end or _ONLY_MARKS.fullmatch(text, pair.end, following)):
            continue
        first = pairs[group[0]]
        left = text[max(0, first.start - _NEAR) : first.start]
        alone = _LINE_BEFORE.search(left) and _LINE_AFTER.match(text, pair.end)
        if alone or _KEY.search(left) or first.rule in ("keys", "table"):
            for member in group:
                found[member] = True
        group = []
    return found


def _closed(text: str, match: re.Match[str]) -> int:
    """Return where what a mark opens is closed: at the matching brace, else at the text's end."""
    if closing := _CLOSING.get(match[0]):
        found = text.find(closing, match.end())
        return found if found >= 0 else len(text)
    depth = 1
    for brace in re.compile(r"[{}]").finditer(text, match.end()):
        depth += 1 if brace[0] == "{" else -1
        if not depth:
            return brace.start()
    return len(text)
