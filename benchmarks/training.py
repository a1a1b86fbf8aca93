"""Training AnomShield: what a sample costs in each stage, and how many samples a second packing and the cache give.

    python -m benchmarks.training [--clips FOLDER]

Arithmetic (FLOPs) and bytes kept for the backward pass are counted at full size on torch's meta device, where nothing
is computed: what is kept is an upper bound, as attention is counted with its probabilities. Speeds are measured on tiny
networks on one thread, and mean something as ratios alone. `--clips` are videos to read frames of.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import numpy as np
import torch

from ecva_bench.torchvision import ensure_torchvision

ensure_torchvision()

from peft import inject_adapter_in_model  # noqa: E402
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402
from transformers import CLIPVisionConfig, MistralConfig, MistralForCausalLM  # noqa: E402

from ecva_bench.adapters.anomshield.connector import MambaConnector  # noqa: E402
from ecva_bench.adapters.parts.towers.clip import CONFIGS, ClipTower, squares  # noqa: E402
from ecva_bench.training.batches import collate  # noqa: E402
from ecva_bench.training.model import TrainedModel  # noqa: E402
from ecva_bench.training.recipe import Recipe, get_recipe  # noqa: E402
from ecva_bench.training.saving import lora_config  # noqa: E402
from ecva_bench.training.words import IGNORED, PLACES  # noqa: E402
from ecva_bench.video import Video, samplers  # noqa: E402

FULL = {
    "vocab_size": 32000,
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
}
SMALL = {**FULL, "hidden_size": 512, "intermediate_size": 1792, "num_hidden_layers": 4, "num_attention_heads": 4}
SMALL |= {"num_key_value_heads": 2, "vocab_size": 4000}
TOWER = CONFIGS["clip-vit-large-patch14"]
SMALL_TOWER = {**TOWER, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 2}
SMALL_TOWER |= {"image_size": 56}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, help="a folder of videos")
    args = parser.parse_args()
    torch.set_num_threads(1)
    counted()
    packed()
    if args.clips:
        frames(sorted(path for path in args.clips.iterdir() if path.suffix in (".mp4", ".avi", ".mkv")))


def built(recipe: Recipe, language: dict[str, Any], tower: dict[str, Any], dtype: torch.dtype) -> TrainedModel:
    """The module of a recipe with networks of some sizes, on the device that is the default."""
    model = MistralForCausalLM(MistralConfig(**language, attn_implementation="sdpa")).to(dtype)
    if recipe.lora:
        inject_adapter_in_model(lora_config(recipe.lora), model)
    if recipe.checkpointing:
        model.gradient_checkpointing_enable({"use_reentrant": False})
    networks: Any = SimpleNamespace(
        tower=ClipTower(CLIPVisionConfig(**tower)).to(dtype),
        connector=MambaConnector(tower["hidden_size"], language["hidden_size"], backend="torch"),
        language=model,
    )
    return TrainedModel(networks, tuple(recipe.rates), frames=recipe.frames, packing=recipe.packing).train()


def sample(words: int, learned: int, frames: int, side: int, seed: int = 0) -> dict[str, Any]:
    """A sample of ids, the last of which are learned, with frames of noise."""
    chance = np.random.default_rng(seed)
    ids = torch.tensor([1, PLACES["video"], *chance.integers(3, 3000, words - 2)])
    labels = torch.cat([torch.full((words - learned,), IGNORED), ids[words - learned :]])
    return {"ids": ids, "labels": labels, "frames": chance.integers(0, 255, (frames, side, side, 3), dtype=np.uint8)}


def counted() -> None:
    """Print TFLOP a sample, and GiB kept, of each stage at full size: the release's way and ours."""
    first, third = get_recipe("anomshield/paper/1"), get_recipe("anomshield/paper/3")
    plain = {"packing": False, "checkpointing": False}
    frozen = {"connector": 2e-5, "language": 2e-5}
    cases = [
        ("stage 1, the release's way", first, {**plain, "checkpointing": True}, 8, 25, True),
        ("stage 1", first, plain, 8, 25, False),
        ("stage 3, tower frozen", third, {**plain, "rates": frozen}, 2, 151, False),
        ("stage 3, tower trained", third, plain, 2, 151, False),
        ("stage 3, language model checkpointed", third, {**plain, "checkpointing": True}, 2, 151, False),
    ]
    print(f"{'full size, on the meta device':40} rows  TFLOP a sample  GiB kept")
    found: dict[str, float] = {}
    for name, recipe, keys, rows, words, everywhere in cases:
        flops, kept = cost(recipe.model_copy(update=keys), rows, words, everywhere=everywhere)
        found[name] = flops / rows
        print(f"{name:40} {rows:4}  {flops / rows / 1e12:14.3f}  {kept / 2**30:8.2f}")
    print(f"stage 1, ours over the release's: {found['stage 1'] / found[cases[0][0]]:.3f} (goal: at most 0.76)\n")


