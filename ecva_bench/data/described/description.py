"""What a description of a data set may say, as types: `docs/guides/described-data.md` explains every key.

A description is TOML or JSON. What stands at its top holds for all rows; a `[[rows]]` block adds to it, or says
otherwise, for the files and rows it names. A key that is none is an error that names the nearest one.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from pathlib import Path, PurePosixPath
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from ...errors import DataError
from ...untrusted import parse_json

LARGEST = 1_000_000  # bytes of a description
GUIDE = "docs/guides/described-data.md explains every key"

Unit = Literal["seconds", "frames", "mmss", "h:m:s"]
AnswerIs = Literal["letter", "index0", "index1", "text"]
Format = Literal["csv", "tsv", "json", "jsonl", "parquet", "words"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class TimesKeys(_Part):
    """Where times stand and their unit: `spans` in one column, or `start` and `end`; `fps` is a number or a column."""

    unit: Unit
    fps: float | str | None = None
    spans: str | None = None
    start: str | None = None
    end: str | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.unit == "frames") != (self.fps is not None):
            raise ValueError("frames need fps, and nothing else has it")
        if isinstance(self.fps, float) and self.fps <= 0:
            raise ValueError("fps is more than 0")
        pair = self.start is not None and self.end is not None
        if pair == (self.spans is not None) or (self.start is None) != (self.end is None):
            raise ValueError("name either spans, or start and end")
        return self


class _Patterned(_Part):
    """A column, or the part of its text that `pattern`, a regular expression with one group, takes."""

    column: str
    pattern: str | None = None

    @field_validator("pattern")
    @classmethod
    def _one_group(cls, pattern: str | None) -> str | None:
        try:
            groups = 1 if pattern is None else re.compile(pattern).groups
        except (re.error, RecursionError) as error:
            raise ValueError(f"it is no regular expression ({error})") from error
        if groups != 1:
            raise ValueError("it has one group, in brackets")
        return pattern


class ClassKeys(_Patterned):
    """The class of a video; `classes` are all there are, in order, or what is written for each and its name."""

    classes: tuple[str, ...] | dict[str, str]

    @field_validator("classes")
    @classmethod
    def _named_once(cls, classes: tuple[str, ...] | dict[str, str]) -> tuple[str, ...] | dict[str, str]:
        if not classes or len(set(classes)) < len(classes):
            raise ValueError("name every class once")
        return classes

    @property
    def names(self) -> dict[str, str]:
        """The name of each class by what is written for it, in order."""
        return self.classes if isinstance(self.classes, dict) else {name: name for name in self.classes}


class DetectionKeys(_Patterned):
    """Whether there is an anomaly: what is written where there is none (`normal`), and where there is one."""

    normal: tuple[str, ...]
    anomalous: tuple[str, ...]


class ChoiceKeys(_Part):
    """A question with options: their columns, one column that holds a list of them, or `always` the same ones."""

    question: str
    options: str | tuple[str, ...] = ()
    always: tuple[str, ...] = ()
    answer: str
    answer_is: AnswerIs
    name: str | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if bool(self.options) == bool(self.always):
            raise ValueError("name either options or always")
        return self


class GroundingKeys(_Part):
    """A sentence whose span is asked for: the row's times are then the sentence's."""

    sentence: str
    name: str | None = None


class RowKeys(_Part):
    """What the columns of some rows mean. Names of columns lead into records as `a.b`; `@key` is a record's key."""

    format: Format | None = None
    columns: tuple[str, ...] = ()
    records: str | None = None
    each: tuple[str, ...] = ()
    id: str | None = None
    media: str | None = None
    description: str | None = None
    cause: str | None = None
    effect: str | None = None
    times: TimesKeys | None = None
    classification: ClassKeys | None = None
    detection: DetectionKeys | None = None
    choice: ChoiceKeys | None = None
    grounding: GroundingKeys | None = None
    missing: tuple[str | int | float, ...] = ()
    placeholders: tuple[str, ...] = ()


class RowsKeys(RowKeys):
    """A `[[rows]]` block: `files` and `where` say which rows it is of, `leave_out` why they are not used."""

    files: tuple[str, ...] = ()
    where: dict[str, str | tuple[str, ...]] = Field(default_factory=dict)
    leave_out: str | None = None


