"""A panel: several judges as one. Yes or no goes by the majority, grades are averaged.

Every member must give a verdict, or the call has none and the reason names the member: two of three judges are another
instrument than three, and a judge that is silent about some answers would choose where it counts. Each member's calls
are stored and replayed as those of a judge alone. How far the members agree is kept beside the verdicts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from statistics import fmean

from ..errors import UsageError
from ..reading.verdicts import Scale
from ..statistics.agreement import Level, alpha_interval, krippendorff_alpha, raw_agreement
from .calls import Call, Judge, ReplayingJudge, Verdict
from .user_judge import JudgeSource, is_user_judge, open_user_judge
from .verdicts import mean_verdict

_DRAWS = 500  # of an interval that is printed with two digits


@dataclass(frozen=True)
class PanelAgreement:
    """How far the members agree on one prompt: over `verdicts` that all of them gave, whatever was asked.

    `raw` is the share of pairs that agree, `alpha` Krippendorff's at `level`, with its interval drawn by verdict; None
    where undefined. `means` are those of the members, by name.
    """

    prompt: str
    verdicts: int
    raw: float | None
    level: Level
    alpha: float | None
    interval: tuple[float, float] | None
    means: dict[str, float]


def member_names(judge: str) -> tuple[str, ...]:
    """Return the judges that a text such as `a,b,c` names.

    Raises `UsageError` where one is empty or named twice.
    """
    names = tuple(part.strip() for part in judge.split(","))
    if len(names) > 1 and ("" in names or len(set(names)) < len(names)):
        what = f"the judges {judge!r} of a panel are not as many as there are commas"
        raise UsageError(what, remedy="name each once, as a,b,c; a path with a comma needs another name")
    return names


def opened_judge(
    judge: JudgeSource, language: Callable[[str], AbstractContextManager[Judge]]
) -> AbstractContextManager[Judge]:
    """Return a context with a judge as a user names or gives it: their own, or of several, `a,b`, their panel.

    `language` opens a language model of a name. Raises `UsageError` as `member_names` does.
    """
    if isinstance(judge, str) and len(names := member_names(judge)) > 1:
        return panel_of(opened_judge(name, language) for name in names)
    return language(judge) if isinstance(judge, str) and not is_user_judge(judge) else open_user_judge(judge)


@contextmanager
def panel_of(members: Iterable[AbstractContextManager[Judge]]) -> Iterator[Panel]:
    """Yield the panel of judges that are opened here, and closed at the end."""
    with ExitStack() as stack:
        yield Panel([stack.enter_context(member) for member in members])


class Panel:
    """Judges as one `Judge`; they are asked one after another."""

    def __init__(self, members: Sequence[Judge]) -> None:
        self.members = tuple(members)
        self._rows: dict[str, list[tuple[float, ...]]] = defaultdict(list)  # [verdicts, members], by prompt
        self._scales: dict[str, Scale] = {}

    def ask(self, calls: Sequence[Call]) -> list[Verdict]:
        """Return one verdict per call, in their order; raises as the members do."""
        found = [member.ask(calls) for member in self.members]
        return [self._joined(call, given) for call, *given in zip(calls, *found, strict=True)]

    def lacks(self, calls: Sequence[Call]) -> bool:
        """Return whether a member only replays calls, and lacks a reply to one of these."""
        return any(isinstance(member, ReplayingJudge) and member.lacks(calls) for member in self.members)

    def identity(self, keys: Collection[str] = ()) -> dict[str, str]:
        """Return what the members say of themselves: once where it is the same, else by name."""
        said = sorted(
            (member.identity(keys) for member in self.members), key=lambda one: (one["judge"], sorted(one.items()))
        )
        names = dict.fromkeys(name for one in said for name in one)
        each = {name: [one.get(name, "-") for one in said] for name in names}
        alike = {
            name: texts[0] if len(set(texts)) == 1 and name != "judge" else ",".join(texts)
            for name, texts in each.items()
        }
        return {"judge": alike.pop("judge"), "panel": "majority+mean", **alike}

    def agreement(self) -> list[PanelAgreement]:
        """Return how far the members agree, for each prompt that was asked, sorted by its name."""
        return [self._agreement(prompt, rows) for prompt, rows in sorted(self._rows.items())]

    def _joined(self, call: Call, given: Sequence[Verdict]) -> Verdict:
        """Return the panel's verdict on a call, of one verdict of each member."""
        joined = Verdict(
            None,
            votes=tuple(vote for one in given for vote in one.votes),
            keys=tuple(key for one in given for key in one.keys),
        )
        lacking = [number for number, one in enumerate(given) if one.values is None]
        if lacking:
            first = lacking[0]
            passing = any(given[number].passing for number in lacking)
            return replace(joined, reason=f"{given[first].reason} ({self._names[first]})", passing=passing)
        values = [one.values for one in given if one.values is not None]
        expected = [one.expectations for one in given if one.expectations is not None]
        self._scales[call.prompt.id] = call.prompt.scale
        self._rows[call.prompt.id] += zip(*values, strict=True)
        said = [f"{name}: {one.rationale}" for name, one in zip(self._names, given, strict=True) if one.rationale]
        return replace(
            joined,
            values=mean_verdict(values, call.prompt.scale),
            expectations=tuple(map(fmean, zip(*expected, strict=True))) if len(expected) == len(given) else None,
            rationale="; ".join(said),
        )

    @cached_property
    def _names(self) -> list[str]:
        """What the members are called, in their order: two files of one name are told apart by their place."""
        names = [member.identity()["judge"] for member in self.members]
        return [f"{name} #{place}" if names.count(name) > 1 else name for place, name in enumerate(names, start=1)]

    def _agreement(self, prompt: str, rows: Sequence[Sequence[float]]) -> PanelAgreement:
        level: Level = "nominal" if self._scales[prompt].yes_no else "ordinal"
        return PanelAgreement(
            prompt=prompt,
            verdicts=len(rows),
            raw=raw_agreement(rows),
            level=level,
            alpha=krippendorff_alpha(rows, level=level),
            interval=alpha_interval(rows, level=level, seed=0, draws=_DRAWS),
            means={name: fmean(given) for name, given in zip(self._names, zip(*rows, strict=True), strict=True)},
        )
