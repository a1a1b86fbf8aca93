"""What there is to compute on, by torch's word and the driver's."""

from __future__ import annotations

import ctypes
from types import SimpleNamespace

import pytest
import torch

from ecva_bench import devices
from ecva_bench.errors import UsageError


class Driver:
    """NVIDIA's driver with so many devices, or one that fails."""

    def __init__(self, count: int, code: int = 0) -> None:
        self.count, self.code = count, code

    def cuInit(self, flags: int) -> int:  # noqa: N802  the driver's name
        return self.code

    def cuDeviceGetCount(self, found: object) -> int:  # noqa: N802  the driver's name
        found._obj.value = self.count  # type: ignore[attr-defined]
        return 0


@pytest.mark.parametrize(("by_torch", "by_driver", "there"), [(2, 2, 2), (0, 3, 3), (1, 0, 1), (0, 0, 0)])
def test_a_device_is_there_where_torch_or_the_driver_sees_it(
    by_torch: int, by_driver: int, there: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A torch for the CPU sees none, and a model in another environment may use it all the same."""
    monkeypatch.setattr(torch.cuda, "device_count", lambda: by_torch)
    monkeypatch.setattr(ctypes, "CDLL", lambda name: Driver(by_driver))
    assert devices.gpus() == by_torch
    assert devices.there() == ["cpu", *(f"cuda:{number}" for number in range(there))]


def test_without_torch_the_drivers_word_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "find_spec", lambda name: None)
    monkeypatch.setattr(ctypes, "CDLL", lambda name: Driver(4))
    assert devices.gpus() == 4
    monkeypatch.setattr(ctypes, "CDLL", lambda name: Driver(4, code=100))  # no device
    assert devices.gpus() == 0

    def none(name: str) -> SimpleNamespace:
        raise OSError("libcuda.so.1: cannot open shared object file")

    monkeypatch.setattr(ctypes, "CDLL", none)
    assert devices.gpus() == 0


def test_a_device_is_usable_where_torch_computes_on_it() -> None:
    assert devices.usable("cpu") == "cpu"
    assert devices.usable("auto") == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.parametrize("name", ["cuda:93", "meta", "mps:9", "xpu", "hpu", "vulkan", "lazy", "gpu", "", "cuda:-1"])
def test_what_torch_cannot_compute_on_is_refused_in_one_short_line_with_what_there_is(name: str) -> None:
    with pytest.raises(UsageError) as refused:
        devices.usable(name)
    text = str(refused.value)
    assert text.startswith("torch cannot use the device (")
    assert ": there is cpu" in text
    assert len(text) < 220
    assert "\n" not in text
