"""What a model was trained on, in the file `training.json` beside its weights, and what of a run is among it.

Whoever trains a model elsewhere may write such a file by hand: `{"schema": "ecva.training/1", "stages": [{"videos":
[{"dataset": "cuva", "id": "00001"}]}]}` is one.
"""

from __future__ import annotations

from functools import cached_property
from operator import not_
from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, StringConstraints, ValidationError, model_validator

from ..errors import DataError
from ..untrusted import parse_json
from .base import Count, Record, first_problem

TRAINING_SCHEMA = "ecva.training/1"
TRAINING_FILE = "training.json"  # its name beside weights
SAMPLE_HASH = 16  # characters of a training sample's hash: enough to tell a million apart

Sha256 = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{64})?$")]


class TrainingVideo(Record):
    """A video that a model was trained on: by data set and id, and by size and hash of its file's bytes.

    `sha256` is empty and `bytes` 0 where they are unknown, as of a scene that was drawn and never was a file; so are
    `dataset` and `id` of a file that belongs to no data set.
    """

    dataset: str = Field(default="", exclude_if=not_)
    id: str = Field(default="", exclude_if=not_)
    sha256: Sha256 = Field(default="", exclude_if=not_)
    bytes: Count = Field(default=0, exclude_if=not_)

    @model_validator(mode="after")
    def _named(self) -> Self:
        if not (self.sha256 or (self.dataset and self.id)):
            raise ValueError("a video is named by its dataset and id, or by its sha256")
        return self


class TrainingData(Record):
    """A file of training samples: its name and hash, how many samples it gave, and how many it did not, by reason."""

    name: str
    sha256: Sha256 = ""
    samples: Count = 0
    skipped: dict[str, Count] = Field(default_factory=dict)


class TrainedStage(Record):
    """One stage of a training. `recipe` are its settings and `recipe_sha256` the hash of those that count.

    `steps` are the optimizer steps made, `started_from` the weights before, `versions` those of the packages, `videos`
    all that samples of the stage are about, and `samples` the beginnings of the hashes of all samples, sorted. `t` is
    when the stage began. `earlier_unknown`: the weights that it started from had no record.
    """

    recipe: dict[str, Any] = Field(default_factory=dict)
    recipe_sha256: Sha256 = ""
    steps: Count = 0
    started_from: str = ""
    versions: dict[str, str] = Field(default_factory=dict)
    data: tuple[TrainingData, ...] = ()
    videos: tuple[TrainingVideo, ...] = ()
    samples: tuple[str, ...] = ()
    t: str = ""
    earlier_unknown: bool = Field(default=False, exclude_if=not_)


class TrainingRecord(Record):
    """How weights were trained: their stages in order, those of the weights that were trained further included."""

    schema_: str = Field(default=TRAINING_SCHEMA, alias="schema")
    model: str = ""
    stages: tuple[TrainedStage, ...] = Field(min_length=1)

    model_config = ConfigDict(frozen=True, extra="allow", populate_by_name=True, serialize_by_alias=True)


class TrainedOn(Record):
    """Which videos of a run its model was trained on; `sha256` is the hash of the `training.json` that says so.

    `at_least`: of its first stages nothing is known, so that it may have seen others too.
    """

    sha256: Sha256
    videos: tuple[str, ...] = ()
    at_least: bool = Field(default=False, exclude_if=not_)

    @cached_property
    def seen(self) -> frozenset[str]:
        """The videos, to look one up."""
        return frozenset(self.videos)


class TrainedShare(Record):
    """How many of the questions that a run owes are about videos that its model was trained on.

    `sha256` and `at_least` are as in `TrainedOn`; the hash is empty where the file itself is not known.
    """

    questions: Count
    of: Count
    videos: Count
    sha256: Sha256 = ""
    at_least: bool = Field(default=False, exclude_if=not_)

    def __str__(self) -> str:
        """Return the share in words: `12 of 84 questions (14.3 %)`, with `at least` in front where more may be."""
        share = f" ({100 * self.questions / self.of:.1f} %)" if self.of else ""
        return f"{'at least ' if self.at_least else ''}{self.questions:,} of {self.of:,} questions{share}"


def parse_training(content: bytes, where: object) -> TrainingRecord:
    """Return the record of a training from its file's content; `DataError` where it is none."""
    remedy = "write it with `ecva-bench train`, or as docs/guides/training.md shows"
    try:
        record = TrainingRecord.model_validate(parse_json(content))
    except ValidationError as error:
        raise DataError(f"this is no record of a training ({first_problem(error)})", where, remedy) from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"this is no record of a training ({error!s:.200})", where, remedy) from None
    if record.schema_ != TRAINING_SCHEMA:
        raise DataError(f"the record has schema {record.schema_!r}", where, f"this version reads {TRAINING_SCHEMA!r}")
    return record
