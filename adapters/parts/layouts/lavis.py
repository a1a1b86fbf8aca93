"""The frozen half of InstructBLIP, which several models keep: EVA-CLIP-g and a Q-Former that reads a text.

Knows the two forms in which it comes, LAVIS's own files and InstructBLIP as hubs have it; leaves the networks to
`towers.eva` and `connectors.qformer`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ecva_bench.checkpoints.tensors import Tensors, layered, open_weights, renamed, under
from ecva_bench.errors import CheckpointError

EVA, INSTRUCTBLIP = "eva_vit_g.pth", "instruct_blip_vicuna7b_trimmed.pth"  # what LAVIS calls its files
TOWER, NORM, QFORMER, QUERIES = "visual_encoder.", "ln_vision.", "Qformer.", "query_tokens"
PARTS = (TOWER, NORM, QFORMER, QUERIES)

_HUB = {"vision_model.": TOWER, "qformer.": QFORMER, QUERIES: QUERIES}


def open_lavis(folder: Path) -> Tensors:
    """Return the tensors of tower and Q-Former in a folder, under names that begin with LAVIS's `PARTS`.

    The folder holds LAVIS's two files, or an InstructBLIP as transformers has it. Raises `CheckpointError` where it
    holds one of the two files alone.
    """
    there = [name for name in (EVA, INSTRUCTBLIP) if (folder / name).is_file()]
    if not there:
        return renamed(open_weights(folder), _from_hub)
    if len(there) == 1:
        missing = next(name for name in (EVA, INSTRUCTBLIP) if name not in there)
        raise CheckpointError(f"there is no {missing}", folder, f"put it beside {there[0]}")
    blip = open_weights(folder / INSTRUCTBLIP)
    eva = renamed(open_weights(folder / EVA), lambda name: TOWER + name)
    return layered(renamed(blip, lambda name: name if name.startswith((NORM, QFORMER, QUERIES)) else None), eva)


def open_eva(folder: Path) -> Tensors:
    """Return the tower's tensors in a folder, as `load_eva` takes them: LAVIS's file of it alone, or what has it."""
    return open_weights(folder / EVA) if (folder / EVA).is_file() else tower_tensors([open_lavis(folder)])


def tower_tensors(sources: Sequence[Tensors]) -> Tensors:
    """Return the tower's tensors, as `load_eva` takes them, each part from the first source that has it."""
    norm = renamed(first(sources, NORM), lambda name: NORM + name)
    return layered(first(sources, TOWER), norm)


def first(sources: Sequence[Tensors], prefix: str) -> Tensors:
    """Return the tensors whose names begin with a prefix, without it, of the first source that has any."""
    found = (under(source, prefix) for source in sources)
    return next((tensors for tensors in found if tensors), {})


def _from_hub(name: str) -> str | None:
    name = name.removeprefix("model.")
    return next((new + name.removeprefix(old) for old, new in _HUB.items() if name.startswith(old)), None)
