"""A tiny DistilBERT with random weights, made on the spot, and MoverScore once more, slowly: numpy and a solver."""

from __future__ import annotations

import json
import math
import string
from pathlib import Path
from typing import Any

import numpy as np

DISTILBERT = {
    "model_type": "distilbert",
    "dim": 24,
    "hidden_dim": 40,
    "n_layers": 3,
    "n_heads": 3,
    "max_position_embeddings": 48,
    "activation": "gelu",
}
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
WORDS = [
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "fire", "##ing", "##s", "a", "car", "hit", "hits", "wall"),
    *string.punctuation,
    *_LETTERS,
    *(f"##{letter}" for letter in _LETTERS),
]


def save_distilbert(folder: Path, *, leave_out: str = "") -> Path:
    """Save the model, but for one weight, and its vocabulary as a tokenizer of transformers reads it."""
    from safetensors.numpy import save_file

    folder.mkdir(parents=True)
    words = list(dict.fromkeys(WORDS))
    config = {**DISTILBERT, "vocab_size": len(words)}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "vocab.txt").write_text("\n".join(words) + "\n")
    kind = {"tokenizer_class": "DistilBertTokenizer", "do_lower_case": True, "model_max_length": 512}
    (folder / "tokenizer_config.json").write_text(json.dumps(kind))
    state = {name: array for name, array in random_state(config).items() if name != leave_out}
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def random_state(config: dict[str, Any]) -> dict[str, np.ndarray]:
    """Weights by name, spread widely enough that scores tell texts apart."""
    chance = np.random.default_rng(11)
    dim, inner = config["dim"], config["hidden_dim"]
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (config["vocab_size"], dim),
        "embeddings.position_embeddings.weight": (config["max_position_embeddings"], dim),
        "embeddings.LayerNorm.weight": (dim,),
        "embeddings.LayerNorm.bias": (dim,),
    }
    for n in range(config["n_layers"]):
        layer = f"transformer.layer.{n}"
        for part in ("attention.q_lin", "attention.k_lin", "attention.v_lin", "attention.out_lin"):
            shapes |= {f"{layer}.{part}.weight": (dim, dim), f"{layer}.{part}.bias": (dim,)}
        for part in ("sa_layer_norm", "output_layer_norm"):
            shapes |= {f"{layer}.{part}.weight": (dim,), f"{layer}.{part}.bias": (dim,)}
        shapes |= {f"{layer}.ffn.lin1.weight": (inner, dim), f"{layer}.ffn.lin1.bias": (inner,)}
        shapes |= {f"{layer}.ffn.lin2.weight": (dim, inner), f"{layer}.ffn.lin2.bias": (dim,)}
    return {name: chance.normal(0, 0.4, shape).astype(np.float32) for name, shape in shapes.items()}


def slow_vectors(config: dict[str, Any], state: dict[str, np.ndarray], ids: list[int]) -> np.ndarray:
    """The last layer's vectors of token ids, marks included: float64, no padding, no batch."""
    w = {name: array.astype(np.float64) for name, array in state.items()}

    def dense(name: str, x: np.ndarray) -> np.ndarray:
        return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    def norm(name: str, x: np.ndarray) -> np.ndarray:
        centred = x - x.mean(-1, keepdims=True)
        return centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12) * w[f"{name}.weight"] + w[f"{name}.bias"]

    gelu = np.vectorize(lambda value: value * 0.5 * (1 + math.erf(value / math.sqrt(2))))
    positions = w["embeddings.position_embeddings.weight"][: len(ids)]
    x = norm("embeddings.LayerNorm", w["embeddings.word_embeddings.weight"][ids] + positions)
    for n in range(config["n_layers"]):
        layer = f"transformer.layer.{n}"
        q, k, v = (dense(f"{layer}.attention.{part}", x) for part in ("q_lin", "k_lin", "v_lin"))
        heads = []
        for head in np.split(np.arange(config["dim"]), config["n_heads"]):
            weights = np.exp(q[:, head] @ k[:, head].T / math.sqrt(len(head)))
            heads.append(weights / weights.sum(1, keepdims=True) @ v[:, head])
        x = norm(f"{layer}.sa_layer_norm", x + dense(f"{layer}.attention.out_lin", np.hstack(heads)))
        x = norm(f"{layer}.output_layer_norm", x + dense(f"{layer}.ffn.lin2", gelu(dense(f"{layer}.ffn.lin1", x))))
    return x


def has_mass(piece: str) -> bool:
    """Whether a token counts: neither punctuation nor the continuation of a word."""
    return "##" not in piece and piece not in set(string.punctuation)


def slow_distance(a: np.ndarray, b: np.ndarray, *, mass_a: np.ndarray, mass_b: np.ndarray) -> float:
    """The earth mover's distance of weighted points on the unit sphere, as the linear programme it is."""
    from scipy.optimize import linprog

    a, b = (points / np.linalg.norm(points, axis=1)[:, None] for points in (a, b))
    cost = np.array([[math.dist(x, y) for y in b] for x in a])
    leaves = np.kron(np.eye(len(a)), np.ones(len(b)))
    arrives = np.kron(np.ones(len(a)), np.eye(len(b)))
    solved = linprog(
        cost.ravel(), A_eq=np.vstack([leaves, arrives]), b_eq=np.concatenate([mass_a, mass_b]), method="highs"
    )
    assert solved.success
    return float(solved.fun)
