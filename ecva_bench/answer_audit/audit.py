"""The audit of answers: are they the model's own, do they depend on the video, do they address the judge?

Each rule names answers that a person should look at; none is a proof. (The authors' released files of two models
have the same texts for every video, which no table of scores shows.) Knows answers and prompts, and of scores only
which answers a judge gave no verdict on; a judge is asked only to read.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal, get_args

from ..judging import Judge
from ..reading.text import final_answer
from ..records.annotations import sample_parts
from ..records.answers import Answer, Doubt, Results
from ..records.base import Record, View
from ..records.scores import NO_VERDICT, Coverage, Reading, Scores, Summary
from ..tasks import packaged_prompts
from ..wording import counted
from .choice import Choice
from .classification import Classification
from .detection import Detection
from .grounding import Grounding
from .join import AnswerGroup, group_answers
from .protocol import get_protocol
from .readings import ReadingScorer
from .score import offer_none, unit_asked_for
from .scorer import Scorable
from .second_reader import SecondReader
from .timestamp import Timestamp

Rule = Literal[
    "doubtful", "identical", "reference", "constant", "echo", "judge", "unjudged", "coverage", "prompts", "unread"
]

_RULES: tuple[Rule, ...] = get_args(Rule)  # the most telling first

_LONG = 8  # words: two texts this long are not equal by chance
_COPIED = 0.05  # of the long texts two entries have in common
_CONSTANT = 0.5  # of an entry's answers
_CONSTANT_OF_TWO = 0.95  # where there are two answers, or none for normal videos: a set may have one of them mostly
_UNREAD = 0.05  # of an entry's answers
_FEWEST = 5  # answers, below which a share says nothing
_IDS_SHOWN = 5
_READ_BY: dict[str, type[ReadingScorer]] = {
    one.name: one for one in (Classification, Timestamp, Detection, Choice, Grounding)
}
_ANNOTATIONS = "the annotations"

_TO_A_JUDGE = re.compile(
    r"\b(ignore|disregard|forget)\b[\s\S]{0,30}\binstructions?\b"
    r"|\b(score|rating|grade|verdicts?)\b[\"']?\s*+[:=]\s*+(?:[\[\"']\s*+)?\d"
    r"|^[^\S\n]*+(system|assistant|user)\s*:"
    r"|\b(dear|you are|you're|note to|attention|as)\s+(an?\s+|the\s+)?(ai\s+)?(judge|grader|evaluator|rater|examiner)\b"
    r"|\b(full|maximum|highest|perfect|top)\s+(score|marks?|points|rating|verdict|grade)\b"
    r"|\b(this|my|the)\s+(answer|response)\s+(is|deserves)\s+(entirely\s+|fully\s+)?(right|correct|perfect|full)\b",
    re.IGNORECASE | re.MULTILINE,
)


class AuditFinding(Record):
    """What a rule found in `n` of `of` answers of an entry to one task and view; `ids` are the first of them.

    `other` is the entry with the same answers, or with other prompts.
    """

    rule: Rule
    entry: str
    other: str = ""
    task: str
    view: View
    n: int
    of: int
    text: str
    ids: tuple[str, ...] = ()


class EntryCount(Record):
    """The answers of one entry to one task and view: coverage, distinct texts, and the share of the most frequent."""

    entry: str
    model: str
    baseline: bool
    coverage: Coverage
    distinct: int
    most_frequent: float


class AnswerAudit(Record):
    """The findings of an audit, and the entries that were checked."""

    entries: tuple[EntryCount, ...]
    findings: tuple[AuditFinding, ...]


class _Entry:
    """One file's answers to one task and view, asked for or not; texts are compared as words, by sample id."""

    def __init__(self, results: Results, group: AnswerGroup, everything: AnswerGroup, reader: Judge | None) -> None:
        self.name, self.model, self.group = results.name, results.model, group
        self.baseline = bool(results.spec.get("baseline", False))
        self.answers = everything.answers
        self.words = {answer.id: _words(answer.answer) for answer in self.answers}
        self.readings = _readings(results, self.answers, reader)
        place = (group.task, group.view)
        self.doubts = [one for one in results.doubts if (sample_parts(one.id).task, one.view) == place]

    def finding(self, rule: Rule, ids: Sequence[str], of: int, text: str, *, other: str = "") -> AuditFinding:
        """Return a finding about the answers of these ids."""
        return AuditFinding(
            rule=rule,
            entry=self.name,
            other=other,
            task=self.group.task,
            view=self.group.view,
            n=len(ids),
            of=of,
            text=text,
            ids=tuple(ids[:_IDS_SHOWN]),
        )

    def count(self) -> EntryCount:
        """Return the counts of the entry."""
        texts = Counter(self.words.values())
        most = max(texts.values(), default=0)
        return EntryCount(
            entry=self.name,
            model=self.model,
            baseline=self.baseline,
            coverage=self.group.coverage(),
            distinct=len(texts),
            most_frequent=most / len(self.answers) if self.answers else 0.0,
        )


