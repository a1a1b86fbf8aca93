"""Ranges of severities, such as `between 7 and 8`, brought into the one form in which values are read: `7-8`."""

from __future__ import annotations

import re

# What a severity is called.
WORDS = (
    r"(?:severity|importance|severeness|seriousness|intensity|danger|harm|anomaly|abnormality|risk|how[_ ]severe|score|"
    r"rating|rate[sd]?|grade|level|value|answer|严重程度|严重性|严重度|评分|分数|得分)"
)
_BETWEEN = re.compile(
    r"(?P<cue>(?<![a-z])(?:severity|importance|severeness|seriousness|score|rating|rate[sd]?)\b[a-z ]{0,20} )"
    r"between (?P<low>\d{1,3}(?:\.\d{1,6})?) and (?P<high>\d{1,3}(?:\.\d{1,6})?)(?![\d:]| ?s(?:ec|\b))"
)
# A range in a reply about one segment, in forms that could be times elsewhere: `7 - 8`, `7 or 8`, `7/10 to 8/10`.
_OF_ALL = r"(?:\s?(?:/|out of|of)\s?10\b(?!\.\d)|\s?(?:%|percent\b|per cent\b))"
_LOOSE_RANGE = re.compile(
    rf"(?:\bbetween\s)?(?<![\d./:])(?P<low>\d{{1,3}}(?:\.\d{{1,6}})?)(?P<of>{_OF_ALL})?\s?(?:-|\b(?:to|or|and)\b)\s?"
    rf"(?P<high>\d{{1,3}}(?:\.\d{{1,6}})?)(?![\d:])(?P<also>{_OF_ALL})?"
)


def with_ranges_closed_up(text: str) -> str:
    """Return a text, as long as it was, with `7-8` for `between 7 and 8` behind a word for severity."""
    return _BETWEEN.sub(_closed_up, text)


def with_ranges_of_a_reply(text: str) -> str:
    """Return a reply about one segment with `7-8/10` for each range, in whichever words."""
    return _LOOSE_RANGE.sub(_tight_range, text)


def _closed_up(match: re.Match[str]) -> str:
    """Return `severity is between 7 and 8` as `severity is 7-8`, as long as it was."""
    return f"{match['cue']}{match['low']}-{match['high']}".ljust(len(match[0]))


def _tight_range(match: re.Match[str]) -> str:
    """Return a range as `7-8/10`; what only looks like one, such as `2 and 3`, as it is."""
    between = match[0].startswith("between")
    of_time = match.string[: match.start()].endswith("anomaly ")  # is there between 3 and 7
    if re.search(r"\band\b", match[0]) and (of_time or not between):
        return match[0]
    if (match["of"] or "").strip() not in ("", (match["also"] or "").strip()):
        return match[0]  # `7/10 to 80 %`
    return f"{match['low']}-{match['high']}{match['also'] or ''}"
