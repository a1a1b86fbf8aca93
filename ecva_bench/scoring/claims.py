"""Claims: which part of what the reference tells does the answer state, and which does it contradict?

After FV-Score (FineVAU, AAAI 2026, arXiv 2601.17258), which asks of what happens, who takes part and where it is. Its
claims are annotated; ours are the sentences of the reference, each taken as a claim of each kind. The judge first says
which of these a sentence tells at all. It sees the reference alone for that, so every model is held against the same
claims. Then it says of each whether the answer states it (true), contradicts it (false) or leaves it out (absent). The
prompts are ours, since the authors' are not published.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from ..judging import Verdict
from .judged import JudgedScorer, Part, Settled
from .scorer import Column, Gap, Scorable
from .unieval import sentences

# The weights that the paper reports. It chose them on the rankings by which it then reports the agreement with people.
WEIGHTS = {"what": 1, "who": 2, "where": 1}
_ABSENT = 1.0  # in the middle of the scale: 0 is false, 2 is true
_TOLD, _STATED = "claims-told-ours", "claims-ours"


class Claims(JudgedScorer):
    """Shares of the reference's claims that an answer states, by kind and weighted, and that it contradicts."""

    name = "claims"
    columns = (
        Column("claims", "share of the reference's claims that the answer states; who counts twice"),
        Column("claims_what", "share of the claims about what happens that it states", optional=True),
        Column("claims_who", "share of the claims about who takes part that it states", optional=True),
        Column("claims_where", "share of the claims about place and time that it states", optional=True),
        Column("claims_false", "share of all claims that the answer contradicts", higher_is_better=False),
    )

    untested = frozenset({"claims_false"})  # the word None contradicts nothing

    def prompt_names(self) -> tuple[str, ...]:
        """Return the two prompts: one call each per answer, the first the same for every model."""
        return (_TOLD, _STATED)

    def settings(self) -> dict[str, str]:
        """Return the weights, prompts and judge."""
        return {"weights": ",".join(map(str, WEIGHTS.values())), **super().settings()}

    def score(self, batch: Sequence[Scorable]) -> list[dict[str, float]]:
        """Return the shares of each item; a kind that the reference tells nothing of has none."""
        possible = [
            [f"{kind}: {sentence}" for sentence in sentences(item.reference) for kind in WEIGHTS] for item in batch
        ]
        calls = [{"told": self.call(_TOLD, item, claims=each)} for item, each in zip(batch, possible, strict=True)]
        told = [parts["told"] for parts in self.settle(batch, calls)]
        claims = [_told(each, part) for each, part in zip(possible, told, strict=True)]
        asked = [{"stated": self._stated(*pair)} for pair in zip(batch, claims, strict=True)]
        scores = []
        for item, first, own, found in zip(batch, told, claims, self.settle(batch, asked), strict=True):
            stated = found["stated"]
            lacking = dict.fromkeys(_columns(own), stated) if isinstance(stated, Gap) else {}
            self.note(item, {"told": first, "stated": stated}, lacking)
            scores.append({} if isinstance(own, Gap) else _shares(own, stated))
        return scores

    def _stated(self, item: Scorable, claims: Sequence[str] | Gap) -> Part:
        if isinstance(claims, Gap):
            return claims
        if not item.candidate.strip():
            return Verdict((_ABSENT,) * len(claims))
        return self.call(_STATED, item, claims=list(claims))


def _told(possible: Sequence[str], verdict: Settled) -> list[str] | Gap:
    """Return the claims that the reference makes, of those it may make, or why that is not known."""
    if isinstance(verdict, Gap):
        return verdict
    found = [claim for claim, told in zip(possible, verdict.values or (), strict=True) if told > 0.5]
    return found or Gap("the judge finds no claim in the reference", unjudgeable=True)


def _columns(claims: Sequence[str] | Gap) -> list[str]:
    """Return the columns that an answer is owed a value of: of a kind, where the reference tells of it."""
    if isinstance(claims, Gap):
        told = [] if claims.unjudgeable else list(WEIGHTS)  # else the judge was not reached, and it may tell of any
    else:
        told = [kind for kind in WEIGHTS if any(_is_of(kind, one) for one in claims)]
    return ["claims", *(f"claims_{kind}" for kind in told), "claims_false"]


def _is_of(kind: str, claim: str) -> bool:
    return claim.startswith(f"{kind}: ")


def _shares(claims: Sequence[str], verdict: Settled) -> dict[str, float]:
    """Return the columns: of votes that differ, a true one and a false one come to absent."""
    if isinstance(verdict, Gap) or verdict.values is None:
        return {}
    credit = [value - _ABSENT for value in verdict.values]
    shares = {}
    for kind in WEIGHTS:
        own = [max(0.0, one) for claim, one in zip(claims, credit, strict=True) if _is_of(kind, claim)]
        if own:
            shares[kind] = fmean(own)
    total = sum(WEIGHTS[kind] * share for kind, share in shares.items()) / sum(WEIGHTS[kind] for kind in shares)
    false = fmean(max(0.0, -one) for one in credit)
    return {"claims": total, "claims_false": false, **{f"claims_{kind}": share for kind, share in shares.items()}}
