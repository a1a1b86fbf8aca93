"""Read by Python when it starts a process of vLLM's, where torchvision cannot be imported as it is (`engine`)."""

from ecva_bench.torchvision import ensure_torchvision

ensure_torchvision()
