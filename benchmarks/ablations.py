"""Table VIII of the paper in small: AnomShield mini with and without hard prompt, and without its Mamba connector.

    python -m benchmarks.ablations --out FOLDER [--seeds 42 43 44] [--steps 225 350]

Each seed trains two networks from nothing, by the package's first two recipes: with the Mamba connector, and with
pooling and two linear layers. The first is also asked with a hard prompt: the network itself says how severe each of
eight segments is, and it is shown the two most severe ones, in as many frames as without. The paper ranks captions by
their words; of such a list the small network knows nothing. All are asked about drawn clips that nothing was trained
on, and about `mini`. What is finished in the folder is kept, and the figures are printed after each seed.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

import ecva_bench as eb
from benchmarks.held_out import held_out
from ecva_bench.adapters.anomshield import hard_prompt
from ecva_bench.adapters.anomshield.hard_prompt import Ranking, VideoSegment
from ecva_bench.adapters.anomshield_mini.adapter import FRAMES, AnomShieldMini
from ecva_bench.adapters.anomshield_mini.making import NAME, make
from ecva_bench.data import Dataset, load_dataset
from ecva_bench.statistics.comparisons import paired_difference
from ecva_bench.statistics.intervals import estimate
from ecva_bench.training.mini.samples import BY_FRAME
from ecva_bench.training.recipe import Recipe, get_recipe

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ecva_bench.video import Video

STEPS = (225, 350)  # of the first two stages, as the package has them
METRICS = {
    "description": "rouge2",
    "cause": "rouge2",
    "effect": "rouge2",
    "classification": "accuracy",
    "timestamp": "iou",
}
VARIANTS = {"base": "mamba", "hard prompt": "mamba", "MLP": "mlp"}  # and the connector of each

Values = dict[tuple[str, str], float]  # by task and video


class HardPrompted(AnomShieldMini):
    """AnomShield mini that looks closer at the two of eight segments which it finds most severe."""

    def _captions(self, video: Video, segments: Sequence[VideoSegment]) -> list[str]:
        """Return what the network says of how severe each segment is, by one frame of each; 0 where it says nothing."""
        middles = hard_prompt.evenly(video.n_frames, len(segments))
        said = str(self.ask([(self.look(video, middles), BY_FRAME)])[0]).split()
        return [said[place] if place < len(said) and said[place].isdigit() else "0" for place in range(len(segments))]

    def _rank(self, question: str, captions: Sequence[str]) -> Ranking:
        """Return the segments by that, whatever is asked; of equal ones the earlier comes first."""
        order = sorted(range(len(captions)), key=lambda place: -int(captions[place]))
        return Ranking(" ".join(captions), tuple(place + 1 for place in order))

    def _frames(self, video: Video, ranking: Ranking) -> NDArray[np.int64]:
        """Return half of the frames of the closer look: as many as the network was trained with."""
        return super()._frames(video, ranking)[:: hard_prompt.CHOSEN * hard_prompt.DENSE // FRAMES]


def recipes_of(seed: int, steps: Sequence[int]) -> list[Recipe]:
    """Return the package's recipes of the first stages with another seed and other steps."""
    recipes = [get_recipe(f"anomshield/mini/{stage}") for stage in range(1, 1 + len(steps))]
    return [one.model_copy(update={"seed": seed, "steps": count}) for one, count in zip(recipes, steps, strict=True)]


def weights_of(connector: str, seed: int, steps: Sequence[int], out: Path) -> Path:
    """Return the folder of a network's weights, trained where they are not there."""
    folder = out / f"{connector}-{seed}"
    packed = folder / NAME
    if (packed / "training.json").is_file():  # written last
        return packed
    return make(folder, recipes=recipes_of(seed, steps), connector=connector, drawn=out / "frames")


def answered(variant: str, seed: int, steps: Sequence[int], data: Dataset, out: Path) -> Values:
    """Return a variant's scores of each task and video."""
    connector = VARIANTS[variant]
    options = {"model_path": str(weights_of(connector, seed, steps, out)), "connector": connector}
    hard = variant == "hard prompt"
    model = HardPrompted(hard_prompt="yes", **options) if hard else AnomShieldMini(**options)
    file = out / f"{variant.replace(' ', '-')}-{seed}-{data.name}.jsonl"
    outcome = eb.run(model, data=data, tasks=list(METRICS), out=file, name=f"{variant} {seed}")
    video = {record.id: record.video for record in outcome.records}
    rows = eb.score(outcome).answers()
    return {(row["task"], video[row["id"]]): row[name] for row in rows if (name := METRICS[row["task"]]) in row}


def tell(data: Dataset, found: dict[str, list[Values]]) -> None:
    """Print each variant's means, and what it differs by from the base, in points of a hundred."""
    print(f"\n{data.name}, {len(data.annotations)} clips, {len(found['base'])} seeds")
    for task, metric in METRICS.items():
        for variant, runs in found.items():
            cells = [(key[1], 100 * run[key]) for run in runs for key in sorted(run) if key[0] == task]
            base = [100 * run[key] for run in found["base"] for key in sorted(run) if key[0] == task]
            videos, values = [video for video, _ in cells], [value for _, value in cells]
            whole = estimate(values, videos, seed=0)
            line = f"{task:14} {metric:8} {variant:11} {_told(whole.mean, whole.interval)}"
            if variant != "base":
                change = paired_difference(base=base, new=values, clusters=videos, seed=0)
                by_seed = np.subtract(values, base).reshape(len(runs), -1).mean(axis=1)
                seeds = ", ".join(f"{one:+.1f}" for one in by_seed)
                line += f"  {_told(change.mean, change.interval)} p {change.p:.3f} (by seed {seeds})" if change else ""
            print(line)


def _told(mean: float | None, interval: tuple[float, float] | None) -> str:
    low, high = interval or (float("nan"), float("nan"))
    return f"{mean:6.2f} [{low:.2f}, {high:.2f}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder of what is trained and answered")
    parser.add_argument("--seeds", type=int, nargs="+", default=[42, 43, 44])
    parser.add_argument("--steps", type=int, nargs=len(STEPS), default=STEPS, help="of stages 1 and 2")
    options = parser.parse_args()
    torch.set_num_threads(1)
    sets = [held_out(options.out / "held-out"), load_dataset("mini")]
    found: dict[str, dict[str, list[Values]]] = {data.name: {name: [] for name in VARIANTS} for data in sets}
    for seed in options.seeds:
        for variant in VARIANTS:
            for data in sets:
                found[data.name][variant].append(answered(variant, seed, options.steps, data, options.out))
        for data in sets:
            tell(data, found[data.name])


if __name__ == "__main__":
    main()
