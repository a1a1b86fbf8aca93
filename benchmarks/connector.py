"""AnomShield's connector: our kernels against the original's call sequence on mamba-ssm, and the device's floor.

    python -m benchmarks.connector [--out FILE.json] [--correctness]

One run of at most ten minutes on a machine with an NVIDIA GPU: what the device can do, compiling, correctness in every
type, the scan alone over its layouts, the connector and its stages, forward and backward, the three headline figures
once more; the table comes last, all figures go to `--out`. Without a GPU, or with `--correctness`, it stops after
correctness; there the kernels are run on the CPU by the tests' emulator. mamba-ssm and causal-conv1d are measured where
they are installed. Races: `compute-sanitizer --tool racecheck python -m benchmarks.connector --correctness`.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import platform
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch
from torch import Tensor

from ecva_bench.adapters.anomshield.connector import MambaConnector
from ecva_bench.adapters.anomshield.cuda import compiler, loader, scan
from ecva_bench.errors import AdapterError
from tests.adapters.anomshield import reference64

from . import connector_timings as timings
from . import original_connector
from .connector_timings import ALLOWED, Results

# batch, frames, side, channels
CASES = ((2, 1, 4, 32), (1, 3, 8, 64), (3, 5, 4, 24))
GOALS = {"scan": 2.5, "connector": 1.9, "connector, eager": 2.5, "forward + backward": 2.0}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="where the figures go, as JSON")
    parser.add_argument("--correctness", action="store_true", help="stop after correctness")
    args = parser.parse_args()
    logging.disable(logging.WARNING)
    torch.manual_seed(0)
    results: Results = {}
    parts: list[Callable[[Results], None]] = [device, compiling, correctness]
    if torch.cuda.is_available() and not args.correctness:
        parts += [timings.ceilings, timings.full_size, timings.scan_alone, timings.whole, timings.stages]
        parts += [timings.training, timings.again, table]
    failed = [part.__name__ for part in parts if not done(part, results, args.out)]
    if not torch.cuda.is_available():
        print("Timings need an NVIDIA GPU: there is none here, so none were taken.")
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


def done(part: Callable[[Results], None], results: Results, out: Path | None) -> bool:
    """Run a part; what breaks in it is told and takes nothing from the others: time on a GPU is dear."""
    start = time.perf_counter()
    try:
        part(results)
    except Exception:
        traceback.print_exc()
        return False
    finally:
        if out:
            out.write_text(json.dumps(results, indent=1, default=str))
    if part is not table:
        print(f"[{part.__name__}: {time.perf_counter() - start:.0f} s]\n", flush=True)
    return True


def device(results: Results) -> None:
    found = {"python": platform.python_version(), "torch": torch.__version__, "CUDA of torch": torch.version.cuda}
    for name in ("mamba-ssm", "causal-conv1d"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    if torch.cuda.is_available():
        properties = torch.cuda.get_device_properties(0)
        found |= {"GPU": properties.name, "multiprocessors": properties.multi_processor_count}
    else:
        found["GPU"] = "none"
    results["device"] = found
    print(", ".join(f"{name} {value}" for name, value in found.items()))


def compiling(results: Results) -> None:
    """From source, and from the cache: the three forward kernels as a first call needs them."""
    capability = torch.cuda.get_device_capability() if torch.cuda.is_available() else (9, 0)
    architecture = f"sm_{capability[0]}{capability[1]}"
    options: dict[str, int | str] = {
        "ELEMENT": 2,
        "VECTOR": 1,
        "VEC": 4,
        "ROWS": 8,
        "NORM": 1,
        **scan.TRAINING.macros(),
    }
    kept = os.environ.get("ECVA_CACHE")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ECVA_CACHE"] = folder
        try:
            found: Results = {"NVRTC": compiler.compiler().version}
            for name in ("from source", "from the cache"):
                start = time.perf_counter()
                for source in ("convolve.cu", "scan.cu", "pool.cu"):
                    compiler.cubin(source, architecture, options)
                found[name] = time.perf_counter() - start
                print(f"the forward kernels for {architecture}, {name}: {1000 * found[name]:.1f} ms")
            results["compiling"] = found
        except AdapterError as error:
            print(error)
        finally:
            os.environ.pop("ECVA_CACHE")
            if kept is not None:
                os.environ["ECVA_CACHE"] = kept


def correctness(results: Results) -> None:
    """Output and gradients of whole connectors against loops in float64, token by token."""
    where = "cuda" if torch.cuda.is_available() else "cpu"
    if where == "cpu" and shutil.which("g++"):
        from tests.adapters.anomshield.emulator import EmulatedLauncher

        loader.install("cpu", EmulatedLauncher())
    backends = ["torch", *(["cuda"] if where == "cuda" or shutil.which("g++") else [])]
    backends += ["mamba_ssm"] if where == "cuda" and original_connector.installed() else []
    print(f"relative errors on {where}{', cuda emulated' if where == 'cpu' else ''}; batch, frames, side, channels")
    print(f"{'':52} {'output':>9} {'allowed':>9} {'worst gradient':>15}  repeats")
    results["correctness"] = found = []
    for case in CASES:
        for dtype, allowed in ALLOWED.items():
            for backend in backends:
                output, gradient, repeats = _errors(case, dtype, backend, where)
                line = f"{backend:9} {str(dtype)[6:]:9} {case!s:32}"
                print(f"{line:52} {output:9.1e} {allowed:9.1e} {gradient:15.1e}  {'yes' if repeats else 'NO'}")
                found.append([backend, str(dtype), case, output, gradient, repeats])
                assert output <= allowed
                assert backend != "cuda" or (repeats and (dtype is not torch.float32 or gradient <= allowed))


def _errors(case: tuple[int, int, int, int], dtype: torch.dtype, backend: str, where: str) -> tuple[float, float, bool]:
    batch, frames, side, channels = case
    weights = reference64.random_weights(channels, 48)
    weights = {name: w.to(dtype).double().requires_grad_() for name, w in weights.items()}
    features = torch.randn(batch, frames, side * side, channels).to(dtype)
    loss = torch.randn(batch, frames * side * side // 16, 48).to(dtype)
    inputs = features.double().requires_grad_()
    truth = reference64.connector(weights, inputs)
    true = [truth, *torch.autograd.grad(truth, [inputs, *weights.values()], loss.double())]

    connector = MambaConnector(channels, 48, backend=backend).to(dtype).to(where).eval()
    connector.load_state_dict({name: w.detach() for name, w in weights.items()})
    parameters = dict(connector.named_parameters())

    def run() -> list[Tensor]:
        x = features.to(where).requires_grad_()
        output = connector(x)
        wanted = [x, *(parameters[name] for name in weights)]
        return [tensor.detach().cpu() for tensor in (output, *torch.autograd.grad(output, wanted, loss.to(where)))]

    ours, second = run(), run()
    errors = [reference64.relative(mine, right) for mine, right in zip(ours, true, strict=True)]
    return errors[0], max(errors[1:]), all(torch.equal(a, b) for a, b in zip(ours, second, strict=True))


def table(results: Results) -> None:
    """Everything that has a goal or a floor, last."""
    found = results["device"]
    print(f"{found['GPU']}, torch {found['torch']}, mamba-ssm {found['mamba-ssm']}; bfloat16, batch 1, microseconds")
    print(f"{'':32} {'ours':>9} {'original':>9} {'ratio':>6} {'goal':>6} {'floor':>9} {'reached':>8}")
    for frames in timings.FRAMES:
        floors = timings.floors_of(results, frames)
        alone, whole = results["scan"].get(frames), results["whole"].get(frames)
        if alone:
            row("scan", f"{frames} frames", alone["as shipped"], alone.get("original"), floors["scan"])
        for kind, name in (("graph", "connector"), ("eager", "connector, eager")):
            if whole:
                theirs = whole.get("original", {}).get(kind)
                row(name, f"{frames} frames", whole["ours"][kind], theirs, sum(floors.values()))
    for size, run in results["training"].items():
        row("forward + backward", size, run["ours"]["eager"], run.get("original", {}).get("eager"), None)


def row(name: str, size: str, ours: float, theirs: float | None, floor: float | None) -> None:
    against = f"{1e6 * theirs:9.1f} {theirs / ours:6.2f}" if theirs else f"{'-':>9} {'-':>6}"
    reached = f"{1e6 * floor:9.1f} {floor / ours:8.0%}" if floor else f"{'-':>9} {'-':>8}"
    print(f"{name + ', ' + size:32} {1e6 * ours:9.1f} {against} {GOALS[name]:6.1f} {reached}")


if __name__ == "__main__":
    main()