def audit_answers(files: Sequence[Results], reader: Judge | None = None, scores: Sequence[Scores] = ()) -> AnswerAudit:
    """Return the findings about the answers of some runs, file by file and between files.

    A `reader` is a judge that reads classes and spans where the rules could not, as in `score_results`. `scores` are
    those of the runs that were scored.

    Equal answers in several files of one model are no finding; nor are equal answers to edited videos, about most of
    which there is only one thing to say: nothing happens. Texts are compared as words, whatever their case, punctuation
    and special tokens.
    """
    entries = [entry for results in files for entry in _entries(results, reader)]
    tasks: dict[str, list[_Entry]] = defaultdict(list)
    for entry in entries:
        if entry.group.view == "full":
            tasks[entry.group.task].append(entry)
    findings: list[AuditFinding] = []
    for entry in entries:
        findings += _doubtful(entry)
        findings += _coverage(entry)
        findings += _echoes(entry)
        findings += _to_the_judge(entry)
        if entry.group.view == "full":
            findings += _unread(entry)
            findings += _constant(entry)
            findings += _references(entry)
    for some in tasks.values():
        findings += _prompts(some)
        for one, other in itertools.combinations(some, 2):
            if one.model != other.model:
                findings += _identical(one, other)
    findings += _unjudged(scores)
    findings.sort(key=lambda finding: _RULES.index(finding.rule))
    return AnswerAudit(entries=tuple(entry.count() for entry in entries), findings=tuple(findings))


def _entries(results: Results, reader: Judge | None) -> list[_Entry]:
    owed, everything = (group_answers(results, include_extra=extra) for extra in (False, True))
    return [_Entry(results, group, whole, reader) for group, whole in zip(owed, everything, strict=True)]


def _readings(results: Results, answers: Sequence[Answer], reader: Judge | None) -> dict[str, Reading]:
    """Return how answers are read, by sample id, where something is read out of them: a class, or spans of time."""
    protocol = replace(get_protocol("standard"), timestamp_unit=unit_asked_for(results))
    made = _READ_BY.get(answers[0].task) if answers else None
    if made is None:
        return {}
    scorer = made(protocol)
    offer_none({answers[0].task: [scorer]}, results)
    scorer.second = SecondReader(reader, protocol) if reader is not None else None
    items = [Scorable.of(answer, candidate=final_answer(answer.answer)) for answer in answers]
    told = [item for item in items if item.candidate]
    return {item.id: reading for item, reading in zip(told, scorer.readings(told), strict=True)}


def _unread(entry: _Entry) -> Iterator[AuditFinding]:
    """Name answers that no value can be read from, where there are many."""
    found = {sample: reading.status for sample, reading in entry.readings.items() if reading.status != "read"}
    if found and len(found) >= _UNREAD * len(entry.answers):
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(Counter(found.values()).items()))
        yield entry.finding("unread", list(found), len(entry.answers), f"nothing can be read from these: {kinds}")


