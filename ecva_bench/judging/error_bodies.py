"""Reads the body of an error response, whatever its shape: a JSON object, a list, a text or an HTML page.

Used for judges and for models behind an endpoint. What to do about an error is decided in `completions`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from typing import Any

from ..untrusted import parse_json

_LONGEST_PAGE = 20_000  # characters of a page that are read
_DEEPEST = 12  # objects within objects
# Keys under which services give the reason, the name of the parameter it is about, and a code.
_REASONS = frozenset(
    {
        "error",
        "errors",
        "message",
        "msg",
        "detail",
        "details",
        "title",
        "reason",
        "description",
        "error_description",
        "error_message",
        "errormessage",
        "fault",
        "faultstring",
        "fieldviolations",
        "invalid-params",
        "innererror",
        "metadata",
        "raw",
    }
)
_NAMES = frozenset({"param", "parameter", "field", "loc", "name", "pointer", "property"})
_CODES = frozenset({"code", "status", "type"})
_TAG = re.compile(r"(<[^<>]*>)")
_HIDDEN = ("<script", "<style")


@dataclass(frozen=True)
class ErrorBody:
    """An error's reason, the parameters it names, and its codes; `of_json` says whether the body was JSON."""

    message: str = ""
    names: str = ""
    codes: tuple[str, ...] = ()
    of_json: bool = False

    @property
    def status(self) -> int | None:
        """The HTTP status among the codes: some services send it in the body of a response with status 200."""
        return next((int(code) for code in self.codes if re.fullmatch("[45][0-9][0-9]", code)), None)


def read_error_body(content: bytes) -> ErrorBody:
    """Return the error in the body of a response; empty where it gives none."""
    text = content.decode("utf-8", "replace").strip()
    try:
        value = parse_json(text, lenient=True)
    except ValueError:
        return ErrorBody(_words(text))
    found = list(_reasons(value, ""))
    said = [words for kind, words in found if kind == "reason"]
    return ErrorBody(
        message="; ".join(dict.fromkeys(said)),
        names=" ".join(words for kind, words in found if kind == "name"),
        codes=tuple(words for kind, words in found if kind == "code"),
        of_json=bool(said),
    )


def _reasons(value: Any, about: str, depth: int = 0) -> Iterator[tuple[str, str]]:
    """Yield the reasons, names and codes in a part of a body; `about` is the parameter that it concerns."""
    if depth > _DEEPEST:
        return
    if isinstance(value, list):
        for one in value:
            yield from _reasons(one, about, depth + 1)
    elif isinstance(value, dict):
        yield from _in_object(value, about, depth)
    elif isinstance(value, str) and (words := value.strip()):
        within = _json_in(words)
        if within is not None:
            yield from _reasons(within, about, depth + 1)
        else:
            yield "reason", words if about in words else f"{about}: {words}"


def _in_object(value: dict[str, Any], about: str, depth: int) -> Iterator[tuple[str, str]]:
    keys = {key: key.lower() for key in value}
    for key, name in keys.items():
        if name in _NAMES and (named := _place(value[key])):
            about = named
            yield "name", named
        if name in _CODES and isinstance(value[key], str | int):
            yield "code", str(value[key])
    parts = {key: value[key] for key, name in keys.items() if name in _REASONS}
    for part in parts.values():
        yield from _reasons(part, about, depth + 1)
    if parts:
        return
    if all(isinstance(part, list) for part in value.values()):  # {"seed": ["unknown field"]}
        for key, part in value.items():
            yield "name", key
            yield from _reasons(part, key, depth + 1)
        return
    for part in value.values():  # under other names
        if isinstance(part, dict | list):
            yield from _reasons(part, about, depth + 1)
    if depth and not any(isinstance(part, dict | list) for part in value.values()):
        for key, name in keys.items():
            if name not in _NAMES | _CODES and isinstance(value[key], str):
                yield from _reasons(value[key], about, depth + 1)


def _place(value: Any) -> str:
    """Return a parameter's name, given as a text or as a path in a list."""
    if isinstance(value, list):
        return ".".join(str(part) for part in value)
    return value if isinstance(value, str) else ""


def _json_in(text: str) -> Any:
    """Return the JSON object or list in a text, as where a service forwards another's error; else None."""
    try:
        return parse_json(text, lenient=True) if text[0] in "{[" else None
    except ValueError:
        return None


def _words(text: str) -> str:
    """Return the visible words of a text or an HTML page, on one line."""
    if not text.startswith("<"):
        return text
    words, hidden = [], False
    for part in _TAG.split(text[:_LONGEST_PAGE]):
        if part.startswith("<"):
            hidden = part.lower().startswith(_HIDDEN) or (hidden and not part.startswith("</"))
        elif not hidden:
            words.append(part)
    return " ".join(unescape(" ".join(words)).split())
