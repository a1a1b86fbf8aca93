"""Where a model's networks are placed, and as what numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import torch

from ecva_bench.devices import usable
from ecva_bench.errors import UsageError

DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
QUANTIZED = ("", "8bit", "4bit")

Module = TypeVar("Module", bound=torch.nn.Module)


@dataclass(frozen=True)
class Placement:
    """Where networks are put: tower and connector on `device`; the language model there too, unless it is `spread`.

    `quantize` holds for the language model alone.
    """

    device: torch.device
    dtype: torch.dtype
    quantize: str = ""
    spread: bool = False

    def describe(self) -> dict[str, str]:
        """Return what can move a number: dtype, kind of device, quantisation."""
        dtype = str(self.dtype).removeprefix("torch.")
        return {"dtype": dtype, "device": self.device.type, "quantize": self.quantize or "no"}

    def make(self, build: Callable[[], Module]) -> Module:
        """Return the module that `build` makes, on the device in the dtype, for inference.

        It is made on the device, where its first random weights, which are of no account, cost nothing.
        """
        with self.device:
            module = build()
        return module.to(self.dtype).eval().requires_grad_(False)


NOWHERE = Placement(torch.device("meta"), torch.float16)  # for networks without numbers


def place(device: str, dtype: str, quantize: str) -> Placement:
    """Return the placement of the options; `auto` is a GPU where there is one, and there 16 bits a number.

    Raises `UsageError` for what this machine or torch does not have.
    """
    if quantize not in QUANTIZED:
        raise UsageError(f"{quantize!r} is no value of quantize", remedy="choose 8bit or 4bit, or leave it out")
    chosen = torch.device(usable("cuda:0" if device == "spread" else device))
    if quantize and chosen.type != "cuda":
        raise UsageError("quantised weights need a GPU", str(chosen), "leave quantize out")
    if dtype == "auto":
        half = torch.bfloat16 if chosen.type == "cuda" and torch.cuda.is_bf16_supported(False) else torch.float16
        return Placement(chosen, half if chosen.type == "cuda" else torch.float32, quantize, device == "spread")
    if dtype not in DTYPES:
        raise UsageError(f"{dtype!r} is no value of dtype", remedy=f"choose from auto, {', '.join(DTYPES)}")
    return Placement(chosen, DTYPES[dtype], quantize, device == "spread")
