"""Triples for people to rank: what models and people answered to one question about one video, without their names.

The reference is held back: it is what scorers compare with, and an answer that says the same is left out.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from ..data.ecva import read_bytes
from ..errors import DataError, UsageError
from ..names import Names
from ..reading.text import final_answer
from ..records.acts import AnnotationAct
from ..records.annotations import LETTERS, sample_parts
from ..records.answers import Answer, Results
from ..records.base import canonical_json, first_problem
from ..scoring.rankings import HumanRanking, Triple, same_text
from ..scoring.run_facts import unit_asked_for
from ..tasks import Task, find_tasks
from ..untrusted import parse_json
from ..wording import counted
from ..writing import write_whole
from .acts import latest

_TEXTS = ("description", "cause", "effect")  # what people answer, too
_ROUNDS = {1: "first_round", 2: "second_round"}
_REMEDY = "name triples.jsonl as `ecva-bench annotate triples` wrote it"


@dataclass(frozen=True)
class BuiltTriples:
    """Triples in the order in which people see them, and how many answers or questions were left out, by why."""

    triples: tuple[Triple, ...]
    left_out: Counter[str]


@dataclass(frozen=True)
class _Said:
    kind: str
    text: str


def build_triples(
    runs: Sequence[Results], task_name: str, acts: Iterable[AnnotationAct] = (), *, seed: int, subset: int | None = None
) -> BuiltTriples:
    """Return a triple of each question of a task, or of `subset` of them, drawn at random: all that was answered to it.

    `acts` are what people said of the same videos, each a kind of answer by its round. Letters and order come of the
    seed. Raises `UsageError` for a task that asks several questions about a video, and where two runs have one name.
    """
    task = _rankable(task_name)
    names = [run.name for run in runs]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UsageError(f"two runs are called {twice[0]!r}", remedy="name each file once; `run --name` names a run")
    asked: dict[str, dict[str, Answer]] = {}
    for run in runs:
        for answer in run.answers:
            if answer.task == task.name and answer.view == "full" and not sample_parts(answer.id).repeat:
                asked.setdefault(answer.id, {})[run.name] = answer
    if not asked:
        whose = ", ".join(run.source for run in runs)
        raise DataError(f"there is no answer about {task.name}", whose, "name another --task, or other files")
    units = {unit_asked_for(run) for run in runs}
    unit = units.pop() if task.unit and len(units) == 1 else None
    human = _said_by_people(acts, task, {next(iter(by.values())).video for by in asked.values()})
    left_out: Counter[str] = Counter()
    order = random.Random(seed)
    found = []
    for name, by in sorted(asked.items()):
        triple = _triple(name, task, by, human.get(next(iter(by.values())).video, []), order, left_out)
        if triple is not None:
            found.append(triple.model_copy(update={"unit": unit}))
    drawn = order.sample(found, min(len(found), len(found) if subset is None else subset))
    return BuiltTriples(tuple(drawn), left_out)


def _rankable(name: str) -> Task:
    [task] = find_tasks([name])
    if task.fields:
        what = f"people rank answers to one question about a video, and {task.name} asks several"
        raise UsageError(what, remedy="name another --task")
    return task


def _said_by_people(acts: Iterable[AnnotationAct], task: Task, videos: Iterable[str]) -> dict[str, list[_Said]]:
    """Return what people said, by the video's id in the runs."""
    given = latest(acts)
    if given and task.name not in _TEXTS:
        what = f"people's annotations hold no answer to {task.name}"
        raise UsageError(what, remedy=f"leave --annotations out, or name --task {', '.join(_TEXTS)}")
    names = Names((video, video) for video in videos)
    found: dict[str, list[_Said]] = {}
    for act in given:
        text = str(getattr(act, task.name, None) or "")
        meant = names.find(act.video)
        if text and len(meant) == 1:
            found.setdefault(meant[0], []).append(_Said(_ROUNDS.get(act.round, f"round_{act.round}"), text))
    return found


