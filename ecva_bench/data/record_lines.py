"""One line of a file of records of one schema, such as `curves.jsonl` and `annotations.jsonl`, as a record."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from ..errors import DataError
from ..records.base import Record, first_problem
from ..untrusted import parse_json

RecordType = TypeVar("RecordType", bound=Record)


def record_of(
    line: bytes, path: Path, number: int, schema: str, type_of: Callable[[object], type[RecordType]], remedy: str
) -> RecordType:
    """Return the record of a line; `type_of` is given its field `type`. `DataError`, which names the line, for none."""
    try:
        data = parse_json(line)
        if not isinstance(data, dict) or data.get("schema") != schema:
            raise DataError(f"line {number} is no record of {schema}", path, remedy)
        return type_of(data.get("type")).model_validate(data)
    except ValidationError as error:
        raise DataError(f"line {number}: {first_problem(error)}", path, remedy) from None
    except ValueError as error:
        raise DataError(f"line {number} is no JSON ({error})", path, remedy) from None
