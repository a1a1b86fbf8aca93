"""The curve of one video, from its sentences, their ranking, its frames and what sources say of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from ..data import Dataset
from ..errors import DataError, UsageError
from ..files.by_video import ByVideo
from ..judging import Judge
from ..judging.prompts import load_prompt
from ..records import Annotation
from ..records.curves import Curve, CurveSentence
from ..statistics.ranks import midranks
from ..video import Video
from ..wording import counted
from . import cuva_2024, frames, voting
from .curve import FLAT, Floats, as_importance, cosines, smoothed, weights
from .ranking import CONCORDANT, PROMPT, SentenceRanking
from .sources import SpanSource

CurveProtocol = Literal["standard", "cuva-2024"]
FEWEST, MOST = 3, 6  # sentences, as the paper has them; others are a finding
_FRAMES = {"standard": "middles of seconds, 8 to 4096", "cuva-2024": "every 30th, and ten about each peak"}
_DECIMALS = 9


class ClipModel(Protocol):
    """What compares sentences and frames, such as `OpenClip`."""

    name: str

    @property
    def weights(self) -> str:
        """Return the hash of the weights."""

    def image_features(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return the features [T, width] of frames uint8 [T, height, width, 3], RGB."""

    def text_features(self, sentences: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return the features [sentences, width]."""

    def cut_off(self, sentences: Sequence[str]) -> list[str]:
        """Return the sentences of which it reads the beginning alone."""


@dataclass(frozen=True)
class CurveOptions:
    """How curves are made. `smooth` is in seconds; `scores` are people's, one for each key sentence."""

    protocol: CurveProtocol = "standard"
    votes: int = 3
    seed: int = 0
    smooth: float = 0.0
    scores: ByVideo[float] | None = None

    def scores_of(self, annotation: Annotation) -> list[float]:
        """Return people's scores of a video's key sentences; none where there are none."""
        return self.scores.of(annotation.media, annotation.video) if self.scores is not None else []


class CurveMaker:
    """All that curves are made of; `settings` are what determines them, as JSON, without what is not used."""

    def __init__(
        self,
        dataset: Dataset,
        encoder: ClipModel,
        judge: Judge | None,
        sources: Sequence[SpanSource],
        options: CurveOptions,
    ) -> None:
        """Make curves of a data set's videos; `UsageError` for options that contradict each other."""
        released = options.protocol == "cuva-2024"
        if released and options.smooth:
            raise UsageError("the protocol cuva-2024 smooths nothing", remedy="leave --smooth out")
        if not (released or options.scores is not None or judge is not None):
            remedy = "name a judge with --judge, or people's scores with --scores; --protocol cuva-2024 needs neither"
            raise UsageError("nothing says which key sentence is how severe", remedy=remedy)
        self._dataset, self._encoder, self._judge, self._sources = dataset, encoder, judge, sources
        self._options, self._released = options, released
        self.settings = self._settings()

    def curve(self, annotation: Annotation, ranking: SentenceRanking | None) -> Curve:
        """Return the curve of a video; an `EcvaError` that says why there is none."""
        sentences = distinct_sentences(annotation.key_sentences)
        findings = _about_sentences(annotation.key_sentences, sentences, self._encoder)
        ranks, scores = self._scores(annotation, sentences, ranking, findings)
        with Video(self._dataset.media_path(annotation)) as video:
            spans = [source.spans(video, annotation, sentences) for source in self._sources]
            looked = frames.Looked(video, self._encoder.image_features)
            texts = self._encoder.text_features(sentences)
            indices, times, values = self._values(video, looked, texts, scores, findings)
            similarity = cosines(texts, looked.features(indices))
            if looked.damaged:
                findings.append(f"damaged: {looked.damaged} of its frames do not decode or may be wrong")
            findings += [f"video: {warning}" for warning in video.warnings]
            if video.variable_frame_rate:
                findings.append("variable-rate: frames stay on screen for different times")
            duration, sha256 = video.duration, video.sha256
        importance, contrast = as_importance(values)
        if contrast < FLAT:
            findings.append("flat: the values are the same everywhere")
        said, voted = self._vote(sentences, spans, scores, duration, findings)
        votes = ranking.votes if ranking else ()
        return Curve(
            video=annotation.video,
            video_sha256=sha256,
            duration=duration,
            sentences=tuple(
                CurveSentence(
                    text=text,
                    rank=ranks[place],
                    score=round(scores[place], _DECIMALS),
                    votes=tuple(None if vote is None else vote[place] for vote in votes),
                    **said[place],
                )
                for place, text in enumerate(sentences)
            ),
            times=tuple(times.tolist()),
            similarity=tuple(tuple(np.round(row.astype(np.float64), _DECIMALS).tolist()) for row in similarity),
            value=tuple(np.round(values, _DECIMALS).tolist()),
            importance=tuple(np.round(importance, _DECIMALS).tolist()),
            contrast=round(contrast, _DECIMALS),
            concordance=ranking.concordance if ranking else None,
            voted=voted,
            judge=self._judge.identity(ranking.keys) if self._judge is not None and ranking and votes else {},
            findings=tuple(findings),
            settings=self.settings,
        )

    def _settings(self) -> dict[str, Any]:
        options, encoder = self._options, self._encoder
        found: dict[str, Any] = {
            "protocol": options.protocol,
            "model": encoder.name,
            "weights": encoder.weights,
            "frames": _FRAMES[options.protocol],
        }
        if self._judge is not None:
            who = {name: text for name, text in self._judge.identity().items() if name in ("judge", "judge-code")}
            prompt = load_prompt(PROMPT, 1).sha256
            found |= {**who, "judge-votes": options.votes, "seed": options.seed, "judge-prompt": prompt}
        if options.scores is not None:
            found["scores"] = options.scores.sha256
        if options.smooth:
            found["smooth"] = options.smooth
        if self._sources:
            found["sources"] = [source.describe() for source in self._sources]
            found["voting"] = {"gap": voting.GAP_S, "shortest": voting.SHORTEST_S}
        return found

    def _scores(
        self, annotation: Annotation, sentences: Sequence[str], ranking: SentenceRanking | None, findings: list[str]
    ) -> tuple[Sequence[float], list[float]]:
        """Return the rank of each sentence, and its weight."""
        if said := self._options.scores_of(annotation):
            given = _of_people(annotation, said, sentences)
            ranks: Sequence[float] = midranks([-score for score in given])
            own = [score / sum(given) for score in given]
            return ranks, cuva_2024.rank_scores(ranks) if self._released else own
        if ranking is not None and ranking.ranks is not None:
            ranks = ranking.ranks
            unread = sum(vote is None for vote in ranking.votes)
            if unread:
                findings.append(f"unread-votes: {unread} of {counted(len(ranking.votes), 'vote')} could not be read")
            if ranking.concordance is not None and ranking.concordance < CONCORDANT:
                findings.append(f"discordant-votes: Kendall's W over the votes is {ranking.concordance:.2f}")
        elif ranking is not None:
            remedy = "name another judge, or a new --judge-store to ask this one again"
            raise DataError(f"its sentences are not ranked ({ranking.reason})", annotation.video, remedy)
        elif self._released:
            ranks = [float(place) for place in range(1, len(sentences) + 1)]
            findings.append(f"cuva-2024: {cuva_2024.POSITION_FAULT}")
        else:
            what = "nothing ranks its sentences: it has no scores, and there is no judge"
            raise DataError(what, annotation.video, "name a judge with --judge, or add its scores")
        return ranks, cuva_2024.rank_scores(ranks) if self._released else weights(ranks)

    def _values(
        self,
        video: Video,
        looked: frames.Looked,
        texts: npt.NDArray[np.float32],
        scores: Sequence[float],
        findings: list[str],
    ) -> tuple[npt.NDArray[np.int64], Floats, Floats]:
        """Return the indices of the frames [T], the seconds at which they are looked at [T], and the values [T]."""
        if self._released:

            def at(numbers: list[int]) -> cuva_2024.Array:
                found = cosines(texts, looked.features(np.array(numbers, dtype=np.int64)))
                return cuva_2024.cosine_curve(found, scores)

            merged = cuva_2024.released_curve(video.n_frames, at)
            findings += [f"cuva-2024: {fault}" for fault in (cuva_2024.RATE_FAULT, *merged.faults)]
            indices = np.array(merged.frames, dtype=np.int64)
            return indices, video.timestamps[indices], np.array(merged.values)
        times = frames.instants(video.duration)
        indices = video.indices_at(times)
        similarity = cosines(texts, looked.features(indices)).astype(np.float64)
        return indices, times, smoothed(np.array(scores) @ similarity, times, self._options.smooth)

    def _vote(
        self,
        sentences: Sequence[str],
        spans: Sequence[Sequence[Sequence[voting.Span]]],
        scores: Sequence[float],
        duration: float,
        findings: list[str],
    ) -> tuple[list[dict[str, Any]], tuple[tuple[float, float, float], ...]]:
        """Return what sources say of each sentence, by the fields of `CurveSentence`, and the voted curve."""
        if not spans:
            return [{} for _ in sentences], ()
        located = [voting.locate([one[place] for one in spans], duration) for place in range(len(sentences))]
        if not any(one.spans for one in located):
            findings.append("nothing-located: no sentence is located by the vote")
        said = [
            {
                "sources": {
                    source.name: tuple(voting.spans_within(one[place], duration))
                    for source, one in zip(self._sources, spans, strict=True)
                },
                "spans": located[place].spans,
                "agreement": min(1.0, located[place].agreement),
            }
            for place in range(len(sentences))
        ]
        pieces = voting.voted_curve([one.spans for one in located], scores, duration)
        return said, tuple(voting.pieces_as_importance(pieces))


def distinct_sentences(sentences: Sequence[str]) -> list[str]:
    """Return sentences without blanks about them, each once, empty ones left out."""
    return list(dict.fromkeys(text for sentence in sentences if (text := sentence.strip())))


def _about_sentences(given: Sequence[str], sentences: Sequence[str], encoder: ClipModel) -> list[str]:
    """Return what is odd about the sentences of a video; `DataError` where it has none."""
    if not sentences:
        raise DataError("it has no key sentence", remedy="annotate some")
    found = []
    if dropped := len(given) - len(sentences):
        found.append(f"dropped-sentences: {dropped} of {len(given)} are empty or said twice")
    if len(sentences) < FEWEST:
        found.append(f"few-sentences: {len(sentences)}, and the paper has {FEWEST} to {MOST}")
    if len(sentences) > MOST:
        found.append(f"many-sentences: {len(sentences)}, and the paper has {FEWEST} to {MOST}")
    if cut := encoder.cut_off(sentences):
        found.append(f"cut-off-sentences: {len(cut)} are longer than the model reads")
    return found


def _of_people(annotation: Annotation, scores: Sequence[float], sentences: Sequence[str]) -> list[float]:
    """Return people's scores of the distinct sentences; `DataError` where they are not one for each as annotated."""
    given = annotation.key_sentences
    if len(scores) != len(given) or min(scores, default=0) < 0 or not sum(scores) > 0:
        sentences_there = counted(len(given), "key sentence")
        what = f"its scores {list(scores)} are not one number from 0 up for each of its {sentences_there}"
        raise DataError(what, annotation.video, "correct them")
    first: dict[str, float] = {}
    for sentence, score in zip(given, scores, strict=True):
        first.setdefault(sentence.strip(), score)
    return [first[sentence] for sentence in sentences]
