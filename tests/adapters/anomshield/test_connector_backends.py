"""Which backend runs the connector, and the one made of mamba-ssm's public functions."""

from __future__ import annotations

import logging
import subprocess
import sys
from importlib.util import find_spec

import pytest
import torch
from torch import Tensor

from ecva_bench.adapters.anomshield import backends, cuda, mamba_ssm, reference
from ecva_bench.adapters.anomshield.connector import MambaConnector
from ecva_bench.adapters.anomshield.operations import Operations
from ecva_bench.errors import AdapterError, UsageError

from . import reference64
from .reference64 import relative

CPU = torch.device("cpu")


@pytest.fixture
def no_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    cuda._log_once.cache_clear()
    monkeypatch.setattr(cuda, "unusable", lambda device: f"nothing to run on: {device}", raising=False)


@pytest.mark.usefixtures("no_kernels")
def test_auto_falls_back_to_torch_and_says_why_once(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert {backends.select("auto", CPU).name for _ in range(3)} == {"torch"}
    assert [record.getMessage() for record in caplog.records] == [
        "the connector runs in plain torch, not on our CUDA kernels: nothing to run on: cpu"
    ]


def test_compiled_without_a_gpu_the_recurrence_is_left_alone_and_nothing_is_complained_of(
    caplog: pytest.LogCaptureFixture, recwarn: pytest.WarningsRecorder
) -> None:
    cuda._log_once.cache_clear()
    connector = MambaConnector(16, 8).eval()
    graphs: list[int] = []

    def count(graph: torch.fx.GraphModule, inputs: object) -> torch.fx.GraphModule:
        graphs.append(len(graph.graph.nodes))
        return graph

    made = []
    for frames in (1, 9):
        torch._dynamo.reset()
        features = torch.randn(1, frames, 16, 16)
        with torch.no_grad():
            found = torch.compile(connector, backend=count, dynamic=False)(features)
            assert relative(found, connector(features)) < 1e-6
        made.append([graphs.pop() for _ in range(len(graphs))])
    assert made[0] == made[1]  # however many tokens there are to walk
    assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) == 1
    assert [str(warning.message) for warning in recwarn if "ynamo" in str(warning.message)] == []


@pytest.mark.usefixtures("no_kernels")
def test_a_backend_asked_for_by_name_is_not_replaced(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(AdapterError, match="nothing to run on: cpu: give --model-arg backend=torch"):
        backends.select("cuda", CPU)
    with pytest.raises(UsageError, match="available: auto, torch, cuda, mamba_ssm"):
        backends.select("triton", CPU)
    assert backends.select("torch", CPU) is reference.OPERATIONS
    assert caplog.records == []


def test_auto_takes_our_kernels_where_they_run(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = Operations("cuda", *[reference.OPERATIONS.pool] * 3)
    monkeypatch.setattr(cuda, "unusable", lambda device: None, raising=False)
    monkeypatch.setattr(cuda, "operations", lambda: ours, raising=False)
    connector = MambaConnector(16, 8)
    assert connector.operations(torch.zeros(1)) is ours
    assert connector.operations(torch.zeros(1, dtype=torch.float64)) is reference.OPERATIONS


def test_the_contract_needs_no_torch() -> None:
    program = "import sys, ecva_bench.adapters.anomshield.backends; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_mamba_ssm_absent_names_what_is_missing_and_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mamba_ssm, "find_spec", lambda name: None)
    with pytest.raises(AdapterError) as refused:
        backends.select("mamba_ssm", CPU)
    assert "selective_scan_cuda, causal_conv1d_cuda" in str(refused.value)
    assert "MAMBA_KEEP_CUDA_BUILD=TRUE pip install mamba-ssm causal-conv1d --no-build-isolation" in str(refused.value)


def selective_scan(
    u: Tensor,
    delta: Tensor,
    A: Tensor,
    B: Tensor,
    C: Tensor,
    D: Tensor | None = None,
    z: Tensor | None = None,
    delta_bias: Tensor | None = None,
    delta_softplus: bool = False,
) -> Tensor:
    """One direction, channel-major: u, delta, z [B, D, L], B and C [B, N, L], as mamba-ssm documents it."""
    step = delta if delta_bias is None else delta + delta_bias[:, None]
    step = torch.nn.functional.softplus(step) if delta_softplus else step
    state, ys = 0, []
    for t in range(u.shape[2]):
        driven = (step[:, :, t] * u[:, :, t])[..., None] * B[:, None, :, t]
        state = torch.exp(step[:, :, t, None] * A) * state + driven
        ys.append(torch.einsum("bdn,bn->bd", state, C[:, :, t]))
    y = torch.stack(ys, dim=2)
    y = y if D is None else y + D[:, None] * u
    return y if z is None else y * reference64.silu(z)


def causal_conv1d(x: Tensor, weight: Tensor, bias: Tensor | None = None, *, activation: str | None = None) -> Tensor:
    """Causal, channel-major: x [B, D, L], weight [D, 4], as causal-conv1d documents it."""
    assert activation in (None, "silu")
    padded = torch.nn.functional.pad(x, (3, 0))
    y = torch.nn.functional.conv1d(padded, weight[:, None], bias, groups=len(weight))
    return y if activation is None else reference64.silu(y)


def test_mamba_ssm_s_public_functions_make_the_same_connector(monkeypatch: pytest.MonkeyPatch) -> None:
    weights = {name: w.requires_grad_() for name, w in reference64.random_weights(20, 12).items()}
    generator = torch.Generator().manual_seed(3)
    features = torch.randn((2, 3, 16, 20), generator=generator, dtype=torch.float64)
    truth = reference64.connector(weights, features)
    truth.square().sum().backward()

    connector = MambaConnector(20, 12, backend="mamba_ssm").double().eval()
    connector.load_state_dict({name: w.detach() for name, w in weights.items()})
    monkeypatch.setattr(mamba_ssm, "operations", lambda: mamba_ssm.built_from(selective_scan, causal_conv1d))
    found = connector(features)
    assert relative(found, truth) < 1e-12
    found.square().sum().backward()
    assert {n for n, p in connector.named_parameters() if not relative(p.grad, weights[n].grad) < 1e-12} == set()


@pytest.mark.skipif(
    find_spec("selective_scan_cuda") is None or not torch.cuda.is_available(), reason="needs mamba-ssm and a GPU"
)
def test_mamba_ssm_agrees_on_the_device() -> None:
    weights = reference64.random_weights(32, 16)
    features = torch.randn((2, 3, 16, 32), dtype=torch.float64)
    connector = MambaConnector(32, 16, backend="mamba_ssm").cuda().eval()
    connector.load_state_dict(weights)
    assert relative(connector(features.float().cuda()).cpu(), reference64.connector(weights, features)) < 1e-5
