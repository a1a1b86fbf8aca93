"""How the kernels see a tensor: macros that name its type and say if its rows can be read 16 bytes at a time."""

from __future__ import annotations

from torch import Tensor, bfloat16, float16, float32

from ecva_bench.errors import AdapterError

ELEMENTS = {float32: 0, float16: 1, bfloat16: 2}


def macros(*tensors: Tensor) -> dict[str, int | str]:
    """Return ELEMENT and VECTOR (see `kernels/common.cuh`) for a launch over these tensors of one activation dtype.

    `AdapterError` where their dtype is none the kernels know, or they have more than one.
    """
    dtype = tensors[0].dtype
    if dtype not in ELEMENTS or any(tensor.dtype != dtype for tensor in tensors):
        found = ", ".join(sorted({str(tensor.dtype) for tensor in tensors}))
        raise AdapterError("the CUDA kernels take one of float32, float16, bfloat16", found, "use the backend torch")
    return {"ELEMENT": ELEMENTS[dtype], "VECTOR": int(all(_in_octets(tensor) for tensor in tensors))}


def _in_octets(tensor: Tensor) -> bool:
    """Say whether the last axis is whole groups of eight elements, each at a multiple of 16 bytes."""
    step = 16 // tensor.element_size()
    strides = [stride for stride, size in zip(tensor.stride()[:-1], tensor.shape[:-1], strict=True) if size > 1]
    return tensor.shape[-1] % 8 == 0 and tensor.data_ptr() % 16 == 0 and all(stride % step == 0 for stride in strides)
