"""The anomaly classes as data: CUVA's, by which the annotations are coded, and ECVA's as far as they are named.

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

    `size` is what the publication states as (classes, sub-classes); `classes` hold those a text names.
    """

    name: str
    title: str
    source: str
    size: tuple[int, int]
    classes: tuple[AnomalyClass, ...]

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
