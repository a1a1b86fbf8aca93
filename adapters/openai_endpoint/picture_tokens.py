"""How many tokens a picture counts at most, by the rules that providers publish for their models. Knows no picture.

Which model a rule is for is told by its name. A rule gives the first bound of what a request costs; what replies then
count takes its place (`ecva_bench/judging/bounds.py`). Sources, read in November 2026:
https://developers.openai.com/api/docs/guides/images-vision, https://platform.claude.com/docs/en/build-with-claude/vision,
https://ai.google.dev/gemini-api/docs/tokens and /media-resolution. Where a bill has shown other factors than the page,
the larger one stands here.
"""

from __future__ import annotations

import re
from math import ceil

_TILE = 512
# Tokens of a picture and of each tile, by the beginning of the model's name; the first that fits counts.
_TILED = {
    r"gpt-4o-mini": (2833, 5667),
    r"gpt-4o|chatgpt-4o|gpt-4\.1(?!-(mini|nano))|gpt-4\.5|gpt-4-turbo": (85, 170),
    r"o1|o3": (75, 150),
    r"gpt-5(\.1)?(?![.\d]|-(mini|nano))": (70, 140),
}
# Tokens of each patch of so many pixels, and the most of a picture, in patches.
_PATCHED = {
    r"gpt-4\.1-nano|gpt-5-nano": (32, 2.46, 1536),
    r"o4-mini": (32, 1.72, 1536),
    r"gpt-4\.1-mini|gpt-5(\.\d)?-(mini|nano)": (32, 1.62, 2500),
    r"gpt-[5-9]": (32, 1.2, 10_000),
    r"claude-": (28, 1.0, 4784),
}
_GEMINI_2 = (258, 768)  # tokens of each tile of so many pixels
_GEMINI = 1120  # of a picture at the resolution that Gemini 3 and later take by themselves
# No rule known to us counts more for a picture than the larger of these, but that of gpt-4o-mini.
_ANY, _ANY_SIDE = 4096, 14


def most_tokens(model: str, width: int, height: int, *, low: bool = False) -> int:
    """Return the most tokens a picture of so many pixels counts for a model; `low` is `detail: low`.

    The name may stand behind a provider's, as in `openai/gpt-4o`. A model whose rule is not known gets a bound that
    holds for all open models known to us.
    """
    name = model.rpartition("/")[2].lower()
    for names, (base, tile) in _TILED.items():
        if re.match(names, name):
            return base if low else base + tile * ceil(width / _TILE) * ceil(height / _TILE)
    for names, (side, factor, most) in _PATCHED.items():
        if re.match(names, name):
            return ceil(min(ceil(width / side) * ceil(height / side), most) * factor)
    if re.match(r"gemini-(1|2)", name):
        count, side = _GEMINI_2
        return count * ceil(width / side) * ceil(height / side)
    if name.startswith("gemini-"):
        return _GEMINI
    return max(_ANY, ceil(width / _ANY_SIDE) * ceil(height / _ANY_SIDE))
