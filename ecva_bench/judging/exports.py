"""The file of exported judge calls: a head, then a call on each line, with a checksum over its request and its reply.

    {"calls":1,"schema":"ecva.judge/1","sealed":true,"type":"judge"}
    {"key":"<hash of the request>","reply":{…},"request":{…},"seal":"<hash of the key and the reply>"}

Checksums have no key: they tell damage and careless edits. Files of older versions have none, and are read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import JudgeError
from ..records.base import canonical_json
from ..untrusted import parse_json

EXPORT_SCHEMA = "ecva.judge/1"
_SEAL = 32  # characters of a checksum
_REMEDY = "keep the file, and get it again or export the calls again: those in a store cost nothing"


class ExportedCall(NamedTuple):
    """A call: its address, its request and its reply, both as canonical JSON."""

    key: str
    request: str
    reply: str


class Export(NamedTuple):
    """The calls of a file; those of one that is not `sealed` may have been changed since they were written."""

    calls: list[ExportedCall]
    sealed: bool


def key_of(request: str) -> str:
    """Return the content address of a request's canonical JSON: its hex SHA-256."""
    return hashlib.sha256(request.encode()).hexdigest()


def seal_of(key: str, reply: str) -> str:
    """Return the checksum of a call: over the address, which is that of the request, and the reply's JSON."""
    return hashlib.sha256(f"{key}\n{reply}".encode("utf-8", "surrogatepass")).hexdigest()[:_SEAL]


def sealed(key: str, reply: str) -> str:
    """Return a reply's JSON as stores have it: behind its checksum."""
    return seal_of(key, reply) + reply


def unsealed(key: str, stored: str) -> str | None:
    """Return the JSON of a stored reply; None where it was changed. Older versions stored it without a checksum."""
    if stored.startswith("{"):
        return stored
    seal, reply = stored[:_SEAL], stored[_SEAL:]
    return reply if seal == seal_of(key, reply) else None


def export_text(calls: Iterable[ExportedCall]) -> str:
    """Return the content of a file of calls, in the order of their addresses."""
    rows = sorted(calls)
    head = canonical_json({"type": "judge", "schema": EXPORT_SCHEMA, "calls": len(rows), "sealed": True})
    lines = [
        f'{{"key":"{key}","reply":{reply},"request":{request},"seal":"{seal_of(key, reply)}"}}'
        for key, request, reply in rows
    ]
    return "\n".join([head, *lines]) + "\n"


def read_export(path: Path) -> Export:
    """Return the calls of a file.

    Raises `JudgeError`, which names the line, where the file is no export, lacks calls, or holds one that was changed
    since it was written.
    """
    try:
        head_line, *lines = path.read_bytes().removesuffix(b"\n").split(b"\n")  # other line breaks are texts'
    except OSError as error:
        raise JudgeError(f"the judge's calls cannot be read ({error.strerror})", path, "check the path") from None
    head = _json_object(head_line)
    if head.get("schema") != EXPORT_SCHEMA:
        raise JudgeError(f"this is no export of judge calls ({EXPORT_SCHEMA})", path, "make one with --judge-export")
    if len(lines) != head.get("calls"):
        raise JudgeError(f"calls exported: {head.get('calls')}, calls here: {len(lines)}", path, _REMEDY)
    sealed = bool(head.get("sealed"))
    calls: dict[str, ExportedCall] = {}
    for number, line in enumerate(lines, start=2):
        call, problem = _call(line, sealed)
        if not problem and call.key in calls:
            problem = "a call is there twice"
        if problem:
            raise JudgeError(problem, f"{path}, line {number}", _REMEDY)
        calls[call.key] = call
    return Export(list(calls.values()), sealed)


def is_export(path: Path) -> bool:
    """Return whether a file is an export, by its first line."""
    with path.open("rb") as lines:
        return _json_object(lines.readline()).get("schema") == EXPORT_SCHEMA


def is_sealed(path: Path) -> bool:
    """Return whether an export says that its calls have checksums."""
    with path.open("rb") as lines:
        return bool(_json_object(lines.readline()).get("sealed"))


def _call(line: bytes, sealed: bool) -> tuple[ExportedCall, str]:
    """Return the call in a line, and what is wrong with it; nothing where all is well."""
    record = _json_object(line)
    reply = record.get("reply")
    call = ExportedCall(str(record.get("key")), canonical_json(record.get("request")), canonical_json(reply))
    if call.key != key_of(call.request) or not isinstance(reply, dict) or type(reply.get("content")) is not str:
        return call, "a call does not match its address: it was cut off or changed"
    if ("seal" in record) != sealed:
        return call, "seals were removed or changed: the first line says whether all lines have one"
    if sealed and record["seal"] != seal_of(call.key, call.reply):
        return call, "a call was changed since it was written"
    return call, ""


def _json_object(line: bytes) -> dict[str, Any]:
    try:
        found = parse_json(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
