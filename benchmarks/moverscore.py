"""MoverScore against its original formulation, on the same pairs and weights in the same run.

The original embeds both texts of every pair with all hidden states kept, lays the tokens of both, those without mass
included, into one square matrix of float32 distances, and has pyemd solve over all of it. It stands twice: one pair at
a time, and in a batch as its own of 256, where every text and so every transport problem is padded to the longest. The
network has DistilBERT's size and random weights. Takes the released answers where they are at hand, as
`benchmarks.text_scorers` does. On a CPU one thread runs and its time counts, elsewhere wall time. Needs pyemd.
Run: `python -m benchmarks.moverscore [PAIRS] [DEVICE] [PAIRS OF A BATCH]`.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tokenizers
import torch
from pyemd import emd_with_flow
from transformers import DistilBertConfig, DistilBertModel

from ecva_bench.scoring.moverscore import MoverModel, mover_score
from ecva_bench.scoring.neural import batch_tokens_on

from .text_scorers import DATA, Pairs, generated_pairs, real_pairs

EMBEDDING_ROUNDS, TRANSPORT_ROUNDS = 2, 5
WORDS = 8000
Batch = tuple[torch.Tensor, torch.Tensor, np.ndarray, np.ndarray]


def checkpoint(folder: Path, pairs: Pairs) -> None:
    """Save a checkpoint with a vocabulary learnt from the pairs, so that a word has about as many pieces as usual."""
    learnt = tokenizers.BertWordPieceTokenizer()
    learnt.train_from_iterator((text for pair in pairs for text in pair), vocab_size=WORDS, show_progress=False)
    learnt.save_model(str(folder))
    kind = {"tokenizer_class": "DistilBertTokenizer", "do_lower_case": True, "model_max_length": 512}
    (folder / "tokenizer_config.json").write_text(json.dumps(kind))
    torch.manual_seed(0)
    DistilBertModel(DistilBertConfig()).save_pretrained(folder)


def original_embedding(model: MoverModel, pairs: Pairs, size: int) -> list[Batch]:
    """Vectors and masses of batches of `size` pairs as they come, padded, those without mass zeroed."""
    batches = []
    for start in range(0, len(pairs), size):
        first, second = (_embedded(model, list(texts)) for texts in zip(*pairs[start : start + size], strict=True))
        batches.append((first[0], second[0], first[1], second[1]))
    return batches


def original_transport(batches: list[Batch]) -> list[float]:
    """Scores over all tokens of both texts, padding included."""
    scores = []
    for *sides, first, second in batches:
        vectors = torch.cat(sides, 1)
        vectors /= vectors.norm(dim=-1, keepdim=True) + 1e-30
        squares = vectors.square().sum(-1)
        products = vectors @ vectors.transpose(1, 2)
        distances = (squares[:, :, None] + squares[:, None] - 2 * products).clamp_min(1e-30).sqrt()
        for place, matrix in enumerate(distances.double().cpu().numpy()):
            start = np.concatenate([first[place] / first[place].sum(), np.zeros_like(second[place])])
            end = np.concatenate([np.zeros_like(first[place]), second[place] / second[place].sum()])
            _, flow = emd_with_flow(start, end, matrix)
            scores.append(float(1 / (1 + np.sum(np.array(flow, dtype=np.float32) * matrix))))
    return scores


def _embedded(model: MoverModel, texts: list[str]) -> tuple[torch.Tensor, np.ndarray]:
    """The last of all hidden states with tokens without mass zeroed, and the masses, both padded."""
    given = model._tokenizer(texts, truncation=True, max_length=model._limit, padding=True, return_tensors="pt")
    with torch.no_grad():
        hidden = model._network(
            input_ids=given["input_ids"].to(model._network.device),
            attention_mask=given["attention_mask"].to(model._network.device),
            output_hidden_states=True,
        ).hidden_states
    masses = model._has_mass[given["input_ids"]] * given["attention_mask"]
    vectors = torch.stack(hidden)[-1] * masses.to(hidden[-1].device)[:, :, None]
    return vectors, masses.double().numpy()


def best(step: Callable[[], Any], rounds: int, clock: Callable[[], float]) -> tuple[float, Any]:
    """Seconds of the fastest round, and what the step gives."""
    fastest = float("inf")
    for _ in range(rounds):
        started = clock()
        found = step()
        fastest = min(fastest, clock() - started)
    return fastest, found


def main() -> None:
    """Print one line per way."""
    count, device, batched = (*sys.argv[1:], *("64", "cpu", "0")[len(sys.argv) - 1 :])
    torch.set_num_threads(1)
    real = (DATA / "annotations.xlsx").is_file()
    pairs = real_pairs() if real else generated_pairs()
    with tempfile.TemporaryDirectory() as name:
        checkpoint(Path(name), pairs)
        model = MoverModel(Path(name), device, "float32")
    chosen = random.Random(0).sample(pairs, int(count))
    given = [
        model._tokenizer(list(texts), truncation=True, max_length=model._limit) for texts in zip(*chosen, strict=True)
    ]
    medians = " and ".join(str(sorted(map(len, side["input_ids"]))[len(chosen) // 2]) for side in given)
    print(
        f"DistilBERT ({sum(p.numel() for p in model._network.parameters()) / 1e6:.0f} M), {device}\n"
        f"{count} {'real' if real else 'generated'} pairs of {medians} tokens "
        f"(medians), ms per pair"
    )
    print(
        f"{'':36s} {'embedding':>9s} {'transport':>9s} {'whole':>8s} {'x transport':>11s} {'x whole':>7s} max abs diff"
    )
    compare(model, chosen, 1, "one pair at a time")
    if int(batched):
        compare(model, chosen[: int(batched)], int(batched), f"{batched} pairs in one batch")


def compare(model: MoverModel, pairs: Pairs, size: int, title: str) -> None:
    """Print the original in batches of `size` beside our own way, step by step."""
    device = model._network.device.type
    clock = time.process_time if device == "cpu" else time.perf_counter
    texts, tokens = sorted({text for pair in pairs for text in pair}), batch_tokens_on(device)
    embedding, batches = best(lambda: original_embedding(model, pairs, size), EMBEDDING_ROUNDS, clock)
    transport, expected = best(lambda: original_transport(batches), TRANSPORT_ROUNDS, clock)
    own_embedding, points = best(lambda: model._points(texts, tokens), EMBEDDING_ROUNDS, clock)
    own_transport, scores = best(
        lambda: [mover_score(reference=points[a], candidate=points[b]) for a, b in pairs], TRANSPORT_ROUNDS, clock
    )
    apart = max(abs(a - b) for a, b in zip(scores, expected, strict=True))
    for side, *steps in ((f"original, {title}", embedding, transport), ("own", own_embedding, own_transport)):
        each = [1000 * seconds / len(pairs) for seconds in (*steps, sum(steps))]
        gained = transport / steps[1], (embedding + transport) / sum(steps)
        shown = f"{each[0]:9.2f} {each[1]:9.2f} {each[2]:8.2f} {gained[0]:11.1f} {gained[1]:7.2f}"
        print(f"{side:36s} {shown} {apart:12.1e}")


if __name__ == "__main__":
    main()
