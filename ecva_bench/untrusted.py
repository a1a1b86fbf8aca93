"""What models, programs, endpoints and other people's files say, made safe to read, to show and to write down.

There is one reader of JSON, one rule for what can be an id, and one way to a terminal.

Every line that this package prints goes through `say`: a text of theirs stands on one line and holds no character that
a terminal obeys (escapes, returns, marks that turn the direction of writing) and no command that a runner of workflows
reads in a log. The keys of the environment are cut out of what is printed and of what is written down.
"""

from __future__ import annotations

import json
import math
import os
import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

# GitHub reads `::error::` where a line begins, and `##[error]` anywhere; Azure and TeamCity `##vso[` and `##teamcity[`.
_BEGINS_COMMAND = re.compile(r"^(\s*:)(?=:)")
_COMMAND = re.compile(r"##(?=\w*\[)")
_SECRET = re.compile(r"(?:^|_)(?:KEY|TOKEN|SECRET|PASSWORD|CREDENTIALS?)(?:_ID)?$", re.IGNORECASE)
_SHORTEST_SECRET = 8  # characters; a shorter value may be any word
_DEEPEST = 100  # levels of JSON: what is read is also written, copied and walked through, each by recursion
_LONGEST_NUMBER = 300  # digits; a longer one is no float
_HALF_CHARACTER = re.compile(r"[\ud800-\udfff]|\\u[dD][89a-fA-F]")
LONGEST_ID = 500  # characters of a video's
_JSON_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')


def well_formed(text: str) -> str:
    """Return the text as Unicode that can be encoded: half a surrogate pair becomes U+FFFD.

    That is what remains of an emoji cut off at a token limit. Model texts all pass through here or `parse_json`.
    """
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def parse_json(content: str | bytes, *, lenient: bool = False, repeated: Callable[[str], None] | None = None) -> Any:
    """Return the value of a JSON text, UTF-8 where it is bytes, all its texts well-formed.

    Raises `ValueError` where the text is no JSON, is nested deeper than 100 levels, holds a number that is none (NaN,
    1e999, 10^5000), or names a field twice. Where one bad part must not cost the others (`lenient`), the last two are
    left to who reads the part: the number is not finite, and the field holds `{"occurs twice": [...]}`, which is no
    text and no number; with `repeated`, that is called with the field's name, and the first one counts.
    """
    text = content if isinstance(content, str) else content.decode("utf-8-sig", "surrogatepass")
    decoder = _LENIENT if lenient else _STRICT
    if repeated is not None:
        decoder = json.JSONDecoder(object_pairs_hook=partial(_first_of_each, repeated), parse_int=_integer)
    try:
        value = decoder.decode(text)
        if ("\\u" in text or not text.isascii()) and _HALF_CHARACTER.search(text):
            written = json.dumps(value, ensure_ascii=False)
            mended = well_formed(written)
            value = value if mended == written else decoder.decode(mended)
    except RecursionError:
        raise _too_deep() from None
    if text.count("[") + text.count("{") > _DEEPEST:
        _check_depth(value)
    return value


def id_problem(text: str, longest: int = LONGEST_ID) -> str:
    """Return why a text cannot be the name or id of a video, or of a question about one; empty where it can."""
    if not text.strip():
        return "it is empty"
    if len(text) > longest:
        return f"it is too long: {len(text):,} of at most {longest} characters"
    if text.isprintable():  # nearly always, and quicker than to look at each
        return ""
    odd = next((one for one in text if unicodedata.category(one) in ("Cc", "Cs", "Zl", "Zp")), "")
    return f"it holds the character U+{ord(odd):04X}" if odd else ""


def one_line(text: str) -> str:
    """Return the text on one line, without control characters, which a terminal obeys, and workflow commands."""
    shown = text if text.isprintable() else "".join(one if one.isprintable() else " " for one in text)
    return _BEGINS_COMMAND.sub(r"\1 ", _COMMAND.sub("# #", shown)) if "#" in shown or ":" in shown else shown


