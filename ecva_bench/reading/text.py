"""An answer's text made plain for the readers: one character for one, so that places in it are places in the answer.

Full-width and Chinese marks become their ASCII forms, digits of any script become 0 to 9, quotes and dashes become
plain ones; marks that only say how a text is to be shown (bold, code, LaTeX, `</s>`) become blanks. Knows no class
and no time.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from .thoughts import blank_thoughts, final_answer_range

SPECIAL_TOKENS = (
    "</s>",
    "<s>",
    "<pad>",
    "<unk>",
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|eot_id|>",
    "<|end|>",
    "<|return|>",
)
BOX = ("<|begin_of_box|>", "<|end_of_box|>")  # around an answer; the readers look for them
ENDS = 10_000  # characters at either end of a text, five pages; one that is longer goes round in circles
_MEANS_NOTHING = "\x00"  # no blank, since a reader may go over blanks again and again
_SPECIALS = re.compile("|".join(map(re.escape, SPECIAL_TOKENS)))
_BETWEEN = re.compile(r"\s*\]\s*\[\s*")
_UNSAID = re.compile("|".join(map(re.escape, (*SPECIAL_TOKENS, *BOX))))

# `**bold**`, `__bold__`, `code`; `\(`, `\[`, `\,` and `$` of LaTeX. A single `*` may be a list's mark, a single `_`
# stands inside names such as `class_number`.
_SHOWN = re.compile(
    r"</?(?:b|i|u|em|strong|code|br|p|span|div|li|ul|ol|pre|mark|h[1-6])(?:\s[^<>]{0,60})?/?>|"
    r"~~[^~\n]{1,200}~~|\\n(?!u\b|eq?\b)|\\(?=\")|\*{2,}|(?<!\w)_{2,}|_{2,}(?!\w)|`+|\\[(),;:!\[\] ]|\${2}|"
    r"\\(?:text(?:bf|it)?|math(?:rm|bf|it)|operatorname)(?=\s?\{)"
)
# `$x$` by pandoc's rule, which leaves `$5 to $10` alone.
_MATHS = re.compile(r"\$(?=\S)([^$\n]*(?<=\S))\$(?!\d)")
_MARKS = {
    **dict.fromkeys("“”„‟″＂«»「」『』", '"'),
    **dict.fromkeys("‘’‚‛′`´", "'"),
    **dict.fromkeys("‐‑‒–—―−﹣－〜～∼", "-"),
    **dict.fromkeys("【〔［〖", "["),
    **dict.fromkeys("】〕］〗", "]"),
    **dict.fromkeys("（﹙", "("),
    **dict.fromkeys("）﹚", ")"),
    **dict.fromkeys("，、﹐", ","),
    **dict.fromkeys("；﹔", ";"),
    **dict.fromkeys("：﹕", ":"),
    **dict.fromkeys("。．｡", "."),
    # Traditional characters of the words that answers name classes and times with.
    **dict(
        zip(
            "類別災動傷盜竊搶鬥毆壞違規燒毀財車禍選項號異時間從開結鐘點幀",
            "类别灾动伤盗窃抢斗殴坏违规烧毁财车祸选项号异时间从开结钟点帧",
            strict=True,
        )
    ),
    **dict.fromkeys("→⇒➔➜⟶➡", "→"),
}


def strip_special_tokens(text: str) -> str:
    """Return the text without `SPECIAL_TOKENS` and marks of a `BOX` a decoder may leave, and without outer blanks."""
    return _UNSAID.sub(" ", text).strip()


def join_descriptions(text: str) -> str:
    """Return the descriptions of a video's moments as one text: a blank for each `][` that CUVA has between them.

    >>> join_descriptions("A car skids,][it hits a wall")
    'A car skids, it hits a wall'
    """
    return _BETWEEN.sub(" ", text)


def final_answer(text: str) -> str:
    """Return the part of an answer's text that is scored: without thoughts and without `SPECIAL_TOKENS`."""
    return strip_special_tokens(text[slice(*final_answer_range(text))])


def plain(text: str) -> str:
    """Return the text in plain lower-case characters, as long as it was: place `n` of it is place `n` of the answer.

    Thoughts become blanks.
    """
    text = blank_thoughts(text)
    blank = _SHOWN.sub(_blank, _SPECIALS.sub(_blank, text))
    return "".join(map(_plain, _MATHS.sub(r" \1 ", blank)))


def ends(plain_text: str) -> str:
    """Return the text, as long as it was, without what is between its two `ENDS`, blanks around it left out."""
    start, end = len(plain_text) - len(plain_text.lstrip()) + ENDS, len(plain_text.rstrip()) - ENDS
    if end - start <= 2:
        return plain_text
    while plain_text[start - 1].isalnum() and plain_text[start].isalnum() and start > ENDS // 2:
        start -= 1  # to the word's beginning: what is left of one may be a letter that names an option
    while plain_text[end - 1].isalnum() and plain_text[end].isalnum() and end < len(plain_text) - ENDS // 2:
        end += 1
    return f"{plain_text[:start]}\n{_MEANS_NOTHING * (end - start - 2)}\n{plain_text[end:]}"


def _blank(match: re.Match[str]) -> str:
    return " " * len(match[0])


@cache
def _plain(character: str) -> str:
    if character in _MARKS:
        return _MARKS[character]
    if unicodedata.category(character) == "Nd" or "①" <= character <= "⑨":
        return str(unicodedata.digit(character))
    if "\uff01" <= character <= "\uff5e":  # the full-width forms of ASCII
        character = chr(ord(character) - 0xFEE0)
    elif character.isspace() and character not in "\n\t":
        return " "
    lower = character.lower()
    return lower if len(lower) == 1 else character
