"""How far annotators agree, as a list of figures: moments, classes, severity digits, ranked sentences, texts.

Two raters are compared where both annotated a part: what one left out is missing, not a disagreement. Intervals are
bootstraps over videos.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from statistics import fmean
from typing import Any

from ..records.acts import AnnotationAct
from ..records.annotations import Label
from ..scoring.rouge import rouge
from ..scoring.time_spans import iou
from ..statistics.agreement import (
    Level,
    Ratings,
    ac1,
    alpha_interval,
    kappa,
    krippendorff_alpha,
    raw_agreement,
)
from ..statistics.intervals import estimate
from ..statistics.ranks import kendall_w, midranks, tau_b
from ..taxonomy import TAXONOMY, load_taxonomy
from .acts import latest
from .over_time import RatedVideo, alpha_over_time, shuffled_iou

Rated = Mapping[str, Mapping[str, AnnotationAct]]  # video -> rater -> what the rater said
_SUBS = 1000  # a class is rated as major * 1000 + sub
_TEXTS = ("description", "cause", "effect")


@dataclass(frozen=True)
class Figure:
    """One statistic of one part of the annotations, with its interval, over `n` of what `unit` says."""

    part: str
    statistic: str
    value: float | None
    n: int
    unit: str
    interval: tuple[float, float] | None = None


@dataclass(frozen=True)
class Agreement:
    """The figures of some acts: of those that are independent (`blind`), or of reviews beside what they reviewed."""

    blind: bool
    raters: tuple[str, ...]
    videos: int
    figures: tuple[Figure, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return all of it as plain values for JSON."""
        return asdict(self)

    def value(self, part: str, statistic: str) -> float | None:
        """Return the value of a figure; None where there is none."""
        return next((one.value for one in self.figures if (one.part, one.statistic) == (part, statistic)), None)


def agreements(acts: Iterable[AnnotationAct], *, seed: int = 0) -> list[Agreement]:
    """Return the agreement of blind acts and that of reviews with what they reviewed; none of what there is none of."""
    known = latest(acts)
    blind: dict[str, dict[str, AnnotationAct]] = {}
    for act in known:
        if act.blind:
            blind.setdefault(act.video, {})[act.annotator] = act
    reviews = {}
    by_name = {(act.video, act.annotator, act.round): act for act in known}
    for act in known:
        seen = [by_name.get((act.video, name, earlier)) for name in act.saw for earlier in range(1, act.round)]
        if before := next(filter(None, reversed(seen)), None):
            reviews[act.video] = {"before": before, "after": act}
    found = [(True, {video: by for video, by in blind.items() if len(by) > 1}), (False, reviews)]
    return [agreement_of(rated, blind=is_blind, seed=seed) for is_blind, rated in found if rated]


def agreement_of(rated: Rated, *, blind: bool, seed: int) -> Agreement:
    """Return the figures of videos with two or more raters each."""
    raters = tuple(sorted({rater for by in rated.values() for rater in by}, reverse=not blind))
    figures = [
        *_moments(rated, seed),
        *_classes(rated, raters, seed),
        *_severities(rated, raters, seed),
        *_sentences(rated, raters, seed),
        *_texts(rated, seed),
    ]
    return Agreement(blind, raters, len(rated), tuple(figures))


def rated_videos(rated: Rated) -> dict[str, RatedVideo]:
    """Return the videos whose moments two or more raters annotated.

    A video lasts as long as the longest duration that an act states, or to the last annotated second.
    """
    found = {}
    for video, by in rated.items():
        spans = tuple(act.spans for act in by.values() if act.spans is not None)
        stated = max((act.duration or 0.0 for act in by.values()), default=0.0)
        last = max((end for one in spans for _, end in one), default=0.0)
        if len(spans) > 1 and (stated or last):
            found[video] = RatedVideo(max(stated, last), spans)
    return found


def class_distance(one: float, other: float) -> float:
    """Return how far two classes are apart: 0 where they are the same, 0.5 within a major class, else 1."""
    return 0.0 if one == other else 0.5 if one // _SUBS == other // _SUBS else 1.0


def class_rating(label: Label | None) -> float | None:
    """Return a class as one number, for statistics."""
    return None if label is None else _SUBS * label.major + (label.sub or 0)


def _moments(rated: Rated, seed: int) -> list[Figure]:
    videos = rated_videos(rated)
    if not videos:
        return []
    found = alpha_over_time(list(videos.values()), seed=seed)
    pairs = [(video, a, b) for video, one in videos.items() for a, b in one.pairs if [*a, *b]]
    if found is None or not pairs:
        return []
    names = [video for video, _, _ in pairs]
    ious = [iou(a, b) for _, a, b in pairs]
    mean = estimate(ious, names, seed=seed)
    changed = [value for value, (_, a, b) in zip(ious, pairs, strict=True) if sorted(a) != sorted(b)]
    ends = [(min(a)[0] - min(b)[0], max(e for _, e in a) - max(e for _, e in b)) for _, a, b in pairs if a and b]
    figures = [
        Figure("moments", "alpha over time", found.alpha, len(videos), "video", found.interval),
        Figure("moments", "observed disagreement", found.observed, len(videos), "video"),
        Figure("moments", "share of time marked", found.marked, len(videos), "video"),
        Figure("moments", "mean union IoU", mean.mean, len(pairs), "pair", mean.interval),
        Figure("moments", "the same, shuffled", shuffled_iou(list(videos.values()), seed=seed), len(pairs), "pair"),
        *(
            Figure("moments", f"share with IoU >= {level}", fmean(v >= level for v in ious), len(pairs), "pair")
            for level in (0.5, 0.7, 0.9)
        ),
        Figure("moments", "lowest IoU", min(ious), len(pairs), "pair"),
        Figure("moments", "the same spans", (len(ious) - len(changed)) / len(ious), len(pairs), "pair"),
    ]
    if changed:
        figures.append(Figure("moments", "mean IoU where they differ", fmean(changed), len(changed), "pair"))
    for place, name in enumerate(("first start", "last end") if ends else ()):
        apart = fmean(abs(one[place]) for one in ends)
        figures.append(Figure("moments", f"{name}, mean seconds apart", apart, len(ends), "pair"))
    return figures


