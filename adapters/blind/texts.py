"""A language model of transformers with its own chat template: from a text to a text. Knows no video."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import transformers

from ecva_bench.answering import ModelOutput
from ecva_bench.checkpoints.chat_templates import fill_template
from ecva_bench.checkpoints.files import reading
from ecva_bench.checkpoints.pretrained import load_pretrained
from ecva_bench.errors import CheckpointError
from ecva_bench.libraries import quiet
from ecva_bench.reading.thoughts import opened_by

from ..parts.language.decoding import decoded
from ..parts.language.generation import config_of, own_ends
from ..parts.language.loading import TOO_LARGE, quantization
from ..parts.language.policy import Policy
from ..parts.placement import Placement

_untyped: Any = transformers  # much of it has no types


class TextModel:
    """A model and its tokenizer, loaded from a folder for inference."""

    def __init__(self, folder: Path, placement: Placement) -> None:
        """Load both; no code that lies beside the weights is run.

        Raises `CheckpointError` where weights are missing, or there is no chat template.
        """
        with reading("the tokenizer", folder), quiet():
            self._tokenizer = _untyped.AutoTokenizer.from_pretrained(folder)
        if not self._tokenizer.chat_template:
            remedy = "put its authors' chat_template.jinja beside the weights, or take a checkpoint tuned for chat"
            raise CheckpointError("the tokenizer has no chat template", folder, remedy)
        self._network = load_pretrained(
            "AutoModelForCausalLM",
            folder,
            what="the model",
            dtype=placement.dtype,
            passed_over={"": "some checkpoints hold more than is run, such as heads for several tokens at once"},
            too_large=TOO_LARGE,
            device_map="auto" if placement.spread else {"": placement.device},
            quantization_config=quantization(placement) if placement.quantize else None,
        )
        self._ends = own_ends(self._network, self._tokenizer)
        self._network.generation_config = _untyped.GenerationConfig()

    def ask(self, text: str, max_new_tokens: int) -> ModelOutput:
        """Return the answer to a text, each token the most probable."""
        prompt = fill_template(self._tokenizer, [{"role": "user", "content": text}])
        begins = self._tokenizer.bos_token
        special = not (begins and prompt.startswith(begins))  # a template may write the first token itself
        inputs = self._tokenizer(prompt, add_special_tokens=special, return_tensors="pt").to(self._network.device)
        policy = Policy(max_new_tokens=max_new_tokens, eos=self._ends, pad=self._ends[0])
        with torch.inference_mode():
            found = self._network.generate(**inputs, generation_config=config_of(policy, self._tokenizer))
        ids = found[0, inputs["input_ids"].shape[1] :].tolist()
        said = opened_by(prompt) + decoded(self._tokenizer, ids, self._ends)
        return ModelOutput(said, finish="length" if set(ids).isdisjoint(self._ends) else "stop")
