"""What boards show beside submissions, as installed: names of classes, what metrics are, where models come from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .. import registry
from ..answering.models import list_models
from ..leaderboard.background import Background
from ..leaderboard.submission import listed_classes
from ..records import Label
from ..records.answers import Results
from ..records.identity import DatasetIdentity
from ..scoring.factory import SCORER_GROUP, available
from ..scoring.scorer import Column
from ..taxonomy import load_taxonomy


def background(answers: Mapping[str, str] | None = None) -> Background:
    """Return all that is known; `answers` lead to the page of a run's answers, by the hash of its results file."""
    return Background(
        class_names={entry.code: entry.name for entry in load_taxonomy("cuva").classes},
        metrics={f"{scorer}/{column.name}": column.description for scorer, column in _columns()},
        cards={model.name: model.card for model in list_models() if model.card},
        answers=answers or {},
    )


def video_classes(results: Results) -> dict[str, str]:
    """Return the classes of the videos by name, as far as the answers say them."""
    labels = {answer.video: answer.label for answer in results.answers if answer.label}
    if listed := listed_classes(results.answers):
        return {video: listed.get(label.major, label.code) for video, label in labels.items()}
    if not DatasetIdentity.model_validate(results.spec.get("dataset", {})).has_cuva_classes:
        return {video: str(label.major) for video, label in labels.items()}
    taxonomy = load_taxonomy("cuva")
    return {video: taxonomy.describe(Label(major=label.major)) for video, label in labels.items()}


def _columns() -> Iterator[tuple[str, Column]]:
    for name in available():
        try:
            found = registry.load(SCORER_GROUP, name).columns
        except (Exception, SystemExit):  # noqa: S112 - however another's package is broken, it hides no board
            continue
        yield from ((name, column) for column in found)
