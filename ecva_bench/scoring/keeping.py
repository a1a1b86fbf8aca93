"""What a scores file holds beside a new scoring: scores that were not asked for this time are kept with it.

Otherwise `score` without a judge would replace what a judge was paid for. Knows records, and neither files nor metrics.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from ..errors import ResultsError
from ..records.scores import Aggregate, Coverage, Score, Scores, Summary

_Place = tuple[str, str, str]
_MODELS = "models"


def with_kept(new: Scores, old: Scores) -> Scores:
    """Return `new` together with the scores of `old` that it says nothing of: other tasks, views or scorers.

    Scores of other answers are not kept, nor missed unless a judge gave them. Raises `ResultsError` where judged scores
    would be lost, or scores of the same answers that were made in another way than `new`.
    """
    mine = {_place(summary) for summary in new.summaries}
    kept = tuple(summary for summary in old.summaries if _place(summary) not in mine)
    same_answers = new.header.results_sha256 == old.header.results_sha256
    if not same_answers:
        if judged := [summary for summary in kept if _is_judged(summary)]:
            raise _refusal(old, judged, "and the answers have changed since")
        return new
    read_again = {_place(summary) for summary in new.summaries if _read_by_judge(summary)}
    if lost := [one for one in old.summaries if _read_by_judge(one) and _place(one) in mine - read_again]:
        raise _refusal(old, lost, "with answers that a judge read (--read-with)")
    if not kept:
        return new
    if (new.header.seed, new.header.draws) != (old.header.seed, old.header.draws):
        raise _refusal(old, kept, f"with the seed {old.header.seed}")
    keys = {_place(summary) for summary in kept}
    order = _order(old, new)
    aggregates = [*(one for one in old.aggregates if _place(one) in keys), *new.aggregates]
    scores = [*(one for one in old.scores if _place(one) in keys), *new.scores]
    return Scores(
        header=new.header.model_copy(
            update={
                "settings": _settings(new, old, kept),
                "left_out": _left_out(new.header.left_out, keys),
                "libraries": _libraries(old.header.libraries, new.header.libraries),
            }
        ),
        coverage=_united(old.coverage, new.coverage),
        summaries=tuple(sorted((*kept, *new.summaries), key=lambda one: order[_place(one)])),
        aggregates=tuple(sorted(aggregates, key=lambda one: order[_place(one)])),
        scores=tuple(sorted(scores, key=lambda one: order[_place(one)])),
        source=old.source,
    )


def _place(record: Summary | Aggregate | Score) -> _Place:
    return record.task, record.view, record.scorer


def _order(old: Scores, new: Scores) -> dict[_Place, tuple[int, int]]:
    """Return where each scorer of each task and view goes: as in the old file, what is new behind it."""
    places = list(dict.fromkeys(map(_place, (*old.summaries, *new.summaries))))
    groups = list(dict.fromkeys(place[:2] for place in places))
    return {place: (groups.index(place[:2]), number) for number, place in enumerate(places)}


def _united(old: tuple[Coverage, ...], new: tuple[Coverage, ...]) -> tuple[Coverage, ...]:
    found = {(one.task, one.view): one for one in (*old, *new)}
    return tuple(found.values())


def _left_out(left_out: dict[str, str], kept: Collection[_Place]) -> dict[str, str]:
    scorers = {scorer for _, _, scorer in kept}
    return {name: reason for name, reason in left_out.items() if name not in scorers}


def _libraries(old: Mapping[str, tuple[str, ...]], new: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    return {
        name: tuple(dict.fromkeys([*old.get(name, ()), *new.get(name, ())])) for name in dict.fromkeys([*old, *new])
    }


def _settings(new: Scores, old: Scores, kept: Collection[Summary]) -> dict[str, Any]:
    """Return the settings of both: each from the scores it speaks of; `ResultsError` where they contradict."""
    ours, theirs = _flat(new.header.settings), _flat(old.header.settings)
    merged = dict(new.header.settings)
    for name in ours.keys() | theirs.keys():
        if ours.get(name) == theirs.get(name) or not any(_speaks_of(name, summary) for summary in kept):
            continue
        if any(_speaks_of(name, summary) for summary in new.summaries):
            raise _refusal(old, kept, f"with another setting of {name}")
        setting, _, scorer = name.partition(".")
        value = theirs.get(name)
        merged[setting] = {**merged[setting], scorer: value} if scorer else value
    return merged


def _flat(settings: dict[str, Any]) -> dict[str, Any]:
    """Return the settings by name, those of a network by its scorer: `models.bleurt`."""
    flat = {name: value for name, value in settings.items() if name != _MODELS}
    return flat | {f"{_MODELS}.{scorer}": value for scorer, value in settings.get(_MODELS, {}).items()}


def _speaks_of(setting: str, summary: Summary) -> bool:
    """Return whether a setting of a protocol can have moved a score."""
    if setting == "anomeval":
        return summary.scorer == "anomeval"
    if setting == "judge_prompts":
        return _is_judged(summary)
    if setting == "timestamp_unit":
        return summary.task == "timestamp"
    return not setting.startswith(f"{_MODELS}.") or setting == f"{_MODELS}.{summary.scorer}"


def _is_judged(summary: Summary) -> bool:
    return summary.judged or _read_by_judge(summary)


def _read_by_judge(summary: Summary) -> bool:
    return "|read-with:" in summary.signature


def _refusal(old: Scores, lost: Iterable[Summary], how: str) -> ResultsError:
    names = ", ".join(dict.fromkeys(f"{summary.task}/{summary.scorer}" for summary in lost))
    remedy = "name another file with --out, or score these again in the same command"
    return ResultsError(f"the file holds scores that would be lost ({names}), {how}", old.source, remedy)
