"""A causal language model of transformers out of a multimodal checkpoint, strictly, with a LoRA merged in."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
import transformers

from ecva_bench.errors import AdapterError

from ..checkpoints.files import read_json_object, reading
from ..checkpoints.inspection import inspected
from ..checkpoints.placement import Placement
from ..checkpoints.weights import check, named, open_weights, told

_untyped: Any = transformers  # its configurations have no types
_bars: Any = transformers.logging

_JUNK = ("rotary_emb.inv_freq",)  # a buffer that older versions of transformers saved


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
    dropped. Raises `AdapterError` where a name is missing, unexpected or of another shape, or a package is missing.
    """
    settings = dict(config or read_json_object(folder / "config.json"))
    options: dict[str, Any] = {"quantization_config": quantization(placement, adapter)} if placement.quantize else {}
    with reading("the language model's configuration", folder / "config.json"):
        sizes = getattr(_untyped, f"{kind}Config").from_dict(settings)
    if inspected() is not None:
        options["state_dict"] = dict(open_weights(folder))
    with reading("the language model", folder), fitting(placement), quiet():
        language, found = getattr(_untyped, f"{kind}ForCausalLM").from_pretrained(
            None if "state_dict" in options else folder,
            config=sizes,
            dtype=placement.dtype,
            device_map="auto" if placement.spread else {"": placement.device},
            key_mapping=dict(key_mapping) if key_mapping else None,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # told below, with all other names
            **options,
        )
    problems = {
        "missing": sorted(found["missing_keys"]),
        "unexpected": sorted(n for n in found["unexpected_keys"] if not n.startswith(beside) and not n.endswith(_JUNK)),
        "of another shape": sorted(
            f"{name} {told(given)} for {told(own)}" for name, given, own in found["mismatched_keys"]
        ),
    }
    check(problems, type(language).__name__, folder, len(language.state_dict()))
    if inspected() is not None:
        language.tie_weights()  # transformers does not, on the meta device
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
    given = open_weights(file)
    with reading("the LoRA", adapter), quiet():
        if inspected() is None:
            model: Any = PeftModel.from_pretrained(language, adapter, ignore_mismatched_sizes=True)
        else:
            model = get_peft_model(language, PeftConfig.from_pretrained(str(adapter)), low_cpu_mem_usage=True)
    expected = get_peft_model_state_dict(model, save_embedding_layers=False)  # by itself it would ask the hub
    shapes = [
        f"{name} {told(given[name].shape)} for {told(tensor.shape)}"
        for name, tensor in expected.items()
        if name in given and given[name].shape != tensor.shape
    ]
    check({**named(expected, given, "the LoRA", file), "of another shape": shapes}, "the LoRA", file, len(expected))
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


@contextmanager
def quiet() -> Iterator[None]:
    """Silence what the libraries say of names and types: what matters of it is an error here.

    Their progress bar is for a terminal, and for what is loaded.
    """
    logger = logging.getLogger("transformers")
    level, bar = logger.level, _bars.is_progress_bar_enabled()
    logger.setLevel(logging.ERROR)
    if inspected() is not None or not sys.stderr.isatty():
        _bars.disable_progress_bar()
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        logger.setLevel(level)
        if bar:
            _bars.enable_progress_bar()


@contextmanager
def fitting(placement: Placement) -> Iterator[None]:
    """Turn running out of memory into an `AdapterError` that says what takes less."""
    try:
        yield
    except torch.OutOfMemoryError:
        remedy = "give quantize=8bit or 4bit, or device=spread, with --model-arg"
        raise AdapterError("the model does not fit into memory", str(placement.device), remedy) from None