def printable_json(text: str) -> str:
    """Return a JSON text of the same value, in which no character is obeyed: those that would be are escaped."""
    shown = _COMMAND.sub(r"#\\u0023", text)
    return "".join(one if one.isprintable() or one == "\n" else _json_escape(one) for one in shown)


def is_secret(name: str) -> bool:
    """Return whether a variable of the environment holds a key, by its name: `OPENAI_API_KEY`, `HF_TOKEN`."""
    return bool(_SECRET.search(name))


def secrets() -> dict[str, str]:
    """Return the keys in our environment and the variables that hold them, the longest key first."""
    found = {value.strip(): name for name, value in os.environ.items() if is_secret(name)}
    return {key: found[key] for key in sorted(found, key=len, reverse=True) if len(key) >= _SHORTEST_SECRET}


def scrubbed(text: str, keys: Mapping[str, str]) -> str:
    """Return the text with the name of its variable, `[HF_TOKEN]`, in the place of each of the `secrets`."""
    for key, name in keys.items():
        text = text.replace(key, f"[{name}]")
    return text


def scrubbed_json(text: str, keys: Mapping[str, str]) -> str:
    """Return a JSON text whose strings are `scrubbed`."""
    written = {json.dumps(key, ensure_ascii=False)[1:-1]: name for key, name in keys.items()}
    if not any(key in text for key in written):
        return text
    return _JSON_STRING.sub(lambda string: scrubbed(string[0], written), text)


def say(text: object = "", *, error: bool = False, end: str = "\n") -> None:
    """Print one line, on standard error where it is an `error` or a remark."""
    print(one_line(scrubbed(str(text), secrets())), file=sys.stderr if error else sys.stdout, end=end, flush=True)


def say_lines(text: str, *, error: bool = False) -> None:
    """Print a text of several lines of ours, each of which may hold texts of others that hold no line break."""
    for line in text.replace("\r\n", "\n").split("\n"):  # a CSV table ends its lines so
        say(line, error=error)


def say_json(text: str) -> None:
    """Print a JSON text."""
    print(printable_json(scrubbed_json(text, secrets())))


def _json_escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[place] << 8 | units[place + 1]:04x}" for place in range(0, len(units), 2))


def _check_depth(value: object) -> None:
    """Raise `ValueError` where lists and objects are nested deeper than `_DEEPEST`."""
    level, depth = [value], 1
    while level := [part for one in level if isinstance(one, list | dict) for part in _parts(one)]:
        depth += 1
        if depth > _DEEPEST:
            raise _too_deep()


def _parts(value: list[object] | dict[str, object]) -> Iterable[object]:
    return value if isinstance(value, list) else value.values()


def _too_deep() -> ValueError:
    return ValueError(f"it is nested deeper than {_DEEPEST} levels")


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError(f"the field {_twice(pairs)[0]!r:.80} occurs twice")
    return found


def _object_of_row(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        found |= {name: {"occurs twice": [value for key, value in pairs if key == name]} for name in _twice(pairs)}
    return found


def _first_of_each(repeated: Callable[[str], None], pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in pairs:
        if name in found:
            repeated(name)
        found.setdefault(name, value)
    return found


def _twice(pairs: list[tuple[str, object]]) -> list[str]:
    counts = Counter(name for name, _ in pairs)
    return [name for name, count in counts.items() if count > 1]


def _no_number(text: str) -> float:
    raise ValueError(f"{text:.20} is no number that can be used")


def _integer(text: str) -> int | float:
    return int(text) if len(text) <= _LONGEST_NUMBER else float(text)


def _finite_integer(text: str) -> int | float:
    return int(text) if len(text) <= _LONGEST_NUMBER else _no_number(text)


def _finite_float(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _no_number(text)


_STRICT = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_no_number, parse_int=_finite_integer, parse_float=_finite_float
)
_LENIENT = json.JSONDecoder(object_pairs_hook=_object_of_row, parse_int=_integer)