class Description(RowKeys):
    """A description as it is written."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    title: str = ""
    licence: str = ""
    size: str = ""
    get: str = ""
    notes: str = ""
    splits: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    rows: tuple[RowsKeys, ...] = ()

    @field_validator("splits")
    @classmethod
    def _inside(cls, splits: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        for file in (file for files in splits.values() for file in files):
            path = PurePosixPath(file.replace("\\", "/"))
            if not file.strip() or path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
                raise ValueError(f"{file!r} does not lie below the folder of the description")
        return splits

    @model_validator(mode="after")
    def _has_ids(self) -> Self:
        for number, kind in enumerate(self.kinds):
            if kind.id is None and kind.leave_out is None:
                where = f"rows {number + 1}" if self.rows else "the description"
                raise ValueError(f"{where} names no column as id")
        return self

    @property
    def kinds(self) -> tuple[RowsKeys, ...]:
        """Every kind of row, with what the top says filled in."""
        shared = {name: getattr(self, name) for name in RowKeys.model_fields if name in self.model_fields_set}
        given = self.rows or (RowsKeys(),)
        return tuple(
            kind.model_copy(update={name: value for name, value in shared.items() if name not in kind.model_fields_set})
            for kind in given
        )

    @property
    def meaning(self) -> dict[str, Any]:
        """What determines how rows are read: everything but words about the data set."""
        told = {"name", "title", "licence", "size", "get", "notes", "splits"}
        return self.model_dump(mode="json", exclude=told, exclude_unset=True)


# What a key stands in, and the type that says which keys there are.
_SECTIONS: dict[str, type[BaseModel]] = {
    "": Description,
    "rows": RowsKeys,
    "times": TimesKeys,
    "classification": ClassKeys,
    "detection": DetectionKeys,
    "choice": ChoiceKeys,
    "grounding": GroundingKeys,
}


def parse_description(content: bytes, where: Path) -> Description:
    """Return a description from its text in TOML, or in JSON where the name ends in `.json`.

    Raises `DataError` with the file, the key and what is wrong with it.
    """
    if len(content) > LARGEST:
        raise DataError(f"a description has at most {LARGEST} bytes", where, "name the description, not the data")
    try:
        text = content.decode("utf-8-sig")
        written = parse_json(text) if where.suffix.lower() == ".json" else tomllib.loads(text)
    except ValueError as error:
        kind = "JSON" if where.suffix.lower() == ".json" else "TOML"
        raise DataError(f"the description is no {kind} in UTF-8 ({error!s:.200})", where, "mend it") from error
    if not isinstance(written, dict):
        raise DataError("the description is no table of keys", where, GUIDE)
    for key in ("each", "missing"):
        _listed(written, key)
    try:
        return Description.model_validate(written)
    except (ValidationError, RecursionError) as error:
        raise DataError(_reason(error), where, GUIDE) from error


def _listed(written: dict[str, Any], key: str) -> None:
    """Make a list of what may be written as `a, b`, or as one value."""
    rows = written.get("rows")
    for table in (written, *(row for row in (rows if isinstance(rows, list) else ()) if isinstance(row, dict))):
        value = table.get(key)
        if isinstance(value, str):
            table[key] = [part.strip() for part in value.split(",")] if key == "each" else [value]
        elif isinstance(value, int | float):
            table[key] = [value]


def _reason(error: ValidationError | RecursionError) -> str:
    """Return in words the first thing that is wrong with a description."""
    if isinstance(error, RecursionError):
        return "the description is nested too deeply"
    errors = error.errors(include_url=False, include_input=False)
    first = next((one for one in errors if one["type"] == "extra_forbidden"), errors[0])
    place = [part for part in first["loc"] if isinstance(part, int) or re.fullmatch(r"[\w@. -]+", part)]
    called = ".".join(str(part + 1) if isinstance(part, int) else part for part in place) or "the description"
    if first["type"] == "extra_forbidden":
        sections = [part for part in place[:-1] if isinstance(part, str)]
        known = list(_SECTIONS[sections[-1] if sections else ""].model_fields)
        near = difflib.get_close_matches(str(place[-1]), known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
        return f"there is no key {called!r}; {hint}"
    return f"{called}: {first['msg'].removeprefix('Value error, ')}"
