"""Towers and Q-Formers in sums over heads, patches and frames, in float64, from the authors' own names.

Written from the papers and the checkpoints' names, to be compared with; slow on purpose.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import torch
from PIL import Image

Tensors = Mapping[str, torch.Tensor]


MEAN = (0.48145466, 0.4578275, 0.40821073)
DEVIATION = (0.26862954, 0.26130258, 0.27577711)


def prepared(frame: np.ndarray, side: int) -> torch.Tensor:
    """A frame uint8 [H, W, 3] as [3, side, side]: the middle, the short side resized, its colours normed."""
    image = Image.fromarray(frame)
    short = min(image.size)
    image = image.resize([side * length // short for length in image.size], Image.Resampling.BICUBIC)
    left, top = (round((length - side) / 2) for length in image.size)
    return normed(np.asarray(image)[top : top + side, left : left + side])


def normed(frame: np.ndarray) -> torch.Tensor:
    """A frame uint8 [H, W, 3] as [3, H, W], its colours normed."""
    planes = [(frame[..., c] / 255 - MEAN[c]) / DEVIATION[c] for c in range(3)]
    return torch.from_numpy(np.stack(planes))


def linear(t: Tensors, name: str, x: torch.Tensor) -> torch.Tensor:
    return torch.einsum("...i,oi->...o", x, t[f"{name}.weight"].double()) + t[f"{name}.bias"].double()


def norm(t: Tensors, name: str, x: torch.Tensor, eps: float) -> torch.Tensor:
    centred = x - x.mean(-1, keepdim=True)
    scaled = centred / ((centred**2).mean(-1, keepdim=True) + eps).sqrt()
    return scaled * t[f"{name}.weight"].double() + t[f"{name}.bias"].double()


def gelu(x: torch.Tensor) -> torch.Tensor:
    return x * (1 + torch.erf(x / math.sqrt(2))) / 2


def attended(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, heads: int, seen: list[int] | None = None
) -> torch.Tensor:
    """Attention of [n, width] to the rows `seen` of [m, width], head after head."""
    size = query.shape[1] // heads
    rows = list(range(len(key))) if seen is None else seen
    found = []
    for head in range(heads):
        part = slice(head * size, (head + 1) * size)
        weights = (query[:, part] @ key[rows, part].T / math.sqrt(size)).softmax(-1)
        found.append(weights @ value[rows, part])
    return torch.cat(found, dim=1)


def vit_attention(t: Tensors, name: str, x: torch.Tensor, heads: int) -> torch.Tensor:
    """BEiT's attention over [n, width]; keys have no bias."""
    query, key, value = (x @ part.double().T for part in t[f"{name}.qkv.weight"].chunk(3))
    query, value = query + t[f"{name}.q_bias"].double(), value + t[f"{name}.v_bias"].double()
    return linear(t, f"{name}.proj", attended(query, key, value, heads))


def vit_mlp(t: Tensors, name: str, x: torch.Tensor) -> torch.Tensor:
    return linear(t, f"{name}.fc2", gelu(linear(t, f"{name}.fc1", x)))


def vit_block(t: Tensors, name: str, x: torch.Tensor, heads: int, eps: float = 1e-6) -> torch.Tensor:
    x = x + vit_attention(t, f"{name}.attn", norm(t, f"{name}.norm1", x, eps), heads)
    return x + vit_mlp(t, f"{name}.mlp", norm(t, f"{name}.norm2", x, eps))


def patches(t: Tensors, frame: torch.Tensor) -> torch.Tensor:
    """The patches of a frame [3, side, side] through `patch_embed.proj`, row by row: [patches, width]."""
    weight = t["patch_embed.proj.weight"].double().flatten(1)
    size = t["patch_embed.proj.weight"].shape[-1]
    found = []
    for row in range(0, frame.shape[1], size):
        for column in range(0, frame.shape[2], size):
            patch = frame[:, row : row + size, column : column + size].double().flatten()
            found.append(weight @ patch + t["patch_embed.proj.bias"].double())
    return torch.stack(found)


def eva_layers(t: Tensors, frames: torch.Tensor, blocks: int, heads: int) -> list[torch.Tensor]:
    """What each block gives, [T, 1 + patches, width]."""
    x = []
    for frame in frames:
        tokens = torch.cat([t["cls_token"][0].double(), patches(t, frame)])
        x.append(tokens + t["pos_embed"][0].double())
    layers = []
    for block in range(blocks):
        x = [vit_block(t, f"blocks.{block}", tokens, heads) for tokens in x]
        layers.append(torch.stack(x))
    return layers


