"""Questions with options: what a row asks, the options and the key, as its cells have them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial
from itertools import repeat
from typing import Any

from ...records.annotations import LETTERS, LONGEST_NAME, TASK_NAMES
from ...untrusted import id_problem, parse_json
from ..cells import Note
from ..json_forms import cell_text
from .assembling import RowQuery
from .cell_values import Fillers, NoteOn, column_getter, folded
from .description import AnswerIs, ChoiceKeys
from .tables import Row
from .times import as_number

Options = tuple[str | None, ...]  # by their place in the file, None in the place of one that is missing

_LETTER = re.compile(r"\(?([A-Za-z])\)?\s*[.:)]?()")
_LETTER_AND_TEXT = re.compile(r"\(?([A-Za-z])\)?\s*[.:)]\s*(\S.*)", re.DOTALL)


class ChoiceReader:
    """Questions with options, by the columns that hold them."""

    def __init__(self, keys: ChoiceKeys, fillers: Fillers) -> None:
        self._fillers, self._always, self._answer_is = fillers, keys.always, keys.answer_is
        self._questions, self._answers = column_getter(keys.question), column_getter(keys.answer)
        self._names = column_getter(keys.name)
        self._in_one_column = isinstance(keys.options, str)
        columns = (keys.options,) if isinstance(keys.options, str) else keys.options
        self._options = [column_getter(column) for column in columns]

    def queries(self, rows: Sequence[Row], note_on: NoteOn) -> list[RowQuery | None]:
        """Return the question of each row with its options, None where it cannot be asked."""
        questions = self._fillers.texts(self._questions(rows), "choice", note_on)
        cells = zip(questions, self._listed(rows), self._answers(rows), self._names(rows), strict=True)
        return [
            None
            if question is None
            else self._query(question, options, answer, name, partial(note_on, place, "choice"))
            for place, (question, options, answer, name) in enumerate(cells)
        ]

    def _query(
        self, question: str, written: Options, answer: object, name: object, note: Callable[[Note], None]
    ) -> RowQuery | None:
        options = without_letters(written)
        shown = _present(options)
        if options != written:
            note(Note("lettered-options", "repaired", *(" | ".join(one)[:200] for one in (_present(written), shown))))
        if len(shown) < 2:
            note(Note("options-few", "excluded", " | ".join(shown)[:200]))
            return None
        if not self._always and len(set(shown)) < len(shown):
            note(Note("options-repeated", "kept", " | ".join(shown)[:200]))
        right: int | None = None
        if self._fillers.is_missing(answer):
            note(Note("key-missing", "kept", "" if answer is None else str(answer)))
        elif (place := read_key(answer, options, self._answer_is, note)) is None:
            return None
        else:
            right = place - options[:place].count(None)
        return RowQuery("choice", "" if name is None else query_name(name), question, shown, right)

    def _listed(self, rows: Sequence[Row]) -> Iterable[Options]:
        """Return the options of each row."""
        if self._always:
            return repeat(self._always, len(rows))
        columns = [get(rows) for get in self._options]
        if self._in_one_column:
            return [tuple(self._fillers.given(_list_in(cell))) for cell in columns[0]]
        return zip(*map(self._fillers.given, columns), strict=True)


def _present(options: Options) -> tuple[str, ...]:
    return tuple([text for text in options if text is not None])


def without_letters(options: Options) -> Options:
    """Return options without their letters, where all begin with theirs, in order: `A. It rains`, `(B) It snows`.

    An option is shown under a letter, and options are shuffled: a letter in its text would tell its place in the file.
    """
    texts: list[str | None] = []
    for place, text in enumerate(options):
        if text is None:
            texts.append(None)
            continue
        if len(text) > 1 and text[:2].isalpha():  # a word
            return options
        found = _LETTER_AND_TEXT.fullmatch(text.strip())
        if found is None or found[1].upper() != LETTERS[place % 26]:
            return options
        texts.append(found[2])
    return tuple(texts)


def read_key(cell: Any, options: Options, answer_is: AnswerIs, note: Callable[[Note], None]) -> int | None:
    """Return the place of the right option; None, with a finding, where the key does not name one."""
    text = (cell if isinstance(cell, str) else cell_text(cell) or "").strip()
    place, said = -1, ""
    if answer_is == "letter":
        place, said = _lettered(text)
        if said and folded(_at(place, options) or "") != folded(said):
            place = -1
    elif answer_is == "text":
        if text not in options and (found := _LETTER_AND_TEXT.fullmatch(text)):
            text = found[2]  # the letter of an option that has lost its own
        there = [(where, option) for where, option in enumerate(options) if option is not None]
        named = [where for where, option in there if option.strip() == text]
        named = named or [where for where, option in there if folded(option) == folded(text)]
        place = named[0] if len(named) == 1 else -1
    elif (counted := as_number(cell)) is not None and counted.is_integer():
        place = int(counted) - (answer_is == "index1")
    if _at(place, options) is None:
        note(Note("key-malformed", "excluded", text[:200]))
        return None
    if said:
        note(Note("key-malformed", "repaired", text[:200], LETTERS[place]))
    return place


@lru_cache(maxsize=1024)
def _lettered(text: str) -> tuple[int, str]:
    """Return the place that a letter names, and the text that follows it; -1 where no letter stands first."""
    found = _LETTER.fullmatch(text) or _LETTER_AND_TEXT.fullmatch(text)
    return (LETTERS.index(found[1].upper()), found[2] or "") if found else (-1, "")


def _at(place: int, options: Options) -> str | None:
    return options[place] if 0 <= place < len(options) else None


def _list_in(cell: object) -> list[object]:
    """Return the list that a cell holds, which may be written as text; what is no list is an option of its own."""
    value = cell
    if isinstance(cell, str):
        try:
            value = parse_json(cell, lenient=True)
        except ValueError:
            return [cell]
    if isinstance(value, list):
        return value
    return [] if value is None else [json.dumps(value, ensure_ascii=False)]


def query_name(value: object) -> str:
    """Return a name from a column as one that can end a sample's id; empty where it cannot."""
    if value is None:
        return ""
    name = str(value).strip().replace("/", "-").replace("@", "-")
    return "" if name in TASK_NAMES or id_problem(name, LONGEST_NAME) else name
