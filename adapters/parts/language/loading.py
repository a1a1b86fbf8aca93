"""A causal language model of transformers out of a multimodal checkpoint, strictly, with a LoRA merged in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import transformers

from ecva_bench.checkpoints.files import read_json_object, reading
from ecva_bench.checkpoints.filling import compare_names, report_problems, shape_text
from ecva_bench.checkpoints.inspection import inspected
from ecva_bench.checkpoints.pretrained import load_pretrained
from ecva_bench.checkpoints.tensors import open_weights, without_old_buffers
from ecva_bench.errors import AdapterError
from ecva_bench.libraries import quiet

from ..placement import Placement

_untyped: Any = transformers  # its configurations have no types

TOO_LARGE = "give quantize=8bit or 4bit, or device=spread, with --model-arg"


def load_language(
    folder: Path,
    kind: str,
    placement: Placement,
    *,
    config: Mapping[str, Any] | None = None,
    beside: tuple[str, ...] = (),
    adapter: Path | None = None,
    key_mapping: Mapping[str, str] | None = None,
) -> Any:
    """Return a language model such as `Mistral` (`MistralForCausalLM`) from a folder, placed and for inference.

    The folder's config.json may bear a multimodal model's type; `config` is the language model's where it is a part of
    it. `beside` are the prefixes of names that do not belong to the language model, `key_mapping` regular expressions
    to what they become (as transformers takes them), `adapter` the folder of a LoRA. Its own generation settings are
    dropped. Raises `CheckpointError` as `load_pretrained` does, and `AdapterError` where a package is missing.
    """
    settings = dict(config or read_json_object(folder / "config.json"))
    options: dict[str, Any] = {"quantization_config": quantization(placement, adapter)} if placement.quantize else {}
    with reading("the language model's configuration", folder / "config.json"):
        sizes = getattr(_untyped, f"{kind}Config").from_dict(settings)
    language = load_pretrained(
        f"{kind}ForCausalLM",
        folder,
        what="the language model",
        dtype=placement.dtype,
        passed_over={f"^{re.escape(prefix)}": "it belongs to another part of the model" for prefix in beside},
        too_large=TOO_LARGE,
        config=sizes,
        device_map="auto" if placement.spread else {"": placement.device},
        key_mapping=dict(key_mapping) if key_mapping else None,
        **options,
    )
    if adapter:
        language = _merged(language, adapter)
    language.generation_config = _untyped.GenerationConfig()
    return language.eval().requires_grad_(False)


def _merged(language: Any, adapter: Path) -> Any:
    """Return a language model with a LoRA added to its weights; every tensor of the LoRA must have found its place."""
    if not find_spec("peft"):
        raise AdapterError("a LoRA needs the package peft", adapter, "run pip install 'ecva-bench[models]'")
    from peft import PeftConfig, PeftModel, get_peft_model, get_peft_model_state_dict

    there = [adapter / name for name in ("adapter_model.safetensors", "adapter_model.bin")]
    file = next((path for path in there if path.is_file()), there[0])
    given = without_old_buffers(open_weights(file))
    with reading("the LoRA", adapter), quiet():
        if inspected() is None:
            model: Any = PeftModel.from_pretrained(language, adapter, ignore_mismatched_sizes=True)
        else:
            model = get_peft_model(language, PeftConfig.from_pretrained(str(adapter)), low_cpu_mem_usage=True)
    expected = get_peft_model_state_dict(model, save_embedding_layers=False)  # by itself it would ask the hub
    shapes = [
        f"{name} {shape_text(given[name].shape)} for {shape_text(tensor.shape)}"
        for name, tensor in expected.items()
        if name in given and given[name].shape != tensor.shape
    ]
    report_problems(
        {**compare_names(expected, given, "the LoRA", file), "of another shape": shapes},
        "the LoRA",
        file,
        len(expected),
    )
    with reading("the LoRA", adapter):
        return model.merge_and_unload()


def quantization(placement: Placement, adapter: Path | None = None) -> Any:
    """Return what transformers takes to quantise weights as they are read; `AdapterError` where that cannot be."""
    if not find_spec("bitsandbytes"):
        raise AdapterError("quantised weights need the package bitsandbytes", remedy="run pip install bitsandbytes")
    if adapter:
        remedy = "merge it and save the model first, or leave quantize out"
        raise AdapterError("a LoRA cannot be merged into quantised weights", adapter, remedy)
    if placement.quantize == "8bit":
        return _untyped.BitsAndBytesConfig(load_in_8bit=True)
    return _untyped.BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_compute_dtype=placement.dtype,
        bnb_4bit_use_double_quant=True,
        bnb_4bit_quant_type="nf4",
    )