def branched(t: Tensors, layers: list[torch.Tensor], heads: int) -> torch.Tensor:
    """The mean of the last of `layers` and of BT-Adapter's branch beside all of them; each token by itself."""
    frames, places = layers[0].shape[0], t["pos_embed"][0].double()
    count = layers[0].shape[1] - 1
    token, grid = torch.zeros(()).double(), {}
    for depth, hidden in enumerate(layers):
        taken = sum(hidden[frame, 0] for frame in range(frames)) / frames
        given = {(p, f): hidden[f, 1 + p] for p in range(count) for f in range(frames)}
        if depth == 0:
            token = (taken + t["BTAdapter_cls"][0, 0].double() + places[0]) / 2
            time = t["BTAdapter_position.weight"].double()
            grid = {(p, f): value + places[1 + p] + time[f] for (p, f), value in given.items()}
        else:
            token = token + taken
            grid = {place: grid[place] + value for place, value in given.items()}
        name = f"BTAdapter_T.{depth}"
        for p in range(count):
            line = torch.stack([grid[p, f] for f in range(frames)])
            change = vit_attention(t, f"{name}.attn", norm(t, f"{name}.norm1", line, 1e-6), heads)
            line = line + linear(t, f"{name}.temporal_fc", change)
            grid |= {(p, f): line[f] for f in range(frames)}
        name, tokens = f"BTAdapter_S.{depth}", []
        for f in range(frames):
            frame = torch.stack([token, *(grid[p, f] for p in range(count))])
            change = vit_attention(t, f"{name}.attn", norm(t, f"{name}.norm1", frame, 1e-5), heads)
            tokens.append(change[0])
            grid |= {(p, f): grid[p, f] + change[1 + p] for p in range(count)}
        token = token + sum(tokens) / frames
        token = token + vit_mlp(t, f"{name}.mlp", norm(t, f"{name}.norm2", token, 1e-5))
        for place, value in grid.items():
            grid[place] = value + vit_mlp(t, f"{name}.mlp", norm(t, f"{name}.norm2", value, 1e-5))
    beside = [torch.stack([token, *(grid[p, f] for p in range(count))]) for f in range(frames)]
    return (layers[-1] + torch.stack(beside)) / 2


def qformer(
    t: Tensors,
    queries: torch.Tensor,
    picture: torch.Tensor,
    text: tuple[list[int], list[int]] | None,
    *,
    heads: int,
    crossed: int,
    layers: int,
) -> torch.Tensor:
    """One picture's tokens [m, encoder] read by [n, width] queries beside a text of ids and mask: all rows."""
    count, rows = len(queries), [*queries.double()]
    seen = list(range(count))
    for place, (number, shown) in enumerate(zip(*text, strict=True) if text else ()):
        word = t["bert.embeddings.word_embeddings.weight"][number].double()
        rows.append(word + t["bert.embeddings.position_embeddings.weight"][place].double())
        seen += [count + place] if shown else []
    x = norm(t, "bert.embeddings.LayerNorm", torch.stack(rows), 1e-12)
    for layer in range(layers):
        name = f"bert.encoder.layer.{layer}"
        x = _read(t, f"{name}.attention", x, x, heads, seen)
        asked, words = x[:count], x[count:]
        if layer % crossed == 0:
            asked = _read(t, f"{name}.crossattention", asked, picture.double(), heads, None)
        parts = [_forward(t, name, "_query", asked)]
        x = torch.cat([*parts, _forward(t, name, "", words)]) if text else parts[0]
    return x


def _read(
    t: Tensors, name: str, x: torch.Tensor, read: torch.Tensor, heads: int, seen: list[int] | None
) -> torch.Tensor:
    query = linear(t, f"{name}.self.query", x)
    key, value = linear(t, f"{name}.self.key", read), linear(t, f"{name}.self.value", read)
    out = linear(t, f"{name}.output.dense", attended(query, key, value, heads, seen))
    return norm(t, f"{name}.output.LayerNorm", out + x, 1e-12)


def _forward(t: Tensors, name: str, kind: str, x: torch.Tensor) -> torch.Tensor:
    hidden = gelu(linear(t, f"{name}.intermediate{kind}.dense", x))
    out = linear(t, f"{name}.output{kind}.dense", hidden)
    return norm(t, f"{name}.output{kind}.LayerNorm", out + x, 1e-12)


def umt(t: Tensors, frames: torch.Tensor, blocks: int, heads: int) -> torch.Tensor:
    """The tokens of all frames [T, 3, side, side] of UMT's tower: [T * patches, width]."""
    grids = [patches({**t, "patch_embed.proj.weight": t["patch_embed.proj.weight"][:, :, 0]}, f) for f in frames]
    count, width = grids[0].shape
    rows = []
    for number, grid in enumerate(grids):
        for place in range(count):
            rows.append(grid[place] + _umt_place(number, len(frames), place, count, width))
    x = torch.stack(rows)
    for block in range(blocks):
        x = vit_block(t, f"blocks.{block}", x, heads)
    return x


def _umt_place(frame: int, frames: int, place: int, count: int, width: int) -> torch.Tensor:
    """The place of a patch: between those of the two nearest of four frames."""
    at = min(max((frame + 0.5) * 4 / frames - 0.5, 0), 3)
    low = int(at)
    found = []
    for step in (low, min(low + 1, 3)):
        position = step * count + place
        angles = [position / 10000 ** (2 * (j // 2) / width) for j in range(width)]
        row = [math.cos(angle) if j % 2 else math.sin(angle) for j, angle in enumerate(angles)]
        found.append(torch.tensor(row, dtype=torch.float64))
    return found[0] * (1 - (at - low)) + found[1] * (at - low)
