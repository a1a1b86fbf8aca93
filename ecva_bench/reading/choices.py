"""Read which of several options an answer chooses: by its letter, by its number in words, or by its own text.

A letter counts by the place where it stands: named as the answer; alone on a line or first of all; in brackets; as a
capital in a sentence. `A` and `I` are words too, so in a sentence they need a sign that they are letters. What is
denied (`not A`, `B is wrong`) is left out. Two letters are ambiguous, and so is a letter beside another option's text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..records import Label
from ..records.annotations import LETTERS
from ..records.readings import Reading
from .boxes import boxed
from .text import ends, plain
from .ticks import only_ticked

VERSION = 1  # part of signatures: a change of what is read is another metric
RULES = ("answer", "alone", "marked", "text", "letter")  # by rank

_OPEN, _CLOSE = r"\s\"'(\[{<*", r"\s\"')\]}>*"
_LETTER = r"(?<![a-z0-9_\-])(?<![a-z]['.])[{}]?(?P<letter>[a-z])(?![a-z0-9_])(?!['.\-][a-z])"
_OTHER = _LETTER.replace("letter", "other")
_CUE = (
    r"(?:(?<![a-z])(?:answers?|ans|options?|choices?|letters?|response|selection|conclusion|prediction|choose|chose|"
    r"choosing|select(?:ed|ing)?|pick(?:ed|ing)?|go(?:ing)? with|opt for|correct(?: one)?(?![ \t]*[.,;\n])|"
    r"correct_option|"
    r"therefore|thus|hence|so)(?![a-z])|答案|选项|选择|应选|选)"
)
_LINK = (
    rf"(?:[{_OPEN}:=>,.\-_\"]|(?<![a-z])(?:is|are|was|be|would|should|must|will|likely|probably|clearly|to|as|"
    rf"that|the|"
    r"option|choice|letter|answer|correct|right|most|best|one|question|i|me|my|final|therefore|thus|with|for|"
    r"definitely|index|name|id)(?![a-z])|是|为|应|该|当|项|选|的|答案){0,60}"
)
_NEAR = 1000  # characters within which what speaks of an option stands
_STATED = re.compile(_CUE + _LINK + _LETTER)
_RIGHT = re.compile(
    _LETTER + rf"[{_CLOSE}:,]*(?:(?:is|seems|looks|would be|must be|best|also|clearly|most|likely|the|an?)\s+){{1,8}}"
    r"(?:\w+\s+)?(?:correct|right|best|answer|true|appropriate|accurate|option)(?![a-z])|"
    + _OTHER
    + rf"[{_CLOSE}]*(?:选项)?(?:是|为)?(?:正确|对的|最符合)"
)
_ALONE = re.compile(rf"^[{_OPEN}\-•#]{{0,100}}+" + _LETTER + rf"(?=[{_CLOSE}]*(?:[.:,\-][{_CLOSE}]|[.:(]|$|\n))|"
                    rf"^[(\[]" + _OTHER + r"[)\]]", re.MULTILINE)  # fmt: skip
_MARKED = re.compile(r"[(\[{\"]\s*" + _LETTER + r"\s*[)\]}\"]")
_BARE = re.compile(_LETTER)
_ORDINALS = {word: place for place, words in enumerate(
    ("first 1st one 1 一", "second 2nd two 2 二", "third 3rd three 3 三", "fourth 4th four 4 四", "fifth 5th five 5 五",
     "sixth 6th six 6 六", "seventh 7th seven 7 七", "eighth 8th eight 8 八"))
    for word in words.split()}  # fmt: skip
_NUMBERED = re.compile(
    r"(?<![a-z])(?:option|choice)\s*(?:number|no\.?|#)?\s*[(\[]?(?P<after>\d|one|two|three|four|five|six|seven|eight)"
    r"(?![a-z0-9])|(?<![a-z0-9])(?P<before>first|second|third|fourth|fifth|sixth|seventh|eighth|1st|2nd|3rd|\dth)"
    r"\s+(?:option|choice|answer)(?![a-z])|(?:选项|第)(?P<chinese>[一二三四五六七八1-8])(?:个|项|$|\s|[.,])"
)
_ALSO = re.compile(rf"[{_CLOSE}.]*(?:,|/|&|、|\band\b|\bor\b|和|或|与)[,\s]*(?:and |or |maybe |perhaps |possibly )*"
                   rf"(?:option |choice )?[{_OPEN}]*" + _LETTER)  # fmt: skip
_WORD_NEXT = re.compile(
    r"[ \t]+(?!(?:because|since|as|is|are|was|for|and|or|but|would|seems|best|due|with|given|based|in this|"
    r"from|which|"
    r"that|the|option|choice|correct)(?![a-z]))[a-z0-9\"']"
)
_BEHIND_I = re.compile(r",|\s+[a-z]")
_DENIED_BEFORE = re.compile(
    r"(?:\bnot|n't(?: be| choose| select| pick)?|\bnor|\bneither|\brul(?:e|es|ed|ing) out|\beliminat\w+|\bexclud\w+|"
    r"\brather than|\binstead of|\bexcept|\bwithout|不是|而不是|排除|不选|并非)\s*(?:the |for |is |be |either )*"
    r"(?:options?|choices?|answers?)?(?:[\s\"'(\[,/]|\band\b|\bor\b|(?<![a-z])[a-z](?![a-z])[)\]]*)*$"
)
_DENIED_AFTER = re.compile(
    # Of blanks only so many: runs of them beside each other would be divided in every way.
    r"[\s\"')\].:]{0,20}(?:(?:[,/\s(]|\band\b|\bor\b|\bnor\b){1,9}[a-z][)\]]*(?![a-z])){0,8}[\s,]{0,9}"
    r"(?:options? |choices? )?"
    r"(?:(?:is|are|was|were|seems?|can be|must be|could be|does|do|did|would be|looks?)\s*(?:n't|n'?ot|all|both|"
    r"clearly|also|definitely|simply|therefore|ruled|\s)*\b(?:not|incorrect|wrong|false|out|eliminated|"
    r"excluded|unlikely|"
    r"irrelevant|unsupported|impossible)\b|(?:is|are|does|do|was)n't\b|不正确|是?错|不对|不符)"
)
_TAKEN_BACK = re.compile(r"\b(?:wait|actually|correction|on second thought|let me re\w+|scratch that|i was wrong)\b")
_FINAL = re.compile(r"\bfinal(?:ly)?\b|\bin conclusion\b|最终|综上")
_NAME_BEFORE = re.compile(
    r"\b(?:vitamin|plan|class|type|group|team|grade|level|gate|camera|block|building|zone|line|route|room|"
    r"point|section|"
    r"person|vehicle|car|truck|man|woman|driver|model|part|phase|step|figure|hepatitis)\s$"
)
_CORRECTED = re.compile(
    r"\b(?:but|actually|wait|so|therefore|thus|hence|final(?:ly)?|instead|correction)\b|因此|所以|最终"
)
_MENTION = re.compile(r"(?:options?|choices?|letters?|选项)(?:(?![^a-z]*[:=>])[\s\"'(\[]*|\s*:\s*\n\W*)$")
_VERDICT = re.compile(
    r"(?:^|\n|[.,;]\s|\s(?=[a-z][).:])|(?<=[✓✔✅✗✘❌×])\s)[\s\-•*(]{0,9}(?:option |"
    r"choice )?(?P<letter>[a-z])[ \t]{0,3}[).:\-]{0,2}[ \t\-]{0,5}"
    r"(?:is )?(?:(?P<right>correct|true|right|yes|[✓✔✅])|incorrect|false|wrong|no|not correct|"
    r"[✗✘❌×])(?=[ \t]{0,9}(?:[.,;\n]|$|[a-z][).:])|(?<=[✓✔✅✗✘❌×]))"
)
_VERDICT_WORDS = frozenset(("correct", "true", "right", "yes", "incorrect", "false", "wrong", "no"))
_STATED_BEFORE = re.compile(_CUE + _LINK + r"$")
_SENTENCE_END = re.compile(r"\s*(?:[.,:;!\n]|$)")
_LEAD = re.compile(
    r"^\W*(?:(?:the |my )?(?:final |correct |best |right )?(?:answer|option|choice)[\"']?(?: is| would be)?\s*[:\-]?|"
    r"it is|it's)[\s\"']+"
)
_NO_WORDS = re.compile(r"\d|[^\w\s.,;:!\"'(){}*\-]")
_ARTICLE = re.compile(r"^(?:an?|the) ")
# `B—it is green`: a dash between sentences, told from a hyphen before both become one character.
_DASHED = re.compile(r"(?<!\w)([A-Z])(—|―|--)(?=\w)(?![A-Z]\b)")
_SHORTEST = 4  # characters of an option's text that counts wherever it stands


@dataclass(frozen=True)
class _Named:
    """An option named in a text: which (from 0), where, by which rule (a rank of `RULES`), and whether finally.

    One that is only `mentioned` (`option A shows a car`) is not stated as the answer.
    """

    option: int
    start: int
    end: int
    rank: int
    final: bool = False
    mentioned: bool = False


def read_choice(text: str, options: Sequence[str]) -> Reading:
    """Return which of the options, shown under the letters A, B, … in this order, an answer chooses.

    `labels` has its number, from 1. Two options named as the answer are `ambiguous`, and so is a letter that stands
    before the text of another option; a letter behind the last option's is `out of range`. `others` are what is named
    beside the answer.
    """
    parted = _DASHED.sub(lambda match: match[1] + ",".ljust(len(match[2])), text)
    plain_text = only_ticked(boxed(ends(plain(parted))))
    found = list(_all(text, plain_text, options)) or _all_but_spelt(plain_text, options)
    back = max((match.end() for match in _TAKEN_BACK.finditer(plain_text)), default=0)
    found = [one for one in found if one.start >= back] or found
    explicit = [one for one in found if one.rank == 0]
    stated = [one for one in explicit if not one.mentioned]
    explicit = _last_word(plain_text, stated) if stated else explicit
    alone = [one for one in found if one.rank == 1]
    if stated:  # beside a stated one, `A. a red car - not seen` is an option gone through
        listed = len({one.option for one in alone}) > 1
        alone = [one for one in alone if _whole(plain_text, one, first=not listed)]
    if len({one.option for one in alone}) == 1 or not explicit:
        explicit += alone  # several on lines of their own beside a stated one are the list of options
    chosen = explicit
    for rank in range(2, len(RULES)):
        chosen = chosen or [one for one in found if one.rank == rank]
    if final := [one for one in chosen if one.final]:
        chosen = final
    return _reading(text, plain_text, chosen, options)


def _last_word(plain_text: str, stated: Sequence[_Named]) -> list[_Named]:
    """Return what is stated last, where a word of correction stands before it; else all that is stated."""
    ordered = sorted(stated, key=lambda one: one.start)
    last = ordered[-1]
    others = [one for one in ordered if one.option != last.option]
    if not others or not _CORRECTED.search(plain_text, others[-1].end, last.start):
        return ordered
    return [one for one in ordered if one.option == last.option]


def _whole(plain_text: str, one: _Named, *, first: bool) -> bool:
    """Return whether a letter is all that its line says, or, for `first`, the first thing that the text says."""
    line = re.compile(r"[^\w\n]*(?:\n|$)").match(plain_text, one.end)
    return line is not None or (first and one.start <= _words_of(plain_text)[0])


def _verdicts(plain_text: str) -> Iterator[tuple[int, int, bool]]:
    """Yield (option, place of its letter, whether it is right) of a list such as `A: incorrect`, `B: correct`."""
    found = list(_VERDICT.finditer(plain_text))
    if len(found) > 1 and sum(match["right"] is not None for match in found) == 1:
        for match in found:
            yield LETTERS.index(match["letter"].upper()), match.start("letter"), match["right"] is not None


def _reading(text: str, plain_text: str, chosen: Sequence[_Named], options: Sequence[str]) -> Reading:
    if not chosen:
        return Reading(status="unread")
    places = tuple(dict.fromkeys((one.start, one.end) for one in sorted(chosen, key=lambda one: one.start)))[:8]
    rule = RULES[min(one.rank for one in chosen)]
    texts = {_folded(option) for option in (options[one.option] for one in chosen if one.option < len(options))}
    numbers = {one.option for one in chosen}
    others = tuple(dict.fromkeys(text[start:end] for start, end in places))
    if len(numbers) > 1 and (len(texts) > 1 or max(numbers) >= len(options)):
        return Reading(status="ambiguous", rule=rule, places=places, others=others)
    number = min(numbers)
    if number >= len(options):
        return Reading(status="out of range", rule=rule, places=places)
    if any(_contradicted(plain_text, one, options) for one in chosen if one.rank != RULES.index("text")):
        return Reading(status="ambiguous", rule="letter and text differ", places=places, others=others)
    return Reading(labels=(Label(major=number + 1),), rule=rule, places=places)


def _all(text: str, plain_text: str, options: Sequence[str]) -> Iterator[_Named]:
    """Yield the options named in a text, those denied left out; a letter stands once, under its best rule."""
    seen: set[int] = set()
    texts = list(_texts(plain_text, options))
    of_texts = {place for one in texts if one.rank == RULES.index("text") for place in range(one.start, one.end)}
    if not any(_folded(option) in _VERDICT_WORDS for option in options):
        for option, start, right in _verdicts(plain_text):
            seen.add(start)
            if right:
                yield _Named(option, start, start + 1, 0)
    for rank, pattern in ((0, _STATED), (0, _RIGHT), (1, _ALONE), (2, _MARKED), (4, _BARE)):
        for match in pattern.finditer(plain_text):
            for start in _letters(text, plain_text, match, rank):
                if start in seen or (rank and start in of_texts):
                    continue
                seen.add(start)
                if not _denied(plain_text, start, start + 1):
                    final = rank == 0 and _FINAL.search(plain_text, max(0, match.start() - 40), start) is not None
                    mentioned = pattern is _STATED and _MENTION.fullmatch(plain_text, match.start(), start) is not None
                    yield _Named(LETTERS.index(plain_text[start].upper()), start, start + 1, rank, final, mentioned)
    yield from (one for one in texts if not _denied(plain_text, one.start, one.end))
    for match in _NUMBERED.finditer(plain_text):
        word = match["after"] or match["before"] or match["chinese"]
        place = _ORDINALS.get(word, int(word[0]) - 1 if word[0].isdecimal() else -1)
        numbers = any(option.strip().isdecimal() for option in options)
        if place >= 0 and not numbers and not _denied(plain_text, match.start(), match.end()):
            yield _Named(place, match.start(), match.end(), 0)


def _letters(text: str, plain_text: str, match: re.Match[str], rank: int) -> Iterator[int]:
    """Yield the places of the letters that a match names, with those joined to the last by `and` or a comma."""
    group = "letter" if match["letter"] is not None else "other"
    start = match.start(group)
    if not _is_letter(text, plain_text, start, rank):
        return
    yield start
    for _ in LETTERS if rank < 3 else "":
        more = _ALSO.match(plain_text, start + 1)
        if more is None:
            return
        start = more.start("letter")
        if not _is_letter(text, plain_text, start, 0):
            return
        yield start


def _is_letter(text: str, plain_text: str, start: int, rank: int) -> bool:
    """Return whether a character is a letter that names an option, and no word such as `a` or `I`."""
    word = plain_text[start] in "ai" or not text[start].isupper()
    if rank == 4:
        if _NAME_BEFORE.search(plain_text, max(0, start - 20), start):
            return False
        more = _ALSO.match(plain_text, start + 1) if text[start].isupper() else None
        return not word or (more is not None and text[more.start("letter")].isupper())
    before = plain_text[max(0, start - 1) : start]
    if before and before in "([{" and plain_text[start + 1 : start + 2] in tuple(")]}"):
        return True
    if plain_text[start] == "i" and _BEHIND_I.match(plain_text, start + 1):
        return False
    return not (word and _WORD_NEXT.match(plain_text, start + 1))


def _denied(plain_text: str, start: int, end: int) -> bool:
    before = plain_text[max(0, start - 60) : start]
    return _DENIED_BEFORE.search(before) is not None or _DENIED_AFTER.match(plain_text, end) is not None


def _texts(plain_text: str, options: Sequence[str]) -> Iterator[_Named]:
    """Yield where the options' own texts stand, none inside another's; a short one counts as the answer alone."""
    found: list[_Named] = []
    begin, finish = _words_of(plain_text)
    for number, option in enumerate(options):
        words = _folded(option)
        if not words:
            continue
        pattern = r"(?<![a-z0-9])" + r"\s+".join(map(re.escape, words.split())) + r"(?![a-z0-9])"
        for match in re.finditer(pattern, plain_text):
            opens = match.start() <= begin
            whole = opens and match.end() >= finish
            first = opens and _SENTENCE_END.match(plain_text, match.end())
            before = plain_text[max(0, match.start() - _NEAR) : match.start()]
            stated = _STATED_BEFORE.search(before) is not None
            if whole or first or stated or len(words) >= _SHORTEST:
                rank = 0 if stated else 1 if whole else 3
                found.append(_Named(number, match.start(), match.end(), rank))
    inside: set[tuple[int, int]] = set()
    longest = (0, 0)
    for place in sorted({(one.start, one.end) for one in found}, key=lambda place: (place[0], -place[1])):
        if place[1] <= longest[1]:
            inside.add(place)
        else:
            longest = place
    yield from (one for one in found if (one.start, one.end) not in inside)


def _words_of(plain_text: str) -> tuple[int, int]:
    """Return where the first word of a text begins, and where its last one ends; the ends of one without words."""
    first = re.search(r"\w", plain_text)
    end = len(plain_text)
    while first and not (plain_text[end - 1].isalnum() or plain_text[end - 1] == "_"):
        end -= 1
    return (first.start(), end) if first else (end, 0)


def _all_but_spelt(plain_text: str, options: Sequence[str]) -> list[_Named]:
    """Return the option that is all an answer says but for its article and its punctuation: `Green bus` for `A green
    bus.`; none where two are so alike, or where numbers or signs are part of it.
    """
    answer = _LEAD.sub("", plain_text, count=1)
    words = _without_article(answer)
    alike = [number for number, option in enumerate(options) if words and _without_article(plain(option)) == words]
    start, end = _words_of(answer)
    cut = len(plain_text) - len(answer)
    return [_Named(alike[0], start + cut, end + cut, RULES.index("alone"))] if len(alike) == 1 else []


def _without_article(plain_text: str) -> str:
    """Return the words of a text without an article in front; empty where it is not of words alone."""
    if _NO_WORDS.search(plain_text):
        return ""
    return _ARTICLE.sub("", " ".join(re.findall(r"\w+(?:'\w+)*", plain_text)))


def _contradicted(plain_text: str, named: _Named, options: Sequence[str]) -> bool:
    """Return whether the text right behind a letter, or right before its brackets, is that of another option."""
    reach = _NEAR + 2 * max(map(len, options))
    behind = re.sub(
        rf"^[{_CLOSE}(.:,\-]+(?:(?:which|that) is\s+)?[\"']?", "", plain_text[named.end : named.end + reach]
    )
    before = plain_text[max(0, named.start - reach) : named.start] if plain_text[named.end :][:1] == ")" else ""
    before = re.sub(rf"[{_OPEN}.:,\-]{{1,100}}$", "", before)
    own = _folded(options[named.option])
    quoted = [
        words
        for words in map(_folded, options)
        if words and (_begins(behind, words) or (before and " ".join(before.split()).endswith(words)))
    ]
    return bool(quoted) and max(quoted, key=len) != own


def _begins(text: str, words: str) -> bool:
    flat = " ".join(text.split())
    return flat.startswith(words) and not flat[len(words) : len(words) + 1].isalnum()


def _folded(option: str) -> str:
    return " ".join(plain(option).split()).strip(" .,;:!?\"'()")
