"""Tests of the models.

These modules, and the tiny models they write, take classes of transformers at their heads. That the program needs no
such help is shown in processes of their own: `tests/cli/test_fresh_processes.py`.
"""

from ecva_bench.torchvision import ensure_torchvision

ensure_torchvision()
