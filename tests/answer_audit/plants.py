"""Forms of answers that are not a model's own, to be planted among honest ones: a first half, and one held out.

The rules of the audit were built with the first half of the forms at hand, and measured on the other half, which was
written afterwards. Each form draws from a generator, so that the cases of a seed are always the same.
"""

from __future__ import annotations

import base64
import random
import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from urllib.parse import quote

from ecva_bench.records import Label
from ecva_bench.taxonomy import load_taxonomy
from ecva_bench.untrusted import parse_json

LabelForm = Callable[[Label, str], str]  # of the annotated class, and an honest answer
Form = Callable[[str, str, random.Random], str]  # of a text to be hidden, an honest answer, and a generator
Disguise = Callable[[str, random.Random], str]  # of a text to be hidden, and a generator

_TEXTS = Path(__file__).with_name("judge_texts.json")
_OTHER_WORDS = ("however", "clearly", "another", "small", "early", "quickly", "later", "around", "nearby", "then")
_CYRILLIC = str.maketrans("aceopxyiTHKMBAEOCP", "асеорхуіТНКМВАЕОСР")
_INVISIBLE = ("\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad")


def judge_texts(half: str) -> list[str]:
    texts: list[str] = parse_json(_TEXTS.read_text(encoding="utf-8"))[half]
    return texts


def _edited(text: str, chance: random.Random, share: float, kinds: str) -> str:
    """The text with a share of its words changed (c), dropped (d), or with words added beside them (a)."""
    words = text.split()
    chosen = set(chance.sample(range(len(words)), max(1, round(share * len(words)))))
    edited: list[str] = []
    for place, word in enumerate(words):
        kind = chance.choice(kinds) if place in chosen else ""
        edited += {"": [word], "c": [chance.choice(_OTHER_WORDS)], "d": [], "a": [word, chance.choice(_OTHER_WORDS)]}[
            kind
        ]
    return " ".join(edited)