def _doubtful(entry: _Entry) -> Iterator[AuditFinding]:
    """Name what contradicts the data set, or the file itself."""
    kinds: dict[str, list[Doubt]] = defaultdict(list)
    for doubt in entry.doubts:
        kinds[doubt.kind].append(doubt)
    for kind, found in kinds.items():
        ids = list(dict.fromkeys(doubt.id for doubt in found))
        yield entry.finding("doubtful", ids, len(entry.answers), f"{kind}: {found[0].text}")


def _coverage(entry: _Entry) -> Iterator[AuditFinding]:
    found = entry.group.coverage()
    if found.failed or found.missing:
        text = f"{found.failed} failed, {found.missing} missing"
        yield entry.finding("coverage", entry.group.absent, found.owed, text)
    empty = [answer.id for answer in entry.answers if not final_answer(answer.answer)]
    if empty:
        yield entry.finding("coverage", empty, found.owed, "answers without a text")
    if cut_off := [answer.id for answer in entry.answers if answer.cut_off]:
        yield entry.finding("coverage", cut_off, found.owed, "answers cut off before their end (finish: length)")
    if found.extra or found.duplicates:
        second = counted(found.duplicates, "second answer")
        text = f"{counted(found.extra, 'answer')} nobody asked for, {second}; neither is scored"
        yield entry.finding("coverage", (), found.owed, text).model_copy(update={"n": found.extra + found.duplicates})


def _constant(entry: _Entry) -> Iterator[AuditFinding]:
    """Name an answer given to half of the videos or more: the same words, or other words for the same class or time."""
    read = {
        sample: reading.model_dump_json(include={"labels", "spans", "yes"})
        for sample, reading in entry.readings.items()
        if reading.status == "read"
    }
    meant = entry.words | read
    if len(entry.answers) < _FEWEST:
        return
    value, most = Counter(meant.values()).most_common(1)[0]
    ids = [sample for sample, given in meant.items() if given == value]
    of_normal = ids[0] in entry.readings and entry.readings[ids[0]].rule == "none"
    of_two = of_normal or entry.group.task == "detection"
    if most >= (_CONSTANT_OF_TWO if of_two else _CONSTANT) * len(entry.answers):
        shown = next(answer.answer for answer in entry.answers if answer.id == ids[0])
        yield entry.finding("constant", ids, len(entry.answers), f"the same answer: {_quoted(shown)}")


def _echoes(entry: _Entry) -> Iterator[AuditFinding]:
    """Name answers that hold a task's prompt, or are a part of it."""
    prompts = [_words(prompt.text) for task, prompt in packaged_prompts() if task.name == entry.group.task]
    ids = [sample for sample, one in entry.words.items() if any(_is_part(one, prompt) for prompt in prompts)]
    if ids:
        yield entry.finding("echo", ids, len(entry.answers), "the answer repeats the prompt")


