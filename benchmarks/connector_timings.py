"""What `benchmarks.connector` measures on a GPU: the scan alone, the connector, its stages, a training step.

Each part takes the results so far, adds its own under its name, and prints them. Seconds throughout; bfloat16.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ecva_bench.adapters.anomshield.connector import EPSILON, STATES, MambaConnector
from ecva_bench.adapters.anomshield.cuda import rows, scan
from ecva_bench.errors import AdapterError
from tests.adapters.anomshield import reference64

from . import gpu, original_connector

FRAMES, PATCHES, WIDTH, HIDDEN = (8, 16, 32, 64), 256, 1024, 4096
TRAINING = ((1, 8), (16, 2), (32, 1))  # frames, batch
LAYOUTS = [scan.ScanLayout(c, t, s) for c in (16, 32) for t in (32, 64) for s in (4, 2)]
ALLOWED = {torch.float32: 2e-6, torch.float16: 8.5e-4, torch.bfloat16: 6.5e-3}
Results = dict[str, Any]


def ceilings(results: Results) -> None:
    results["ceilings"] = most = gpu.ceilings()
    print(f"copying {most.bytes / 1e12:.2f} TB/s, bfloat16 {most.flop / 1e12:.0f} TFLOP/s, ", end="")
    print(f"{most.exponentials / 1e12:.2f} T exponentials/s")


def full_size(results: Results) -> None:
    """8 frames at the released size against the same weights in torch and float64."""
    ours = _connector("cuda", torch.float32)
    truth = copy.deepcopy(ours).double()
    truth.backend = "torch"
    features = torch.randn(1, 8, PATCHES, WIDTH, device="cuda")
    with torch.no_grad():
        right = truth(features.double())
        errors = {
            dtype: reference64.relative(copy.deepcopy(ours).to(dtype)(features.to(dtype)), right) for dtype in ALLOWED
        }
    results["full_size"] = {str(dtype)[6:]: error for dtype, error in errors.items()}
    print("relative errors at the released size, weights and features rounded too:", end="")
    print(", ".join(f" {name} {error:.1e}" for name, error in results["full_size"].items()))
    assert errors[torch.float32] <= ALLOWED[torch.float32]


def _connector(backend: str, dtype: torch.dtype = torch.bfloat16) -> MambaConnector:
    connector = MambaConnector(WIDTH, HIDDEN, backend=backend)
    connector.load_state_dict(reference64.random_weights(WIDTH, HIDDEN))
    return connector.to("cuda", dtype).eval()


def _work(frames: int) -> dict[str, dict[str, float]]:
    """What each stage must at least move, multiply and exponentiate in bfloat16: bytes, FLOP, special-function uses."""
    tokens, d, inner, out = frames * PATCHES, WIDTH, 2 * WIDTH, WIDTH // 16 + 2 * STATES
    rank = WIDTH // 16
    return {
        "norm": {"moved": tokens * 2 * d * 2},
        "in_proj": {"flop": tokens * 2 * d * 2 * inner, "moved": tokens * (d + 2 * inner) * 2},
        "convolve": {"moved": tokens * 3 * inner * 2, "exponentials": tokens * 2 * 2 * inner},
        "x_proj": {"flop": tokens * 2 * 2 * inner * out, "moved": tokens * 2 * (inner + out) * 2},
        "dt_proj": {"flop": tokens * 2 * 2 * rank * inner, "moved": tokens * 2 * (rank + inner) * 2},
        "scan": {
            "moved": tokens * (2 * 2 * inner + 2 * 2 * STATES + 2 * inner) * 2,
            "exponentials": tokens * (2 * inner * (STATES + 1) + 2 * inner),
        },
        "out_proj": {"flop": tokens * 2 * inner * d, "moved": tokens * (inner + d) * 2},
        "pool": {"moved": tokens * (2 * d + d / 16) * 2},
        "readout": {
            "flop": tokens / 16 * 2 * (d * HIDDEN + HIDDEN * HIDDEN),
            "moved": (d * HIDDEN + HIDDEN * HIDDEN + tokens / 16 * (d + 3 * HIDDEN)) * 2,
        },
    }


def floors_of(results: Results, frames: int) -> dict[str, float]:
    return {stage: results["ceilings"].floor(**work) for stage, work in _work(frames).items()}


def _scan_inputs(frames: int) -> list[list[Tensor]]:
    """Sets of u, dt, A, B, C, D, dt bias, z as the connector has them: B, C and z are column slices."""
    length, inner = frames * PATCHES, 2 * WIDTH

    def normal(*shape: int, dtype: torch.dtype = torch.bfloat16) -> Tensor:
        return torch.randn(shape, device="cuda", dtype=dtype)

    sets = []
    for _ in range(gpu.SETS):
        projected, xz = normal(2, 1, length, WIDTH // 16 + 2 * STATES), normal(1, length, 2 * inner)
        small = normal(2, inner, STATES, dtype=torch.float32), normal(2, inner, dtype=torch.float32)
        parts = [normal(2, 1, length, inner), normal(2, 1, length, inner), -small[0].exp()]
        parts += [projected[..., -2 * STATES : -STATES], projected[..., -STATES:], small[1], small[1], xz[..., inner:]]
        sets.append(parts)
    return sets


def _channel_major(parts: list[Tensor]) -> list[Tensor]:
    """The same for the original: xz whole, then what its scans take."""
    u, dt, a, b, c, skip, step, z = parts
    flipped = [torch.stack((t[0], t[1].flip(1))).transpose(2, 3).contiguous() for t in (u, dt, b, c)]
    z = z.transpose(1, 2).contiguous()
    return [torch.cat((z, z), 1), flipped[0], flipped[1], a, flipped[2], flipped[3], skip, step, z]


@torch.no_grad()
def scan_alone(results: Results) -> None:
    """Both directions with softplus, skip, sum and gate."""
    results["scan"] = {}
    for frames in FRAMES:
        inputs = _scan_inputs(frames)
        found = {}
        for layout in LAYOUTS:
            key = f"{layout.channels} channels, tile {layout.tile}, {layout.states_per_lane} states a lane"
            try:
                found[key] = gpu.graph_time(lambda *t, used=layout: _forward(used, *t), inputs)
            except AdapterError as error:  # a tile too large for a block's shared memory
                print(f"scan, {key}: {error}")
        ours: Results = {"as shipped": gpu.graph_time(scan.scan, inputs), "layouts": found}
        if original_connector.installed():
            theirs = [_channel_major(parts) for parts in inputs]
            ours["original, scans only"] = gpu.graph_time(
                original_connector.both_scans, [parts[1:] for parts in theirs]
            )
            ours["original"] = gpu.graph_time(original_connector.scans_with_flips, theirs)
        results["scan"][frames] = ours
        for key, seconds in [*sorted(found.items(), key=lambda item: item[1]), *ours.items()]:
            if isinstance(seconds, float):
                print(f"scan, {frames} frames, {key:42} {_us(seconds):>9} us")


def _forward(layout: scan.ScanLayout, *tensors: Tensor) -> Tensor:
    return scan.forward(scan.ScanInputs(*tensors), save=False, layout=layout)[0]


def _contenders(connector: MambaConnector) -> dict[str, Callable[[Tensor], Tensor]]:
    """Return forward passes over the same weights: ours, and the original's where it is installed."""
    found: dict[str, Callable[[Tensor], Tensor]] = {"ours": connector}
    if original_connector.installed():
        found["original"] = original_connector.forward(connector)
    return found


