"""A stand-in for the package `vllm` of early 2026: its names and signatures, and transformers behind them.

    install(monkeypatch)

What it is not given as vLLM's documentation has it, it refuses. `calls` of an `LLM` are what it was asked to generate.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from PIL import Image
from transformers.video_utils import VideoMetadata

t: Any = transformers
# Of the arguments that `LLM` passes on to the engine, those that exist.
ENGINE = {
    *("max_model_len", "limit_mm_per_prompt", "enable_prefix_caching", "enforce_eager", "mm_processor_kwargs"),
    *("use_tqdm_on_load", "skip_mm_profiling", "kv_cache_memory_bytes", "hf_overrides"),
}


@dataclass(frozen=True)
class SamplingParams:
    n: int = 1
    temperature: float = 1.0
    top_p: float = 1.0
    seed: int | None = None
    max_tokens: int | None = 16
    logprobs: int | None = None


class LLM:
    """A model, loaded from a folder. Generates greedily, one prompt after another, and notes what it was asked for."""

    made: list[LLM] = []  # noqa: RUF012

    def __init__(
        self,
        model: str,
        *,
        tokenizer: str | None = None,
        trust_remote_code: bool = False,
        tensor_parallel_size: int = 1,
        dtype: str = "auto",
        revision: str | None = None,
        seed: int = 0,
        gpu_memory_utilization: float = 0.9,
        **kwargs: Any,
    ) -> None:
        assert set(kwargs) <= ENGINE, kwargs
        assert dtype in ("auto", "float32", "float16", "bfloat16", "half", "float")
        self.given = {
            "model": model,
            "trust_remote_code": trust_remote_code,
            "tensor_parallel_size": tensor_parallel_size,
            "dtype": dtype,
            "seed": seed,
            "gpu_memory_utilization": gpu_memory_utilization,
            **kwargs,
        }
        self.limits: dict[str, int] = kwargs["limit_mm_per_prompt"]
        self.processor = t.AutoProcessor.from_pretrained(model)
        self.model = t.AutoModelForImageTextToText.from_pretrained(model, dtype=torch.float32).eval()
        self.calls: list[list[dict[str, Any]]] = []
        self.sampling: list[SamplingParams] = []
        LLM.made.append(self)

    def generate(
        self,
        prompts: Any,
        sampling_params: SamplingParams | Sequence[SamplingParams] | None = None,
        *,
        use_tqdm: bool = True,
        lora_request: Any = None,
        priority: list[int] | None = None,
        tokenization_kwargs: dict[str, Any] | None = None,
    ) -> list[Any]:
        alone = isinstance(sampling_params, SamplingParams)
        params = [sampling_params] * len(prompts) if alone else list(sampling_params or ())
        assert all((one.temperature == 0) is alone for one in params)
        self.calls.append(prompts)
        self.sampling += params
        own = zip(prompts, params, strict=True)
        return [self._output(prompt, sampling, tokenization_kwargs or {}) for prompt, sampling in own]

    def _output(self, prompt: dict[str, Any], sampling: SamplingParams, tokenization: dict[str, Any]) -> Any:
        assert set(prompt) <= {"prompt", "multi_modal_data", "mm_processor_kwargs"}
        given: dict[str, Any] = dict(prompt.get("mm_processor_kwargs", {}))
        ((modality, data),) = prompt["multi_modal_data"].items()
        assert isinstance(data, list)
        assert len(data) <= self.limits[modality]
        if modality == "video":
            ((pixels, metadata),) = data
            assert isinstance(pixels, np.ndarray)
            metadata = dict(metadata)
            given["do_sample_frames"] = metadata.pop("do_sample_frames")
            given |= {"videos": [pixels], "video_metadata": [VideoMetadata(**metadata)]}
        else:
            assert all(isinstance(image, Image.Image) for image in data)
            given["images"] = [data]
        inputs = self.processor(text=[prompt["prompt"]], return_tensors="pt", text_kwargs=tokenization, **given)
        length = inputs["input_ids"].shape[1]
        assert sampling.max_tokens is not None
        settings = t.GenerationConfig(
            do_sample=False,
            max_new_tokens=sampling.max_tokens,
            eos_token_id=self.model.generation_config.eos_token_id or self.model.config.get_text_config().eos_token_id,
            pad_token_id=0,
        )
        self.model.generation_config = t.GenerationConfig()
        with torch.inference_mode():
            found = self.model.generate(
                **inputs, generation_config=settings, output_logits=True, return_dict_in_generate=True
            )
        said = found.sequences[0, length:]
        text = self.processor.tokenizer.decode(said, skip_special_tokens=True)
        finish = "length" if len(said) == sampling.max_tokens else "stop"
        output = SimpleNamespace(text=text, token_ids=said.tolist(), finish_reason=finish)
        if sampling.logprobs:  # all of them: a tiny network makes none stand out
            steps = [torch.log_softmax(step[0].float(), dim=-1).tolist() for step in found.logits]
            output.logprobs = [{n: SimpleNamespace(logprob=one) for n, one in enumerate(step)} for step in steps]
        return SimpleNamespace(prompt=prompt["prompt"], outputs=[output])


def install(monkeypatch: pytest.MonkeyPatch, *, gpu: bool = True) -> list[LLM]:
    """Have it imported as `vllm`, on a machine with or without a GPU; return its models, as they come."""
    module, platforms = ModuleType("vllm"), ModuleType("vllm.platforms")
    module.LLM, module.SamplingParams = LLM, SamplingParams  # type: ignore[attr-defined]
    platforms.current_platform = SimpleNamespace(is_cpu=lambda: not gpu)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "vllm", module)
    monkeypatch.setitem(sys.modules, "vllm.platforms", platforms)
    LLM.made.clear()
    return LLM.made
