"""How far the scores of a submission were computed again by whoever builds the board."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal

from ..records.base import Record

NOTES = (
    "verified: computed again from the answers, with the data set's own references; judged columns from the judge's "
    "replies as the submitter has them. Ranks are for verified scores alone.",
    "as stated: not computed again, so it takes no rank.",
)


class Verification(Record):
    """Whether a submission was verified; `but_for` are columns that could not be, `why` says why something was not.

    `signature` says who signed it, or why nobody did; empty where nobody looked.
    """

    status: Literal["verified", "as stated"]
    but_for: tuple[str, ...] = ()
    why: str = ""
    signature: str = ""

    def covers(self, column: str) -> bool:
        """Return whether a column was computed again."""
        return self.status == "verified" and column not in self.but_for

    @property
    def text(self) -> str:
        """The status in words: `verified`, `verified but for gated, s3` or `as stated`."""
        return f"{self.status} but for {', '.join(self.but_for)}" if self.but_for else self.status


def verification_notes(found: Collection[Verification | None]) -> Sequence[str]:
    """Return what a board says of its rows' verification; nothing where none was looked at."""
    told = [one for one in found if one is not None]
    needed = (bool(told), any(one.status == "as stated" for one in told))
    return [note for note, is_needed in zip(NOTES, needed, strict=True) if is_needed]