@torch.no_grad()
def whole(results: Results) -> None:
    """The connector forward. The fallback walks token by token: it is timed by itself, and only a few times."""
    results["whole"] = {}
    connector = _connector("cuda")
    fallback = copy.copy(connector)
    fallback.backend = "torch"
    for frames in FRAMES:
        inputs = [[torch.randn(1, frames, PATCHES, WIDTH, device="cuda").bfloat16()] for _ in range(gpu.SETS)]
        truth, found = fallback(*inputs[0]), {}
        for name, run in _contenders(connector).items():
            found[name] = _forward_figures(run, inputs)
            assert reference64.relative(run(*inputs[0]), truth) < ALLOWED[torch.bfloat16], name
            times = ", ".join(f"{kind} {_us(found[name][kind])} us" for kind in ("eager", "graph"))
            rest = f"{found[name]['kernels']} kernels, peak memory {found[name]['peak memory'] / 2**20:.0f} MiB"
            print(f"connector, {frames} frames, {name:8} {times}, {rest}")
        found["torch"] = {"eager": gpu.eager_time(fallback, inputs[:1], calls=3)}
        print(f"connector, {frames} frames, torch    eager {_us(found['torch']['eager'])} us")
        results["whole"][frames] = found


def _forward_figures(run: Callable[[Tensor], Tensor], inputs: gpu.Inputs) -> dict[str, float]:
    def once() -> Tensor:
        return run(*inputs[0])

    return {
        "eager": gpu.eager_time(run, inputs),
        "graph": gpu.graph_time(run, inputs),
        "kernels": gpu.kernels_of(once),
        "peak memory": gpu.peak_memory(once),
    }


