"""What one annotator said of one video, as a line of `annotations.jsonl` (schema `ecva.annotation/1`)."""

from __future__ import annotations

from operator import not_
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from .annotations import Label, Moment
from .base import Record, VideoId

ACT_SCHEMA = "ecva.annotation/1"

AnnotatorName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
_Seconds = Annotated[float, Field(ge=0)]


class AnnotationAct(Record):
    """One act of annotation: what one annotator said of one video in one sitting. Times are seconds.

    `round` is 1 for who saw the video first, 2 for a review. An act is `blind` where its annotator was shown nobody
    else's work; else `saw` names whose. `anomalous` is False where the annotator looked and found nothing; without it,
    empty `moments` are not annotated. `scores` say how severe each of the `key_sentences` is, the highest worst.
    `seconds_spent` is how long the annotator took, `t` when (ISO 8601), and `tool` with what.

    A line of an adjudicated file says in `by` how each field was settled, and in `from` whose acts it was made of.
    """

    model_config = ConfigDict(frozen=True, extra="allow", populate_by_name=True, serialize_by_alias=True)

    schema_: Literal["ecva.annotation/1"] = Field(default="ecva.annotation/1", alias="schema")
    video: VideoId
    media: str = Field(default="", exclude_if=not_)
    annotator: AnnotatorName
    round: int = Field(default=1, ge=1)
    blind: bool = True
    saw: tuple[str, ...] = ()
    label: Label | None = None
    moments: tuple[Moment, ...] = ()
    anomalous: bool | None = None
    description: str | None = None
    cause: str | None = None
    effect: str | None = None
    key_sentences: tuple[str, ...] = ()
    scores: tuple[float, ...] = ()
    duration: _Seconds | None = None
    seconds_spent: _Seconds | None = None
    t: str = ""
    tool: str = ""
    by: dict[str, str] = Field(default_factory=dict, exclude_if=not_)
    from_: tuple[str, ...] = Field(default=(), alias="from", exclude_if=not_)

    @model_validator(mode="after")
    def _consistent(self) -> AnnotationAct:
        if self.blind and self.saw:
            raise ValueError("it is blind, and names whose work was shown (saw)")
        if self.scores and len(self.scores) != len(self.key_sentences):
            raise ValueError(f"scores: {len(self.scores)}, key sentences: {len(self.key_sentences)}")
        if self.anomalous is False and self.moments:
            raise ValueError("it says that nothing is anomalous, and has moments")
        return self

    def in_round(self, number: int, saw: tuple[str, ...]) -> AnnotationAct:
        """Return the act as one of a round, blind unless its annotator saw somebody's work."""
        return self.model_copy(update={"round": number, "blind": not saw, "saw": saw})

    @property
    def spans(self) -> tuple[tuple[float, float], ...] | None:
        """The moments as (start, end), empty where nothing was found; None where they were not annotated."""
        if not self.moments and self.anomalous is not False:
            return None
        return tuple((moment.start, moment.end) for moment in self.moments)
