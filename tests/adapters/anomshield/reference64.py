"""The connector's formulas once more, in float64, token by token: slow, plain, and written apart from the package.

Works on the released names. Tensors of any type are taken to float64; gradients come from autograd.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

MIXER = "mambaModel_h.layers.0.mixer."


def silu(x: Tensor) -> Tensor:
    return x / (1 + torch.exp(-x))


def rms_norm(x: Tensor, weight: Tensor) -> Tensor:
    return x / torch.sqrt((x * x).mean(-1, keepdim=True) + 1e-5) * weight


def convolve(xs: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return [2, B, L, di] of xs [B, L, di], weight [2, di, 4], bias [2, di]."""
    length = xs.shape[1]
    directions = []
    for side, sign in ((0, -1), (1, 1)):
        tokens = []
        for t in range(length):
            total = bias[side].expand(xs.shape[0], -1)
            for k in range(4):
                if 0 <= t + sign * k < length:
                    total = total + weight[side][:, 3 - k] * xs[:, t + sign * k]
            tokens.append(silu(total))
        directions.append(torch.stack(tokens, dim=1))
    return torch.stack(directions)


def scan(u: Tensor, dt: Tensor, A: Tensor, B: Tensor, C: Tensor, D: Tensor, dt_bias: Tensor, z: Tensor) -> Tensor:
    """Return [B, L, di]; the arguments are those of the package's `Operations`."""
    total = torch.zeros_like(z)
    for side in (0, 1):
        tokens: dict[int, Tensor] = {}
        state = torch.zeros((*z.shape[::2], A.shape[2]), dtype=z.dtype)
        for t in range(z.shape[1]) if side == 0 else reversed(range(z.shape[1])):
            raw = dt[side, :, t] + dt_bias[side]
            step = torch.where(raw > 20, raw, torch.log1p(torch.exp(raw.clamp(max=20))))
            state = torch.exp(step[:, :, None] * A[side]) * state
            state = state + step[:, :, None] * B[side, :, t, None, :] * u[side, :, t, :, None]
            tokens[t] = (state * C[side, :, t, None, :]).sum(-1) + D[side] * u[side, :, t]
        total = total + torch.stack([tokens[t] for t in range(z.shape[1])], dim=1)
    return total * silu(z)


