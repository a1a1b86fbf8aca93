"""Answers made elsewhere, marked where the model was trained on their videos: `ecva-bench import --training`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from ..answering.training import AskedVideo, tell_trained, trained_on
from ..data import Dataset
from ..interchange.imported import Imported
from ..records.annotations import sample_parts
from ..records.identity import DatasetIdentity


def marked_by_training(imported: Imported, training: Path, dataset: Dataset) -> tuple[Imported, str]:
    """Return a run with the answers marked that the record of a training is about, and their share in one line.

    Videos are known by their bytes where the data set has their files, and else by data set and id.
    """
    expects = imported.manifest.expects.values()
    owed = Counter(sample_parts(sample).video for samples in expects for sample in samples)
    no_file = owed if dataset.videos is None else dataset.unusable(owed)
    asked = [
        AskedVideo(one.video, one.media, None if one.video in no_file else dataset.media_path(one))
        for one in dataset.annotations
        if one.video in owed
    ]
    found = trained_on(training, asked, DatasetIdentity(name=dataset.name, sha256=dataset.sha256))
    return imported.marked(found), tell_trained(found, owed)