def _triple(
    sample: str,
    task: Task,
    by: Mapping[str, Answer],
    human: Sequence[_Said],
    order: random.Random,
    left_out: Counter[str],
) -> Triple | None:
    """Return the triple of a question; None, and why, where there are no two answers or no one reference."""
    references = {answer.reference for answer in by.values()}
    if len(references) > 1:
        left_out["the reference is not the same in all files"] += 1
        return None
    [reference] = references
    if not reference.strip():
        left_out["no reference"] += 1
        return None
    said = []
    for one in (*human, *(_Said(f"model:{name}", answer.answer) for name, answer in by.items())):
        text = final_answer(one.text).strip()
        if not text:
            left_out["empty answer"] += 1
        elif same_text(text, reference):
            left_out[f"{one.kind} says what the reference does"] += 1
        else:
            said.append(_Said(one.kind, text))
    if len(said) < 2:
        left_out["less than two answers to a question"] += 1
        return None
    if len(said) > len(LETTERS):
        raise UsageError(
            f"there are {counted(len(said), 'answer')} to {sample}",
            remedy=f"name at most {counted(len(LETTERS), 'file')}",
        )
    order.shuffle(said)
    first = next(iter(by.values()))
    answers = dict(zip(LETTERS, (one.text for one in said), strict=False))
    return Triple(
        triple_id=f"{sample}-{hashlib.sha256(canonical_json(answers).encode()).hexdigest()[:8]}",
        video_id=first.video,
        task=task.name,
        question=f"How well do the answers say {task.summary}?",
        reference=reference,
        answers=answers,
        kinds=dict(zip(LETTERS, (one.kind for one in said), strict=False)),
        key_sentences=first.key_sentences,
        moments=first.moments,
        label=first.label,
        curve=first.curve,
        duration=first.duration,
    )


def write_triples(out: Path, triples: Sequence[Triple]) -> None:
    """Write `triples.jsonl`; `DataError` where there is no triple, `UsageError` where people may be ranking others."""
    if not triples:
        what = "no question has two answers and a reference that is neither of them"
        raise DataError(what, remedy="name more results files, or a data set with references")
    path = out / "triples.jsonl"
    if path.exists():
        raise UsageError("there are triples already, which people may be ranking", path, "name another folder")
    write_whole(path, "".join(f"{canonical_json(one.model_dump(mode='json'))}\n" for one in triples))


def read_triples(path: Path) -> dict[str, Triple]:
    """Return the triples of a file by their ids; `DataError`, which names the line, where one is none."""
    found: dict[str, Triple] = {}
    for number, line in enumerate(read_bytes(path).splitlines(), start=1):
        if not line.strip():
            continue
        try:
            one = Triple.model_validate(parse_json(line))
        except ValidationError as error:
            raise DataError(f"line {number}: {first_problem(error)}", path, _REMEDY) from None
        except ValueError as error:
            raise DataError(f"line {number} is no JSON ({error})", path, _REMEDY) from None
        if one.triple_id in found:
            raise DataError(f"line {number}: {one.triple_id!r:.200} is there twice", path, _REMEDY)
        found[one.triple_id] = one
    return found


@dataclass(frozen=True)
class RankedFile:
    """Ranks as one file of a tool holds them: annotator and triple, with their ranks by letter, and by criterion.

    `problems` are sentences about what could not be taken.
    """

    ranks: Mapping[tuple[str, str], HumanRanking]
    problems: tuple[str, ...]


def join_ranks(triples: Mapping[str, Triple], files: Mapping[Path, RankedFile]) -> dict[str, dict[str, HumanRanking]]:
    """Return all that people said of each triple that anybody ranked, by the triple's id and the annotator.

    Raises `DataError` where somebody ranked a triple that there is not, or one twice and not alike.
    """
    found: dict[str, dict[str, HumanRanking]] = {}
    for path, file in files.items():
        for (annotator, name), ranking in file.ranks.items():
            triple = triples.get(name)
            if triple is None or ranking.ranks.keys() != triple.answers.keys():
                what = f"{annotator} ranks {name!r:.200}, which is none of the triples"
                raise DataError(what, path, "name the triples.jsonl that was written with this file")
            before = found.setdefault(name, {}).setdefault(annotator, ranking)
            if before != ranking:
                what = f"{annotator} ranks {name!r:.200} twice, and not alike"
                raise DataError(
                    what, path, "leave one of the files out, or rename it: a table is named after who ranked"
                )
    return {name: found[name] for name in triples if name in found}


def rankings_text(triples: Mapping[str, Triple], ranks: Mapping[str, Mapping[str, HumanRanking]]) -> str:
    """Return the triples that were ranked, with the ranks, as lines of the file that `meta-eval` reads."""
    return "".join(
        canonical_json(
            triples[name].model_dump(mode="json")
            | {"human_ranks": [one.model_dump(mode="json") for _, one in sorted(by.items())]}
        )
        + "\n"
        for name, by in ranks.items()
    )
