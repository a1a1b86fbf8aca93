"""What one text that is said of every video reaches, by the project's own ROUGE and BLEU."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import fsum
from statistics import fmean

from ..blind.choice import BlindRule
from ..blind.folds import another, drawn, folds_of
from ..data import Dataset
from ..scoring.bleu import bleu
from ..scoring.rouge import rouge
from .findings import BLIND_MOST, BlindScore, blind_score
from .texts import FIELDS

_MOST = 1_000  # texts that a constant answer is scored on,
_TO_LEARN = 100  # on which the most central is chosen,
_TRIED = 40  # of so many

_CENTRAL = BlindRule("most central text", "the annotation that shares most (ROUGE-L) with others", learnt=True)
_NONE = BlindRule("None", "the word None")

Texts = Sequence[tuple[str, str]]  # (video, text)


def blind_texts(dataset: Dataset) -> list[BlindScore]:
    """Return what constant answers reach in the tasks with free text; chance is the text of another video."""
    scores = []
    for task in FIELDS:
        texts = [(one.video, text) for one in dataset.annotations if (text := getattr(one, task))]
        texts = drawn(texts, [video for video, _ in texts], _MOST)
        if len(texts) > 1:
            scores += _scores(task, texts)
    return scores


def _scores(task: str, texts: Texts) -> list[BlindScore]:
    videos = [video for video, _ in texts]
    folds = folds_of(videos).tolist()
    central = _central(texts, folds)
    found = []
    measures: tuple[tuple[str, Callable[[str, str], float]], ...] = (
        ("ROUGE-L", lambda said, text: rouge(reference=text, candidate=said).rougeL),
        ("BLEU", lambda said, text: bleu(reference=text, candidate=said)),
    )
    for metric, measure in measures:
        others = another(texts, videos)
        chance = fmean(measure(said, text) for (_, said), (_, text) in zip(others, texts, strict=True))
        for rule, said in ((_CENTRAL, [central[fold] for fold in folds]), (_NONE, ["None"] * len(texts))):
            values = [measure(one, text) for one, (_, text) in zip(said, texts, strict=True)]
            found.append(blind_score(task, rule, metric, values, videos, chance=chance, limit=BLIND_MOST))
    return found


def _central(texts: Texts, folds: Sequence[int]) -> dict[int, str]:
    """Return for each fold the text of the other folds, of those tried, that shares most with others of them."""
    owned = list(zip(folds, (text for _, text in texts), strict=True))
    tried = drawn(owned, [f"{video}/tried" for video, _ in texts], _TRIED)
    against = drawn(owned, [video for video, _ in texts], _TO_LEARN)
    shared = [
        [0.0 if text == other else rouge(reference=other, candidate=text).rougeL for _, other in against]
        for _, text in tried
    ]
    found = {}
    for fold in set(folds):
        sums = [
            (fsum(value for value, (own, _) in zip(values, against, strict=True) if own != fold), text)
            for values, (own, text) in zip(shared, tried, strict=True)
            if own != fold
        ]
        found[fold] = max(sums, default=(0.0, ""))[1]
    return found
