"""A classifier that knows words and not their order: the weakest reader of texts that learns.

Naive Bayes, one pass over the counts, so that 100,000 questions take seconds. It is always trained on the videos of
other folds than the one that it is asked about.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from .folds import FOLDS

_WORD = re.compile(r"\w+")
_PRIOR = 2.0  # words counted before anything is seen, spread as the classes are: an unseen word says nothing
_MOST_WORDS = 50_000  # the most frequent, where a set has more: what is rarer is in no other fold
_ROUND = 9  # decimals: sums in another order may differ in the last bits, and must not decide

_Floats = npt.NDArray[np.float64]
_Ints = npt.NDArray[np.int64]


def bag_of(text: str) -> list[str]:
    """Return the distinct words of a text, without case, in order."""
    return list(dict.fromkeys(_WORD.findall(text.casefold())))


def likeliest(bags: Sequence[Iterable[str]], labels: Sequence[int], folds: _Ints) -> _Ints:
    """Return the label of each bag that naive Bayes finds likeliest, an int64 array [bags].

    `labels` count from 0. The rule for a bag is trained on the bags of other folds. Where labels are equally likely,
    the first counts.
    """
    classes = max(labels) + 1
    wanted = np.asarray(labels, dtype=np.int64)
    there = np.zeros((FOLDS, classes))
    np.add.at(there, (folds, wanted), 1.0)
    others = there.sum(axis=0) - there
    scores = np.log((others + 1) / (others + 1).sum(axis=1, keepdims=True))[folds]
    for label in range(classes):
        scores[:, label] += _evidence(bags, wanted == label, folds)
    return np.asarray(scores.round(_ROUND).argmax(axis=1))


def best_options(bags: Sequence[Sequence[Iterable[str]]], answers: Sequence[int], folds: _Ints) -> _Ints:
    """Return the option of each question whose words are most like those of right options, an int64 array [questions].

    `bags` hold the words of every option, `answers` the places of the right ones. The rule for a question is trained
    on the questions of other folds. Of equally likely options the first counts.
    """
    sizes = np.array([len(options) for options in bags], dtype=np.int64)
    firsts = np.cumsum(sizes) - sizes
    right = np.zeros(int(sizes.sum()), dtype=bool)
    right[firsts + np.asarray(answers, dtype=np.int64)] = True
    flat = [options for question in bags for options in question]
    table = np.full((len(bags), int(sizes.max())), -np.inf)
    question = np.repeat(np.arange(len(bags)), sizes)
    table[question, np.arange(len(flat)) - firsts[question]] = _evidence(flat, right, np.repeat(folds, sizes))
    return np.asarray(table.round(_ROUND).argmax(axis=1))


def _evidence(bags: Sequence[Iterable[str]], positive: npt.NDArray[np.bool_], folds: _Ints) -> _Floats:
    """Return, for each bag, the log odds of being positive that its words add, as the other folds have them."""
    counted = Counter(word for bag in bags for word in bag)
    known = {word: number for number, (word, _) in enumerate(counted.most_common(_MOST_WORDS))}
    sizes, tokens = np.zeros(len(bags), dtype=np.int64), []
    for place, bag in enumerate(bags):
        found = [known[word] for word in bag if word in known]
        sizes[place] = len(found)
        tokens += found
    word = np.array(tokens, dtype=np.int64)
    owner = np.repeat(np.arange(len(bags)), sizes)
    yes = _elsewhere(word, owner, folds, positive, len(known))
    no = _elsewhere(word, owner, folds, ~positive, len(known))
    n_yes, n_no = _others(folds[positive]), _others(folds[~positive])
    share = n_yes / np.maximum(n_yes + n_no, 1)
    odds = np.log((yes + _PRIOR * share + 1e-12) / np.maximum(n_yes, 1e-12))
    odds -= np.log((no + _PRIOR * (1 - share) + 1e-12) / np.maximum(n_no, 1e-12))
    odds = np.where((n_yes > 0) & (n_no > 0), odds, 0.0)
    return np.bincount(owner, weights=odds[folds[owner], word], minlength=len(bags)).astype(np.float64)


def _elsewhere(word: _Ints, owner: _Ints, folds: _Ints, chosen: npt.NDArray[np.bool_], words: int) -> _Floats:
    """Return how many chosen bags of the other folds have each word: [folds, words]."""
    kept = chosen[owner]
    cells = folds[owner[kept]] * words + word[kept]
    counts = np.bincount(cells, minlength=FOLDS * words).reshape(FOLDS, words).astype(np.float64)
    return np.asarray(counts.sum(axis=0) - counts)


def _others(folds: _Ints) -> _Floats:
    """Return how many bags lie in the other folds: [folds, 1]."""
    counts = np.bincount(folds, minlength=FOLDS).astype(np.float64)
    return np.asarray(counts.sum() - counts)[:, None]
