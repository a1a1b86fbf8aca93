"""BLEURT over length-sorted batches against one pair at a time, on the same pairs and weights in the same run.

One at a time stands twice: padded to 512 tokens, as the original feeds its network, and not padded at all. The network
has the size of a published checkpoint and random weights. Takes the released answers where they are at hand, as
`benchmarks.text_scorers` does. Time is CPU time of one thread; on
a GPU it is wall time. Run: `python -m benchmarks.bleurt [D3|D6|D12|20] [PAIRS] [DEVICE]`.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import sentencepiece
import torch
from safetensors.torch import save_file

from ecva_bench.scoring import bleurt

from .text_scorers import DATA, Pairs, generated_pairs, real_pairs

ROUNDS = 2
# Layers, hidden size, embedding size and words that come to the published counts: 30, 45, 167 and 579 million.
SIZES = {"D3": (3, 640, 128, 120_000), "D6": (6, 640, 128, 120_000), "D12": (12, 1024, 128, 120_000)}
SIZES["20"] = (32, 1152, 256, 250_300)
Scores = dict[int, float]


def checkpoint(folder: Path, size: str, pairs: Pairs) -> None:
    """Save a checkpoint with a vocabulary learnt from the pairs, so that a word has about as many pieces as usual."""
    layers, hidden, embedding, words = SIZES[size]
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=(text for pair in pairs for text in pair),
        model_prefix=str(folder / "spm"),
        vocab_size=4000,
        user_defined_symbols=["[CLS]", "[SEP]"],
        minloglevel=2,
    )
    config = {
        "vocab_size": words,
        "hidden_size": hidden,
        "embedding_size": embedding,
        "num_hidden_layers": layers,
        "num_attention_heads": hidden // 64,
        "intermediate_size": 4 * hidden,
        "max_position_embeddings": 512,
        "type_vocab_size": 2,
    }
    (folder / "config.json").write_text(json.dumps(config))
    torch.manual_seed(0)
    save_file(bleurt._rembert(config).state_dict(), folder / "model.safetensors")


def main() -> None:
    """Print one line per way."""
    size, count, device = (*sys.argv[1:], *("D3", "64", "cpu")[len(sys.argv) - 1 :])
    torch.set_num_threads(1)
    clock = time.process_time if device == "cpu" else time.perf_counter
    real = (DATA / "annotations.xlsx").is_file()
    pairs = real_pairs() if real else generated_pairs()
    with tempfile.TemporaryDirectory() as name:
        checkpoint(Path(name), size, pairs)
        started = clock()
        model = bleurt.BleurtModel(Path(name), device, "float32")
        loading = clock() - started
    chosen = random.Random(0).sample(pairs, int(count))
    encoded = [model._encode(*map(model._tokenize, pair)) for pair in chosen]
    lengths = sorted(len(ids) for ids, _ in encoded)
    print(
        f"BLEURT-20 of size {size} ({sum(p.numel() for p in model._network.parameters()) / 1e6:.0f} M), {device}, "
        f"loaded in {loading:.1f} s\n{count} {'real' if real else 'generated'} "
        f"pairs of {lengths[0]} to {lengths[-1]} tokens, median {lengths[len(lengths) // 2]}; best of {ROUNDS} rounds"
    )

    def padded() -> Scores:
        full = [0] * bleurt.BLEURT_MAX_TOKENS
        found = {}
        with torch.inference_mode():
            for place, (ids, segments) in enumerate(encoded):
                rows = ids + full, segments + full, [1] * len(ids) + full
                row = [torch.tensor([values[: bleurt.BLEURT_MAX_TOKENS]], device=device) for values in rows]
                logits = model._network(input_ids=row[0], token_type_ids=row[1], attention_mask=row[2]).logits
                found[place] = float(logits[0, 0])
        return found

    def in_order() -> Scores:
        starts = range(0, len(encoded), 16)
        found = [value for start in starts for value in model._forward(encoded[start : start + 16])]
        return dict(enumerate(found))

    def batches(tokens: int) -> Callable[[], Scores]:
        return lambda: dict(model.scores(chosen, batch_tokens=tokens))

    ways: dict[str, Callable[[], Scores]] = {
        "one at a time, padded to 512": padded,
        "one at a time, not padded": batches(1),
        "16 at a time, as they come": in_order,
        **{f"length-sorted, {tokens} tokens": batches(tokens) for tokens in (512, 1024, 8192)},
    }
    compare(ways, int(count), clock)


def compare(ways: dict[str, Callable[[], Scores]], count: int, clock: Callable[[], float]) -> None:
    """Time the ways in turn and print them with their speed relative to the first two."""
    times = dict.fromkeys(ways, float("inf"))
    values = {}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            started = clock()
            values[name] = way()
            times[name] = min(times[name], clock() - started)
    padded, alone = list(ways)[:2]
    print(f"{'':32s} {'ms/pair':>8s} {'x padded':>9s} {'x alone':>8s} {'max abs diff':>13s}")
    for name, seconds in times.items():
        apart = max(abs(values[name][place] - values[alone][place]) for place in range(count))
        ratios = f"{times[padded] / seconds:9.2f} {times[alone] / seconds:8.2f}"
        print(f"{name:32s} {1000 * seconds / count:8.1f} {ratios} {apart:13.1e}")


if __name__ == "__main__":
    main()
