"""What a manifest says of its data set, and what that data set is called today."""

from __future__ import annotations

from .base import Record

# The authors' workbook holds the annotations of CUVA. Runs made before December 2026 recorded it as `ecva`.
CUVA_WORKBOOK = "a88fa897990c82db75c869f17aa3d021011677f96115dbbf9ddaf6408ceb2afb"

# The data sets whose class numbers are CUVA's; any other's number means a class of its own.
CUVA_CLASSES = ("cuva", "ecva", "mini", "mini-twins")


class DatasetIdentity(Record):
    """A data set as a manifest records it: by name, and by the hash of its annotations, which identifies it.

    As a text it is the current name, with the recorded one where that was another: `cuva (recorded as ecva)`.
    """

    name: str = ""
    sha256: str = ""

    @property
    def current(self) -> str:
        """The name of the data set today; empty where neither name nor hash is known."""
        return "cuva" if self.sha256 == CUVA_WORKBOOK else self.name

    @property
    def has_cuva_classes(self) -> bool:
        """Whether class numbers are CUVA's, as far as is known; they are taken for it where no name is known."""
        return self.current in ("", *CUVA_CLASSES)

    @property
    def renamed(self) -> bool:
        """Whether it is recorded under another name than its own."""
        return bool(self.name) and self.name != self.current

    def __str__(self) -> str:
        return f"{self.current} (recorded as {self.name})" if self.renamed else self.current
