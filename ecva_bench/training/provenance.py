"""The record of a training, `training.json` beside its weights: what was trained, by which recipe, on which videos.

It is written before the first step, so that no checkpoint is without it, and again with the steps made.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..errors import TrainingError
from ..journal.writer import now
from ..libraries import versions_of
from ..records.base import canonical_json, sha256_of
from ..records.training import (
    SAMPLE_HASH,
    TRAINING_FILE,
    TrainedStage,
    TrainingData,
    TrainingRecord,
    TrainingVideo,
    parse_training,
)
from ..version import __version__
from ..writing import write_whole
from .conversations import Conversation
from .formats import SkippedSample, TrainingSet
from .known import READ
from .networks import START
from .recipe import Recipe

_ANOTHER = "name another folder with --out"
_PACKAGES = ("accelerate", "av", "numpy", "peft", "pillow", "sentencepiece", "torch", "transformers")


def stage_record(
    recipe: Recipe,
    sets: Sequence[TrainingSet],
    conversations: Sequence[Conversation],
    skipped: Sequence[SkippedSample],
    media: Mapping[Path, TrainingVideo],
    started_from: str,
) -> TrainedStage:
    """Return the record of a stage that is about to begin on some conversations of some sets.

    `media` are the entries of their videos and pictures by path, and `skipped` the samples that are left out, of all
    sets. Videos are listed; pictures count in the hashes of their samples.
    """
    reasons, used = {one.id: one.reason for one in skipped}, set(conversations)
    data = []
    for one in sets:
        unused = [reasons.get(each.id, "left out") for each in one.conversations if each not in used]
        counts = Counter([*(each.reason for each in one.skipped), *unused])
        samples = len(one.conversations) - len(unused)
        data.append(TrainingData(name=one.name, sha256=one.sha256, samples=samples, skipped=dict(counts)))
    paths = dict.fromkeys(one.path for one in conversations if one.kind == "video" and one.path)
    videos = dict.fromkeys(media[path] for path in paths if path in media)
    return TrainedStage(
        recipe=recipe.model_dump(mode="json"),
        recipe_sha256=recipe.sha256,
        started_from=started_from,
        versions={"ecva-bench": __version__, **versions_of(*_PACKAGES)},
        data=tuple(data),
        videos=tuple(videos),
        samples=tuple(sorted(sample_sha256(one, media)[:SAMPLE_HASH] for one in conversations)),
        t=now(),
    )


def sample_sha256(conversation: Conversation, media: Mapping[Path, TrainingVideo]) -> str:
    """Return the hash of a sample: its turns, and its video or picture by hash, or by name where it is no file."""
    path = conversation.path
    known = media.get(path) if path else None
    seen = (known.sha256 or f"{known.dataset}/{known.id}") if known else path.name if path else ""
    return sha256_of([conversation.kind, seen, *([turn.role, turn.text] for turn in conversation.turns)])


def earlier_stages(folder: Path | None) -> tuple[TrainedStage, ...]:
    """Return the stages of the weights that are trained further, as far as a record of them lies in their folder."""
    file = folder / TRAINING_FILE if folder else None
    if file is None or not file.is_file():
        return ()
    return parse_training(file.read_bytes(), file).stages


def begun_in(out: Path, recipe: Recipe) -> TrainedStage | None:
    """Return the training by a recipe that a folder holds, None where it holds nothing.

    Raises `TrainingError` where it holds another training, or something else, which would be lost in it.
    """
    there = next(place for place in (out, *out.absolute().parents) if place.exists())
    if not there.is_dir():
        raise TrainingError(f"{there} is a file and no folder", out, _ANOTHER)
    if there != out:
        return None
    file = out / TRAINING_FILE
    if not file.is_file():
        unfinished = f".{TRAINING_FILE}."  # what another process writes right now, or a kill left of it
        before = {READ, START}  # are there before the record is
        if any(path.name not in before and not path.name.startswith(unfinished) for path in out.iterdir()):
            raise TrainingError("the folder holds something else than a training", out, _ANOTHER)
        return None
    begun = parse_training(file.read_bytes(), file).stages[-1]
    if begun.recipe_sha256 != recipe.sha256:
        name = "/".join(str(begun.recipe.get(key, "?")) for key in ("model", "name", "stage"))
        raise TrainingError(f"the folder holds a training by another recipe ({name})", out, _ANOTHER)
    return begun


def check_same(begun: TrainedStage | None, stage: TrainedStage, out: Path) -> None:
    """Raise `TrainingError` where a stage is not the one that was begun in the folder."""
    if begun is None:
        return
    if begun.samples != stage.samples:
        raise TrainingError("the folder holds a training on other samples", out, _ANOTHER)
    if [one.sha256 for one in begun.data] != [one.sha256 for one in stage.data]:
        what = "the folder holds a training on these samples in other files, or in another order"
        raise TrainingError(what, out, f"give the files as they were, or {_ANOTHER}")
    if begun.started_from != stage.started_from:
        what = f"the folder holds a training that started from {begun.started_from or 'nothing'}"
        raise TrainingError(what, out, _ANOTHER)


def write_steps(begun: Path, folder: Path, steps: int) -> None:
    """Write the record that the folder `begun` of a training has to a folder of its weights, after so many steps."""
    file = begun / TRAINING_FILE
    record = parse_training(file.read_bytes(), file)
    *earlier, stage = record.stages
    write_training(folder, record.model, [*earlier, stage.model_copy(update={"steps": steps})])


def write_training(out: Path, model: str, stages: Sequence[TrainedStage]) -> None:
    """Write the record of a training to its folder, whole or not at all."""
    record = TrainingRecord(model=model, stages=tuple(stages))
    try:
        write_whole(out / TRAINING_FILE, canonical_json(record.model_dump(mode="json", by_alias=True)) + "\n")
    except OSError as error:
        raise TrainingError(f"the folder cannot be written to ({error.strerror})", out, "make room") from error
