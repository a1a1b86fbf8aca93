"""A language model that was published as what is to be added to another one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from ecva_bench.checkpoints.filling import compare_names, report_problems
from ecva_bench.checkpoints.tensors import open_weights, without_old_buffers
from ecva_bench.errors import AdapterError

from ..parts.language.loading import load_language
from ..parts.placement import Placement


def load_sum(delta: Path, base: Path, kind: str, placement: Placement) -> Any:
    """Return the language model whose weights are the sums of a delta's and a base's, reckoned in float32.

    Both are folders of a `kind` such as `Llama`. The delta has the sizes; its embeddings may have more rows than the
    base's, which stand for zeros there. Raises `CheckpointError` where names or shapes differ otherwise, and where
    weights are to be quantised.
    """
    if placement.quantize:
        remedy = "leave quantize out, or merge it and save the model first"
        raise AdapterError("a delta cannot be added to quantised weights", delta, remedy)
    language = load_language(delta, kind, placement)
    added, below = open_weights(delta), without_old_buffers(open_weights(base))
    targets = dict(language.named_parameters())
    problems, shapes = compare_names(targets, below, "the delta", base), []
    with torch.no_grad():
        for name, target in targets.items():
            if not (name in below and name in added):  # noted above, in an inspection
                continue
            total, under = added[name].float(), below[name]
            if total.shape != target.shape or under.shape[1:] != target.shape[1:] or len(under) > len(target):
                shapes.append(name)
                continue
            total[: len(under)] += under.float()
            target.copy_(total)
    report_problems({**problems, "of another shape": shapes}, "the delta", base, len(targets))
    return language
