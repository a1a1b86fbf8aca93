"""From one annotation cell to values: moments, a class, segments, key sentences. Pure functions, no file.

No function raises for any text: what cannot be read is left out, and every departure from the regular form is
noted under a rule of `rules.py`.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import NamedTuple

from ..records import Label, Moment
from ..records.base import Action


class Note(NamedTuple):
    """What a rule did to a cell, or to a part of it."""

    rule: str
    action: Action
    before: str
    after: str = ""


_NOTHING = ("", "/")

_MOMENTS = re.compile(r"(?:\[[^\[\]]*\][\s,，]*)+")
_LABEL = re.compile(r"\[([0-9]{1,3})-([0-9]{1,3}),([0-9])\]")
_IRREGULAR_LABEL = re.compile(
    r"[\[【]?\s{0,9}([0-9]{1,3})\s{0,9}(?:[-–]\s{0,9}([0-9]{1,3})\s{0,9})?(?:[,，]\s{0,9}([0-9]?)\s{0,9})?[,，]?\s{0,9}[\]】]?"
)
_SENTENCE = r"""(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
_SENTENCES = re.compile(rf"\[\s*(?:{_SENTENCE}(?:\s*,\s*{_SENTENCE})*)?[\s,]*\]", re.DOTALL)
_COMMA_BY_QUOTE = re.compile(r"""["“”]\s*[,，]\s*["“”]?|[,，]\s*["“”]""")


def parse_moments(cell: str) -> tuple[tuple[Moment, ...], list[Note]]:
    """Read moments written as `[mmss,mmss][mmss,mmss]` and return them in order of time, in seconds.

    A time has two digits of minutes and two of seconds: of the released annotations' 452 values of 100 and
    more none ends in 60 to 99.
    """
    notes: list[Note] = []
    text = cell.strip()
    regular = _MOMENTS.fullmatch(text)
    parts = re.findall(r"\[(.*?)\]", text, re.DOTALL) if regular else re.split(r"[\[\]]", text)
    if not any(part.strip(" \n,，") for part in parts) or text in _NOTHING:
        return (), [Note("moments-missing", "kept", cell)]
    if not regular:
        parts = [part for part in parts if part.strip(" \n,，")]
    read = [(part, *_moment(part)) for part in parts]
    moments = [moment for _, moment, _ in read if moment is not None]
    if not regular and moments:  # a moment that is left out anyway was not repaired
        after = "".join(f"[{part}]" for part, moment, _ in read if moment is not None)
        notes.append(Note("moments-brackets", "repaired", cell, after))
    notes += [note for _, _, note in read if note is not None]
    ordered = sorted(moments, key=lambda moment: (moment.start, moment.end))
    if ordered != moments:
        notes.append(Note("moments-order", "repaired", cell, _seconds(ordered)))
    if any(later.start < earlier.end for earlier, later in pairwise(ordered)):
        notes.append(Note("moments-overlap", "kept", cell))
    return tuple(ordered), notes


def _moment(part: str) -> tuple[Moment | None, Note | None]:
    """Read what stands between two brackets."""
    written = f"[{part}]"
    times = [time.strip() for time in re.split(r"[,，]", part)]
    if len(times) == 2 and "" in times:
        return None, Note("moment-open", "excluded", written)
    if len(times) != 2 or not all(re.fullmatch(r"0*[0-9]{1,4}", time) for time in times):
        return None, Note("moment-malformed", "excluded", written)
    regular = [time.lstrip("0").zfill(4) for time in times]
    if any(time[2:] > "59" for time in regular):
        return None, Note("moment-seconds", "excluded", written)
    start, end = (60.0 * int(time[:2]) + int(time[2:]) for time in regular)
    moment = Moment(start=min(start, end), end=max(start, end))
    if start > end:
        return moment, Note("moment-reversed", "repaired", written, _seconds([moment]))
    if regular != times:
        return moment, Note("moment-digits", "repaired", written, f"[{regular[0]},{regular[1]}]")
    if start == end:
        return moment, Note("moment-instant", "kept", written)
    return moment, None


def _seconds(moments: list[Moment]) -> str:
    return " ".join(f"{moment.start:g}-{moment.end:g} s" for moment in moments)


def parse_label(cell: str) -> tuple[Label | None, list[Note]]:
    """Read a class written as `[major-sub,severity]`, such as `[5-1,5]`."""
    text = cell.strip()
    if not text.strip("[]【】,， \n/"):
        return None, [Note("class-missing", "kept", cell)]
    codes = list(_LABEL.finditer(text))
    rest = _LABEL.sub("", text).strip()
    if len(codes) > 1 and not rest:
        label, notes = _label(codes[0])
        return label, [Note("class-several", "repaired", cell, codes[0][0]), *notes]
    match = codes[0] if len(codes) == 1 and not rest else _IRREGULAR_LABEL.fullmatch(text)
    if match is None:
        return None, [Note("class-is-free-text", "kept", cell)]
    label, notes = _label(match)
    if label is not None and not (codes and text == cell):
        notes.append(Note("class-irregular", "repaired", cell, _written(label)))
    return label, notes


def _label(match: re.Match[str]) -> tuple[Label | None, list[Note]]:
    major, sub, severity = (int(group) if group else None for group in match.groups())
    if not major or sub == 0:
        return None, [Note("class-impossible", "excluded", match[0])]
    if severity is not None and not 1 <= severity <= 5:
        return Label(major=major, sub=sub), [Note("severity-impossible", "excluded", match[0])]
    return Label(major=major, sub=sub, severity=severity), []


def _written(label: Label) -> str:
    return f"[{label.code}]" if label.severity is None else f"[{label.code},{label.severity}]"


def parse_segments(cell: str) -> tuple[tuple[str, ...], list[Note]]:
    """Read descriptions written as `[one][another]`; text without any bracket is one segment."""
    text = cell.strip()
    pieces = (piece.strip() for piece in re.split(r"\][\s,]*\[", text.strip("[]")))
    segments = tuple(piece for piece in pieces if piece not in _NOTHING)
    if not segments:
        return (), [Note("text-missing", "kept", cell)]
    if text.count("[") != text.count("]"):
        return segments, [Note("description-brackets", "repaired", cell, text.strip("[]"))]
    return segments, []


def parse_key_sentences(cell: str) -> tuple[tuple[str, ...], list[Note]]:
    """Read key sentences written as a list of quoted strings, `["one", "another"]`."""
    text = cell.strip()
    if text in _NOTHING:
        return (), [Note("key-sentences-missing", "kept", cell)]
    notes: list[Note] = []
    if _SENTENCES.fullmatch(text) and not re.search(r"”\s*[,，]\s*“", text):
        written = [_unquoted(sentence) for sentence in re.findall(_SENTENCE, text, re.DOTALL)]
    else:
        written = [part.strip('"“”') for part in _COMMA_BY_QUOTE.split(text.strip("[] \n"))]
        notes.append(Note("key-sentences-quotes", "repaired", cell, " | ".join(written)))
    sentences = tuple(sentence.strip() for sentence in written if sentence.strip())
    spaced = [sentence for sentence in written if sentence.strip() not in ("", sentence)]
    if spaced:
        trimmed = " | ".join(repr(sentence.strip()) for sentence in spaced)
        notes.append(Note("key-sentences-spaces", "repaired", " | ".join(map(repr, spaced)), trimmed))
    if len(sentences) < len(written):
        notes.append(Note("key-sentences-empty", "excluded", cell, " | ".join(sentences)))
    if len(sentences) < 4:
        notes.append(Note("key-sentences-few" if sentences else "key-sentences-missing", "kept", cell))
    return sentences, notes


def _unquoted(sentence: str) -> str:
    return re.sub(r"\\(.)", r"\1", sentence[1:-1], flags=re.DOTALL)


def parse_text(cell: str) -> tuple[str | None, list[Note]]:
    """Return a text exactly as it is written, or None for an empty one or `/`."""
    if cell.strip() in _NOTHING:
        return None, [Note("text-missing", "kept", cell)]
    return cell, []
