"""The released connector's call sequence on the public kernels of mamba-ssm and causal-conv1d: the one to beat.

Channel-major throughout, as the original's bidirectional block is: one matrix product for both halves, each direction
convolved, projected, scanned and gated by itself, the backward one on flipped tensors and flipped back before the sum;
the small parameters cast and exponentiated at every call. Its own norm kernel is not public; torch's stands for it.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from ecva_bench.adapters.anomshield.connector import EPSILON, STATES, MambaConnector


def installed() -> bool:
    """Say whether the two packages are there with their compiled parts."""
    return all(find_spec(name) for name in ("selective_scan_cuda", "causal_conv1d_cuda"))


def both_scans(
    u: Tensor, dt: Tensor, a: Tensor, b: Tensor, c: Tensor, skip: Tensor, step: Tensor, z: Tensor
) -> tuple[Tensor, Tensor]:
    """Two scans and nothing else: u, dt [2, B, di, L], b, c [2, B, N, L], z [B, di, L], the backward ones flipped."""
    scan = import_module("mamba_ssm.ops.selective_scan_interface").selective_scan_fn
    first, second = (
        scan(u[s], dt[s], a[s], b[s], c[s], skip[s], z=z, delta_bias=step[s], delta_softplus=True) for s in (0, 1)
    )
    return first, second


def scans_with_flips(xz: Tensor, *scan: Tensor) -> tuple[Tensor, Tensor]:
    """The scans and what the original's second direction adds: `xz` flipped, its result flipped back, the sum."""
    first, second = both_scans(*scan)
    return first + second.flip(-1), xz.flip(-1)


def forward(connector: MambaConnector) -> Callable[[Tensor], Tensor]:
    """Return the original's forward pass, features [B, frames, patches, d] to tokens, on a connector's weights."""
    convolution = import_module("causal_conv1d").causal_conv1d_fn
    scan = import_module("mamba_ssm.ops.selective_scan_interface").selective_scan_fn
    layer, norm_f = connector.mambaModel_h.layer, connector.mambaModel_h.norm_f
    get = layer.mixer.get_parameter
    rank = get("dt_proj.weight").shape[1]

    def direction(xz: Tensor, side: str) -> Tensor:
        x, z = xz.chunk(2, dim=1)
        batch, _, length = x.shape
        a = -torch.exp(get(f"A{side}_log").float())
        weight, bias = (get(f"conv1d{side}.{kind}").to(x.dtype) for kind in ("weight", "bias"))
        u = convolution(x, weight.squeeze(1), bias, activation="silu")
        low, b, c = F.linear(u.transpose(1, 2).flatten(0, 1), get(f"x_proj{side}.weight")).split(
            [rank, STATES, STATES], dim=1
        )
        dt = (get(f"dt_proj{side}.weight") @ low.T).view(-1, batch, length).transpose(0, 1)
        b, c = (part.view(batch, length, STATES).transpose(1, 2).contiguous() for part in (b, c))
        skip, step = get(f"D{side}").float(), get(f"dt_proj{side}.bias").float()
        y: Tensor = scan(u, dt, a, b, c, skip, z=z, delta_bias=step, delta_softplus=True)
        return y

    def run(features: Tensor) -> Tensor:
        batch, frames, patches, channels = features.shape
        x = features.flatten(1, 2)
        rows = layer.norm(x).flatten(0, 1)
        xz = (get("in_proj.weight") @ rows.T).view(-1, batch, x.shape[1]).transpose(0, 1)
        y = direction(xz, "") + direction(xz.flip(-1), "_b").flip(-1)
        m = F.linear(y.transpose(1, 2), get("out_proj.weight"))
        r = F.rms_norm(x + m, (channels,), norm_f.weight.to(x.dtype), EPSILON)
        side = int(patches**0.5)
        grid = r.view(batch, frames, side, side, channels).permute(0, 4, 1, 2, 3)
        pooled = F.avg_pool3d(grid, (1, 4, 4)).permute(0, 2, 3, 4, 1).reshape(batch, -1, channels)
        tokens: Tensor = connector.readout(pooled)
        return tokens

    return run
