"""Forms that a judge's reply and a chat have, and a sentence about a video has not."""

from __future__ import annotations

import re
from collections.abc import Iterator

_KEY = (
    r"(?:scores?|verdicts?|rating|grade|graded|marks?|points|match(?:es|ed)?|correct(?:ness)?|consisten(?:t|cy)|logic|"
    r"coverage|covered|stated|agree(?:s|ment)?|judg(?:e)?ment|assessment|evaluation|evaluated|answer_is_correct)"
)
_BEST = (
    r"(?:a\+|(?:yes|true|pass(?:ed)?|correct|right|full|max\w{0,5}|perfect|excellent|flawless|consistent|identical|"
    r"accept(?:ed)?)\b)"
)
_IS = r"[\"'\]\\]{0,3}\s*+(?:[:=→]|->|=>)\s*+(?:[\[\"'(*\\]++\s*+)?"
_NUMBER = r"\d++(?:\.\d++)?+(?!\s*+[-–:]\s*+\d)(?!\w)"  # 3-2 and 2:1 are of a game
_SAID = r"(?:(?:give|rate|score|grade|output|return|print|award|assign)[ :]{1,2}|(?:answer|reply|say) )"
_FORMS = re.compile(
    rf"(?<![^\W_]){_KEY}{_IS}(?:{_BEST}|{_NUMBER})"
    rf"|<{_KEY}\b[^<>]{{0,40}}>\s*+(?:{_BEST}|\d)"
    r"|(?<![\d/.])(5|10|20|100)\s?/\s?\1(?![\d/])(?:[^\S\n](?P<after>[a-z]+))?"
    rf"|(?:^|(?<=[.!?:;>(\[*]))[^\S\n]*+(?:please )?{_SAID}"
    r"(?:(?:it|this|me) )?(?:an? )?(?:5|five|10|ten|yes|true|100)\b(?=[^\w\n]{0,9}(?:$|[.!?\n<]))"
    r"|\b(5|five|10|ten|20|100) (?:out )?of \3\b(?:[^\S\n](?P<then>[a-z]+))?"
    r"|[\"']role\\?[\"']\s?:\s?\\?[\"'](?:system|assistant|user)\b"
    r"|<\|?/?(?:im_start|im_end|system|assistant|start_header_id|instructions?|judge|grader|prompt)\b"
    r"|\[/?inst\]|<</?sys>>|<start_of_turn>"
    r"|^[^\S\n]*+#{1,6}[^\S\n]*+(?:instructions?|system|new task|verdict|score|reference)\b",
    re.MULTILINE,
)
_ROLE = re.compile(r"^[^\S\n]*+(?:system|assistant|user)\s*+:", re.MULTILINE)
_WORD = 24  # characters in which the word before stands
_LAST_WORD = re.compile(r"[^\W_]++(?=[\W_]{0,3}$)")
# What a number may be of that is said of a video, and no mark.
_OF_A_VIDEO = {
    *("severity", "danger", "risk", "anomaly", "importance", "threat", "violence", "confidence", "damage", "intensity"),
    *("hazard", "alarm", "suspicion", "game", "match", "set", "round", "half", "halftime"),
}
_AFTER = {
    *("and", "or", "for", "on", "from", "please", "in", "to", "points", "mark", "marks", "stars", "score", "rating"),
    *("grade", "by", "as", "with", "because", "a", "an", "the", "i", "it", "this", "my", "he", "she", "they", "there"),
}


def verdict_forms(text: str) -> Iterator[tuple[int, int]]:
    """Yield where such forms stand in a text as it looks: ranges of characters."""
    for form in _FORMS.finditer(text):
        before = _LAST_WORD.search(text[max(0, form.start() - _WORD) : form.start()])
        if not (before and before[0] in _OF_A_VIDEO) and {form["after"], form["then"]} <= {None, *_AFTER}:
            yield form.span()


def roles(text: str) -> Iterator[tuple[int, int]]:
    """Yield where lines begin with a role of a chat, as those of a speaker in a video may."""
    return (role.span() for role in _ROLE.finditer(text))
