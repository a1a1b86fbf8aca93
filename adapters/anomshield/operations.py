"""What a backend of the connector must bring: three functions between torch's matrix products.

Knows the three signatures; not who has them, what they compute with, nor the connector's weights.

Tensors are token-major, [batch, tokens, channels]; tokens = frames*side*side in the order frame, row, column. A leading
axis of 2 is the direction: 0 walks the tokens forward, 1 backward. What belongs to the backward direction lies in
forward time order too: nothing is ever flipped. B batch, L tokens, d model channels, di = 2d inner channels, N = 16
states, 4 taps. "Full precision" is float32, or float64 where the activations are float64.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from torch import Tensor

    Convolve: TypeAlias = Callable[[Tensor, Tensor, Tensor], Tensor]
    Scan: TypeAlias = Callable[[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor], Tensor]
    Pool: TypeAlias = Callable[[Tensor, Tensor, Tensor | None, float, int], Tensor]


@dataclass(frozen=True)
class Operations:
    """One backend: differentiable in every tensor argument, accumulating in full precision, rounding once at the end.

    convolve(xs, weight, bias) -> u
        Depthwise convolution of both directions, zero padded, then SiLU (Eq. 4).
        xs [B, L, di], last stride 1, any row stride (a column slice of in_proj's output);
        weight [2, di, 4], bias [2, di] full precision -> u [2, B, L, di] in xs.dtype, contiguous.
        u[0][t] = silu(bias[0] + sum_k weight[0][:, 3-k] * xs[t-k])
        u[1][t] = silu(bias[1] + sum_k weight[1][:, 3-k] * xs[t+k])

    scan(u, dt, A, B, C, D, dt_bias, z) -> y
        Selective scan of both directions, their sum, and the gate (Eq. 7 to 9).
        u, dt [2, B, L, di] contiguous (dt before bias and softplus); A [2, di, N] negative; B, C [2, B, L, N] and
        z [B, L, di] with last stride 1 and any row stride (column slices); D, dt_bias [2, di].
        u, dt, B, C, z have one dtype: float32, float16, bfloat16 (float64 in torch only); A, D, dt_bias full precision.
        -> y [B, L, di] = (y[0] + y[1]) * silu(z) in u.dtype, contiguous, where
        step = softplus(dt + dt_bias), the identity above 20,
        h[0][t] = exp(step*A) * h[0][t-1] + step*B*u, h[1][t] the same from h[1][t+1], and y[s][t] = C.h[s][t] + D*u.

    pool(x, m, weight, eps, frames) -> p
        Residual, final RMSNorm and mean over the 4x4 neighbouring tokens of each frame's side x side grid.
        x, m [B, L, d] residual stream and mixer output, contiguous; weight [d] full precision, or None for no
        norm. r = x + m; o = r * rsqrt(mean(r^2) + eps) * weight, or r
        -> p [B, L/16, d] in x.dtype, order frame, row, column; side is a multiple of 4.
    """

    name: str
    convolve: Convolve
    scan: Scan
    pool: Pool
