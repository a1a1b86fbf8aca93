"""Questions with options: keys that are missing, options that are none, keys that the question says."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from ..blind.choice import ChoiceItem
from ..data import Dataset
from ..records.annotations import LETTERS, Query
from .findings import DataFinding, OptionLengths, finding_of

Asked = tuple[str, Query]  # a video's id, and a question about it

_BLANK = re.compile(r"[\W_]+")


def plain_text(text: str) -> str:
    """Return a text without case, punctuation and further spaces: what is compared."""
    return _BLANK.sub(" ", text.casefold()).strip()


def questions_with_options(dataset: Dataset) -> dict[str, list[Asked]]:
    """Return the questions that have options, or should have (a choice), by task."""
    found: dict[str, list[Asked]] = defaultdict(list)
    for annotation in dataset.annotations:
        for query in annotation.queries:
            if query.options or query.task == "choice":
                found[query.task].append((annotation.video, query))
    return found


def choice_items(asked: Iterable[Asked]) -> list[ChoiceItem]:
    """Return the questions that have two options at least, and a key among them."""
    return [
        ChoiceItem(video, query.text, query.options, query.answer)
        for video, query in asked
        if query.answer is not None and query.answer < len(query.options) and len(query.options) > 1
    ]


def find_in_questions(dataset: str, tasks: Mapping[str, Sequence[Asked]]) -> list[DataFinding]:
    """Return what is wrong with keys and options of a data set, by task."""
    findings = []
    for task, asked in tasks.items():
        for rule, test in (
            ("key-missing", lambda query: query.answer is None),
            ("key-beyond", lambda query: query.answer is not None and query.answer >= len(query.options)),
            ("options-empty", _has_empty),
            ("options-equal", _has_equal),
            ("key-in-question", _says_key),
        ):
            cases = [(video, bool(test(query))) for video, query in asked]
            shown = (_shown(one) for one, (_, hit) in zip(asked, cases, strict=True) if hit)
            findings += finding_of(rule, dataset, cases, shown, task=task)
        findings += _repeated(dataset, task, asked)
    return findings


def option_lengths(tasks: Mapping[str, Sequence[Asked]]) -> list[OptionLengths]:
    """Return how long right and other options are, by the key's place and in all."""
    rows = []
    for task, asked in tasks.items():
        sums: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for item in choice_items(asked):
            lengths = [len(option) for option in item.options]
            right = lengths[item.answer]
            for place in (LETTERS[item.answer] if item.answer < len(LETTERS) else str(item.answer + 1), ""):
                sums[place].append((right, (sum(lengths) - right) / (len(lengths) - 1)))
        for place in sorted(sums, key=lambda name: (not name, name)):
            pairs = sums[place]
            right_mean, other_mean = (sum(part) / len(pairs) for part in zip(*pairs, strict=True))
            rows.append(OptionLengths(task=task, place=place, n=len(pairs), key=right_mean, others=other_mean))
    return rows


def _has_empty(query: Query) -> bool:
    return len(query.options) < 2 or not all(option.strip() for option in query.options)


def _has_equal(query: Query) -> bool:
    texts = [" ".join(option.casefold().split()) for option in query.options if option.strip()]
    return len(set(texts)) < len(texts)


def _says_key(query: Query) -> bool:
    """Whether the question has the words of the key in a row, and those of no other option."""
    if query.answer is None or query.answer >= len(query.options):
        return False
    first = _BLANK.split(query.options[query.answer].casefold().strip(), maxsplit=1)[0]
    if first not in query.text.casefold():  # most questions, and quicker than to compare all words
        return False
    asked, key = f" {plain_text(query.text)} ", plain_text(query.options[query.answer])
    if not key or f" {key} " not in asked:
        return False
    return sum(f" {text} " in asked for text in map(plain_text, query.options) if text) == 1


def _repeated(dataset: str, task: str, asked: Sequence[Asked]) -> list[DataFinding]:
    seen: set[tuple[str, str, tuple[str, ...]]] = set()
    several = Counter(video for video, _ in asked)
    cases = []
    for video, query in asked:
        if several[video] == 1:
            cases.append((video, False))
            continue
        key = (video, plain_text(query.text), tuple(sorted(map(plain_text, query.options))))
        cases.append((video, key in seen))
        seen.add(key)
    shown = (_shown(one) for one, (_, hit) in zip(asked, cases, strict=True) if hit)
    return finding_of("question-repeated", dataset, cases, shown, task=task)


def _shown(asked: Asked) -> str:
    video, query = asked
    key = "no key" if query.answer is None else f"key {query.answer + 1} of {len(query.options)}"
    text = query.text if len(query.text) <= 60 else f"{query.text[:59]}…"
    return f"{video}/{query.name} ({key}): {text}"
