"""The audit of answers: are they the model's own, do they depend on the video, do they address the judge?

Each rule names answers that a person should look at; none is a proof. (The authors' released files of two models
have the same texts for every video, which no table of scores shows.) Knows answers and prompts, and of scores only
which answers a judge gave no verdict on; a judge is asked only to read.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence

from ..judging import Judge
from ..records.answers import Results
from ..records.base import Record, View
from ..records.scores import Scores, Summary
from ..records.verdicts import NO_VERDICT
from ..scoring.join import AnswerGroup, group_answers
from ..wording import counted
from .copies import equal
from .entries import IDS_KEPT, RULES, AuditedEntry, AuditFinding, EntryCount
from .rules import about_one, quoted

_Place = tuple[str, View]  # a task and a view


class AnswerAudit(Record):
    """The findings of an audit, and the entries that were checked."""

    entries: tuple[EntryCount, ...]
    findings: tuple[AuditFinding, ...]


def audit_answers(files: Sequence[Results], reader: Judge | None = None, scores: Sequence[Scores] = ()) -> AnswerAudit:
    """Return the findings about the answers of some runs, file by file and between files.

    A `reader` is a judge that reads classes and spans where the rules could not, as in `score_results`. `scores` are
    those of the runs that were scored; of their items, those with gaps are enough.

    Equal answers in several files of one model are no finding; nor are equal answers to edited videos, about most of
    which there is only one thing to say: nothing happens. Texts are compared as words, as they look, whatever their
    case, letters, punctuation and special tokens.
    """
    groups = [_groups(results) for results in files]
    counts: dict[tuple[int, _Place], EntryCount] = {}
    alone: dict[tuple[int, _Place], list[AuditFinding]] = {}
    between: list[AuditFinding] = []
    for place in dict.fromkeys(itertools.chain.from_iterable(groups)):  # one by one: the words of all take much memory
        entries = []
        for number, (results, places) in enumerate(zip(files, groups, strict=True)):
            if place in places:
                entry = AuditedEntry(results, *places[place], reader)
                counts[number, place], alone[number, place] = entry.count(), list(about_one(entry))
                entries.append(entry)
        if place[1] == "full":
            between += _between(entries)
    order = [(number, place) for number, places in enumerate(groups) for place in places]
    findings = [*(one for each in order for one in alone[each]), *between, *_unjudged(scores)]
    findings.sort(key=lambda finding: RULES.index(finding.rule))
    return AnswerAudit(entries=tuple(counts[each] for each in order), findings=tuple(findings))


def _groups(results: Results) -> dict[_Place, tuple[AnswerGroup, AnswerGroup]]:
    """Return the groups of a file's answers, each as it is owed and with what nobody asked for."""
    owed = group_answers(results, include_extra=False)
    everything = group_answers(results, include_extra=True) if any(group.extra for group in owed) else owed
    return {(group.task, group.view): (group, whole) for group, whole in zip(owed, everything, strict=True)}


def _between(entries: Sequence[AuditedEntry]) -> Iterator[AuditFinding]:
    """Yield the findings about entries of several files to one task."""
    yield from _prompts(entries)
    for one, other in itertools.combinations(entries, 2):
        if one.model != other.model:
            yield from _identical(one, other)


def _identical(one: AuditedEntry, other: AuditedEntry) -> Iterator[AuditFinding]:
    if ids := equal(one.words, other.words):
        common = len(one.words.keys() & other.words.keys())
        text = f"the answers of {one.model} are those of {other.model}"
        yield one.finding("identical", ids, common, text, other=other.name)


def _prompts(entries: Sequence[AuditedEntry]) -> Iterator[AuditFinding]:
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
            others = [(other.header.name, two.unjudged, two.answers) for other, two in runs if other is not run]
            beside = "".join(f"; {name}: {count} of {count + n}" for name, count, n in others)
            yield AuditFinding(
                rule="unjudged",
                entry=run.header.name,
                other=", ".join(name for name, _, _ in others),
                task=task,
                view=view,
                n=one.unjudged,
                of=one.answers + one.unjudged,
                text=f"no verdict of the judge ({one.column}), {quoted(next(iter(gaps.values()), ''))}{beside}",
                ids=tuple(gaps)[:IDS_KEPT],
            )
