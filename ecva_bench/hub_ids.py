"""What a repository of the Hugging Face Hub is called, `OWNER/NAME`: one rule for weights, data sets and links.

As the hub has it: letters, digits and `-`, `_`, `.`, none of `-` and `.` at an end, nor `--` and `..`, 96 at most.
"""

from __future__ import annotations

import re

# Patterns, for longer ones: the part before or behind the slash, and the whole.
HUB_NAME = r"(?![A-Za-z0-9._-]*(?:--|\.\.))[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?"
HUB_ID = rf"{HUB_NAME}/{HUB_NAME}"

_HUB_ID = re.compile(HUB_ID)


def is_hub_id(text: str) -> bool:
    """Return whether a text is the id of a repository, with its owner.

    >>> is_hub_id("lmsys/vicuna-7b-v1.5"), is_hub_id("lmsys/../weights"), is_hub_id("gpt2")
    (True, False, False)
    """
    return _HUB_ID.fullmatch(text) is not None
