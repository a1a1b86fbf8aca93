"""AnomShield's connector (Sec. IV-B, Eq. 1 to 10): frames' patch features in, tokens of the language model out.

Knows the network as it was released: a bidirectional Mamba block, residual, norm, 4x4 pooling, a two-layer MLP, and the
22 names of its state dict. What the backends compute is in `operations`; where weights come from is none of its affair.

The released code is not quite the paper: it adds no positions (Eq. 1), and normalises the sum of Eq. 10 before pooling.
It is the default here; `positional` and `final_norm` give the paper's (design/connector.md).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal, NamedTuple, cast

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from ecva_bench.errors import AdapterError, UsageError

from .backends import BACKENDS, select
from .operations import Operations

STATES = 16
TAPS = 4
EPSILON = 1e-5

_LAYER = "mambaModel_h.layers.0"
_MIXER = f"{_LAYER}.mixer"
_CONVOLUTIONS = tuple(f"{_MIXER}.conv1d{side}.{kind}" for side in ("", "_b") for kind in ("weight", "bias"))
_NORMS = ("mambaModel_h.norm_f.weight", f"{_LAYER}.norm.weight")
_SCANS = tuple(f"{_MIXER}.{name}" for name in ("A_log", "D", "A_b_log", "D_b", "dt_proj.bias", "dt_proj_b.bias"))

# Whatever type the module is cast to, these stay float32: they are small, and errors in them add up along the scan.
FULL_PRECISION = frozenset((*_NORMS, *_SCANS, *_CONVOLUTIONS))


class _Directions(NamedTuple):
    """The weights as the operations take them, index 0 of each forward, 1 backward."""

    convolution: Tensor  # [2, di, 4]
    convolution_bias: Tensor  # [2, di]
    x_proj: Tensor  # [2, di, R + 2N]: a transposed view
    dt_proj: Tensor  # [2, R, di]: a transposed view
    A: Tensor  # [2, di, N], negative
    D: Tensor  # [2, di]
    dt_bias: Tensor  # [2, di]


class _Mixer(nn.Module):
    """The parameters of a bidirectional Mamba block under their released names, each pair stacked by `directions`."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner, rank = 2 * channels, math.ceil(channels / 16)
        for side in ("", "_b"):
            log = torch.arange(1, STATES + 1, dtype=torch.float32).log().repeat(inner, 1)
            setattr(self, f"A{side}_log", nn.Parameter(log))
            setattr(self, f"D{side}", nn.Parameter(torch.ones(inner)))
            setattr(self, f"conv1d{side}", nn.Conv1d(inner, inner, TAPS, groups=inner))
            setattr(self, f"x_proj{side}", nn.Linear(inner, rank + 2 * STATES, bias=False))
            setattr(self, f"dt_proj{side}", nn.Linear(rank, inner))
        self.in_proj = nn.Linear(channels, 2 * inner, bias=False)
        self.out_proj = nn.Linear(inner, channels, bias=False)
        self._initialise_forward_step(self.get_submodule("dt_proj"), rank)
        self._cached: tuple[object, _Directions] | None = None

    @torch.no_grad()
    def _initialise_forward_step(self, projection: nn.Module, rank: int) -> None:
        """Draw steps log-uniformly from .001 to .1; the released code leaves `dt_proj_b` as it is, and so do we."""
        weight, bias = projection.get_parameter("weight"), projection.get_parameter("bias")
        weight.uniform_(-(rank**-0.5), rank**-0.5)
        step = torch.empty_like(bias).uniform_(math.log(0.001), math.log(0.1)).exp().clamp(min=1e-4)
        bias.copy_(step + torch.log(-torch.expm1(-step)))

    def directions(self) -> _Directions:
        """Return the stacked weights; without gradients they are made once for each version of the parameters.

        A version is changed by every in-place operation on a parameter, but not by one on its `.data`; parameters made
        under `inference_mode` have none.
        """
        if torch.is_grad_enabled() or torch.compiler.is_compiling() or self.in_proj.weight.is_inference():
            return self._stack()
        version = tuple((p.data_ptr(), p.dtype, p._version) for p in self.parameters())
        if self._cached is None or self._cached[0] != version:
            self._cached = (version, self._stack())
        return self._cached[1]

    def _stack(self) -> _Directions:
        def pair(name: str) -> Tensor:
            return torch.stack((self.get_parameter(name.format("")), self.get_parameter(name.format("_b"))))

        return _Directions(
            convolution=pair("conv1d{}.weight").squeeze(2),
            convolution_bias=pair("conv1d{}.bias"),
            x_proj=pair("x_proj{}.weight").transpose(1, 2),
            dt_proj=pair("dt_proj{}.weight").transpose(1, 2),
            A=-pair("A{}_log").exp(),
            D=pair("D{}"),
            dt_bias=pair("dt_proj{}.bias"),
        )


