"""What manifests say of a run: whether two agree on how answers are made, and what both owe together.

A run grows: other videos, tasks and views change no answer. What could change one must be the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import ResultsError, SpecMismatch
from ..records.answers import RESULTS_SCHEMA, Lacking, Manifest
from ..records.base import Record, View
from ..records.training import TrainedOn

SampleView = tuple[str, View]  # sample id and view
Expected = dict[View, tuple[str, ...]]

KEYED = ("model", "code", "made_with", "description", "decoder", "mode")  # what the keys of all answers hold

_GROWS = ("selection", "views", "tasks", "prompts")  # what of these can change an answer is compared apart
_NAMED = 3  # differences that a message names
_LONGEST = 40  # characters of a value in a message


def sample_views(expects: Mapping[View, Sequence[str]]) -> set[SampleView]:
    """Return the sample id and view of each answer owed."""
    return {(sample, view) for view, samples in expects.items() for sample in samples}


def manifest_of(path: Path, records: Sequence[Record]) -> Manifest:
    """Return the last manifest, which counts; `ResultsError` where there is none, or where there are several runs."""
    if not records or not isinstance(records[0], Manifest):
        raise ResultsError("the first line is no run manifest", path, "is this a results file?")
    manifests = [record for record in records if isinstance(record, Manifest)]
    for manifest in manifests:
        if manifest.schema_ != RESULTS_SCHEMA:
            raise ResultsError(
                f"the file has schema {manifest.schema_!r}, this version reads {RESULTS_SCHEMA!r}",
                path,
                "use the version of ecva-bench that wrote it",
            )
        if manifest.run != manifests[0].run or differences(manifests[0], manifest):
            shown = differences(manifests[0], manifest) or "pasted together"
            remedy = "keep each in its own file; join them with `ecva-bench merge`"
            raise ResultsError(f"the file holds several runs ({shown})", path, remedy)
    return manifests[-1]


def lacking(manifest: Manifest) -> Lacking | None:
    """Return the parts of the run that are not in the file, None where it has the whole run."""
    shard = manifest.spec.get("selection", {}).get("shard")
    if shard is None:
        return manifest.lacking
    part, parts = shard
    others = tuple(number for number in range(1, parts + 1) if number != part)
    return Lacking(parts=others, of=parts) if others else None


def unsharded(manifest: Manifest) -> Manifest:
    """Return a manifest with the settings of the whole run instead of those of a shard."""
    selection = {k: v for k, v in manifest.spec.get("selection", {}).items() if k != "shard"}
    return manifest.model_copy(update={"spec": {**manifest.spec, "selection": {**selection, "shard": None}}})


def as_requested(manifest: Manifest) -> Manifest:
    """Return a manifest with the settings as requested, which a resumed run repeats, not as they were granted."""
    return manifest.model_copy(update={"spec": {**manifest.spec, **manifest.requested}})


def keyed(manifest: Manifest) -> Manifest:
    """Return a manifest with those settings only that the keys of all its answers hold."""
    return manifest.model_copy(update={"spec": {name: v for name, v in manifest.spec.items() if name in KEYED}})


def check_agreement(path: Path, in_file: Manifest, requested: Manifest, remedy: str = "") -> None:
    """Raise `SpecMismatch` where answers of a run could not stand in a file, for they would be made in another way.

    Without a `remedy` it is that of a run which was to go on with the file.
    """
    if shown := differences(in_file, requested):
        option = option_that_agrees(in_file.spec, requested.spec)
        other = f"go on with it by {option}, or begin another with --out NAME" if option else "use --out NAME"
        remedy = remedy or other
        raise SpecMismatch(f"the file is of another run: {shown}", path, remedy)


def option_that_agrees(there: Mapping[str, Any], here: Mapping[str, Any]) -> str:
    """Return what a user says to have answers made as the settings `there` say; empty where more differs, or nothing.

    What goes with the questions of one task alone is left out by its option as `none`; see `Adapter.asked_with`.
    """
    found = list(_asked_otherwise(there, here))
    if len(found) < len(list(_differences(there, here))) or any(one and other for _, _, one, other in found):
        return ""
    said = (f"leaving out --model-arg {name}" if one else f"--model-arg {name}=none" for _, name, one, _ in found)
    return " and ".join(dict.fromkeys(said))


def differences(there: Manifest, here: Manifest) -> str:
    """Return in words where two runs make answers in different ways; empty where they can share a file."""
    found = list(_differences(there.spec, here.spec))
    more = f"; and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return "; ".join(found[:_NAMED]) + more


def _differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """Yield each difference in words; of other models and data sets only that they are others."""
    settled = [*_GROWS]
    sha256 = [spec.get("dataset", {}).get("sha256") for spec in (old, new)]
    if sha256[0] and sha256[0] == sha256[1]:  # its name may have changed
        settled += ["dataset"]
    for name, what in (("dataset", "name"), ("model", "")):
        one, other = (spec.get(name, {}).get(what) if what else spec.get(name) for spec in (old, new))
        if one != other and name not in settled:
            yield f"{_short(one)} there, {_short(other)} here"
            settled += ["dataset"] if what else ["model", "code", "model_args", "baseline", "description"]
    if "dataset" not in settled and old.get("dataset") != new.get("dataset"):
        yield f"other annotations of {new.get('dataset', {}).get('name')}"
        settled += ["dataset"]
    if "code" not in settled and old.get("code") != new.get("code"):
        yield f"other code of {new.get('model')}"
        settled += ["code"]
    parts = [spec.get("selection", {}).get("shard") for spec in (old, new)]
    if parts[0] != parts[1]:
        yield " there, ".join("part {} of {}".format(*part) if part else "the whole run" for part in parts) + " here"
    yield from _other_prompts(old.get("prompts", {}), new.get("prompts", {}))
    for task, name, one, other in _asked_otherwise(old, new):
        how = "with other" if one and other else "with" if one else "without"
        yield f"{task} was asked {how} {name} there"
    flat = [dict(_flat({k: v for k, v in spec.items() if k not in settled})) for spec in (old, new)]
    differing = [key for key in sorted(flat[0].keys() | flat[1].keys()) if flat[0].get(key) != flat[1].get(key)]
    described = {key.split(".")[1] for key in differing if key.startswith("description.")}
    for key in differing:
        if key.removeprefix("model_args.") not in described:  # the option, and what the model made of it
            name = key.removeprefix("description.").removeprefix("model_args.")
            yield f"{name} {_short(flat[0].get(key))} there, {_short(flat[1].get(key))} here"


def _other_prompts(old: Mapping[str, Mapping[str, Any]], new: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for task in old.keys() & new.keys():
        if old[task].get("sha256") != new[task].get("sha256"):
            one, other = old[task].get("id"), new[task].get("id")
            yield f"prompt {one} there, {other} here" if one != other else f"another text of the prompt {one}"
        if old[task].get("shuffle") != new[task].get("shuffle"):
            seeds = [_short(spec[task].get("shuffle")) for spec in (old, new)]
            yield f"options shuffled by seed {seeds[0]} there, {seeds[1]} here"
        if old[task].get("from") != new[task].get("from"):
            yield f"severities from {_short(old[task].get('from'))} there, {_short(new[task].get('from'))} here"


def _asked_otherwise(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """Yield what goes with the questions of one task alone, where it differs: task, name, and what it is in each run.

    Left out is what a model's description says of all questions in one of them, which is a difference of its own.
    """
    specs = (old, new) if old.get("model") == new.get("model") else ({}, {})
    prompts = [spec.get("prompts", {}) for spec in specs]
    described = [spec.get("description", {}) for spec in specs]
    for task in sorted(prompts[0].keys() & prompts[1].keys()):
        one, other = (some[task].get("with", {}) for some in prompts)
        for name in sorted({*one, *other} - {*described[0], *described[1]}):
            if one.get(name) != other.get(name):
                yield task, name, one.get(name, ""), other.get(name, "")


def _flat(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    if not isinstance(value, dict) or not value:
        yield prefix, value
        return
    for key, item in value.items():
        yield from _flat(item, f"{prefix}.{key}" if prefix else str(key))


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else "none" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def joined(there: Manifest, here: Manifest) -> Manifest:
    """Return the manifest of a file that owes what both owe; `there` itself where `here` owes nothing more.

    Both make their answers in the same way. Parts that the file lacks are no longer absent where `here` owes all that
    the file owes, for it is the whole run then.
    """
    covers = sample_views(here.expects) >= sample_views(there.expects)
    both = there.model_copy(
        update={
            "spec": {**there.spec, **_grown(there, here, covers)},
            "expects": union(there.expects, here.expects),
            "unasked": {**there.unasked, **here.unasked},
            "whole": union(there.whole, here.whole),
            "references": {**there.references, **here.references},
            "annotated": {**there.annotated, **here.annotated},
            "lacking": None if covers and not lacking(here) else there.lacking,
            "name": here.name or there.name,
            "trained_on": _trained_on(there.trained_on, here.trained_on),
        }
    )
    return there if _owes(both) == _owes(there) else both


def _trained_on(there: TrainedOn | None, here: TrainedOn | None) -> TrainedOn | None:
    """Return the videos that either names, for the weights are the same; the newer record is the one that is named."""
    if there is None or here is None:
        return here or there
    return here.model_copy(update={"videos": tuple(sorted({*there.videos, *here.videos}))})


def union(one: Mapping[View, Sequence[str]], other: Mapping[View, Sequence[str]]) -> Expected:
    """Return what two lists owe, by view, each once: the first's, then what the second adds."""
    return {
        view: tuple(dict.fromkeys([*one.get(view, ()), *other.get(view, ())])) for view in dict.fromkeys([*one, *other])
    }


def _grown(there: Manifest, here: Manifest, covers: bool) -> dict[str, Any]:
    """Return the settings by which a run grows, of both runs: prompts, views, tasks, and which videos were chosen."""
    old, new = there.spec, here.spec
    found: dict[str, Any] = {"prompts": {**old.get("prompts", {}), **new.get("prompts", {})}}
    found |= {name: list(dict.fromkeys([*old.get(name, ()), *new.get(name, ())])) for name in ("views", "tasks")}
    chosen = [spec.get("selection", {}) for spec in (old, new)]
    if covers:
        found["selection"] = chosen[1]
    elif chosen[0] != chosen[1] and not sample_views(there.expects) >= sample_views(here.expects):
        earlier = chosen[0].get("joined", [chosen[0]])
        found["selection"] = {"joined": [*earlier, chosen[1]], "shard": chosen[0].get("shard")}
    return {name: value for name, value in found.items() if name in old or name in new}


def _owes(manifest: Manifest) -> tuple[object, ...]:
    return (
        sample_views(manifest.expects),
        sample_views(manifest.whole),
        manifest.references,
        manifest.annotated,
        manifest.lacking,
        manifest.name,
        manifest.trained_on,
    )
