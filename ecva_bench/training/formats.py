"""Files of training samples, read as conversations: the LLaVA trainers' JSON, VideoInstruct's, and any data set.

A sample that cannot be learned from is named with the reason, and nothing is put in its place. Reads no picture and no
video; whether a file is whole shows when its frames are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from ..data import Dataset, load_dataset
from ..errors import DataError, UsageError, VideoAmbiguous
from ..files.folders import VideoFiles
from ..records import Annotation, Sample
from ..records.annotations import LETTERS
from ..records.base import sha256_of_file
from ..samples import samples, tasks_of
from ..tasks import PromptSet, prompt_for
from ..untrusted import parse_json
from .conversations import PLACEHOLDERS, Conversation, Kind, Turn

PICTURES = frozenset((".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"))
_ROLES = {"human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant"}
_FILE_PROBLEMS = {"missing": "missing file", "empty": "empty file", "ambiguous": "two files may be meant"}
_FORMS = (
    "a list, or lines, of {id, image | video, conversations: [{from, value}]} (LLaVA) or of {video_id, q, a} "
    "(VideoInstruct); or an annotation file or description, as `run --data` takes it"
)


@dataclass(frozen=True)
class SkippedSample:
    """A sample that is not trained, and why in words that count as one kind."""

    id: str
    file: str
    reason: str


@dataclass(frozen=True)
class TrainingSet:
    """What one `--data` gives. `named` says of each video of a data set what it is called: data set and id."""

    name: str
    sha256: str
    conversations: tuple[Conversation, ...]
    skipped: tuple[SkippedSample, ...] = ()
    named: dict[Path, tuple[str, str]] = field(default_factory=dict)

    @property
    def given(self) -> int:
        """How many samples the file has."""
        return len(self.conversations) + len(self.skipped)


def read_training_set(source: str, media: Path | None, prompts: PromptSet = "ours") -> TrainingSet:
    """Return the samples of a file of conversations, or of a data set: its questions with their references.

    `media` is the folder of pictures and videos, also of nested ones; `prompts` is the set of a data set's questions.
    Raises `DataError` for a file that is neither, and `UsageError` where no folder is named.
    """
    path = Path(source)
    if path.suffix.lower() in (".json", ".jsonl") and path.is_file():
        entries = _entries(path)
        reader = next((read for keys, read in _READERS if any(_has(entry, keys) for entry in entries)), None)
        if reader is not None:
            if media is None:
                raise UsageError("the folder of the pictures and videos is not known", path, "name it with --media")
            return _TrainingFile(path, media).read(reader(path, entries))
    try:
        return _of_dataset(load_dataset(source, videos=media), prompts)
    except DataError as error:
        if path.suffix.lower() in (".json", ".jsonl") and path.is_file():
            remedy = "; or ".join(filter(None, (error.remedy, f"give {_FORMS}")))
            raise DataError(f"these are no training samples ({error.what})", path, remedy) from error
        raise


@dataclass(frozen=True)
class _Entry:
    """A sample as its file has it: `problem` where it is none, else a medium's name and kind, and turns."""

    id: str
    name: str = ""
    kind: Kind = "words"
    turns: tuple[Turn, ...] = ()
    problem: str = ""


class _TrainingFile:
    """A file of samples with the folder that their media lie in."""

    def __init__(self, path: Path, media: Path) -> None:
        self._path, self._media = path, media

    def read(self, entries: Sequence[_Entry]) -> TrainingSet:
        """Return the samples whose media are there, and the others with the reason."""
        files = VideoFiles(self._media, {one.name: one.name for one in entries if one.name})
        kept: list[Conversation] = []
        skipped: list[SkippedSample] = []
        named: dict[Path, tuple[str, str]] = {}
        for entry in entries:
            path, problem = _found(files, entry)
            conversation = Conversation(entry.id, path, entry.kind, entry.turns)
            if problem := problem or conversation.problem() or "":
                skipped.append(SkippedSample(entry.id, entry.name, problem))
                continue
            kept.append(conversation)
            if path and entry.kind == "video":
                named[path] = ("", entry.name)
        return TrainingSet(self._path.name, sha256_of_file(self._path), tuple(kept), tuple(skipped), named)


def _found(files: VideoFiles, entry: _Entry) -> tuple[Path | None, str]:
    """Return the file of a sample, and what is wrong with it."""
    if entry.problem or not entry.name:
        return None, entry.problem
    if (PurePosixPath(entry.name).suffix.lower() in PICTURES) != (entry.kind == "picture"):
        return None, f"{'a video' if entry.kind == 'picture' else 'a picture'} given as a {entry.kind}"
    try:
        path = files.find(entry.name)
    except VideoAmbiguous:
        return None, _FILE_PROBLEMS["ambiguous"]
    except OSError:  # a name that is too long, a folder that may not be read
        return None, "unreachable file"
    if path is None:
        return None, _FILE_PROBLEMS["missing"]
    return path, _FILE_PROBLEMS["empty"] if path.is_file() and not path.stat().st_size else ""


