"""Which of a video's key sentences says the most severe thing: a judge's votes, each over an order of its own.

Asked once in the order of the annotation, a judge tends to find first what stands first. So it is asked several times,
each time about the sentences in another order and under neutral letters, and the ranks are averaged.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import factorial
from typing import NamedTuple

import numpy as np

from ..judging import Call, Judge
from ..judging.prompts import load_prompt
from ..records.annotations import LETTERS
from ..statistics.ranks import kendall_w, midranks

PROMPT = "judge/severity-ranking"
CONCORDANT = 0.5  # Kendall's W below which votes hardly agree
NOT_READ = "no vote could be read"


@dataclass(frozen=True)
class SentenceRanking:
    """The mean midrank of each sentence, 1 the most severe, over the votes that could be read; None without any.

    `votes` are the midranks of each vote, None for one that could not be read. `concordance` is Kendall's W over those
    that could, None of fewer than two. `keys` are the addresses of the judge's replies; `reason` says why there is no
    ranking.
    """

    ranks: tuple[float, ...] | None
    votes: tuple[tuple[float, ...] | None, ...] = ()
    keys: tuple[str, ...] = ()
    reason: str = ""

    @property
    def concordance(self) -> float | None:
        """Kendall's W over the votes that could be read."""
        found = kendall_w([vote for vote in self.votes if vote is not None])
        return None if found is None else min(1.0, max(0.0, found))


class _Vote(NamedTuple):
    """One question to the judge: `order` are the sentences' places in the order in which they are shown."""

    video: str
    order: list[int]
    call: Call


def rank(sentences: Mapping[str, Sequence[str]], judge: Judge, *, votes: int, seed: int) -> dict[str, SentenceRanking]:
    """Return the ranking of the sentences of each video, by video, from so many votes of a judge about each.

    A single sentence needs none; more than there are letters are not ranked. Raises what the judge raises.
    """
    asked: list[_Vote] = []
    rankings: dict[str, SentenceRanking] = {}
    for video, texts in sentences.items():
        if len(texts) == 1:
            rankings[video] = SentenceRanking((1.0,))
        elif not 0 < len(texts) <= len(LETTERS):
            rankings[video] = SentenceRanking(
                None, reason=f"sentences: {len(texts)}, and 2 to {len(LETTERS)} can be ranked"
            )
        else:
            asked += [_vote(video, texts, order) for order in _orders(video, texts, votes, seed)]
    verdicts = judge.ask([vote.call for vote in asked])
    for video in dict.fromkeys(vote.video for vote in asked):
        its = [(vote, verdict) for vote, verdict in zip(asked, verdicts, strict=True) if vote.video == video]
        read = [None if verdict.values is None else _midranks(vote.order, verdict.values) for vote, verdict in its]
        valid = [one for one in read if one is not None]
        means = tuple(np.mean(valid, axis=0).tolist()) if valid else None
        keys = tuple(key for _, verdict in its for key in verdict.keys)
        reason = "" if valid else next((verdict.reason for _, verdict in its if verdict.reason), NOT_READ)
        rankings[video] = SentenceRanking(means, tuple(read), keys, reason)
    return rankings


def _orders(video: str, sentences: Sequence[str], votes: int, seed: int) -> list[list[int]]:
    """Return the order of each vote, drawn by seed and video: by a hash, the same on every machine.

    As long as there are others, none is drawn twice: the judge would be asked the very same, and its reply count twice.
    """
    found: list[list[int]] = []
    number = 0
    while len(found) < votes:
        drawn = [_draw(f"{seed}/{number}/{video}/{place}/{text}") for place, text in enumerate(sentences)]
        order, number = sorted(range(len(sentences)), key=drawn.__getitem__), number + 1
        if order not in found or len(found) >= factorial(len(sentences)):
            found.append(order)
    return found


def _vote(video: str, sentences: Sequence[str], order: list[int]) -> _Vote:
    shown = [{"letter": LETTERS[n], "statement": sentences[place]} for n, place in enumerate(order)]
    prompt = load_prompt(PROMPT, 1)
    scale = replace(prompt.scale, high=len(sentences))
    return _Vote(video, order, Call(replace(prompt, scale=scale), {"statements": shown}))


def _draw(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _midranks(order: Sequence[int], values: Sequence[float]) -> tuple[float, ...]:
    """Return the midranks of sentences in their own order, from the ranks given in the order shown."""
    given = dict(zip(order, midranks(values), strict=True))
    return tuple(given[place] for place in range(len(order)))
