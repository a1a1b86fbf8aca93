"""Tests of training; they take classes of transformers at their heads, as those of the models do."""

from ecva_bench.torchvision import ensure_torchvision

ensure_torchvision()
