"""What submissions are verified by: the answers and the judge's calls beside them, and the data sets at hand.

In a folder of leaderboards, `<data set>/answers/<name>.jsonl` is the results file of a submission, `<name>.judge.jsonl`
the export of its judge's calls; `judge.jsonl` is that of all without their own. A results file is found by its hash,
whatever its name.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from ..data import Dataset, load_dataset
from ..data.dataset import EMBEDDED
from ..data.loading import DatasetSource
from ..errors import ResultsError
from ..journal.lines import is_results
from ..leaderboard.submission import Submission, read_submission
from ..records.base import sha256_of_file
from ..writing import write_whole
from .rescoring import verify
from .rows import check_row

FOLDER = "answers"
_OF_JUDGE = ".judge.jsonl"


class Evidence:
    """The data sets and the answers by which submissions are read; `notes` say how far each was verified."""

    def __init__(self, folders: Sequence[Path] = (), data: Sequence[DatasetSource] = ()) -> None:
        self.notes: list[str] = []
        self._folders, self._data = folders, data
        self._hashes: dict[Path, str] = {}

    def read_as_stated(self, path: Path) -> Submission:
        """Return a submission; `ResultsError` where it contradicts itself or its data set."""
        found = read_submission(path)
        check_row(found, path, self._dataset(found))
        return found

    def read_verified(self, path: Path) -> Submission:
        """Return a submission with how far its scores could be computed again; `ResultsError` for a contradiction."""
        found = read_submission(path)
        answers, calls = self._answers(found, path)
        verification = verify(found, path, answers=answers, calls=calls, dataset=self._dataset(found))
        why = f": {verification.why}" if verification.why else ""
        self.notes.append(f"{path}: {verification.text}{why}")
        return found.with_verification(verification)

    @cached_property
    def _datasets(self) -> list[Dataset]:
        return [load_dataset(one) for one in (*self._data, *EMBEDDED)]

    def _dataset(self, found: Submission) -> Dataset | None:
        told = found.dataset
        return next((one for one in self._datasets if one.sha256 == told.sha256), None)

    def _answers(self, found: Submission, path: Path) -> tuple[Path | None, Path | None]:
        """Return the results file with the submission's hash, and its judge's export, as far as they are there."""
        for folder in (path.parent.parent / FOLDER, *self._folders):
            for file in sorted(folder.glob("*.jsonl")):
                if self._hash(file) == found.scores.results_sha256:
                    beside = (file.with_name(file.stem + _OF_JUDGE), file.with_name("judge.jsonl"))
                    there = (calls for calls in beside if calls.is_file() and not is_results(calls))
                    return file, next(there, None)
        return None, None

    def _hash(self, file: Path) -> str:
        if file not in self._hashes:
            self._hashes[file] = sha256_of_file(file)
        return self._hashes[file]


def carry(submission: Path, answers: Path, calls: Path | None) -> list[Path]:
    """Put a results file, and its judge's export, where boards look for those of a submission; return the paths.

    Raises `ResultsError` where nothing can be written.
    """
    folder = submission.parent.parent / FOLDER
    copies = [(answers, folder / f"{submission.stem}.jsonl")]
    copies += [(calls, folder / f"{submission.stem}{_OF_JUDGE}")] if calls else []
    try:
        for source, target in copies:
            write_whole(target, source.read_bytes())
    except OSError as error:
        raise ResultsError("the answers cannot be put beside the submission", folder, f"make room ({error})") from None
    return [target for _, target in copies]
