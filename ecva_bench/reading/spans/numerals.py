"""Numbers in words, English and Chinese, as far as seconds and minutes of a video are written so: 0 to 999."""

from __future__ import annotations

import re

_ONES = re.findall(
    "[a-z]+",
    """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
    eighteen nineteen""",
)
_TENS = re.findall("[a-z]+", "twenty thirty forty fifty sixty seventy eighty ninety")
# "first" and "second" have another meaning beside times.
_ORDINALS = re.findall(
    "[a-z]+",
    """third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth
    seventeenth eighteenth nineteenth""",
)
_TENTHS = re.findall("[a-z]+", "twentieth thirtieth fortieth fiftieth sixtieth")
_ENGLISH = {
    **{word: n for n, word in enumerate(_ONES)},
    **{word: 10 * n for n, word in enumerate(_TENS, 2)},
    **{word: n for n, word in enumerate(_ORDINALS, 3)},
    **{word: 10 * n for n, word in enumerate(_TENTHS, 2)},
    "first": 1,
}
_CHINESE = {character: n for n, character in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "半": 0.5}

_HALF = " and a half"
_UNITS = "|".join((*_ORDINALS, "first", *sorted(_ONES, key=len, reverse=True)))
ENGLISH = (
    rf"(?:{'|'.join(_TENTHS)}|(?:{'|'.join(_TENS)})(?:[- ](?:{_UNITS}))?|(?!first)(?:{_UNITS}))(?:{_HALF})?(?![a-z])"
)
CHINESE = "[零〇一二两三四五六七八九十百半]{1,7}(?:点[零〇一二三四五六七八九]{1,3})?"


def number(text: str) -> float:
    """Return the value of digits, or of a number matched by `ENGLISH` or `CHINESE`, in lower case."""
    if text[0].isdecimal():
        return float(text)
    if text.endswith(_HALF):
        return number(text.removesuffix(_HALF)) + 0.5
    if text[0].isascii():
        return sum(_ENGLISH[word] for word in text.replace("-", " ").split())
    whole, _, fraction = text.partition("点")
    tail = "".join(str(_CHINESE[character]) for character in fraction)
    return _chinese(whole) + (float(f"0.{tail}") if tail else 0)


def _chinese(text: str) -> float:
    hundreds, hundred, rest = text.rpartition("百")
    tens, ten, ones = rest.rpartition("十")
    value = 100 * _digits(hundreds, 1) if hundred else 0
    return value + (10 * _digits(tens, 1) if ten else 0) + _digits(ones, 0)


def _digits(text: str, empty: float) -> float:
    """Return digits in a row as one number: 二〇 is 20."""
    value = 0.0
    for character in text:
        value = 10 * value + _CHINESE.get(character, 0)
    return value if text else empty
