"""Tiny BLEURT checkpoints with random weights, made on the spot, and BLEURT once more: slowly, in numpy alone."""

from __future__ import annotations

import io
import json
import math
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np

SENTENCES = (
    "A white van runs a red light and hits a motorcycle.",
    "Two masked men break the window of a shop, and the crowd runs away.",
    "The kitchen caught fire because a pan of oil was left unattended!",
    "车祸发生在路口",
)
REMBERT = {
    "hidden_size": 24,
    "embedding_size": 20,
    "num_hidden_layers": 3,
    "num_attention_heads": 3,
    "intermediate_size": 40,
    "max_position_embeddings": 48,
    "type_vocab_size": 2,
    "hidden_act": "gelu",
}
BERT = {**REMBERT, "hidden_size": 36, "embedding_size": 36, "num_attention_heads": 4, "max_position_embeddings": 40}


def save_rembert(folder: Path) -> Path:
    """Save the RemBERT form under the names of its PyTorch conversion, with a SentencePiece vocabulary."""
    import sentencepiece
    from safetensors.numpy import save_file

    folder.mkdir(parents=True)
    vocabulary = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES),
        model_writer=vocabulary,
        vocab_size=120,
        hard_vocab_limit=False,
        pad_id=0,
        unk_id=1,
        bos_id=-1,
        eos_id=-1,
        user_defined_symbols=["[CLS]", "[SEP]"],
        minloglevel=2,
    )
    (folder / "spm.model").write_bytes(vocabulary.getvalue())
    size = sentencepiece.SentencePieceProcessor(model_proto=vocabulary.getvalue()).get_piece_size()
    config = {**REMBERT, "vocab_size": size}
    (folder / "config.json").write_text(json.dumps(config))
    save_file(random_state(config), folder / "model.safetensors")
    return folder


def save_bert(folder: Path) -> Path:
    """Save the BERT form as a pickle of tensors, with a WordPiece vocabulary."""
    import torch

    folder.mkdir(parents=True)
    letters = [chr(code) for code in range(97, 123)]
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "fire", "##ing", "a", "car", "hit", "##s", ",", ".", "[", "]"]
    words = list(dict.fromkeys([*words, *letters, *(f"##{letter}" for letter in letters)]))
    (folder / "vocab.txt").write_text("\n".join(words) + "\n")
    config = {**BERT, "vocab_size": len(words)}
    (folder / "config.json").write_text(json.dumps(config))
    state = {name: torch.from_numpy(array) for name, array in random_state(config).items()}
    torch.save(state, folder / "pytorch_model.bin")
    return folder


def random_state(config: dict[str, Any]) -> dict[str, np.ndarray]:
    """Weights by name, spread widely enough that scores tell texts apart."""
    chance = np.random.default_rng(7)
    hidden, embedded, inner = config["hidden_size"], config["embedding_size"], config["intermediate_size"]
    shapes = {
        "bleurt.embeddings.word_embeddings.weight": (config["vocab_size"], embedded),
        "bleurt.embeddings.position_embeddings.weight": (config["max_position_embeddings"], embedded),
        "bleurt.embeddings.token_type_embeddings.weight": (config["type_vocab_size"], embedded),
        "bleurt.embeddings.LayerNorm.weight": (embedded,),
        "bleurt.embeddings.LayerNorm.bias": (embedded,),
        "bleurt.pooler.dense.weight": (hidden, hidden),
        "bleurt.pooler.dense.bias": (hidden,),
        "classifier.weight": (1, hidden),
        "classifier.bias": (1,),
    }
    if embedded != hidden:
        shapes["bleurt.encoder.embedding_projection.weight"] = (hidden, embedded)
        shapes["bleurt.encoder.embedding_projection.bias"] = (hidden,)
    for n in range(config["num_hidden_layers"]):
        layer = f"bleurt.encoder.layer.{n}"
        for part in ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"):
            shapes |= {f"{layer}.{part}.weight": (hidden, hidden), f"{layer}.{part}.bias": (hidden,)}
        for part in ("attention.output.LayerNorm", "output.LayerNorm"):
            shapes |= {f"{layer}.{part}.weight": (hidden,), f"{layer}.{part}.bias": (hidden,)}
        shapes |= {f"{layer}.intermediate.dense.weight": (inner, hidden), f"{layer}.intermediate.dense.bias": (inner,)}
        shapes |= {f"{layer}.output.dense.weight": (hidden, inner), f"{layer}.output.dense.bias": (hidden,)}
    state = {
        name: chance.normal(float(name.endswith("LayerNorm.weight")), 0.2, shape).astype(np.float32)
        for name, shape in shapes.items()
    }
    state["classifier.weight"] *= 2
    state["bleurt.embeddings.position_ids"] = np.arange(config["max_position_embeddings"])[None]
    return state