def _entries(path: Path) -> list[Any]:
    """Return the entries of a JSON list or of JSON lines; `DataError` where it is neither."""
    content = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    one_value = path.suffix.lower() == ".json" or content.lstrip()[:1] == b"["
    lines = [content] if one_value else content.split(b"\n")
    found = []
    for number, line in enumerate(lines, start=1):
        if not one_value and not line.strip():
            continue
        try:
            found.append(parse_json(line))
        except (ValueError, RecursionError) as error:
            where = "" if one_value else f"line {number}: "
            raise DataError(f"the samples cannot be read ({where}{error!s:.200})", path, f"give {_FORMS}") from error
    return found[0] if one_value and isinstance(found[0], list) else found


def _has(entry: Any, keys: set[str]) -> bool:
    return isinstance(entry, dict) and keys <= entry.keys()


def _llava(path: Path, entries: Sequence[Any]) -> list[_Entry]:
    return [_llava_entry(f"{path.stem}/{number}", entry) for number, entry in enumerate(entries, start=1)]


def _llava_entry(place: str, entry: Any) -> _Entry:
    """Return one of the LLaVA trainers' samples."""
    if not _has(entry, {"conversations"}):
        return _Entry(place, problem="not a sample")
    id_ = str(entry["id"]) if isinstance(entry.get("id"), str | int) else place
    said = {name: entry[name] for name in ("image", "video") if not _is_blank(entry.get(name))}
    name, value = next(iter(said.items()), ("", ""))
    if len(said) > 1 or not isinstance(value, str):
        return _Entry(id_, problem="several pictures or videos")
    turns = tuple(turn for one in _listed(entry["conversations"]) if (turn := _turn(one)) is not None)
    if not turns or len(turns) < len(_listed(entry["conversations"])):
        return _Entry(id_, value, problem="a turn that is none")
    kind: Kind = "picture" if name == "image" else "video" if name else "words"
    if kind != "words" and not any(PLACEHOLDERS[kind] in turn.text for turn in turns):
        return _Entry(id_, value, problem="no placeholder for its file")
    return _Entry(id_, value, kind, turns)


def _is_blank(value: Any) -> bool:
    """Return whether a sample names no file in a field."""
    return value is None or (isinstance(value, str) and not value.strip())


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _turn(value: Any) -> Turn | None:
    if not (_has(value, {"from", "value"}) and isinstance(value["value"], str) and isinstance(value["from"], str)):
        return None
    role = _ROLES.get(value["from"])
    if role == "user":
        return Turn("user", value["value"])
    return Turn("assistant", value["value"]) if role else None


def _video_instruct(path: Path, entries: Sequence[Any]) -> list[_Entry]:
    return [_video_instruct_entry(f"{path.stem}/{number}", entry) for number, entry in enumerate(entries, start=1)]


def _video_instruct_entry(place: str, entry: Any) -> _Entry:
    """Return one of VideoInstruct's samples: a video, a question, an answer."""
    if not (_has(entry, {"video_id", "q", "a"}) and all(isinstance(entry[key], str) for key in ("video_id", "q", "a"))):
        return _Entry(place, problem="not a sample")
    turns = (Turn("user", f"{PLACEHOLDERS['video']}\n{entry['q']}"), Turn("assistant", entry["a"]))
    named = not _is_blank(entry["video_id"])
    return _Entry(place, entry["video_id"] if named else "", "video" if named else "words", turns)


_READERS = (({"conversations"}, _llava), ({"video_id", "q", "a"}, _video_instruct))


def _of_dataset(dataset: Dataset, prompts: PromptSet) -> TrainingSet:
    """Return the questions of a data set, as `run` asks them, with the references in the form that they ask for."""
    if dataset.videos is None:
        raise UsageError("the folder of the videos is not known", dataset.source, "name it with --media")
    dataset.ensure_videos()
    unusable = dataset.unusable([annotation.video for annotation in dataset.annotations])
    kept: list[Conversation] = []
    skipped: list[SkippedSample] = []
    named: dict[Path, tuple[str, str]] = {}
    for annotation, sample in _samples(dataset, prompts):
        reason = unusable.get(sample.video, "")
        path = Path(sample.media) if reason else dataset.media_path(annotation)
        turns = (Turn("user", f"{PLACEHOLDERS['video']}\n{sample.question}"), Turn("assistant", wanted_answer(sample)))
        conversation = Conversation(sample.id, path, "video", turns)
        if problem := _FILE_PROBLEMS.get(reason, reason) or conversation.problem():
            skipped.append(SkippedSample(sample.id, sample.media, problem))
            continue
        kept.append(conversation)
        named[path] = (dataset.name, sample.video)
    return TrainingSet(dataset.name, dataset.sha256, tuple(kept), tuple(skipped), named)


def _samples(dataset: Dataset, prompts: PromptSet) -> Iterator[tuple[Annotation, Sample]]:
    """Yield the questions of a data set in order: of all tasks but severity, of which a curve is no answer."""
    tasks = [task for task in tasks_of(dataset.annotations, dataset.taxonomy) if not task.asked]
    words = {task: prompt_for(task, prompts) for task in tasks}
    for annotation in dataset.annotations:
        for task, prompt in words.items():
            yield from ((annotation, sample) for sample in samples(annotation, task, prompt))


def wanted_answer(sample: Sample) -> str:
    """Return the reference in the form that our prompts ask for: a letter with its option, a class in brackets."""
    if sample.task == "choice":
        return f"{LETTERS[sample.options.index(sample.reference)]}. {sample.reference}"
    if sample.task == "classification" and sample.label is not None:
        return f"[{sample.label.major}]"
    return sample.reference
