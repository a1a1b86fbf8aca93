"""What submissions are verified by: the answers and the judge's calls beside them, and the data sets at hand.

In a folder of leaderboards, `<data set>/answers/<name>.jsonl` is the results file of a submission, `<name>.judge.jsonl`
the export of its judge's calls; `judge.jsonl` is that of all without their own. A results file is found by its hash,
whatever its name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from ..data import Dataset, load_dataset
from ..data.dataset import EMBEDDED
from ..data.loading import DatasetSource
from ..errors import JudgeError, ResultsError
from ..journal.lines import is_results
from ..judging.exports import is_export, is_sealed, read_export
from ..leaderboard.submission import Submission, read_submission
from ..leaderboard.verified import Verification
from ..records.base import sha256_of_file
from ..records.seals import unsealed_text
from ..writing import write_whole
from .rescoring import verify
from .rows import check_row
from .signatures import signature_path, signature_text

FOLDER = "answers"
_OF_JUDGE = ".judge.jsonl"


class Evidence:
    """The data sets and the answers by which submissions are read; `notes` say how far each was verified."""

    def __init__(
        self, folders: Sequence[Path] = (), data: Sequence[DatasetSource] = (), signers: Path | None = None
    ) -> None:
        """`folders` hold more answers; `signers` is a file of allowed signers, by which signatures are checked."""
        self.notes: list[str] = []
        self._folders, self._data, self._signers = folders, data, signers
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
        verification = self._verification(found, path, answers, calls)
        if self._signers:
            signature = signature_text(path, self._signers)
            signature += f"; the judge's calls: {signature_text(calls, self._signers)}" if calls else ""
            verification = verification.model_copy(update={"signature": signature})
        why = f": {verification.why}" if verification.why else ""
        more = f"; {unsealed_text(calls)}" if calls and is_export(calls) and not is_sealed(calls) else ""
        more += f"; {verification.signature}" if verification.signature else ""
        self.notes.append(f"{path}: {verification.text}{why}{more}")
        return found.with_verification(verification)

    def _verification(self, found: Submission, path: Path, answers: Path | None, calls: Path | None) -> Verification:
        """Return how far a submission is verified; what is wrong with its judge's calls concerns its columns alone."""
        dataset = self._dataset(found)
        try:
            return verify(found, path, answers=answers, calls=calls, dataset=dataset)
        except JudgeError as error:
            without = verify(found, path, answers=answers, calls=None, dataset=dataset)
            return without.model_copy(update={"why": str(error)}) if without.why else without

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


def copies(submission: Path, answers: Path, calls: Path | None) -> dict[Path, bytes]:
    """Return what of a results file, and its judge's export, is to lie beside a submission, by path.

    A signature that lies beside the export goes with it. Raises `ResultsError` where another file has one of the names,
    unless nothing of it would be lost: a run that has grown since, or more calls. `JudgeError` for what is no export.
    """
    folder = submission.parent.parent / FOLDER
    named = {folder / f"{submission.stem}.jsonl": answers}
    if calls:
        read_export(calls)
        named[folder / f"{submission.stem}{_OF_JUDGE}"] = calls
    try:
        found = {target: source.read_bytes() for target, source in named.items()}
        for target, content in found.items():
            there = target.read_bytes() if target.exists() else b""
            if not set(there.split(b"\n")[1:]) <= set(content.split(b"\n")):
                remedy = "move it to another place, or rename the results file to keep both"
                raise ResultsError("another file has the name of what goes beside the submission", target, remedy)
        if calls and (signature := signature_path(calls)).is_file():
            found[signature_path(folder / f"{submission.stem}{_OF_JUDGE}")] = signature.read_bytes()
    except OSError as error:
        raise ResultsError("the answers cannot be read", folder, f"check the paths ({error})") from None
    return found


def write_copies(found: Mapping[Path, bytes]) -> None:
    """Put files beside a submission; `ResultsError` where they cannot be written."""
    for target, content in found.items():
        try:
            write_whole(target, content)
        except OSError as error:
            what = "the answers cannot be put beside the submission"
            raise ResultsError(what, target, f"make room ({error})") from None