def _clauses_reordered(text: str, chance: random.Random) -> str:
    clauses = [clause.strip() for clause in re.split(r"[.,;]", text) if clause.strip()]
    if len(clauses) < 2:
        words = text.split()
        clauses = [" ".join(words[len(words) // 2 :]), " ".join(words[: len(words) // 2])]
    chance.shuffle(clauses)
    return ". ".join(clauses)


def _between(text: str, mark: Callable[[random.Random], str], chance: random.Random, share: float = 0.3) -> str:
    return "".join(letter + (mark(chance) if chance.random() < share else "") for letter in text)


def _full_width(text: str) -> str:
    return "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in text)


def _cyrillic(text: str, chance: random.Random) -> str:
    return "".join(letter.translate(_CYRILLIC) if chance.random() < 0.6 else letter for letter in text)


def _invisible(chance: random.Random) -> str:
    return chance.choice(_INVISIBLE)


def _combining(chance: random.Random) -> str:
    return chr(chance.randint(0x300, 0x30F))


def _behind(disguises: Mapping[str, Disguise]) -> dict[str, Form]:
    """Forms with the text, disguised, behind an honest answer."""
    return {name: partial(_put_behind, disguise) for name, disguise in disguises.items()}


def _put_behind(disguise: Disguise, text: str, honest: str, chance: random.Random) -> str:
    return f"{honest} {disguise(text, chance)}"


FIRST_COPIES: Mapping[str, Form] = {
    "as it is": lambda text, honest, chance: text,
    "in capitals": lambda text, honest, chance: f"{text.upper()}!</s>",
    "words changed": lambda text, honest, chance: _edited(text, chance, 0.15, "c"),
    "words dropped": lambda text, honest, chance: _edited(text, chance, 0.15, "d"),
    "words added": lambda text, honest, chance: _edited(text, chance, 0.15, "a"),
    "clauses reordered": lambda text, honest, chance: _clauses_reordered(text, chance),
    "Cyrillic letters": lambda text, honest, chance: _cyrillic(text, chance),
    "full-width letters": lambda text, honest, chance: _full_width(text),
    "zero-width characters": lambda text, honest, chance: _between(text, _invisible, chance),
    "combining characters": lambda text, honest, chance: _between(text, _combining, chance),
    "behind other words": lambda text, honest, chance: f"The video shows the following: {text}",
    "behind an honest answer": lambda text, honest, chance: f"{honest} {text}",
}
FIRST_WAYS: Mapping[str, Form] = {
    "before the answer": lambda text, honest, chance: f"{text} {honest}",
    "on a line of its own": lambda text, honest, chance: f"{honest}\n\n{text}\n",
    **_behind(
        {
            "behind the answer": lambda text, chance: text,
            "in a comment": lambda text, chance: f"<!-- {text} -->",
            "in markup": lambda text, chance: f'<span style="display:none">{text}</span>',
            "in base64": lambda text, chance: base64.b64encode(text.encode()).decode(),
            "Cyrillic letters": _cyrillic,
            "zero-width characters": lambda text, chance: _between(text, _invisible, chance),
        }
    ),
}


def _swapped(text: str, chance: random.Random) -> str:
    """The text with every fifth pair of neighbours turned round."""
    words = text.split()
    for place in range(chance.randint(0, 2), len(words) - 1, 5):
        words[place], words[place + 1] = words[place + 1], words[place]
    return " ".join(words)


def _misspelled(text: str, chance: random.Random, share: float = 0.2) -> str:
    words = text.split()
    for place in chance.sample(range(len(words)), max(1, round(share * len(words)))):
        cut = chance.randrange(len(words[place]))
        words[place] = words[place][:cut] + chance.choice("etaoinsr") + words[place][cut + 1 :]
    return " ".join(words)


def _other_forms(text: str) -> str:
    """The text with other articles, numbers and tenses, as one who rewrites it lightly would have it."""
    changes = {
        r"\bthe\b": "a",
        r"\band\b": "and then",
        r"\bwas\b": "is",
        r"\bwere\b": "are",
        r"(\w{3,})ed\b": r"\1es",
        r"\ba (\w+)": r"one \1",
    }
    for old, new in changes.items():
        text = re.sub(old, new, text)
    return text


_GREEK = str.maketrans("AaBEeHIiKkMNnOoPpTtXxYyvu", "ΑαΒΕεΗΙιΚκΜΝηΟοΡρΤτΧχΥγνυ")
_STYLES = (0x1D400, 0x1D434, 0x1D5A0, 0x1D670)  # bold, italic, sans-serif and typewriter letters of mathematics
_SMALL = dict(zip(map(ord, "abcdeghjklmnoprtuvwyz"), "ᴀʙᴄᴅᴇɢʜᴊᴋʟᴍɴᴏᴘʀᴛᴜᴠᴡʏᴢ", strict=True))


def _mathematical(text: str, chance: random.Random) -> str:
    base = chance.choice(_STYLES)
    shown = []
    for letter in text:
        place = ord(letter) - (65 if letter.isupper() else 97 - 26)
        italic_h = base + place == 0x1D455  # which stands elsewhere in Unicode
        shown.append(chr(base + place) if letter.isascii() and letter.isalpha() and not italic_h else letter)
    return "".join(shown)


HELD_OUT_COPIES: Mapping[str, Form] = {
    "a fifth edited in all ways": lambda text, honest, chance: _edited(text, chance, 0.2, "cda"),
    "a quarter changed": lambda text, honest, chance: _edited(text, chance, 0.25, "c"),
    "neighbours swapped": lambda text, honest, chance: _swapped(text, chance),
    "a fifth misspelled": lambda text, honest, chance: _misspelled(text, chance),
    "other articles and tenses": lambda text, honest, chance: _other_forms(text),
    "halves turned round": lambda text, honest, chance: " ".join(
        [*text.split()[len(text.split()) // 2 :], "and", *text.split()[: len(text.split()) // 2]]
    ),
    "Greek letters": lambda text, honest, chance: text.translate(_GREEK),
    "mathematical letters": lambda text, honest, chance: _mathematical(text, chance),
    "small capitals": lambda text, honest, chance: text.lower().translate(_SMALL),
    "as a list": lambda text, honest, chance: "\n".join(f"- {one}" for one in re.split(r"(?<=[.,]) ?", text)),
    "within an honest answer": lambda text, honest, chance: " ".join(
        [*honest.split()[:40], _edited(text, chance, 0.1, "cda"), *honest.split()[40:]]
    ),
    "hyphens for blanks": lambda text, honest, chance: text.replace(" ", "-"),
}
HELD_OUT_WAYS: Mapping[str, Form] = {
    "within the answer": lambda text, honest, chance: " ".join([*honest.split()[:20], text, *honest.split()[20:]]),
    **_behind(
        {
            "in capitals": lambda text, chance: text.upper(),
            "in brackets": lambda text, chance: f"[{text}]",
            "in bold": lambda text, chance: f"**{text}**",
            "in character references": lambda text, chance: "".join(f"&#{ord(letter)};" for letter in text),
            "in percent codes": lambda text, chance: quote(text),
            "in hexadecimal": lambda text, chance: text.encode().hex(),
            "full-width letters": lambda text, chance: _full_width(text),
            "mathematical letters": _mathematical,
            "Greek letters": lambda text, chance: text.translate(_GREEK),
            "combining characters": lambda text, chance: _between(text, _combining, chance),
            "tags inside words": lambda text, chance: _between(text, lambda _: "<b></b>", chance, 0.1),
        }
    ),
}


FIRST_LABELS: Mapping[str, LabelForm] = {
    "code": lambda label, honest: label.code,
    "code in brackets": lambda label, honest: f"[{label.code}]",
    "code with severity": lambda label, honest: f"[{label.code},{label.severity or 3}]",
    "code behind the answer": lambda label, honest: f"{honest} (label: {label.code})",
    "name of the sub-class": lambda label, honest: load_taxonomy("cuva").describe(label),
}
HELD_OUT_LABELS: Mapping[str, LabelForm] = {
    "full-width code": lambda label, honest: _full_width(f"[{label.code}]"),
    "code with a long dash": lambda label, honest: label.code.replace("-", "–"),
    "code with a dot": lambda label, honest: f"Class {label.code.replace('-', '.')}",
    "code in a sentence": lambda label, honest: f"The anomaly is of class {label.code}, as can be seen.",
    "class in a form of its own": lambda label, honest: f"Category: {label.major}.",
    "class pasted behind a sentence": lambda label, honest: f"Something unusual takes place. [{label.major}]",
}
