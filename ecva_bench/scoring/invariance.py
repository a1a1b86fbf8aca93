"""Is a judge moved by how facts are told, and does it notice when one is wrong?

The reference is a right answer. So are texts made of it by rule that tell the same facts in another style, length,
order or language; and one in which a word, or a sentence, is exchanged has one fact wrong. How often the verdict on
each is lower, and higher, than that on the reference is a rate, with its interval over videos. Knows no endpoint.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..judging import Call, Judge, JudgePrompt, Verdict
from ..records.base import Record
from ..statistics.intervals import Estimate, estimate
from . import rewording
from .exchange import with_other_word
from .floor import rotate_references
from .judged import QUESTIONS
from .scorer import Scorable

_AS_IT_IS = "reference"
SAME_FACTS = {
    "style": "as notes: a list of its sentences, without articles",
    "length": "made twice as long by a sentence that says nothing",
    "order": "its sentences in the opposite order",
    "language": "in German, translated by hand: descriptions and causes of the split mini alone",
}
ONE_CHANGED = {
    "word": "one word exchanged for another of its kind, such as man and woman, fire and flood, left and right",
    "sentence": "its last sentence exchanged for the last of another video's reference",
}


class Invariance(Record):
    """How verdicts on one kind of text made of the reference differ from those on the reference itself.

    `lower` and `higher` are the rates of verdicts that are so, `change` is their mean difference, in [-1, 1]; each with
    its interval over videos. `lacking` references have no such text, and `unscored` have no verdict on it, or on
    themselves.
    """

    prompt: str
    name: str
    meaning: str
    same_facts: bool
    lower: Estimate
    higher: Estimate
    change: Estimate
    lacking: int
    unscored: int


def judge_invariance(
    items: Sequence[Scorable], judge: Judge, prompts: Sequence[JudgePrompt], *, seed: int, draws: int
) -> tuple[Invariance, ...]:
    """Judge each item's reference as the answer to it, and the texts made of it; items are sorted by task."""
    texts = _texts(items, seed)
    places = [(prompt, name, item) for prompt in prompts for name, made in texts.items() for item in made]
    calls = [Call(prompt, payload(prompt, item)) for prompt, _, item in places]
    keys = [(prompt.id, name, item.id) for prompt, name, item in places]
    verdicts = dict(zip(keys, judge.ask(calls), strict=True))
    found = []
    for prompt in prompts:
        by_name = {name: {item.id: verdicts[prompt.id, name, item.id] for item in made} for name, made in texts.items()}
        for name in (*SAME_FACTS, *ONE_CHANGED):
            found.append(_compared(prompt, name, by_name, items, seed=seed, draws=draws))
    return tuple(found)


def payload(prompt: JudgePrompt, item: Scorable) -> dict[str, str]:
    """Return what a prompt about one answer speaks of."""
    fields = {"question": QUESTIONS[item.task], "reference": item.reference, "candidate": item.candidate}
    return {name: fields[name] for name in prompt.fields}


def _texts(items: Sequence[Scorable], seed: int) -> dict[str, list[Scorable]]:
    """Return the items by what is judged as their answer, without those of whose reference nothing can be made."""
    by_task = [[item for item in items if item.task == task] for task in dict.fromkeys(item.task for item in items)]
    foreign = {one.id: one.reference for batch in by_task for one in rotate_references(batch, seed=seed)}
    made: dict[str, list[str | None]] = {
        _AS_IT_IS: [item.reference for item in items],
        "style": [rewording.noted(item.reference) for item in items],
        "length": [rewording.padded(item.reference) for item in items],
        "order": [rewording.reordered(item.reference) for item in items],
        "language": [rewording.translated(item.reference) for item in items],
        "word": [with_other_word(item.reference) for item in items],
        "sentence": [rewording.with_other_sentence(item.reference, foreign[item.id]) for item in items],
    }
    return {
        name: [replace(item, candidate=text) for item, text in zip(items, texts, strict=True) if text is not None]
        for name, texts in made.items()
    }


def _compared(
    prompt: JudgePrompt,
    name: str,
    verdicts: Mapping[str, Mapping[str, Verdict]],
    items: Sequence[Scorable],
    *,
    seed: int,
    draws: int,
) -> Invariance:
    span = prompt.scale.high - prompt.scale.low
    own, made = verdicts[_AS_IT_IS], verdicts[name]
    pairs = {key: (own[key].value, verdict.value) for key, verdict in made.items()}
    changes = {key: (b - a) / span for key, (a, b) in pairs.items() if a is not None and b is not None}
    videos = [item.video for item in items if item.id in changes]
    ordered = [changes[item.id] for item in items if item.id in changes]

    def over_videos(values: Sequence[float]) -> Estimate:
        return estimate(values, videos, seed=seed, draws=draws)

    return Invariance(
        prompt=prompt.id,
        name=name,
        meaning=(SAME_FACTS | ONE_CHANGED)[name],
        same_facts=name in SAME_FACTS,
        lower=over_videos([float(one < 0) for one in ordered]),
        higher=over_videos([float(one > 0) for one in ordered]),
        change=over_videos(ordered),
        lacking=len(items) - len(made),
        unscored=len(made) - len(changes),
    )
