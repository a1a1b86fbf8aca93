"""The importance curve of a video, as a line of `curves.jsonl` (schema `ecva.curve/1`). Times are in seconds."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator

from .base import Record, VideoId

CURVE_SCHEMA = "ecva.curve/1"

_Seconds = Annotated[float, Field(ge=0)]
_Share = Annotated[float, Field(ge=0, le=1)]
CurveSpan = tuple[_Seconds, _Seconds]


class CurveSentence(Record):
    """A key sentence of a curve, its place in the ranking, and when it takes place by the vote over sources.

    `rank` is the mean midrank over the votes, 1 the most severe, and `score` the weight made of it. `votes` are the
    midranks that each vote gave, None for a vote that could not be read. `sources` are the spans that each source
    named, by the source's name; `spans` are those that enough of them agree on, and `agreement` is how long these last
    over how long the union of all does.
    """

    text: str
    rank: float | None = None
    score: float
    votes: tuple[float | None, ...] = ()
    sources: dict[str, tuple[CurveSpan, ...]] = Field(default_factory=dict)
    spans: tuple[CurveSpan, ...] = ()
    agreement: _Share | None = None


class Curve(Record):
    """The importance curve of a video: a line of `curves.jsonl`.

    `times` are the seconds at which frames were looked at [T] and `similarity` the cosines of each sentence with each
    frame [sentences, T]. `value` is their sum weighted by the sentences' scores [T], and `importance` the same brought
    to [0, 1] [T]; `contrast` is the largest value less the smallest. `voted` are the spans (start, end, importance) of
    the curve made of the located spans alone; elsewhere it is 0. `concordance` is Kendall's W over the votes, and
    `judge` says who ranked. `findings` are what is odd, each a code and a sentence: `flat: …`. `settings` are all that
    determines a curve.
    """

    model_config = ConfigDict(frozen=True, extra="allow", populate_by_name=True, serialize_by_alias=True)

    schema_: Literal["ecva.curve/1"] = Field(default="ecva.curve/1", alias="schema")
    type: Literal["curve"] = "curve"
    video: VideoId
    video_sha256: str
    duration: _Seconds
    sentences: tuple[CurveSentence, ...]
    times: tuple[_Seconds, ...]
    similarity: tuple[tuple[float, ...], ...]
    value: tuple[float, ...]
    importance: tuple[_Share, ...]
    contrast: float
    concordance: _Share | None = None
    voted: tuple[tuple[_Seconds, _Seconds, _Share], ...] = ()
    judge: dict[str, str] = Field(default_factory=dict)
    findings: tuple[str, ...] = ()
    settings: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _as_long_as_its_times(self) -> Curve:
        sizes = {len(self.times), len(self.value), len(self.importance), *map(len, self.similarity)}
        if len(sizes) != 1 or len(self.similarity) != len(self.sentences):
            raise ValueError("times, values and similarities are not equally many")
        if any(later <= earlier for earlier, later in zip(self.times, self.times[1:], strict=False)):
            raise ValueError("its times are not in order")
        return self

    @property
    def points(self) -> tuple[tuple[float, float], ...]:
        """The curve as (seconds, importance), in order; like `Annotation.severity_curve`."""
        return tuple(zip(self.times, self.importance, strict=True))

    @property
    def flat(self) -> bool:
        """Whether it says nothing: its importance is the same everywhere."""
        return len(set(self.importance)) < 2


class CurveFailure(Record):
    """A line of `curves.jsonl`: a video of which there is no curve, and why. It is tried again by the same command."""

    model_config = ConfigDict(frozen=True, extra="allow", populate_by_name=True, serialize_by_alias=True)

    schema_: Literal["ecva.curve/1"] = Field(default="ecva.curve/1", alias="schema")
    type: Literal["error"] = "error"
    video: VideoId
    error: str
    message: str
    settings: dict[str, Any] = Field(default_factory=dict)