class _Norm(nn.Module):
    """RMSNorm without bias: x * rsqrt(mean(x^2) + 1e-5) * weight, in full precision, rounded to x's type."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, self.weight.shape, self.weight.to(x.dtype), EPSILON)


class _Layer(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mixer = _Mixer(channels)
        self.norm = _Norm(channels)


class _Mamba(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm_f = _Norm(channels)
        self.layers = nn.ModuleList([_Layer(channels)])

    @property
    def layer(self) -> _Layer:
        """The one layer of the released model."""
        return cast(_Layer, self.layers[0])


class MambaConnector(nn.Module):
    """Patch features [B, frames, patches, d_model] to language tokens [B, frames*patches/16, hidden].

    `backend` is a name of `backends.BACKENDS`. `positional="spatiotemporal"` adds Eq. 1's learned p_t [frames, d] and
    p_s [patches, d] (keys `pos_t`, `pos_s`), p_t interpolated linearly for another number of frames.
    `final_norm=False` pools the plain sum of Eq. 10; the 22 names stay, `norm_f` unused. `drop_path` is the share of
    samples whose Mamba branch is left out in training (0.1 as released), the others scaled up; inert in `eval()`.
    Parameters in `FULL_PRECISION` stay float32 when the module is cast to a half type.
    """

    def __init__(
        self,
        d_model: int = 1024,
        hidden: int = 4096,
        *,
        backend: str = "auto",
        positional: Literal["none", "spatiotemporal"] = "none",
        frames: int = 16,
        patches: int = 256,
        final_norm: bool = True,
        drop_path: float = 0.1,
    ) -> None:
        super().__init__()
        for name, value, known in (
            ("backend", backend, BACKENDS),
            ("positional embedding", positional, ("none", "spatiotemporal")),
        ):
            if value not in known:
                raise UsageError(f"no {name} is called {value!r}", remedy=f"available: {', '.join(known)}")
        self.backend, self.final_norm, self.drop_path = backend, final_norm, drop_path
        self.mambaModel_h = _Mamba(d_model)
        self.mambaModel_h.norm_f.requires_grad_(final_norm)
        self.readout = nn.Sequential(nn.Linear(d_model, hidden), nn.GELU(), nn.Linear(hidden, hidden))
        self.positional = positional == "spatiotemporal"
        if self.positional:
            self.pos_t = nn.Parameter(torch.empty(frames, d_model).normal_(std=0.02))
            self.pos_s = nn.Parameter(torch.empty(patches, d_model).normal_(std=0.02))

    def forward(self, features: Tensor) -> Tensor:
        """Return the language tokens, order frame, row, column; `AdapterError` where patches make no 4n x 4n grid."""
        batch, frames, patches, channels = features.shape
        side = math.isqrt(patches)
        if side * side != patches or side % 4:
            raise AdapterError("4x4 pooling needs a square grid of patches, a multiple of 4 wide", f"{patches} patches")
        if self.positional:
            features = features + self._positions(frames).to(features.dtype)
        x = features.reshape(batch, frames * patches, channels)
        weight = self.mambaModel_h.norm_f.weight if self.final_norm else None
        operations = self.operations(x)
        m = self._mix(x, operations).to(x.dtype)  # another type under autocast
        return cast(Tensor, self.readout(operations.pool(x, m, weight, EPSILON, frames)))

    def operations(self, x: Tensor) -> Operations:
        """Return the backend for tensors like `x`: our kernels know no float64, so there `auto` means `torch`."""
        double = self.backend == "auto" and x.dtype is torch.float64
        return select("torch" if double else self.backend, x.device)

    def _mix(self, x: Tensor, operations: Operations) -> Tensor:
        """Return the Mamba branch's output m [B, L, d] for the tokens x [B, L, d]: Eq. 2 to 10 but for the residual."""
        layer = self.mambaModel_h.layer
        weights = layer.mixer.directions()
        xs, z = layer.mixer.in_proj(layer.norm(x)).chunk(2, dim=-1)
        u = operations.convolve(xs, weights.convolution, weights.convolution_bias)
        mixed = (u.flatten(1, 2) @ weights.x_proj).view(*u.shape[:3], -1)
        low, B, C = torch.split(mixed, [weights.dt_proj.shape[1], STATES, STATES], dim=-1)
        dt = (low.flatten(1, 2) @ weights.dt_proj).view_as(u)
        y = operations.scan(u, dt, weights.A, B, C, weights.D, weights.dt_bias, z)
        m: Tensor = layer.mixer.out_proj(y)
        if self.training and self.drop_path:
            kept = torch.rand((len(m), 1, 1), device=m.device) >= self.drop_path
            m = m * (kept / (1 - self.drop_path)).to(m.dtype)
        return m

    def _positions(self, frames: int) -> Tensor:
        """Return p_t + p_s [frames, patches, d]."""
        times: Tensor = self.pos_t
        if len(times) != frames:
            times = F.interpolate(times.T[None], size=frames, mode="linear", align_corners=False)[0].T
        return times[:, None] + self.pos_s

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Any:
        """Move or cast the module as torch does, but hold what must stay in full precision to it."""
        before = {name: p.data for name, p in self.named_parameters() if name in FULL_PRECISION}
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        for name, data in before.items():
            parameter = self.get_parameter(name)
            if parameter.dtype in (torch.float16, torch.bfloat16):
                parameter.data = data.to(parameter.device, torch.float32)
        return self
