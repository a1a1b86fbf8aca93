"""Options with marks beside them: `✅ B`, `A ❌`, `- [x] C`, `D [ ]`. What is crossed or not ticked is no answer."""

from __future__ import annotations

import re

_BOX = r"(?:(?<!\S)[(\[][ \t]?{0}[ \t]?[)\]](?=[ \t]*\S)|(?<=\S[ \t])[(\[][ \t]?{0}[ \t]?[)\]](?=[ \t]*$))"
_TICK = r"[✓✔✅☑]\ufe0f?|" + _BOX.format("[x✓✔]")
_CROSS = r"[✗✘❌☐☒❎]\ufe0f?|^[ \t]*×(?!\S)|(?<!\S)×(?=[ \t]*$)|" + _BOX.format("[ \t]?")
_MARK = re.compile(rf"(?P<tick>{_TICK})|(?:{_CROSS})", re.MULTILINE)
_AT_START = re.compile(rf"[\s\-•*#>|.\d)]{{0,20}}(?:{_TICK}|{_CROSS})")
_AT_END = re.compile(r"[\s.,;|*)]*")


def only_ticked(plain_text: str) -> str:
    """Return the text, as long as it was, without what a cross or an empty box stands beside; marks end lines.

    On a line that begins with a mark each speaks of what follows it, on one that ends with a mark of what stands before
    it. Of another line with a cross nothing is left. `☒` is a tick beside empty boxes.
    """
    if "☒" in plain_text and "☐" in plain_text and not any(mark["tick"] for mark in _MARK.finditer(plain_text)):
        plain_text = plain_text.replace("☒", "☑")
    if _MARK.search(plain_text) is None:
        return plain_text
    return "\n".join(map(_of_line, plain_text.split("\n")))


def _of_line(line: str) -> str:
    marks = list(_MARK.finditer(line))
    left = list(line)
    for mark in marks:
        left[mark.start() : mark.end()] = "\n" * len(mark[0])
    crosses = [number for number, mark in enumerate(marks) if mark["tick"] is None]
    if crosses:
        at_start, at_end = _AT_START.match(line) is not None, _AT_END.fullmatch(line, marks[-1].end()) is not None
        if at_start is at_end:
            return " " * len(line)
        starts, ends = [mark.start() for mark in marks], [mark.end() for mark in marks]
        for number in crosses:
            start = ends[number] if at_start else [0, *ends][number]
            end = [*starts, len(line)][number + 1] if at_start else starts[number]
            left[start:end] = " " * (end - start)
    return "".join(left)
