"""Rules that choose among options without the video: by place, by length, by words.

They need of a question what its record holds, so that the same rules serve a data set and a scored run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import numpy as np
import numpy.typing as npt

from ..records.annotations import LETTERS
from .bag_of_words import bag_of, best_options, likeliest
from .folds import FOLDS, folds_of

FEWEST_TO_LEARN = 50  # questions below which what is learnt of the others is noise

_Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ChoiceItem:
    """A question with options and a right one. `text` is empty where the question's words are not at hand."""

    video: str
    text: str
    options: tuple[str, ...]
    answer: int


@dataclass(frozen=True)
class BlindRule:
    """A rule that never looks: what it does, in a line.

    A `learnt` one is made on other videos than it is scored on. One of `texts` needs the questions' words.
    """

    name: str
    description: str
    learnt: bool = False
    texts: bool = False


@dataclass(frozen=True)
class _ChoiceRule(BlindRule):
    """`choose` gives the option chosen in each question, -1 to guess."""

    choose: Callable[[Sequence[ChoiceItem]], _Ints | list[int]] = lambda items: []


def _always(place: int) -> Callable[[Sequence[ChoiceItem]], list[int]]:
    return lambda items: [place if place < len(item.options) else -1 for item in items]


def _longest(items: Sequence[ChoiceItem]) -> list[int]:
    lengths = [[len(option) for option in item.options] for item in items]
    return [found.index(max(found)) for found in lengths]


def _longer_of_two(items: Sequence[ChoiceItem]) -> list[int]:
    return _longest([replace(item, options=item.options[:2]) for item in items])


def _shortest(items: Sequence[ChoiceItem]) -> list[int]:
    lengths = [[len(option) for option in item.options] for item in items]
    return [found.index(min(found)) for found in lengths]


def _like_the_question(items: Sequence[ChoiceItem]) -> list[int]:
    chosen = []
    for item in items:
        asked = set(bag_of(item.text))
        shares = [len(asked & set(words)) / max(1, len(words)) for words in map(bag_of, item.options)]
        chosen.append(shares.index(max(shares)))
    return chosen


def _most_frequent_place(items: Sequence[ChoiceItem]) -> _Ints:
    folds = folds_of(item.video for item in items)
    counts = np.zeros((FOLDS, max(len(item.options) for item in items)))
    np.add.at(counts, (folds, np.array([item.answer for item in items])), 1)
    return np.asarray((counts.sum(axis=0) - counts).argmax(axis=1)[folds])


def _most_frequent_text(items: Sequence[ChoiceItem]) -> list[int]:
    folds = folds_of(item.video for item in items)
    texts = [[option.strip().casefold() for option in item.options] for item in items]
    whole: Counter[str] = Counter()
    inside: Counter[tuple[int, str]] = Counter()
    for item, options, fold in zip(items, texts, folds, strict=True):
        whole[options[item.answer]] += 1
        inside[int(fold), options[item.answer]] += 1
    chosen = []
    for options, fold in zip(texts, folds, strict=True):
        counts = [whole[option] - inside[int(fold), option] for option in options]
        chosen.append(counts.index(max(counts)) if any(counts) else -1)
    return chosen


def _words_of_the_question(items: Sequence[ChoiceItem]) -> _Ints:
    return likeliest(
        [bag_of(item.text) for item in items], [item.answer for item in items], folds_of(item.video for item in items)
    )


def _words_of_the_options(items: Sequence[ChoiceItem]) -> _Ints:
    bags = [[bag_of(option) for option in item.options] for item in items]
    return best_options(bags, [item.answer for item in items], folds_of(item.video for item in items))


def _all_words(items: Sequence[ChoiceItem]) -> _Ints:
    bags = [_written(item) for item in items]
    return best_options(bags, [item.answer for item in items], folds_of(item.video for item in items))


def _written(item: ChoiceItem) -> list[list[str]]:
    """Return the words of each option, and as further words its place, its length, and what the question shares."""
    asked = set(bag_of(item.text))
    lengths = sorted({len(option) for option in item.options}, reverse=True)
    found = []
    for place, option in enumerate(item.options):
        words = bag_of(option)
        shared = round(4 * len(asked & set(words)) / max(1, len(words)))
        found.append([*words, f"place {place}", f"length {lengths.index(len(option))}", f"shared {shared}"])
    return found


_RULES = (
    *(_ChoiceRule(f"always {letter}", f"option {letter}", choose=_always(n)) for n, letter in enumerate("ABCDEF")),
    _ChoiceRule("longest", "the longest option, in characters; of equal ones the first", choose=_longest),
    _ChoiceRule("shortest", "the shortest option; of equal ones the first", choose=_shortest),
    _ChoiceRule("longer of A and B", "the longer of the first two options", choose=_longer_of_two),
    _ChoiceRule(
        "like the question", "the option with most words of the question", texts=True, choose=_like_the_question
    ),
    _ChoiceRule("most frequent place", "the place at which the key is most often", True, choose=_most_frequent_place),
    _ChoiceRule(
        "most frequent answer", "the text that is right most often elsewhere", True, choose=_most_frequent_text
    ),
    _ChoiceRule("question words", "the key's place, from the question's words", True, True, _words_of_the_question),
    _ChoiceRule(
        "option words", "the option whose words are those of right options", True, choose=_words_of_the_options
    ),
    _ChoiceRule(
        "all words", "words, place and length of options, words of the question in them", True, choose=_all_words
    ),
)
CHOICE_RULES: dict[str, BlindRule] = {rule.name: rule for rule in _RULES}


def choice_hits(items: Sequence[ChoiceItem]) -> Mapping[str, list[float]]:
    """Return, by rule of `CHOICE_RULES`, 1 or 0 for each question: whether the rule chooses the right option.

    Where a rule has nothing to go by it guesses, which counts as the share of guesses that are right. Rules about
    places that no question has are left out, those about the question's words where no question has any, and those
    that learn where there are fewer than `FEWEST_TO_LEARN`. Nothing for no item.
    """
    if not items:
        return {}
    most = max(len(item.options) for item in items)
    with_texts = any(item.text.strip() for item in items)
    found = {}
    for rule in _RULES:
        if (
            (rule.texts and not with_texts)
            or (rule.learnt and len(items) < FEWEST_TO_LEARN)
            or rule.name in {f"always {letter}" for letter in LETTERS[most:]}
        ):
            continue
        chosen = rule.choose(items)
        found[rule.name] = [
            1 / len(item.options) if place < 0 else float(place == item.answer)
            for place, item in zip(chosen, items, strict=True)
        ]
    return found


def choice_chance(items: Sequence[ChoiceItem]) -> float:
    """Return the share of questions that guessing gets right."""
    return fmean(1 / len(item.options) for item in items)
