"""Judge calls and their replies, by content address, in one SQLite file; exported and imported as JSON lines.

Knows no network and no metric. A reply is written once: the first one counts, whichever process wrote it, so that every
later reading gives the same verdict. Replies are committed as they arrive: a killed process loses none of those it
wrote. (A machine that loses power may lose the last ones, which are then asked for again.) Several processes may use
one file at once.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ..cache import cache_dir, open_base
from ..errors import JudgeError
from ..reading.text import final_answer
from ..records.answers import finish_of
from ..records.base import canonical_json
from ..untrusted import parse_json
from ..writing import write_whole
from .exports import Export, ExportedCall, export_text, is_export, key_of, read_export, sealed, unsealed

_AT_ONCE = 500  # keys per query; SQLite takes at least 999 parameters
_LOG_PAGES = 50_000  # of 4 KiB: the log is taken into the file, which stops everything for the disk, this seldom


@dataclass(frozen=True)
class Reply:
    """A model's reply to one vote, as stored and published.

    `finish` is why it stopped; `refusal` is its text instead of a verdict. `expectations` are the expected verdicts by
    its token log-probabilities, None where it gave none. `served` is the model that replied, as the endpoint names it,
    and behind an @ the system's fingerprint. `thought` is the model's reasoning, where the endpoint sends it separately
    and the caller wants it. `tokens_in` include the `tokens_cached` and `tokens_out` the `tokens_reasoning`; None where
    the endpoint does not count.
    `miscounted` is what it sends in the place of a count. `left_out` are parameters of the address that the endpoint
    rejected. `beginnings` are the texts that its first token might have been, with their probabilities, where these
    were asked for. `thought`, `miscounted` and `beginnings` are not stored.
    """

    content: str
    finish: str = "stop"
    refusal: str = ""
    expectations: tuple[float, ...] | None = None
    served: str = ""
    tokens_in: int | None = None
    tokens_out: int | None = None
    tokens_cached: int | None = None
    tokens_reasoning: int | None = None
    left_out: tuple[str, ...] = ()
    thought: str = ""
    miscounted: str = ""
    beginnings: tuple[tuple[str, float], ...] = ()

    @property
    def ended_in_thought(self) -> bool:
        """Whether it was cut off before it said anything but thoughts."""
        return finish_of(self.finish) == "length" and not final_answer(self.content)

    @classmethod
    def from_json(cls, text: str) -> Reply:
        """Read what `to_json` wrote; fields of newer versions are ignored."""
        values = {name: value for name, value in parse_json(text).items() if name in _REPLY_FIELDS}
        if values.get("expectations") is not None:
            values["expectations"] = tuple(values["expectations"])
        values["left_out"] = tuple(values.get("left_out", ()))
        return cls(**values)

    def to_json(self) -> str:
        """Return the reply as canonical JSON."""
        found = {name: value for name, value in vars(self).items() if name in _REPLY_FIELDS}
        if self.tokens_reasoning is None:
            del found["tokens_reasoning"]
        return canonical_json(found)


@dataclass(frozen=True)
class Cost:
    """What asking for a vote has cost, over all attempts; `usd` is None where the price was unknown."""

    usd: float | None = None
    tokens: int = 0

    def __add__(self, other: Cost) -> Cost:
        known = [usd for usd in (self.usd, other.usd) if usd is not None]
        return Cost(sum(known) if known else None, self.tokens + other.tokens)


_NO_COSTS: Mapping[str, Cost] = MappingProxyType({})
_REPLY_FIELDS = frozenset(field.name for field in fields(Reply)) - {"thought", "miscounted", "beginnings"}


def default_store_path() -> Path:
    """Return the default file of stored replies."""
    return cache_dir() / "judge.sqlite"


class Store:
    """The replies in one file, or in memory where `path` is None. Used by one thread at a time."""

    def __init__(self, path: Path | None) -> None:
        """Open or create the file; `JudgeError` where it is no store or cannot be written."""
        self.path = path
        try:
            self._base = open_base(path)
        except (OSError, sqlite3.Error) as error:
            raise _unusable(path, error) from None
        try:
            self._base.execute(f"PRAGMA wal_autocheckpoint={_LOG_PAGES}")
            self._base.execute("CREATE TABLE IF NOT EXISTS calls (key TEXT PRIMARY KEY, request TEXT, reply TEXT)")
            self._base.execute("CREATE TABLE IF NOT EXISTS spent (key TEXT PRIMARY KEY, usd REAL, tokens INTEGER)")
        except sqlite3.DatabaseError as error:
            self._base.close()
            raise _unusable(path, error) from None

    def close(self) -> None:
        """Close the file."""
        self._base.close()

    def put(self, calls: Sequence[tuple[str, str, Reply]], costs: Mapping[str, Cost] = _NO_COSTS) -> dict[str, Reply]:
        """Write replies under their keys, unless there is one already; return the stored replies by key.

        A call is its key, its request and the reply; `costs` are what votes have cost so far, by key, whether they
        have a reply or not. When this returns, all are on disk; where `JudgeError` is raised,
        none is written.
        """
        try:
            with self._base:
                self._base.execute("BEGIN IMMEDIATE")
                written = self._base.executemany(
                    "INSERT OR IGNORE INTO calls VALUES (?, ?, ?)",
                    ((key, request, sealed(key, reply.to_json())) for key, request, reply in calls),
                ).rowcount
                self._base.executemany(
                    "INSERT OR REPLACE INTO spent VALUES (?, ?, ?)",
                    ((key, cost.usd, cost.tokens) for key, cost in costs.items()),
                )
        except sqlite3.Error as error:
            remedy = "make room or name another file; what was stored before is safe"
            raise JudgeError(f"replies cannot be stored ({error})", self.path, remedy) from None
        if written < len(calls):
            return self.get({key for key, _, _ in calls})
        return {key: reply for key, _, reply in calls}

    def costs(self, keys: Iterable[str]) -> dict[str, Cost]:
        """Return what votes have cost so far, by key, as far as that was written."""
        return {key: Cost(usd, tokens) for key, usd, tokens in self._rows("key, usd, tokens", keys, "spent")}

    def get(self, keys: Iterable[str]) -> dict[str, Reply]:
        """Return the stored replies to `keys`, by key; `JudgeError` where one was changed since it was stored."""
        return {key: self._reply(key, stored) for key, stored in self._rows("key, reply", keys)}

    def export_jsonl(self, path: Path, keys: Iterable[str]) -> int:
        """Write the calls of `keys` with their replies, in the order of their keys, and return how many.

        The same calls give the same bytes. The file appears whole or not at all. Raises `JudgeError` where it cannot be
        written, would replace a file that is no export, or a call was changed since it was stored.
        """
        calls = [
            ExportedCall(key, request, self._opened(key, reply))
            for key, request, reply in self._rows("key, request, reply", set(keys))
        ]
        if changed := next((call for call in calls if key_of(call.request) != call.key), None):
            raise self._changed(changed.key)
        try:
            if path.exists() and not _may_be_replaced(path):
                raise JudgeError("a file of this name exists and is no export of judge calls", path, "name another")
            write_whole(path, export_text(calls))
        except OSError as error:
            remedy = "name another file; the calls are stored, and asking again costs nothing"
            raise JudgeError(f"the judge's calls cannot be written ({error.strerror})", path, remedy) from None
        return len(calls)

    def import_jsonl(self, path: Path) -> Export:
        """Add the calls of an export to the store and return them; raises as `read_export`."""
        found = read_export(path)
        try:
            calls = [(one.key, one.request, Reply.from_json(one.reply)) for one in found.calls]
        except (ValueError, TypeError) as error:
            raise JudgeError(f"a reply cannot be read ({error})", path, "get the file again") from None
        self.put(calls)
        return found

    def _opened(self, key: str, stored: object) -> str:
        """Return the JSON of a stored reply; `JudgeError` where it is not as it was stored."""
        found = unsealed(key, stored) if isinstance(stored, str) else None
        if found is None:
            raise self._changed(key)
        return found

    def _reply(self, key: str, stored: object) -> Reply:
        try:
            return Reply.from_json(self._opened(key, stored))
        except (ValueError, TypeError, AttributeError):  # of an older version, without a seal
            raise self._changed(key) from None

    def _changed(self, key: object) -> JudgeError:
        remedy = "keep this file, and name another with --judge-store: there, the call is asked again"
        return JudgeError(f"a stored call was changed since it was written ({str(key)[:12]})", self.path, remedy)

    def _rows(self, columns: str, keys: Iterable[str], table: str = "calls") -> Iterator[tuple[Any, ...]]:
        wanted = list(keys)
        for start in range(0, len(wanted), _AT_ONCE):
            part = wanted[start : start + _AT_ONCE]
            marks = ",".join("?" * len(part))
            try:
                rows = self._base.execute(f"SELECT {columns} FROM {table} WHERE key IN ({marks})", part).fetchall()  # noqa: S608
            except sqlite3.Error as error:
                raise _unusable(self.path, error) from None
            yield from rows


def _unusable(path: Path | None, error: Exception) -> JudgeError:
    return JudgeError(f"the judge's store cannot be used ({error})", path, "name another file with --judge-store")


def _may_be_replaced(path: Path) -> bool:
    return is_export(path) or (path.is_file() and not path.stat().st_size)
