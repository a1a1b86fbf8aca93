"""A torchvision that was built for another torch is made importable, or the two are named."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

REGISTERS = (
    "import torch\nfor name in ('nms', 'qnms'):\n    torch.library.register_fake(f'torchvision::{name}')(print)\n"
)
NATIVE = "import torch\ntorch.library.define('torchvision::nms', '(Tensor a, Tensor b, float c) -> Tensor')\n"


def told(folder: Path, source: str | None) -> str:
    """What a fresh interpreter is told of a torchvision 0.99 with this source, or of none; twice, as it is kept."""
    if source is not None:
        (folder / "torchvision").mkdir()
        (folder / "torchvision/__init__.py").write_text(source)
        (folder / "torchvision-0.99.dist-info").mkdir()
        (folder / "torchvision-0.99.dist-info/METADATA").write_text("Name: torchvision\nVersion: 0.99\n")
    program = (
        "import sys\n"
        f"if {source is None}: sys.modules['torchvision'] = None\n"
        "from ecva_bench.errors import EcvaError\n"
        "from ecva_bench.torchvision import ensure_torchvision as ensure\n"
        "try:\n    print(ensure(), ensure(), 'torch' in sys.modules)\nexcept EcvaError as error:\n    print(error)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True)
    return run.stdout.strip()


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (REGISTERS, "shimmed shimmed True"),
        (NATIVE, "native native True"),
        (None, "absent absent False"),
    ],
    ids=["shimmed", "native", "absent"],
)
def test_torchvision_is_as_it_is_said_to_be(tmp_path: Path, source: str | None, expected: str) -> None:
    assert told(tmp_path, source) == expected


@pytest.mark.parametrize("source", ["raise RuntimeError('no kernel image')", "import torchvision._C"])
def test_wheels_that_do_not_go_together_are_named(tmp_path: Path, source: str) -> None:
    complaint = told(tmp_path, source)
    assert "torchvision 0.99 beside torch " in complaint
    assert "no kernel image" in complaint or "torchvision._C" in complaint
    assert "install the pair that belongs together" in complaint
