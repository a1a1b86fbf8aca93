"""Whether answers about normal twins claim the anomaly of their clip, as a judge decides it.

The judge is told what the clip shows and its twin does not, and sees the answer alone. An empty answer claims nothing,
without a call.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..judging import Verdict
from ..records.twins import NORMAL, kind_of, original_of
from .controls import Controls, control_of
from .judged import JudgedScorer, Part
from .scorer import Column, Gap, Scorable

_PART, _COLUMN = "claims-anomaly", "claimed_normal"


class TwinsJudge(JudgedScorer):
    """How often answers about the normal twin claim what happens in the clip only."""

    name = "twins-judge"
    columns = (Column(_COLUMN, "share of normal twins of which the clip's anomaly is claimed", higher_is_better=False),)

    def prompt_names(self) -> tuple[str, ...]:
        """Return the one prompt."""
        return (_PART,)

    def counts(self, video: str) -> bool:
        """Return whether a video is a normal twin."""
        return kind_of(video) == NORMAL

    def obstacle(self, item: Scorable) -> str | None:
        """Return that what happens in the clip is not known."""
        return None if original_of(item.video) in item.twins else "the clip is not among the videos asked about"

    def controls(self, item: Scorable, other: Scorable | None) -> Controls | None:
        """Return the twin's own reference, which claims nothing of the clip, and as a wrong answer the clip's."""
        clip = item.twins[original_of(item.video)]
        if clip is None:
            return None
        return Controls(control_of(item, "right", item.reference), (control_of(item, "clip", clip.reference),))

    def score(self, batch: Sequence[Scorable]) -> list[dict[str, float]]:
        """Return 1 where the anomaly is claimed and 0 where it is not."""
        scores = []
        settled = self.settle(batch, [{_PART: self._part(item)} for item in batch])
        for item, parts in zip(batch, settled, strict=True):
            verdict = parts[_PART]
            self.note(item, parts, {_COLUMN: verdict} if isinstance(verdict, Gap) else {})
            scores.append({} if isinstance(verdict, Gap) or verdict.value is None else {_COLUMN: verdict.value})
        return scores

    def _part(self, item: Scorable) -> Part:
        original = item.twins.get(original_of(item.video))
        if original is None:
            return Gap(f"no answer about {original_of(item.video)}", unanswered=True)
        if not item.candidate.strip():
            return Verdict((0.0,))
        return self.call(_PART, item, event=original.reference)