def slow_score(config: dict[str, Any], state: dict[str, np.ndarray], first: list[int], second: list[int]) -> float:
    """The score of token ids that fit, marks included in `first` and `second`: float64, no padding, no batch."""
    w = {name: array.astype(np.float64) for name, array in state.items()}

    def dense(name: str, x: np.ndarray) -> np.ndarray:
        return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    def norm(name: str, x: np.ndarray) -> np.ndarray:
        centred = x - x.mean(-1, keepdims=True)
        return centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12) * w[f"{name}.weight"] + w[f"{name}.bias"]

    rembert = config["embedding_size"] != config["hidden_size"]
    act = np.vectorize(_gelu if rembert else _gelu_tanh)
    ids, segments = first + second, [0] * len(first) + [1] * len(second)
    e = "bleurt.embeddings"
    x = w[f"{e}.word_embeddings.weight"][ids] + w[f"{e}.position_embeddings.weight"][: len(ids)]
    x = norm(f"{e}.LayerNorm", x + w[f"{e}.token_type_embeddings.weight"][segments])
    if rembert:
        x = dense("bleurt.encoder.embedding_projection", x)
    for n in range(config["num_hidden_layers"]):
        layer = f"bleurt.encoder.layer.{n}"
        q, k, v = (dense(f"{layer}.attention.self.{part}", x) for part in ("query", "key", "value"))
        heads = []
        for head in np.split(np.arange(config["hidden_size"]), config["num_attention_heads"]):
            weights = np.exp(q[:, head] @ k[:, head].T / math.sqrt(len(head)))
            heads.append(weights / weights.sum(1, keepdims=True) @ v[:, head])
        x = norm(f"{layer}.attention.output.LayerNorm", x + dense(f"{layer}.attention.output.dense", np.hstack(heads)))
        inner = act(dense(f"{layer}.intermediate.dense", x))
        x = norm(f"{layer}.output.LayerNorm", x + dense(f"{layer}.output.dense", inner))
    return float(dense("classifier", np.tanh(dense("bleurt.pooler.dense", x[0])))[0])


def _gelu(x: float) -> float:
    return x * 0.5 * (1 + math.erf(x / math.sqrt(2)))


def _gelu_tanh(x: float) -> float:
    return x * 0.5 * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def slow_word_pieces(text: str, vocabulary: dict[str, int]) -> list[int]:
    """BERT's uncased tokens of a text, the longest piece first."""
    spaced = ""
    for char in unicodedata.normalize("NFD", text.lower()):
        kind = unicodedata.category(char)
        if kind == "Mn" or (kind in ("Cc", "Cf", "Cs", "Co", "Cn") and char not in "\t\n\r") or char == "\ufffd":
            continue
        alone = kind[0] == "P" or char in "$+<=>^`|~" or 0x4E00 <= ord(char) <= 0x9FFF
        spaced += f" {char} " if alone else char
    ids = []
    for word in spaced.split():
        pieces, rest = [], word
        while rest and pieces is not None:
            prefix = "##" if pieces else ""
            fits = [end for end in range(len(rest), 0, -1) if prefix + rest[:end] in vocabulary]
            pieces = [*pieces, vocabulary[prefix + rest[: fits[0]]]] if fits else None
            rest = rest[fits[0] :] if fits else ""
        ids += pieces if pieces and len(word) <= 200 else [vocabulary["[UNK]"]]
    return ids
