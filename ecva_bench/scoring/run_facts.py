"""What scorers must know of the run whose answers they score, read from what the results say of it.

Knows the scorers that ask for it, and computes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..reading.units import TimeUnit
from ..records.answers import Results
from ..records.base import canonical_json
from ..tasks import TASKS
from .readings import ReadingScorer
from .scorer import Scorer, ScoringProgress
from .second_reader import SecondReader
from .severity import PseudoReference, Severity
from .timestamp import Timestamp


def unit_asked_for(results: Results) -> TimeUnit | None:
    """Return the unit a run asked for times in: all versions of our prompts ask for seconds, else None."""
    prompts = results.spec.get("prompts", {})
    asked = [prompts[task.name].get("id", "") for task in TASKS.values() if task.unit and task.name in prompts]
    return "seconds" if asked and all(prompt.startswith("ours/") for prompt in asked) else None


def offer_none(chosen: Mapping[str, Sequence[Scorer]], results: Results) -> None:
    """Tell scorers of times that `none` is an answer, where the run's prompt offers it."""
    asked = str(results.spec.get("prompts", {}).get("timestamp", {}).get("id", ""))
    for scorer in chosen.get("timestamp", ()):
        if isinstance(scorer, Timestamp):
            scorer.none_offered = asked.partition(".")[0] == f"ours/{TASKS['timestamp'].or_none}"


def equip(
    chosen: Mapping[str, Sequence[Scorer]], results: Results, progress: ScoringProgress, second: SecondReader | None
) -> None:
    """Give each scorer the progress to tell and what it must know of the run, and those that read texts the reader."""
    offer_none(chosen, results)
    _name_references(chosen, results)
    for scorer in {scorer for named in chosen.values() for scorer in named}:
        scorer.progress = progress
        if isinstance(scorer, ReadingScorer):
            scorer.second = second


def _name_references(chosen: Mapping[str, Sequence[Scorer]], results: Results) -> None:
    """Tell scorers of severities what made the importance curves, where a program did; nobody annotated them then."""
    made = results.spec.get("curves")
    if not isinstance(made, dict):
        return
    described = canonical_json([results.model, results.spec.get("model"), results.spec.get("description")])
    for scorer in chosen.get("severity", ()):
        if isinstance(scorer, Severity):
            by, sha256 = str(made.get("made_by", "")), str(made.get("sha256", ""))
            scorer.reference = PseudoReference(by, sha256, described, len(made.get("other_files", ())))
