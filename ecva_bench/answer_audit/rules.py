"""The rules of the audit about the answers of one entry; each yields what a person should look at."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from ..reading.text import final_answer
from ..records.answers import Doubt
from ..tasks import packaged_prompts
from ..wording import counted
from .copies import FEWEST, LONG, copied, equal
from .entries import AuditedEntry, AuditFinding, as_words
from .labels import all_right, one_form_is_right, sub_classes_taken
from .to_a_judge import to_a_judge

_CONSTANT = 0.5  # of an entry's answers
_CONSTANT_OF_TWO = 0.95  # where there are two answers, or none for normal videos: a set may have one of them mostly
_UNREAD = 0.05  # of an entry's answers
_ANNOTATIONS = "the annotations"
_TIMES = ("timestamp", "grounding")  # tasks whose answers have numbers that look like codes of classes


def _unread(entry: AuditedEntry) -> Iterator[AuditFinding]:
    """Name answers that no value can be read from, where there are many."""
    found = {sample: reading.status for sample, reading in entry.readings.items() if reading.status != "read"}
    if found and len(found) >= _UNREAD * len(entry.answers):
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(Counter(found.values()).items()))
        yield entry.finding("unread", list(found), len(entry.answers), f"nothing can be read from these: {kinds}")


def _doubtful(entry: AuditedEntry) -> Iterator[AuditFinding]:
    """Name what contradicts the data set, or the file itself."""
    kinds: dict[str, list[Doubt]] = defaultdict(list)
    for doubt in entry.doubts:
        kinds[doubt.kind].append(doubt)
    for kind, found in kinds.items():
        ids = list(dict.fromkeys(doubt.id for doubt in found))
        yield entry.finding("doubtful", ids, len(entry.answers), f"{kind}: {found[0].text}")


def _coverage(entry: AuditedEntry) -> Iterator[AuditFinding]:
    found = entry.group.coverage()
    owed, absent, failed = found.answers_owed, entry.group.absent, len(entry.group.failed)
    if absent:
        yield entry.finding("coverage", absent, owed, f"{failed} failed, {len(absent) - failed} missing")
    empty = [answer.id for answer in entry.answers if not final_answer(answer.answer)]
    if empty:
        yield entry.finding("coverage", empty, owed, "answers without a text")
    if cut_off := [answer.id for answer in entry.answers if answer.cut_off]:
        yield entry.finding("coverage", cut_off, owed, "answers cut off before their end (finish: length)")
    if found.extra or found.duplicates:
        second = counted(found.duplicates, "second answer")
        text = f"{counted(found.extra, 'answer')} nobody asked for, {second}; neither is scored"
        yield entry.finding("coverage", (), owed, text).model_copy(update={"n": found.extra + found.duplicates})


def _constant(entry: AuditedEntry) -> Iterator[AuditFinding]:
    """Name an answer given to half of the videos or more: the same words, or other words for the same class or time."""
    read = {
        sample: reading.model_dump_json(include={"labels", "spans", "yes"})
        for sample, reading in entry.readings.items()
        if reading.status == "read"
    }
    meant = entry.words | read
    if len(entry.answers) < FEWEST:
        return
    value, most = Counter(meant.values()).most_common(1)[0]
    ids = [sample for sample, given in meant.items() if given == value]
    of_normal = ids[0] in entry.readings and entry.readings[ids[0]].rule == "none"
    of_two = of_normal or entry.group.task == "detection"
    if most >= (_CONSTANT_OF_TWO if of_two else _CONSTANT) * len(entry.answers):
        shown = next(answer.answer for answer in entry.answers if answer.id == ids[0])
        yield entry.finding("constant", ids, len(entry.answers), f"the same answer: {quoted(shown)}")


def _echoes(entry: AuditedEntry) -> Iterator[AuditFinding]:
    """Name answers that hold a task's prompt, or are a part of it."""
    prompts = [as_words(prompt.text) for task, prompt in packaged_prompts() if task.name == entry.group.task]
    ids = [sample for sample, one in entry.words.items() if any(_is_part(one, prompt) for prompt in prompts)]
    if ids:
        yield entry.finding("echo", ids, len(entry.answers), "the answer repeats the prompt")


def _is_part(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    return len(short.split()) >= LONG and f" {short} " in f" {long} "


def _to_the_judge(entry: AuditedEntry) -> Iterator[AuditFinding]:
    texts = {answer.id: final_answer(answer.answer) for answer in entry.answers}
    found = {sample: to_a_judge(text, forms=not entry.readings) for sample, text in texts.items()}
    if told := {sample: passage for sample, passage in found.items() if passage}:
        text = f"the answer speaks to a judge: {quoted(next(iter(told.values())))}"
        yield entry.finding("judge", list(told), len(entry.answers), text)


def _references(entry: AuditedEntry) -> Iterator[AuditFinding]:
    """Name answers that are the annotation's own words, changed or not."""
    if entry.group.task == "choice":  # whose right answer is in the question
        return
    references = {answer.id: as_words(answer.reference) for answer in entry.answers}
    if ids := list(dict.fromkeys([*copied(entry.words, references), *equal(entry.words, references)])):
        yield entry.finding("reference", ids, len(entry.answers), "the annotation's own words", other=_ANNOTATIONS)


def _labels(entry: AuditedEntry) -> Iterator[AuditFinding]:
    """Name answers whose class is taken from the annotation."""
    if entry.group.task in _TIMES:
        return
    texts = {answer.id: final_answer(answer.answer) for answer in entry.answers}
    labels = {answer.id: answer.label for answer in entry.answers if answer.label}
    kinds = [("the annotation's own sub-class", sub_classes_taken(texts, entry.readings, labels))]
    if entry.group.task == "classification":
        kinds.append(
            ("right in this form, and often wrong in others", one_form_is_right(texts, entry.readings, labels))
        )
        if not entry.baseline:  # one of them tells what the second round says
            kinds.append(("every class is the annotation's", all_right(entry.readings, labels)))
    for text, ids in kinds:
        if ids:
            yield entry.finding("label", ids, len(entry.answers), text, other=_ANNOTATIONS)


def about_one(entry: AuditedEntry) -> Iterator[AuditFinding]:
    """Yield the findings about an entry alone."""
    yield from _doubtful(entry)
    yield from _coverage(entry)
    yield from _echoes(entry)
    yield from _to_the_judge(entry)
    if entry.group.view == "full":
        yield from _unread(entry)
        yield from _constant(entry)
        yield from _references(entry)
        yield from _labels(entry)


def quoted(text: str) -> str:
    """Return a text in quotes, its beginning where it is long."""
    return repr(text if len(text) <= 60 else text[:60] + "…")