@torch.no_grad()
def stages(results: Results) -> None:
    """Each stage by itself in a graph, on inputs that the last-level cache may hold."""
    connector = _connector("cuda")
    layer, weights = connector.mambaModel_h.layer, connector.mambaModel_h.layer.mixer.directions()
    results["stages"] = {}
    for frames in FRAMES:
        length, inner = frames * PATCHES, 2 * WIDTH
        x, xz = (torch.randn(1, length, n, device="cuda").bfloat16() for n in (WIDTH, 2 * inner))
        u, _, _, B, C, _, _, z = _scan_inputs(frames)[0]  # noqa: N806
        flat, low = u.flatten(1, 2), torch.randn(2, length, WIDTH // 16, device="cuda").bfloat16()
        pooled = torch.randn(1, length // 16, WIDTH, device="cuda").bfloat16()
        calls: dict[str, tuple[Callable[..., Any], list[Any]]] = {
            "norm": (layer.norm, [x]),
            "in_proj": (layer.mixer.in_proj, [x]),
            "convolve": (rows.convolve, [xz[..., :inner], weights.convolution, weights.convolution_bias]),
            "x_proj": (torch.matmul, [flat, weights.x_proj]),
            "dt_proj": (torch.matmul, [low, weights.dt_proj]),
            "scan": (scan.scan, [u, u, weights.A, B, C, weights.D, weights.dt_bias, z]),
            "out_proj": (layer.mixer.out_proj, [u[0]]),
            "pool": (rows.pool, [x, x.clone(), connector.mambaModel_h.norm_f.weight, EPSILON, frames]),
            "readout": (connector.readout, [pooled]),
        }
        floors = floors_of(results, frames)
        found = {name: gpu.graph_time(function, [arguments]) for name, (function, arguments) in calls.items()}
        results["stages"][frames] = {name: [seconds, floors[name]] for name, seconds in found.items()}
        print(f"stages, {frames} frames (us, of the floor):", end="")
        print(", ".join(f" {name} {_us(s)} {floors[name] / s:.0%}" for name, s in found.items()))


def training(results: Results) -> None:
    """Forward and backward of a training step: gradients of all parameters and of the features."""
    results["training"] = {}
    connector = _connector("cuda")
    for frames, batch in TRAINING:
        results["training"][f"{frames} x {batch}"] = found = {}
        for name, run in _contenders(connector).items():
            step = _step(run, connector, frames, batch)
            found[name] = {"eager": gpu.eager_time(step, [[]], calls=20), "peak memory": gpu.peak_memory(step)}
            times = f"{_us(found[name]['eager'])} us, peak memory {found[name]['peak memory'] / 2**20:.0f} MiB"
            print(f"forward + backward, {frames} frames x {batch}, {name:8} {times}")


def _step(
    run: Callable[[Tensor], Tensor], connector: MambaConnector, frames: int, batch: int
) -> Callable[[], tuple[Tensor, ...]]:
    features = torch.randn(batch, frames, PATCHES, WIDTH, device="cuda").bfloat16().requires_grad_()
    above = torch.randn(batch, frames * PATCHES // 16, HIDDEN, device="cuda").bfloat16()
    wanted = [features, *connector.parameters()]
    return lambda: torch.autograd.grad(run(features), wanted, above)


def again(results: Results) -> None:
    """The headline figures once more, 16 frames: a difference below the spread is noise."""
    connector = _connector("cuda")
    step = _step(connector, connector, 16, 2)
    inputs = [[torch.randn(1, 16, PATCHES, WIDTH, device="cuda").bfloat16()] for _ in range(gpu.SETS)]
    trained = gpu.eager_time(step, [[]], calls=20)
    with torch.no_grad():
        pairs = {
            "scan": (results["scan"][16]["as shipped"], gpu.graph_time(scan.scan, _scan_inputs(16))),
            "connector": (results["whole"][16]["ours"]["graph"], gpu.graph_time(connector, inputs)),
            "forward + backward": (results["training"]["16 x 2"]["ours"]["eager"], trained),
        }
    results["again"] = pairs
    for name, (first, second) in pairs.items():
        print(f"{name:20} {_us(first)} us, again {_us(second)} us: {abs(second / first - 1):.1%} apart")


def _us(seconds: float) -> str:
    return f"{1e6 * seconds:.1f}"
