"""Whether answers follow what happens: a clip's answers beside those about its twins, in which something else happens.

The items are the normal twins, one for each clip, so that every mean is over clips (`records.twins` tells which videos
belong together). A model that does not look gives a clip and its twin the same answer, and is right about one of them
at most.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..reading.yes_no import VERSION, read_yes_no
from ..records.twins import CONTEXT, NORMAL, kind_of, original_of
from .rouge import in_another_script, rouge
from .scorer import Column, Gap, Scorable, Scorer


def _column(name: str, description: str, *, binary: bool = True, low: float = 0.0, higher: bool = False) -> Column:
    decimals = 2 if binary else 4
    return Column(name, description, decimals=decimals, low=low, higher_is_better=higher, binary=binary, optional=True)


def _same(kind: str, about: str) -> Column:
    return _column(f"same_answer_{kind}", f"share of clips about which the answer is word for word that about {about}")


def _claims(kind: str, about: str) -> Column:
    what = f"ROUGE-L F1 of the answer about {about} with the clip's text, less that with its own text"
    return _column(f"claims_{kind}", what, binary=False, low=-1.0)


_KINDS = {NORMAL: "the normal twin", CONTEXT: "the twin in another context"}


class Twins(Scorer):
    """Clips whose videos are all answered rightly, and claims about what is not there."""

    name = "twins"
    tasks = ("description", "cause", "effect", "detection")
    columns = (
        _column("pairs_right", "share of clips with right answers about the clip and its twins", higher=True),
        _column("normal_alarm", "share of normal twins called anomalous"),
        *(make(kind, about) for kind, about in _KINDS.items() for make in (_same, _claims)),
    )
    has_floor = False  # all it compares belongs to one clip

    def counts(self, video: str) -> bool:
        """Return whether a video is a normal twin."""
        return kind_of(video) == NORMAL

    def score(self, batch: Sequence[Scorable]) -> list[dict[str, float]]:
        """Return the columns of each normal twin; those of free text compare it, and the other twin, with the clip."""
        return [{name: one for name, one in _columns(item).items() if not isinstance(one, Gap)} for item in batch]

    def gaps(self, item: Scorable) -> Mapping[str, Gap]:
        """Return which answers that a column compares are missing, or cannot be compared."""
        return {name: one for name, one in _columns(item).items() if isinstance(one, Gap)}

    def settings(self) -> dict[str, str]:
        """Return how answers are read and compared."""
        return {"parse": f"yes-no.v{VERSION}", "claims": "rougeL"}


def _columns(normal: Scorable) -> dict[str, float | Gap]:
    """Return what there is to say of a normal twin and the other videos of its clip that a run owes."""
    there = {normal.video: normal, **normal.twins}
    clip = original_of(normal.video)
    if normal.task == "detection":
        return {
            "normal_alarm": float(_says(normal) is True),
            **({"pairs_right": _pair(there)} if clip in there else {}),
        }
    found: dict[str, float | Gap] = {}
    for kind in _KINDS:
        twin = f"{clip}-{kind}"
        if clip in there and twin in there:
            found |= _compared(there, clip, twin, kind)
    return found


def _pair(there: Mapping[str, Scorable | None]) -> float | Gap:
    """Return whether the answers about all videos of a clip are right."""
    answers = [item for item in there.values() if item is not None]
    if len(answers) < len(there):
        return _missing(there)
    return float(all(_says(item) is (item.reference == "yes") for item in answers))


def _compared(there: Mapping[str, Scorable | None], clip: str, twin: str, kind: str) -> dict[str, float | Gap]:
    """Return how far the answer about a twin is that about the clip, and tells what is to be seen in the clip."""
    original, other = there[clip], there[twin]
    if original is None or other is None:
        gap = _missing({clip: original, twin: other})
        return {f"same_answer_{kind}": gap, f"claims_{kind}": gap}
    claims: float | Gap = Gap("the answer has no Latin letter, and ROUGE counts no other", unanswered=True)
    if not in_another_script(other.candidate):
        of_clip, own = (rouge(reference=each.reference, candidate=other.candidate).rougeL for each in (original, other))
        claims = of_clip - own
    return {
        f"same_answer_{kind}": float(other.candidate.split() == original.candidate.split()),
        f"claims_{kind}": claims,
    }


def _says(item: Scorable) -> bool | None:
    return read_yes_no(item.text).yes


def _missing(there: Mapping[str, Scorable | None]) -> Gap:
    return Gap(f"no answer about {next(video for video, item in there.items() if item is None)}", unanswered=True)
