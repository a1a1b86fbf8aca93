"""The curves of a data set: sentences are ranked in groups of videos, then each video is looked at and written down."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..data import Dataset
from ..data.curves import load_curves
from ..errors import BudgetExhausted, CheckpointError, EcvaError, JudgeError, ModelGone, ResultsError
from ..files.by_video import moments_json
from ..judging import Judge
from ..records import Annotation
from ..records.curves import Curve, CurveFailure
from ..writing import write_whole
from .curve_file import CurveJournal
from .making import ClipModel, CurveMaker, CurveOptions, distinct_sentences
from .ranking import SentenceRanking, rank
from .sources import SpanSource

_GROUP = 128  # videos whose sentences are ranked together
_ENDS_ALL = (BudgetExhausted, CheckpointError, JudgeError, ModelGone, ResultsError)  # no other video would fare better


@dataclass
class Built:
    """What came of a command: curves written now and before, failures by code, and findings by code."""

    written: int = 0
    there: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    findings: Counter[str] = field(default_factory=Counter)


def build_curves(
    dataset: Dataset,
    out: Path,
    encoder: ClipModel,
    judge: Judge | None,
    sources: Sequence[SpanSource],
    options: CurveOptions,
    *,
    limit: int | None = None,
    progress: Callable[[int, int, int], None] = lambda _done, _total, _errors: None,
) -> Built:
    """Append to `out` the curve of every video of a data set that it has none of; of what fails, a record says why.

    `progress` is called with (videos done, videos in all, failures). Raises `SpecMismatch` where `out` holds curves of
    other settings, `BudgetExhausted` or `JudgeError` where the judge can be asked no more, and `ModelGone` of a model
    that is a source: what is done is in the file then.
    """
    for annotation in dataset.annotations:  # scores that may be those of two videos end the command before it begins
        options.scores_of(annotation)
    with CurveJournal(out) as file:
        maker = CurveMaker(dataset, encoder, judge, sources, options)
        file.check(maker.settings)
        wanted = dataset.annotations[:limit]
        left = [annotation for annotation in wanted if annotation.video not in file.done]
        built = Built(there=len(wanted) - len(left))
        for done, record in enumerate(_records(maker, judge, left, options), start=1):
            file.append(record)
            if isinstance(record, Curve):
                built.written += 1
                built.findings.update({finding.partition(":")[0] for finding in record.findings})
            else:
                built.failures[record.error] += 1
            progress(done, len(left), built.failures.total())
    return built


def _records(
    maker: CurveMaker, judge: Judge | None, annotations: Sequence[Annotation], options: CurveOptions
) -> Iterator[Curve | CurveFailure]:
    """Yield a record of each video, in order."""
    for start in range(0, len(annotations), _GROUP):
        group = annotations[start : start + _GROUP]
        rankings: dict[str, SentenceRanking] = {}
        if judge is not None:
            of_judge = [one for one in group if not options.scores_of(one) and distinct_sentences(one.key_sentences)]
            asked = {one.video: distinct_sentences(one.key_sentences) for one in of_judge}
            rankings = rank(asked, judge, votes=options.votes, seed=options.seed)
        for annotation in group:
            try:
                yield maker.curve(annotation, rankings.get(annotation.video))
            except _ENDS_ALL:
                raise
            except EcvaError as error:
                code, message = error.code or type(error).__name__, str(error)
                yield CurveFailure(video=annotation.video, error=code, message=message, settings=maker.settings)


def write_moments(curves: Path, to: Path) -> int:
    """Write the located spans of a file of curves in the form of the authors' `Voting_new.json`; return how many."""
    moments = {
        video: sorted({span for sentence in curve.sentences for span in sentence.spans})
        for video, curve in load_curves(curves).items()
    }
    write_whole(to, moments_json(moments))
    return sum(map(len, moments.values()))
