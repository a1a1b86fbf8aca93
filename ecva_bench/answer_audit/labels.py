"""Class answers that are taken from the annotation: what they say of a class is more, or more often right, than can be.

A question lists classes, not the codes of sub-classes that annotators write (`5-1`); and whoever reads the class off a
video is wrong now and then. Answers that are right by chance, or because a model is good, are told apart by counting.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from ..reading.look_alikes import as_it_looks
from ..records.annotations import Label
from ..records.readings import Reading

_CODE = re.compile(r"(?<![\d.,-])(\d{1,2})\s?[-‐-―−/._]\s?(\d{1,2})(?![\d-]|[.,]\d)")
_UNLIKELY = 1e-6  # that as many agree by chance
_NEARLY_ALL = 0.9
_CLASSES = 3  # different ones, at least
_MANY = 100  # answers, all of which are right


def sub_classes_taken(
    texts: Mapping[str, str], readings: Mapping[str, Reading], labels: Mapping[str, Label]
) -> list[str]:
    """Return the samples whose answers give their own sub-class, where nearly all that give one give the right one."""
    said = {sample: _sub_classes(text, readings.get(sample)) for sample, text in texts.items() if sample in labels}
    said = {sample: codes for sample, codes in said.items() if codes}
    right = [sample for sample, codes in said.items() if labels[sample].sub and labels[sample].code in codes]
    frequency = Counter(label.code for label in labels.values())
    by_chance = [min(1.0, sum(frequency[code] for code in codes) / len(labels)) for codes in said.values()]
    several = len({labels[sample].code for sample in right}) >= _CLASSES
    if several and len(right) >= _NEARLY_ALL * len(said) and _at_least(len(right), by_chance) < _UNLIKELY:
        return right
    return []


def one_form_is_right(
    texts: Mapping[str, str], readings: Mapping[str, Reading], labels: Mapping[str, Label]
) -> list[str]:
    """Return the samples whose answers have a form in which all are right, where in other forms many are wrong.

    A form is the text without the class that it names.
    """
    forms: dict[str, list[str]] = defaultdict(list)
    right: dict[str, bool] = {}
    for sample, reading in readings.items():
        if sample in labels and reading.labels:
            forms[_form(texts[sample], reading)].append(sample)
            right[sample] = reading.labels[0].major == labels[sample].major
    taken: list[str] = []
    right_ones = sum(right.values())
    for some in forms.values():
        if all(right[sample] for sample in some) and len({labels[sample].major for sample in some}) >= _CLASSES:
            share = (right_ones - len(some) + 1) / (len(right) - len(some) + 1)  # of those in other forms
            if share ** len(some) < _UNLIKELY:
                taken += some
    return taken


def all_right(readings: Mapping[str, Reading], labels: Mapping[str, Label]) -> list[str]:
    """Return all samples with a class, where there are many, of several classes, and every answer is right."""
    known = [sample for sample, reading in readings.items() if sample in labels and reading.labels]
    right = [sample for sample in known if readings[sample].labels[0].major == labels[sample].major]
    several = len({labels[sample].major for sample in right}) >= _CLASSES
    return right if several and len(right) == len(known) >= _MANY else []


def _sub_classes(text: str, reading: Reading | None) -> set[str]:
    """Return the codes of the sub-classes that a text gives, by number or, where it was read, by name."""
    codes = {f"{int(major)}-{int(sub)}" for major, sub in _CODE.findall(as_it_looks(text))}
    named = reading.labels[:1] if reading else ()
    return codes | {label.code for label in named if label.sub is not None}


def _form(text: str, reading: Reading) -> str:
    parts, end = [], 0
    for first, last in sorted(reading.places):
        parts.append(text[end:first])
        end = max(end, last)
    return re.sub(r"\s+|\d+", " ", as_it_looks(" ".join([*parts, text[end:]]))).strip()


def _at_least(count: int, chances: Sequence[float]) -> float:
    """Return a bound (Chernoff's) on the probability that so many of independent cases come about."""
    cases, mean = len(chances), math.fsum(chances) / max(1, len(chances))
    share = count / cases if cases else 0.0
    if share <= mean or mean in (0.0, 1.0):
        return 0.0 if mean == 0.0 and count else 1.0
    rest = (1 - share) * math.log((1 - share) / (1 - mean)) if share < 1 else 0.0
    return math.exp(-cases * (share * math.log(share / mean) + rest))
