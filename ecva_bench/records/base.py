"""What all records share: they are immutable, and have one JSON text, over which hashes are taken."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

View = Literal["full", "anomaly", "control"]
Action = Literal["kept", "repaired", "excluded"]

# Scores files and submissions come from others: what no metric gives and no data set has would only overflow later.
Measured = Annotated[float, Field(ge=-1e12, le=1e12)]
Count = Annotated[int, Field(ge=0, le=10**12)]
Decimals = Annotated[int, Field(ge=0, le=12)]


class Record(BaseModel):
    """Base of all records: immutable, tolerant of fields a newer version added; no number is NaN or infinite."""

    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)


_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def canonical_json(value: Any) -> str:
    """Return the one JSON text of a value: keys sorted, no spaces, UTF-8, no NaN. Hashes are taken over it."""
    return _CANONICAL.encode(value)


def sha256_of(value: Any) -> str:
    """Return the hex SHA-256 of a value's canonical JSON."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()