def _table(
    rated: Rated, raters: Sequence[str], of: Callable[[AnnotationAct], float | None]
) -> list[list[float | None]]:
    """Return the ratings [videos, raters] of videos that two or more raters rated."""
    rows = [[of(by[rater]) if rater in by else None for rater in raters] for by in rated.values()]
    return [row for row in rows if sum(value is not None for value in row) > 1]


def _classes(rated: Rated, raters: Sequence[str], seed: int) -> list[Figure]:
    ratings = _table(rated, raters, lambda act: class_rating(act.label))
    categories = sum(len(entry.subclasses) for entry in load_taxonomy(TAXONOMY).classes)
    figures = _nominal("class", ratings, seed)
    if figures:
        figures.insert(2, Figure("class", "AC1", ac1(ratings, categories=categories), len(ratings), "video"))
        figures.append(_alpha_figure("class", "alpha, class tree", ratings, class_distance, seed))
    return figures


def _severities(rated: Rated, raters: Sequence[str], seed: int) -> list[Figure]:
    ratings = _table(rated, raters, lambda act: act.label.severity if act.label else None)
    figures = _nominal("severity digit", ratings, seed)
    return [*figures, _alpha_figure("severity digit", "alpha, ordinal", ratings, "ordinal", seed)] if figures else []


def _nominal(part: str, ratings: Ratings, seed: int) -> list[Figure]:
    if not ratings:
        return []
    return [
        Figure(part, "same", raw_agreement(ratings), len(ratings), "video"),
        Figure(part, "kappa", kappa(ratings), len(ratings), "video"),
        _alpha_figure(part, "alpha, nominal", ratings, "nominal", seed),
    ]


def _alpha_figure(part: str, name: str, ratings: Ratings, level: Level, seed: int) -> Figure:
    value = krippendorff_alpha(ratings, level=level)
    interval = alpha_interval(ratings, level=level, seed=seed) if value is not None else None
    return Figure(part, name, value, len(ratings), "video", interval)


def _sentences(rated: Rated, raters: Sequence[str], seed: int) -> list[Figure]:
    """Return how alike key sentences are ranked, in videos where two or more raters scored the very same ones."""
    concordances, taus, names = [], [], []
    rows: list[list[float | None]] = []
    for video, by in rated.items():
        ranks = {rater: _ranks(act) for rater, act in by.items() if act.scores}
        sentences = sorted(set.intersection(*(set(one) for one in ranks.values()))) if len(ranks) > 1 else []
        if len(sentences) < 2 or any(len(one) != len(sentences) for one in ranks.values()):
            continue
        table = {rater: midranks([-ranks[rater][text] for text in sentences]) for rater in ranks}
        w = kendall_w(list(table.values()))
        if w is None:
            continue
        names.append(video)
        concordances.append(w)
        taus.append(fmean(tau_b(a, b) for a, b in combinations(table.values(), 2)))
        rows += [
            [table[rater][place] if rater in table else None for rater in raters] for place in range(len(sentences))
        ]
    if not names:
        return []
    w_mean, tau_mean = estimate(concordances, names, seed=seed), estimate(taus, names, seed=seed)
    alpha = krippendorff_alpha(rows, level="ordinal")
    return [
        Figure("sentence ranks", "Kendall's W", w_mean.mean, len(names), "video", w_mean.interval),
        Figure("sentence ranks", "tau-b", tau_mean.mean, len(names), "video", tau_mean.interval),
        Figure("sentence ranks", "alpha, ordinal", alpha, len(rows), "sentence"),
    ]


def _ranks(act: AnnotationAct) -> dict[str, float]:
    return dict(zip(act.key_sentences, act.scores, strict=True))


def _texts(rated: Rated, seed: int) -> list[Figure]:
    """Return ROUGE-2 between raters beside that of texts of different videos; no coefficient corrects it for chance."""
    figures = []
    for part in _TEXTS:
        texts = {video: [getattr(act, part) for act in by.values()] for video, by in rated.items()}
        pairs = [(video, *two) for video, own in texts.items() for two in combinations(filter(None, own), 2)]
        if not pairs:
            continue
        same = [rouge(reference=one, candidate=other).rouge2 for _, one, other in pairs]
        turned = [*pairs[1:], pairs[0]]
        chance = [
            rouge(reference=one, candidate=other).rouge2
            for (video, one, _), (another, _, other) in zip(pairs, turned, strict=True)
            if video != another
        ]
        mean = estimate(same, [video for video, _, _ in pairs], seed=seed)
        figures.append(Figure(part, "ROUGE-2 F1", mean.mean, len(pairs), "pair", mean.interval))
        shuffled = fmean(chance) if chance else None
        figures.append(Figure(part, "the same, shuffled", shuffled, len(chance), "pair"))
    return figures
