"""The connector's CUDA kernels on the CPU: a launcher whose device is a C++ compiler and `host.h`."""

from .launcher import EmulatedLauncher, KernelError, require_compiler

__all__ = ["EmulatedLauncher", "KernelError", "require_compiler"]