def pool(x: Tensor, m: Tensor, weight: Tensor | None, frames: int) -> Tensor:
    """Return [B, L/16, d]."""
    total = x + m
    if weight is not None:
        total = rms_norm(total, weight)
    side = math.isqrt(x.shape[1] // frames)
    pooled = []
    for frame in range(frames):
        for row in range(0, side, 4):
            for column in range(0, side, 4):
                block = [
                    total[:, frame * side * side + (row + i) * side + column + j] for i in range(4) for j in range(4)
                ]
                pooled.append(sum(block) / 16)
    return torch.stack(pooled, dim=1)


def pair(weights: dict[str, Tensor], name: str) -> Tensor:
    return torch.stack((weights[MIXER + name.format("")], weights[MIXER + name.format("_b")]))


def connector(weights: dict[str, Tensor], features: Tensor, *, final_norm: bool = True) -> Tensor:
    """Return [B, frames*patches/16, hidden] for features [B, frames, patches, d], with the released weights."""
    batch, frames, patches, channels = features.shape
    states = weights[MIXER + "A_log"].shape[1]
    rank = weights[MIXER + "dt_proj.weight"].shape[1]
    x = features.reshape(batch, frames * patches, channels)
    normed = rms_norm(x, weights["mambaModel_h.layers.0.norm.weight"])
    mixed = normed @ weights[MIXER + "in_proj.weight"].T
    xs, z = mixed[..., : 2 * channels], mixed[..., 2 * channels :]
    u = convolve(xs, pair(weights, "conv1d{}.weight")[:, :, 0], pair(weights, "conv1d{}.bias"))
    dbl = torch.einsum("sblc,src->sblr", u, pair(weights, "x_proj{}.weight"))
    dt = torch.einsum("sblr,scr->sblc", dbl[..., :rank], pair(weights, "dt_proj{}.weight"))
    y = scan(
        u,
        dt,
        -torch.exp(pair(weights, "A{}_log")),
        dbl[..., rank : rank + states],
        dbl[..., rank + states :],
        pair(weights, "D{}"),
        pair(weights, "dt_proj{}.bias"),
        z,
    )
    m = y @ weights[MIXER + "out_proj.weight"].T
    pooled = pool(x, m, weights["mambaModel_h.norm_f.weight"] if final_norm else None, frames)
    inner = pooled @ weights["readout.0.weight"].T + weights["readout.0.bias"]
    inner = inner * 0.5 * (1 + torch.erf(inner / math.sqrt(2)))
    return inner @ weights["readout.2.weight"].T + weights["readout.2.bias"]


def random_weights(channels: int, hidden: int, seed: int = 0) -> dict[str, Tensor]:
    """Return float64 weights with every term of the formulas alive, exact in float32, spread as torch's defaults are.

    The rows of x_proj that make B and C have a gain of 4: else the scan is a twentieth of the D skip, and hides.
    """
    generator = torch.Generator().manual_seed(seed)
    inner, rank, states = 2 * channels, math.ceil(channels / 16), 16

    def normal(*shape: int, scale: float, mean: float = 0.0) -> Tensor:
        drawn = torch.randn(shape, generator=generator, dtype=torch.float64) * scale + mean
        return drawn.float().double()

    weights = {
        "mambaModel_h.norm_f.weight": normal(channels, scale=0.2, mean=1),
        "mambaModel_h.layers.0.norm.weight": normal(channels, scale=0.2, mean=1),
        f"{MIXER}in_proj.weight": normal(2 * inner, channels, scale=(3 * channels) ** -0.5),
        f"{MIXER}out_proj.weight": normal(channels, inner, scale=(3 * inner) ** -0.5),
        "readout.0.weight": normal(hidden, channels, scale=(3 * channels) ** -0.5),
        "readout.0.bias": normal(hidden, scale=0.1),
        "readout.2.weight": normal(hidden, hidden, scale=(3 * hidden) ** -0.5),
        "readout.2.bias": normal(hidden, scale=0.1),
    }
    for side, step in (("", -4.0), ("_b", 0.0)):
        log = torch.arange(1, states + 1, dtype=torch.float64).log()
        x_proj = normal(rank + 2 * states, inner, scale=(3 * inner) ** -0.5)
        x_proj[rank:] *= 4
        weights |= {
            f"{MIXER}A{side}_log": (log + normal(inner, states, scale=0.1)).float().double(),
            f"{MIXER}D{side}": normal(inner, scale=0.2, mean=1),
            f"{MIXER}conv1d{side}.weight": normal(inner, 1, 4, scale=0.5),
            f"{MIXER}conv1d{side}.bias": normal(inner, scale=0.2),
            f"{MIXER}x_proj{side}.weight": x_proj,
            f"{MIXER}dt_proj{side}.weight": normal(inner, rank, scale=(3 * rank) ** -0.5),
            f"{MIXER}dt_proj{side}.bias": normal(inner, scale=0.5, mean=step),
        }
    return weights


def problem(
    batch: int, frames: int, side: int, channels: int
) -> tuple[dict[str, Tensor], Tensor, Tensor, dict[str, Tensor]]:
    """Return random weights, features, weights of the loss, and the truth about them.

    The truth is `output`, and of its sum under the loss's weights the gradient of the features, `input`, and of each
    weight, by its name.
    """
    weights = random_weights(channels, 28)
    generator = torch.Generator().manual_seed(1)
    features = torch.randn((batch, frames, side * side, channels), generator=generator)
    loss_weight = torch.randn((batch, frames * side * side // 16, 28), generator=generator)
    leaves = {"input": features.double()} | {name: weight.clone() for name, weight in weights.items()}
    for leaf in leaves.values():
        leaf.requires_grad_()
    output = connector({name: leaves[name] for name in weights}, leaves["input"])
    gradients = torch.autograd.grad((output * loss_weight).sum(), list(leaves.values()))
    return weights, features, loss_weight, {"output": output.detach(), **dict(zip(leaves, gradients, strict=True))}


def relative(found: Tensor, truth: Tensor) -> float:
    """Return the L2 norm of the difference over that of the truth, both as float64."""
    found, truth = found.detach().double(), truth.detach().double()
    return float((found - truth).norm() / truth.norm())
