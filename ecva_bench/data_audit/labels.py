"""What rules that never look reach in questions with few answers: choices, classes, and whether there is an anomaly."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from ..blind.bag_of_words import bag_of, likeliest
from ..blind.choice import CHOICE_RULES, BlindRule, choice_chance, choice_hits
from ..blind.folds import drawn, folds_of
from ..data import Dataset
from ..records import Annotation
from ..records.annotations import LETTERS
from ..statistics.intervals import Estimate, estimate
from .findings import SEED, Balance, BlindScore, blind_score, draws_for, score_of, share_of
from .questions import Asked, choice_items

_MOST = 20_000  # questions that rules are scored on: more make no interval narrower that anybody reads

_MAJORITY = BlindRule("most frequent class", "the class that is most frequent elsewhere", learnt=True)
_YES = BlindRule("always yes", "there is an anomaly in every video")
_NO = BlindRule("always no", "there is none in any video")
NAME = BlindRule("words of the name", "from the words in the video's name, which no model should be told", learnt=True)


def blind_choices(tasks: Mapping[str, Sequence[Asked]]) -> list[BlindScore]:
    """Return what the rules of `CHOICE_RULES` reach in each task whose questions have options."""
    scores = []
    for task, asked in tasks.items():
        some = drawn(asked, [f"{video}/{query.name}" for video, query in asked], _MOST)
        items = choice_items(some)
        videos = [item.video for item in items]
        for name, hits in choice_hits(items).items():
            rule, chance = CHOICE_RULES[name], choice_chance(items)
            scores.append(blind_score(task, rule, "accuracy", hits, videos, chance=chance))
    return scores


def blind_classes(dataset: Dataset) -> list[BlindScore]:
    """Return what the most frequent class and the words of names reach in `classification`."""
    known = [(one.video, one.label.major) for one in _some(dataset) if one.label is not None]
    if len({label for _, label in known}) < 2:
        return []
    videos = [video for video, _ in known]
    codes = sorted({label for _, label in known})
    labels = [codes.index(label) for _, label in known]
    scores: list[BlindScore] = []
    for rule, bags in ((_MAJORITY, [[]] * len(videos)), (NAME, _names(videos))):
        if rule == _MAJORITY or any(bags):
            hits = [float(hit) for hit in likeliest(bags, labels, folds_of(videos)) == labels]
            without = max((score.value for score in scores), default=1 / len(codes))  # names add to the majority
            scores.append(blind_score("classification", rule, "accuracy", hits, videos, chance=without))
    return scores


def blind_detection(dataset: Dataset) -> list[BlindScore]:
    """Return what constant answers and the words of names reach in `detection`: the mean of the recalls."""
    known = [(one.video, one.anomalous) for one in _some(dataset) if one.anomalous is not None]
    if len({anomalous for _, anomalous in known}) < 2:
        return []
    videos, truth = [video for video, _ in known], [int(anomalous) for _, anomalous in known]
    answers = [(_YES, [1] * len(truth)), (_NO, [0] * len(truth))]
    if any(_names(videos)):
        answers.append((NAME, likeliest(_names(videos), truth, folds_of(videos)).tolist()))
    return [
        score_of("detection", rule, "balanced accuracy", _balanced(said, truth, videos), chance=0.5)
        for rule, said in answers
    ]


def _balanced(said: Sequence[int], truth: Sequence[int], videos: Sequence[str]) -> Estimate:
    """Return the mean of both recalls; the errors of the two, whose videos are others, add up in squares."""
    recalls = []
    for kind in (0, 1):
        places = [place for place, true in enumerate(truth) if true == kind]
        owners = [videos[place] for place in places]
        recalls.append(estimate([float(said[p] == kind) for p in places], owners, seed=SEED, draws=draws_for(owners)))
    means = [recall.mean or 0.0 for recall in recalls]
    mean = sum(means) / 2
    if any(recall.interval is None for recall in recalls):
        return Estimate(len(truth), mean, None)
    bounds = [recall.interval or (mean, mean) for recall in recalls]
    below = math.hypot(*(value - low for value, (low, _) in zip(means, bounds, strict=True))) / 2
    above = math.hypot(*(high - value for value, (_, high) in zip(means, bounds, strict=True))) / 2
    return Estimate(len(truth), mean, (mean - below, mean + above))


def balances(dataset: Dataset, tasks: Mapping[str, Sequence[Asked]]) -> list[Balance]:
    """Return how classes, anomalies and the places of keys are spread."""
    labels = [(one.video, dataset.taxonomy.describe(one.label)) for one in dataset.annotations if one.label]
    kinds = [(one.video, one.anomalous) for one in dataset.annotations if one.anomalous is not None]
    found = [
        _balance("class", [(video, text.partition(":")[0]) for video, text in labels]),
        _balance("anomaly", [(video, "anomalous" if yes else "normal") for video, yes in kinds]),
    ]
    for task, asked in tasks.items():
        items = choice_items(asked)
        found.append(_balance(f"key of {task}", [(i.video, LETTERS[i.answer : i.answer + 1]) for i in items]))
    return [balance for balance in found if balance.counts]


def _some(dataset: Dataset) -> list[Annotation]:
    return drawn(dataset.annotations, [one.video for one in dataset.annotations], _MOST)


def _balance(what: str, values: Sequence[tuple[str, str]]) -> Balance:
    counts = Counter(value for _, value in values)
    most = next((value for value, _ in counts.most_common(1)), "")
    majority, interval = share_of([value == most for _, value in values], [video for video, _ in values])
    shares = np.array(list(counts.values()), dtype=float) / max(1, counts.total())
    return Balance(
        what=what,
        counts=dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))),
        majority=majority,
        interval=interval,
        effective=math.exp(-float((shares * np.log(shares)).sum())) if counts else 0.0,
    )


def _names(videos: Sequence[str]) -> list[list[str]]:
    """Return the words of names; a number, which may tell a video apart, is none."""
    letters = str.maketrans(dict.fromkeys("0123456789_-./\\", " "))
    return [bag_of(video.translate(letters)) for video in videos]
