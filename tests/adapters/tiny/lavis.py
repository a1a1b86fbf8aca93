"""Tiny towers and Q-Formers under the names of LAVIS's files and of its descendants, and a vocabulary for BERT."""

from __future__ import annotations

import string
from collections.abc import Mapping
from pathlib import Path

import torch

WIDTH, SIDE, PATCH, BLOCKS = 88, 28, 7, 2  # one head of 88 channels
BERT, QUERIES = 64, 4  # one head of 64 channels

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "video", "watch", "frame", "this", "##er", "."]
WORDS += [*string.ascii_lowercase, *(f"##{letter}" for letter in string.ascii_lowercase), *string.digits]
WORDS += [f"##{digit}" for digit in string.digits] + [",", "?", "[", "]", "!", ":", "é"]
VOCABULARY = len(WORDS) + 1  # one for [DEC]

Shapes = dict[str, tuple[int, ...]]


def random(shapes: Mapping[str, tuple[int, ...]], seed: int) -> dict[str, torch.Tensor]:
    """Random tensors of a size at which every layer matters; norms are near one."""
    generator = torch.Generator().manual_seed(seed)
    found = {}
    for name, shape in shapes.items():
        tensor = torch.randn(shape, generator=generator) * (0.2 if len(shape) > 1 else 0.3)
        scale = len(shape) == 1 and name.endswith("weight")
        found[name] = 1 + tensor if scale else tensor
    return found


def linear(name: str, out: int, width: int) -> Shapes:
    return {f"{name}.weight": (out, width), f"{name}.bias": (out,)}


def norm(name: str, width: int) -> Shapes:
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}


def block(name: str, width: int, mlp: int) -> Shapes:
    """A block of BEiT's kind."""
    shapes = norm(f"{name}.norm1", width) | norm(f"{name}.norm2", width) | attention(f"{name}.attn", width)
    return shapes | linear(f"{name}.mlp.fc1", mlp, width) | linear(f"{name}.mlp.fc2", width, mlp)


def attention(name: str, width: int) -> Shapes:
    biases = {f"{name}.q_bias": (width,), f"{name}.v_bias": (width,)}
    return {f"{name}.qkv.weight": (3 * width, width), **biases, **linear(f"{name}.proj", width, width)}


def eva(*, width: int = WIDTH, blocks: int = BLOCKS, side: int = SIDE, patch: int = PATCH, mlp: int = 40) -> Shapes:
    """EVA-CLIP-g, as `eva_vit_g.pth` has it."""
    shapes = {
        "cls_token": (1, 1, width),
        "pos_embed": (1, 1 + (side // patch) ** 2, width),
        "patch_embed.proj.weight": (width, 3, patch, patch),
        "patch_embed.proj.bias": (width,),
    }
    for number in range(blocks):
        shapes |= block(f"blocks.{number}", width, mlp)
    return shapes


def branch(*, width: int = WIDTH, blocks: int = BLOCKS, mlp: int = 40) -> Shapes:
    """BT-Adapter beside the last blocks."""
    shapes: Shapes = {"BTAdapter_cls": (1, 1, width), "BTAdapter_position.weight": (64, width)}
    for number in range(blocks):
        temporal = f"BTAdapter_T.{number}"
        shapes |= block(f"BTAdapter_S.{number}", width, mlp)
        shapes |= attention(f"{temporal}.attn", width) | norm(f"{temporal}.norm1", width)
        shapes |= linear(f"{temporal}.temporal_fc", width, width)
    return shapes


def qformer(
    *, width: int = BERT, layers: int = 2, mlp: int = 48, encoder: int = WIDTH, crossed: int = 2, text: bool = True
) -> Shapes:
    """A Q-Former, its names beginning with `bert.`."""
    shapes = norm("embeddings.LayerNorm", width)
    if text:
        shapes["embeddings.word_embeddings.weight"] = (VOCABULARY, width)
        shapes["embeddings.position_embeddings.weight"] = (512, width)
        shapes["embeddings.position_ids"] = (1, 512)
    for number in range(layers):
        layer = f"encoder.layer.{number}"
        shapes |= _attention(f"{layer}.attention", width, width)
        if number % crossed == 0:
            shapes |= _attention(f"{layer}.crossattention", width, encoder)
        for kind in ("", "_query") if text else ("_query",):
            shapes |= linear(f"{layer}.intermediate{kind}.dense", mlp, width)
            shapes |= linear(f"{layer}.output{kind}.dense", width, mlp) | norm(f"{layer}.output{kind}.LayerNorm", width)
    return {f"bert.{name}": shape for name, shape in shapes.items()}


def _attention(name: str, width: int, read: int) -> Shapes:
    shapes = linear(f"{name}.self.query", width, width) | linear(f"{name}.self.key", width, read)
    shapes |= linear(f"{name}.self.value", width, read) | linear(f"{name}.output.dense", width, width)
    return shapes | norm(f"{name}.output.LayerNorm", width)


def under(prefix: str, shapes: Mapping[str, tuple[int, ...]]) -> Shapes:
    return {prefix + name: shape for name, shape in shapes.items()}


def frozen() -> Shapes:
    """What `instruct_blip_vicuna7b_trimmed.pth` holds, but for what nobody reads."""
    shapes = norm("ln_vision", WIDTH) | under("Qformer.", qformer())
    return {**shapes, "query_tokens": (1, QUERIES, BERT)}


def write_lavis(folder: Path) -> Path:
    """Write LAVIS's two files, with the parts of them that no model uses."""
    folder.mkdir(parents=True)
    torch.save(random({**eva(), "norm.weight": (3,), "head.bias": (3,)}, 11), folder / "eva_vit_g.pth")
    trimmed = {**frozen(), "llm_proj.weight": (3, 3), "Qformer.cls.predictions.bias": (3,)}
    torch.save({"model": random(trimmed, 12)}, folder / "instruct_blip_vicuna7b_trimmed.pth")
    return folder


def write_bert(folder: Path) -> Path:
    """Write BERT's vocabulary: letters, digits and a few words."""
    folder.mkdir(parents=True)
    (folder / "vocab.txt").write_text("\n".join(WORDS) + "\n", encoding="utf-8")
    return folder


def changed(state: Mapping[str, torch.Tensor], change: Mapping[str, torch.Tensor | None]) -> dict[str, torch.Tensor]:
    """Tensors with some replaced or added, and without those that are None."""
    return {name: tensor for name, tensor in {**state, **change}.items() if tensor is not None}
