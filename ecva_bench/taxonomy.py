"""The anomaly classes as data: CUVA's, by which the annotations are coded, and ECVA's, with what CUVA's are in them.

The tables are in `taxonomy.json`, each with its source. Knows no video and no annotation file.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from .errors import UsageError
from .records import Label
from .untrusted import parse_json

TAXONOMY = "cuva"  # whose classes prompts list, unless a question lists those of its data set


@dataclass(frozen=True)
class AnomalyClass:
    """A class of anomalies; sub-class `n` is `subclasses[n - 1]`. `cuva` is the code of the same class in CUVA.

    `also` are other names that answers give it: its singular, common words for it, its name in Chinese.
    """

    code: int
    name: str
    subclasses: tuple[str, ...]
    cuva: int | None = None
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class Taxonomy:
    """A set of anomaly classes.

    `size` is what the publication states as (classes, sub-classes); `classes` hold those that it names.
    """

    name: str
    title: str
    source: str
    size: tuple[int, int]
    classes: tuple[AnomalyClass, ...]

    @property
    def own(self) -> tuple[AnomalyClass, ...]:
        """The classes that a question must list because prompts list others; none where these are `TAXONOMY`'s."""
        return () if self.classes == load_taxonomy(TAXONOMY).classes else self.classes

    def find(self, code: int) -> AnomalyClass | None:
        """Return the class with this code, or `None`."""
        return next((entry for entry in self.classes if entry.code == code), None)

    def knows(self, label: Label) -> bool:
        """Say whether the class and, where one is given, the sub-class of a label exist here."""
        entry = self.find(label.major)
        return entry is not None and (label.sub is None or label.sub <= len(entry.subclasses))

    def describe(self, label: Label) -> str:
        """Return a label in words, such as `Traffic Accidents: Motor`; its code where it has no name here."""
        entry = self.find(label.major)
        if entry is None or not self.knows(label):
            return label.code
        return entry.name if label.sub is None else f"{entry.name}: {entry.subclasses[label.sub - 1]}"

    def from_cuva(self, label: Label) -> Label | None:
        """Return what a label by CUVA's codes is here, by name: the class alone where the sub-class has no like.

        None where no class is the same.

        >>> import ecva_bench as eb

        >>> eb.load_taxonomy("ecva").from_cuva(eb.Label(major=6, sub=3)).code  # a robbery elsewhere: no sub-class
        '6'
        """
        cuva = load_taxonomy(TAXONOMY).find(label.major)
        entry = next((one for one in self.classes if one.cuva == label.major), None)
        if cuva is None or entry is None:
            return None
        named = cuva.subclasses[label.sub - 1].casefold() if label.sub and label.sub <= len(cuva.subclasses) else ""
        there = (number for number, name in enumerate(entry.subclasses, start=1) if name.casefold() == named)
        return label.model_copy(update={"major": entry.code, "sub": next(there, None)})


@cache
def _tables() -> dict[str, Any]:
    return dict(parse_json(files(__package__).joinpath("taxonomy.json").read_text(encoding="utf-8")))


@cache
def load_taxonomy(name: str) -> Taxonomy:
    """Return the taxonomy called `name`: `cuva` or `ecva`; `UsageError` for any other.

    >>> import ecva_bench as eb

    >>> eb.load_taxonomy("cuva").describe(eb.Label(major=5))
    'Traffic Accidents'
    """
    tables = _tables()
    if name not in tables:
        raise UsageError(f"no taxonomy is called {name!r}", remedy=f"available: {', '.join(sorted(tables))}")
    table = tables[name]
    return Taxonomy(
        name=name,
        title=table["title"],
        source=table["source"],
        size=tuple(table["size"]),
        classes=tuple(
            AnomalyClass(row["code"], row["name"], tuple(row["sub"]), row.get("cuva"), tuple(row.get("also", ())))
            for row in table["classes"]
        ),
    )
