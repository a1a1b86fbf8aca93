"""What made the answers of a results file: the versions of packages, and the models that an endpoint names.

Both may change under a run, for a resumed run may find other packages, and an endpoint may change its model. Neither
is part of a key, so each change is an event in the file, and who scores it is told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..records.answers import Answer, Event, Manifest
from ..records.base import Record

PACKAGES = "packages"  # from here on answers were made by these packages
SERVED = "served"  # from here on another model answered, as the endpoint says

Versions = Mapping[str, str]


def packages_of(environment: Mapping[str, Any]) -> list[Versions]:
    """Return the packages that an environment names; of a merged file those of each part."""
    parts = environment.get("parts")
    there = [environment, *(parts if isinstance(parts, list) else [])]
    found = [one.get(PACKAGES) for one in there if isinstance(one, Mapping)]
    return [one for one in found if isinstance(one, Mapping)]


class Makers:
    """What made the answers among the records that it was told of. `served` are the models that endpoints named."""

    def __init__(self, records: Sequence[Record] = ()) -> None:
        self.served: set[str] = set()
        self.packages: list[Versions] = []
        self._answers = 0
        for record in records:
            self.take(record)

    def take(self, record: Record) -> None:
        """Be told of a record, in the order of the file."""
        match record:
            case Manifest() if not self.packages:
                self.packages = packages_of(record.environment)
            case Event(event="packages", detail={"packages": Mapping() as packages, **more}):
                if more.get("answers") == 0 and len(self.packages) == 1:  # those of the manifest gave no answer
                    self.packages = []
                self.packages.append(packages)
            case Answer():
                self._answers += 1
                self.served |= {record.served} - {""}

    def changes(self, answer: Answer, packages: Sequence[Versions]) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the name and the detail of an event for what is new in the making of an answer by `packages`."""
        for one in packages:
            if not any(_agree(one, other) for other in self.packages):
                yield PACKAGES, {"packages": dict(one), "answers": self._answers}
        if answer.served and self.served and answer.served not in self.served:
            yield SERVED, {"now": answer.served, "before": sorted(self.served)}

    @property
    def several(self) -> dict[str, tuple[str, ...]]:
        """The packages of which several versions gave answers, each with its versions in order of appearance."""
        versions: dict[str, dict[str, None]] = defaultdict(dict)
        for packages in self.packages if self._answers else ():
            for name, version in packages.items():
                versions[str(name)][str(version)] = None
        return {name: tuple(found) for name, found in sorted(versions.items()) if len(found) > 1}


def _agree(one: Versions, other: Versions) -> bool:
    """Return whether packages that both name have the same versions."""
    return all(one[name] == other[name] for name in one.keys() & other.keys())
