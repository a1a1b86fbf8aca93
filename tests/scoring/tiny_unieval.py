"""A tiny T5 with random weights, made on the spot, and its answer to a question once more: slowly, in numpy alone."""

from __future__ import annotations

import io
import json
import math
from pathlib import Path
from typing import Any

import numpy as np

SENTENCES = (
    "question: Is this claim consistent with the document? claim: A van hits a motorcycle. document: A white van.",
    "question: Is this a fluent paragraph? paragraph: The kitchen caught fire because of a pan of oil.",
    "question: Is this summary relevant to the reference? summary: Two men break a window. reference: No one ran away!",
    "Yes, the crowd runs. No, 1. the fence, 2. the boat and (3) 车祸发生在路口 collapsed.",
)
T5 = {
    "model_type": "t5",
    "d_model": 20,
    "d_kv": 6,
    "d_ff": 36,
    "num_layers": 3,
    "num_decoder_layers": 2,
    "num_heads": 3,
    "relative_attention_num_buckets": 16,
    "relative_attention_max_distance": 40,
    "layer_norm_epsilon": 1e-6,
    "feed_forward_proj": "relu",
    "pad_token_id": 0,
    "eos_token_id": 1,
    "decoder_start_token_id": 0,
}


def save_t5(folder: Path, *, leave_out: str = "") -> Path:
    """Save the model, but for one weight, and a SentencePiece vocabulary in which yes and no are one piece each."""
    import sentencepiece
    from safetensors.numpy import save_file

    folder.mkdir(parents=True)
    vocabulary = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES),
        model_writer=vocabulary,
        vocab_size=140,
        hard_vocab_limit=False,
        pad_id=0,
        eos_id=1,
        unk_id=2,
        bos_id=-1,
        user_defined_symbols=["▁Yes", "▁No"],
        minloglevel=2,
    )
    (folder / "spiece.model").write_bytes(vocabulary.getvalue())
    size = sentencepiece.SentencePieceProcessor(model_proto=vocabulary.getvalue()).get_piece_size()
    config = {**T5, "vocab_size": size}
    (folder / "config.json").write_text(json.dumps(config))
    state = {name: array for name, array in random_state(config).items() if name != leave_out}
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def random_state(config: dict[str, Any]) -> dict[str, np.ndarray]:
    """Weights by name, spread widely enough that answers tell questions apart."""
    chance = np.random.default_rng(5)
    dim, inner, heads = config["d_model"], config["d_ff"], config["num_heads"]
    width = heads * config["d_kv"]
    shapes: dict[str, tuple[int, ...]] = {"shared.weight": (config["vocab_size"], dim)}
    for stack, layers in (("encoder", config["num_layers"]), ("decoder", config["num_decoder_layers"])):
        parts = ["SelfAttention", "EncDecAttention"] if stack == "decoder" else ["SelfAttention"]
        for n in range(layers):
            for place, part in enumerate(parts):
                layer = f"{stack}.block.{n}.layer.{place}"
                shapes |= {f"{layer}.{part}.{name}.weight": (width, dim) for name in "qkv"}
                shapes |= {f"{layer}.{part}.o.weight": (dim, width), f"{layer}.layer_norm.weight": (dim,)}
            layer = f"{stack}.block.{n}.layer.{len(parts)}"
            shapes |= {f"{layer}.DenseReluDense.wi.weight": (inner, dim), f"{layer}.layer_norm.weight": (dim,)}
            shapes |= {f"{layer}.DenseReluDense.wo.weight": (dim, inner)}
        bias = f"{stack}.block.0.layer.0.SelfAttention.relative_attention_bias.weight"
        shapes |= {bias: (config["relative_attention_num_buckets"], heads), f"{stack}.final_layer_norm.weight": (dim,)}
    return {name: chance.normal(0, 0.3, shape).astype(np.float32) for name, shape in shapes.items()}


def slow_yes(config: dict[str, Any], state: dict[str, np.ndarray], ids: list[int], *, yes: int, no: int) -> float:
    """P(yes) / (P(yes) + P(no)) of the first token decoded, by the softmax over all: float64, no padding, no batch."""
    w = {name: array.astype(np.float64) for name, array in state.items()}

    def norm(name: str, x: np.ndarray) -> np.ndarray:
        return x / np.sqrt((x**2).mean(-1, keepdims=True) + config["layer_norm_epsilon"]) * w[f"{name}.weight"]

    def attend(name: str, x: np.ndarray, source: np.ndarray, bias: np.ndarray | float) -> np.ndarray:
        q, k, v = (y @ w[f"{name}.{part}.weight"].T for part, y in (("q", x), ("k", source), ("v", source)))
        mixed = []
        for n, head in enumerate(np.split(np.arange(q.shape[1]), config["num_heads"])):
            weights = softmax(q[:, head] @ k[:, head].T + (bias[n] if isinstance(bias, np.ndarray) else bias))
            mixed.append(weights @ v[:, head])
        return np.hstack(mixed) @ w[f"{name}.o.weight"].T

    def feed(layer: str, x: np.ndarray) -> np.ndarray:
        inner = np.maximum(norm(f"{layer}.layer_norm", x) @ w[f"{layer}.DenseReluDense.wi.weight"].T, 0)
        return inner @ w[f"{layer}.DenseReluDense.wo.weight"].T

    def positions(stack: str, length: int) -> np.ndarray:
        table = w[f"{stack}.block.0.layer.0.SelfAttention.relative_attention_bias.weight"]
        buckets = [[_bucket(key - query, config) for key in range(length)] for query in range(length)]
        return np.moveaxis(table[buckets], -1, 0)

    x = w["shared.weight"][ids]
    bias = positions("encoder", len(ids))
    for n in range(config["num_layers"]):
        first = norm(f"encoder.block.{n}.layer.0.layer_norm", x)
        x = x + attend(f"encoder.block.{n}.layer.0.SelfAttention", first, first, bias)
        x = x + feed(f"encoder.block.{n}.layer.1", x)
    source = norm("encoder.final_layer_norm", x)
    y = w["shared.weight"][[config["decoder_start_token_id"]]]
    for n in range(config["num_decoder_layers"]):
        first = norm(f"decoder.block.{n}.layer.0.layer_norm", y)
        # One token attends to itself alone, so no bias of its position matters.
        y = y + attend(f"decoder.block.{n}.layer.0.SelfAttention", first, first, 0.0)
        second = norm(f"decoder.block.{n}.layer.1.layer_norm", y)
        y = y + attend(f"decoder.block.{n}.layer.1.EncDecAttention", second, source, 0.0)
        y = y + feed(f"decoder.block.{n}.layer.2", y)
    # The output is the embedding once more, scaled.
    last = norm("decoder.final_layer_norm", y)[0] * config["d_model"] ** -0.5
    chances = softmax(last @ w["shared.weight"].T)
    return float(chances[yes] / (chances[yes] + chances[no]))


def softmax(x: np.ndarray) -> np.ndarray:
    """The softmax over the last axis."""
    weights = np.exp(x - x.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True)


def _bucket(distance: int, config: dict[str, Any]) -> int:
    """T5's bucket of a key's distance from its query, both ways: exact up to a bound, then logarithmic."""
    half = config["relative_attention_num_buckets"] // 2
    side, away, exact = half * (distance > 0), abs(distance), half // 2
    if away < exact:
        return side + away
    share = math.log(away / exact) / math.log(config["relative_attention_max_distance"] / exact)
    return side + min(half - 1, exact + int(share * (half - exact)))
