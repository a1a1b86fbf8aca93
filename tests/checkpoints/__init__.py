"""Tests of the loader of networks; tiny checkpoints are made with classes of transformers."""

from ecva_bench.torchvision import ensure_torchvision

ensure_torchvision()