def _is_part(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    return len(short.split()) >= _LONG and f" {short} " in f" {long} "


def _to_the_judge(entry: _Entry) -> Iterator[AuditFinding]:
    found = {answer.id: match for answer in entry.answers if (match := _TO_A_JUDGE.search(final_answer(answer.answer)))}
    if found:
        first = next(iter(found.values()))
        text = f"the answer speaks to a judge: {_quoted(first.group().strip())}"
        yield entry.finding("judge", list(found), len(entry.answers), text)


def _unjudged(scores: Sequence[Scores]) -> Iterator[AuditFinding]:
    """Name answers on which a judge gave no verdict, beside how many those are in other runs that it judged."""
    asked: dict[tuple[str, View, str], list[tuple[Scores, Summary]]] = defaultdict(list)
    for run in scores:
        fewest: dict[tuple[str, View, str], Summary] = {}
        for one in (one for one in run.summaries if one.judged):
            place = (one.task, one.view, one.scorer)
            fewest[place] = max(fewest.get(place, one), one, key=lambda summary: summary.unjudged)
        for place, one in fewest.items():
            asked[place].append((run, one))
    for (task, view, scorer), runs in asked.items():
        for run, one in (pair for pair in runs if pair[1].unjudged):
            records = (score for score in run.scores if (score.task, score.view, score.scorer) == (task, view, scorer))
            gaps = {score.id: score.gaps.get(one.column, "") for score in records}
            gaps = {sample: reason for sample, reason in gaps.items() if reason.startswith(NO_VERDICT)}
            others = [(other.header.name, two.unjudged, two.n) for other, two in runs if other is not run]
            beside = "".join(f"; {name}: {count} of {count + n}" for name, count, n in others)
            yield AuditFinding(
                rule="unjudged",
                entry=run.header.name,
                other=", ".join(name for name, _, _ in others),
                task=task,
                view=view,
                n=one.unjudged,
                of=one.n + one.unjudged,
                text=f"no verdict of the judge ({one.column}), {_quoted(next(iter(gaps.values()), ''))}{beside}",
                ids=tuple(gaps)[:_IDS_SHOWN],
            )


def _references(entry: _Entry) -> Iterator[AuditFinding]:
    listed = entry.group.task == "choice"  # whose right answer is in the question
    references = {} if listed else {answer.id: _words(answer.reference) for answer in entry.answers}
    if ids := _copied(entry.words, references):
        text = "the annotation's own words"
        yield entry.finding("reference", ids, len(entry.answers), text, other=_ANNOTATIONS)


def _identical(one: _Entry, other: _Entry) -> Iterator[AuditFinding]:
    if ids := _copied(one.words, other.words):
        common = len(one.words.keys() & other.words.keys())
        text = f"the answers of {one.model} are those of {other.model}"
        yield one.finding("identical", ids, common, text, other=other.name)


def _copied(one: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    """Return the samples with equal texts, where they are too many or too long to be equal by chance.

    Short texts, such as a class, are often equal: they count only where all are, and not all the same.
    """
    common = sorted(one.keys() & other.keys())
    same = [sample for sample in common if one[sample] == other[sample]]
    long = [sample for sample in common if len(one[sample].split()) >= _LONG]
    equal = [sample for sample in long if one[sample] == other[sample]]
    if len(common) >= _FEWEST and len(same) == len(common) and len({one[sample] for sample in same}) > 1:
        return same
    return equal if len(long) >= _FEWEST and len(equal) >= _COPIED * len(long) and len(equal) > 1 else []


def _prompts(entries: Sequence[_Entry]) -> Iterator[AuditFinding]:
    """Name entries with other prompts than the first, or with several; unknown prompts are left out."""
    known = [(entry, frozenset(answer.prompt_sha256 for answer in entry.answers) - {""}) for entry in entries]
    asked = [(entry, hashes) for entry, hashes in known if hashes]
    for entry, hashes in asked:
        if len(hashes) > 1:
            text = f"asked with {counted(len(hashes), 'prompt')}: {_hashes(hashes)}"
            yield entry.finding("prompts", [answer.id for answer in entry.answers], len(entry.answers), text)
    for entry, hashes in asked[1:]:
        first, reference = asked[0]
        if hashes != reference:
            text = f"asked with {_hashes(hashes)}, and {first.name} with {_hashes(reference)}"
            ids = [answer.id for answer in entry.answers]
            yield entry.finding("prompts", ids, len(entry.answers), text, other=first.name)


def _hashes(hashes: frozenset[str]) -> str:
    return ", ".join(sha[:12] for sha in sorted(hashes)[:3])


def _words(text: str) -> str:
    """Return the words of a text, in lower case, single spaces between them."""
    return " ".join(re.findall(r"\w+", final_answer(text).casefold()))


def _quoted(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:60] + "…")
