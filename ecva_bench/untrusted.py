"""What models, programs, endpoints and other people's files say, made safe to show and to write down.

Every line that this package prints goes through `say`: a text of theirs stands on one line and holds no character that
a terminal obeys (escapes, returns, marks that turn the direction of writing) and no command that a runner of workflows
reads in a log. The keys of the environment are cut out of what is printed and of what is written down.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping

# GitHub reads `::error::` where a line begins, and `##[error]` anywhere; Azure and TeamCity `##vso[` and `##teamcity[`.
_BEGINS_COMMAND = re.compile(r"^(\s*:)(?=:)")
_COMMAND = re.compile(r"##(?=\w*\[)")
_SECRET = re.compile(r"(?:^|_)(?:KEY|TOKEN|SECRET|PASSWORD|CREDENTIALS?)(?:_ID)?$", re.IGNORECASE)
_SHORTEST_SECRET = 8  # characters; a shorter value may be any word
_JSON_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')


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
    for line in text.split("\n"):
        say(line, error=error)


def say_json(text: str) -> None:
    """Print a JSON text."""
    print(printable_json(scrubbed_json(text, secrets())))


def _json_escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[place] << 8 | units[place + 1]:04x}" for place in range(0, len(units), 2))
