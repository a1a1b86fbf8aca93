"""Seconds, samples a second and memory of a training step at full size, on one GPU, with random weights and frames.

    python -m benchmarks.training_steps [--rehearse]

One run of at most ten minutes. Stage 1, 32 samples a step: the release's way (8 rows four times, padded, checkpointing,
logits wherever ids are) against ours (32 rows packed, logits where labels are). Stage 3: 2 and 8 rows, tower frozen and
trained, and the connector's share of a step by backend. Each is the median of 20 steps after 5, and the peak of memory.
`--rehearse` does the same with small networks on the CPU, to see that it runs; its times mean nothing.

Predicted for an H200: stage 1 at least 1.7 times the release's samples a second, 250 to 350; stage 3 16 to 20 with the
tower trained and 21 to 26 with it frozen; the connector at most 3 % of a step with our kernels.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from statistics import median
from typing import Any

import torch

from ecva_bench.training.batches import collate
from ecva_bench.training.model import TrainedModel
from ecva_bench.training.recipe import Recipe, get_recipe

from .training import FULL, SMALL, SMALL_TOWER, TOWER, built, sample

WARM, TIMED = 5, 20


@dataclass(frozen=True)
class Way:
    """A way to make a step: its recipe, rows at once and how often, ids of a sample, and how many are learned."""

    name: str
    recipe: Recipe
    rows: int
    times: int
    ids: int
    learned: int


@dataclass(frozen=True)
class Machine:
    """What a step runs on, and sizes of the networks."""

    device: str
    language: dict[str, Any]
    tower: dict[str, Any]
    warm: int
    timed: int


def ways() -> list[Way]:
    """What is measured."""
    first, third = get_recipe("anomshield/paper/1"), get_recipe("anomshield/paper/3")
    released = first.model_copy(update={"packing": False, "checkpointing": True})
    frozen = third.model_copy(update={"rates": {name: third.rates[name] for name in ("connector", "language")}})
    found = [
        Way("stage 1, the release's way", released, 8, 4, 25, 23),
        Way("stage 1", first.model_copy(update={"packing": True, "checkpointing": False}), 32, 1, 25, 20),
    ]
    for rows in (2, 8):
        found.append(Way(f"stage 3, tower frozen, {rows} rows", frozen, rows, 1, 151, 40))
        found.append(Way(f"stage 3, tower trained, {rows} rows", third, rows, 1, 151, 40))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rehearse", action="store_true", help="small networks on the CPU")
    if parser.parse_args().rehearse:
        machine = Machine("cpu", {**SMALL, "vocab_size": 4000}, SMALL_TOWER, 1, 2)
        torch.set_num_threads(1)
    elif torch.cuda.is_available():
        machine = Machine("cuda", FULL, TOWER, WARM, TIMED)
    else:
        raise SystemExit("there is no GPU here: nothing is measured (--rehearse shows that it runs)")
    print(f"{'':40} s a step  samples/s  peak GiB")
    rates = {}
    for way in ways():
        seconds, peak = measured(way, machine)
        rates[way.name] = way.rows * way.times / seconds
        print(f"{way.name:40} {seconds:8.3f}  {rates[way.name]:9.1f}  {peak / 2**30:8.1f}", flush=True)
    print(f"stage 1, ours over the release's: {rates['stage 1'] / rates[ways()[0].name]:.2f} (predicted: at least 1.7)")
    for backend in ("cuda", "torch") if machine.device == "cuda" else ("torch",):
        seconds = connector_seconds(ways()[3], machine, backend)
        share = seconds * rates[ways()[3].name] / ways()[3].rows
        print(f"connector, {backend}: {seconds:.4f} s, {100 * share:.1f} % of a step of {ways()[3].name}")


def measured(way: Way, machine: Machine) -> tuple[float, int]:
    """Return the median seconds of a step, and the largest number of bytes that were allocated."""
    from ecva_bench.training.stage import groups_of  # when torchvision can be imported: `training` sees to it

    model, batches = made(way, machine)
    optimizer = torch.optim.AdamW(groups_of(model, way.recipe), fused=machine.device == "cuda")
    taken = []
    for _ in range(machine.warm + machine.timed):
        start = now(machine)
        for batch in batches:
            with torch.autocast(machine.device, torch.bfloat16):
                loss = model(**batch)["loss"] / len(batches)
            loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        taken.append(now(machine) - start)
    peak = torch.cuda.max_memory_allocated() if machine.device == "cuda" else 0
    del model, optimizer, loss
    if machine.device == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    return median(taken[machine.warm :]), peak


def made(way: Way, machine: Machine) -> tuple[TrainedModel, list[dict[str, Any]]]:
    """Return a model with random weights on the device, and the batches of a step; lengths vary by a third."""
    torch.manual_seed(0)
    with torch.device(machine.device):
        model = built(way.recipe, machine.language, machine.tower, torch.bfloat16)
    model.connector.backend = "auto"
    batches = []
    for time_ in range(way.times):
        ids = [way.ids - (row % 3) * way.ids // 6 for row in range(way.rows)]
        samples = [
            sample(n, min(way.learned, n - 2), way.recipe.frames, machine.tower["image_size"], time_ * 100 + row)
            for row, n in enumerate(ids)
        ]
        batch = collate(samples)
        batches.append({k: v.to(machine.device) if isinstance(v, torch.Tensor) else v for k, v in batch.items()})
    return model, batches


def connector_seconds(way: Way, machine: Machine, backend: str) -> float:
    """Return the median seconds of the connector alone, forward and backward, by a backend."""
    model, _ = made(way, machine)
    model.connector.backend = backend
    side = machine.tower["image_size"] // machine.tower["patch_size"]
    shape = (way.rows, way.recipe.frames, side * side, machine.tower["hidden_size"])
    features = torch.randn(shape, device=machine.device, dtype=torch.bfloat16)
    taken = []
    for _ in range(2 + machine.timed // 4):
        start = now(machine)
        with torch.autocast(machine.device, torch.bfloat16):
            model.connector(features).float().sum().backward()
        taken.append(now(machine) - start)
    return median(taken[1:])


def now(machine: Machine) -> float:
    """Seconds, when all that was asked of the device is done."""
    if machine.device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


if __name__ == "__main__":
    main()
