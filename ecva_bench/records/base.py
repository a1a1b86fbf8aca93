"""What all records share: they are immutable, and have one JSON text, over which hashes are taken."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from functools import cache, partial
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeGuard, TypeVar, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from ..untrusted import LONGEST_ID, id_problem

# What is shown of a video: all of it, without the annotated moments, without as much normal time; then with other
# pictures at the same times: one frame throughout, the frames in another order, and no picture at all.
View = Literal["full", "anomaly", "control", "still", "shuffled", "blank"]
VIEWS: tuple[View, ...] = get_args(View)
Pictures = Literal["still", "shuffled", "blank"]
Action = Literal["kept", "repaired", "excluded"]

# Scores files and submissions come from others: what no metric gives and no data set has would only overflow later.
Measured = Annotated[float, Field(ge=-1e12, le=1e12)]
Count = Annotated[int, Field(ge=0, le=10**12)]
Decimals = Annotated[int, Field(ge=0, le=12)]


def _usable_id(text: str, longest: int = LONGEST_ID) -> str:
    if problem := id_problem(text, longest):
        raise ValueError(f"it is no id: {problem}")
    return text


VideoId = Annotated[str, AfterValidator(_usable_id)]
SampleIdText = Annotated[str, AfterValidator(partial(_usable_id, longest=2 * LONGEST_ID))]  # has the video's in it
TaskName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,49}$")]


class Record(BaseModel):
    """Base of all records: immutable, tolerant of fields a newer version added; no number is NaN or infinite."""

    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)

    @classmethod
    def unchecked(cls, values: dict[str, object]) -> Self:
        """Return a record of values that are known to be right: faster, in a third of the memory.

        Fields left out have their defaults; those without a constant one must be there. For readers of large files:
        they have checked every value, and a wrong one would not be noticed here.
        """
        defaults, names = _blank(cls)
        fields = defaults.copy()
        fields.update(values)
        record = _new(cls)
        _set_fields(record, fields)
        _set_names(record, names)
        _set_extra(record, _EMPTY)
        _set_private(record, None)
        return record


def first_problem(error: ValidationError) -> str:
    """Return the first thing that is wrong with a record, with the name of its field."""
    first: Any = error.errors()[0]
    field = ".".join(map(str, first["loc"])) or "the record"
    return f"{field}: {first['msg'].removeprefix('Value error, ')}"


_new = object.__new__
_fields_of, _set_fields = (getattr(vars(BaseModel)["__dict__"], way) for way in ("__get__", "__set__"))
_set_names, _set_extra, _set_private = (
    vars(BaseModel)[f"__pydantic_{slot}__"].__set__ for slot in ("fields_set", "extra", "private")
)
_EMPTY: dict[str, object] = {}  # one for all, for a record is never changed
_REMEMBERED = 100_000  # values of a field
RecordType = TypeVar("RecordType", bound=Record)


class LeanRecords:
    """Makes the records of one large file small: what several of them say is in memory once."""

    def __init__(self) -> None:
        self._known: defaultdict[str, dict[Any, Any]] = defaultdict(dict)  # by field: 1 and 1.0 of two are equal

    def lean(self, record: RecordType) -> RecordType:
        """Return the same record in about a fifth of the memory."""
        small = type(record).unchecked({name: self._shared(name, value) for name, value in record.__dict__.items()})
        if record.__pydantic_extra__:
            _set_extra(small, record.__pydantic_extra__)
        return small

    def _shared(self, name: str, value: Any) -> Any:
        """Return the value, or an equal one of the same field."""
        if isinstance(value, Record):
            value = self.lean(value)
        elif not isinstance(value, str | tuple):
            return _EMPTY if value == {} else value
        known = self._known[name]
        if len(known) >= _REMEMBERED:
            known.clear()
        try:
            return known.setdefault(value, value)
        except TypeError:  # it holds a dictionary, which has no hash
            return value


@cache
def _blank(kind: type[Record]) -> tuple[dict[str, object], set[str]]:
    """Return what the records of a type are copied from, and the names of their fields."""
    fields: dict[str, object] = _fields_of(_new(kind))
    for name, field in kind.model_fields.items():
        fields[name] = field.default  # one by one in a record's own dictionary: only so do copies share its keys
    return fields, set(kind.model_fields)


def cuts_moments(view: View) -> bool:
    """Return whether a view leaves out spans of the video, which only an annotated moment can name."""
    return view in ("anomaly", "control")


def changes_pictures(view: View) -> TypeGuard[Pictures]:
    """Return whether a view shows other pictures at the same times, which every video has."""
    return view in get_args(Pictures)


_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def canonical_json(value: Any) -> str:
    """Return the one JSON text of a value: keys sorted, no spaces, UTF-8, no NaN. Hashes are taken over it."""
    return _CANONICAL.encode(value)


def sha256_of_file(path: Path) -> str:
    """Return the hex SHA-256 of a file's bytes; of a folder, of its files' by name, but for hidden ones."""
    if not path.is_dir():
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    files = sorted(file for file in path.iterdir() if file.name[0] != ".")
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


def sha256_of(value: Any) -> str:
    """Return the hex SHA-256 of a value's canonical JSON."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()