def cost(recipe: Recipe, rows: int, words: int, *, everywhere: bool) -> tuple[float, int]:
    """Return FLOPs of forward and backward for rows of as many ids, and the bytes kept; labels may stand everywhere."""
    with torch.device("meta"):
        model = built(recipe, FULL, TOWER, torch.bfloat16).to(torch.bfloat16)
    batch = collate([sample(words, words - 2 if everywhere else 20, recipe.frames, 224) for _ in range(rows)])
    batch["pixels"], batch["input_ids"] = batch["pixels"].to("meta"), batch["input_ids"].to("meta")
    kept: dict[int, int] = {}
    parameters = {id(each.untyped_storage()) for each in model.parameters()}

    def note(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if id(storage) not in parameters:
            kept[storage._cdata] = storage.nbytes()
        return tensor

    counter = FlopCounterMode(display=False)
    with _without_values(), counter:
        with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
            loss = model(**batch)["loss"]
        loss.backward()
    return counter.get_total_flops(), sum(kept.values())


@contextmanager
def _without_values() -> Iterator[None]:
    """What of transformers looks at numbers, which meta tensors have none of: here no row is packed."""
    with patch("transformers.masking_utils.find_packed_sequence_indices", return_value=None):
        yield


def packed() -> None:
    """Print supervised tokens a second with and without packing, for lengths as captions and answers have them."""
    chance = np.random.default_rng(0)
    recipe = get_recipe("anomshield/paper/1")
    print(f"{'small networks, one thread':40} padded  packed  ratio of tokens a second")
    for name, spread, rows in (
        ("32 captions of 10 to 40 ids", (10, 40), 32),
        ("2 answers of 20 to 400 ids", (20, 400), 2),
    ):
        lengths = chance.integers(*spread, rows)
        batch = collate([sample(int(n) + 5, int(n), 1, 56, seed) for seed, n in enumerate(lengths)])
        seconds = []
        for packing in (False, True):
            torch.manual_seed(0)
            model = built(recipe.model_copy(update={"packing": packing}), SMALL, SMALL_TOWER, torch.float32)
            seconds.append(timed(lambda model=model, batch=batch: model(**batch)["loss"].backward()))
        rates = [int(lengths.sum()) / each for each in seconds]
        print(f"{name:40} {rates[0]:6.0f}  {rates[1]:6.0f}  {rates[1] / rates[0]:.2f}")
    print()


def frames(clips: list[Path]) -> None:
    """Print CPU seconds a clip for 16 frames as the tower is shown them: the release's way, ours, and kept ones."""
    ways: dict[str, Callable[[Path], object]] = {"ours": _ours}
    try:
        import decord

        ways = {"decord, the release's way": lambda path: _released(decord, path), **ways}
    except ImportError:
        print("decord is not installed: the release's way is not measured")
    with tempfile.TemporaryDirectory() as folder:
        for place, path in enumerate(clips):
            np.save(Path(folder) / f"{place}.npy", _ours(path))
        kept = [Path(folder) / f"{place}.npy" for place in range(len(clips))]
        for name, way in ways.items():
            print(f"{name:40} {sum(timed(lambda p=path, w=way: w(p)) for path in clips) / len(clips):.3f} s a clip")
        print(f"{'ours, kept':40} {sum(timed(lambda p=path: np.load(p)) for path in kept) / len(kept):.4f} s a clip")


def _ours(path: Path) -> np.ndarray[Any, Any]:
    video = Video(path)
    pixels = video.frames_at(samplers.midpoints(video.n_frames, 16, rounded="bounds")).pixels
    return squares(pixels, 224, pad=True)


def _released(decord: Any, path: Path) -> object:
    reader = decord.VideoReader(str(path), ctx=decord.cpu(0), num_threads=1)
    indices = samplers.midpoints(len(reader), 16, rounded="bounds")
    return squares(reader.get_batch(indices.tolist()).asnumpy(), 224, pad=True)


def timed(work: Callable[[], object], rounds: int = 3) -> float:
    """Median of CPU seconds."""
    taken = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return median(taken)


if __name__ == "__main__":
    main()
