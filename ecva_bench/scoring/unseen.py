"""Results without the questions about videos that a model was trained on (`--unseen-only`)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from ..errors import UsageError
from ..records.annotations import sample_parts
from ..records.answers import Results


def only_unseen(several: Iterable[Results]) -> Iterator[Results]:
    """Return results without the questions about videos that any of their models was trained on; see `videos_seen`.

    All of them are read before the first is returned.
    """
    read = list(several)
    seen = videos_seen(read)
    return (without_videos(results, seen) for results in read)


def videos_seen(several: Sequence[Results]) -> frozenset[str]:
    """Return the videos that the model of any of some runs of one data set was trained on.

    Raises `UsageError` where the runs are of several data sets, or no run says what its model was trained on.
    """
    named = ", ".join(one.source for one in several)
    if len({one.spec.get("dataset", {}).get("sha256", "") for one in several}) > 1:
        what = "what one model was trained on can be left out of the runs of one data set alone"
        raise UsageError(what, named, "score the runs of each data set apart")
    told = [one.trained_on for one in several if one.trained_on is not None]
    if not told:
        remedy = "leave out --unseen-only, or run again with --training FILE, which asks nothing twice"
        raise UsageError("no run says what its model was trained on", named, remedy)
    return frozenset(video for one in told for video in one.videos)


def without_videos(results: Results, videos: Collection[str]) -> Results:
    """Return results without the questions about some videos, which are then owed by nobody."""
    seen = frozenset(videos)

    def unseen(sample: str) -> bool:
        return sample_parts(sample).video not in seen

    return results.model_copy(
        update={
            "expects": {view: tuple(filter(unseen, samples)) for view, samples in results.expects.items()},
            "answers": tuple(one for one in results.answers if one.video not in seen),
            "extra": tuple(one for one in results.extra if one.video not in seen),
            "failures": tuple(one for one in results.failures if one.video not in seen),
            "unasked": {v: {i: why for i, why in some.items() if unseen(i)} for v, some in results.unasked.items()},
            "annotated": {sample: told for sample, told in results.annotated.items() if unseen(sample)},
            "doubts": tuple(one for one in results.doubts if unseen(one.id)),
            "unseen_only": tuple(sorted(seen)),
        }
    )
