"""A LoRA that authors saved among other weights, added to a language model by the names it bears.

For those that come without peft's own files (`loading` reads these). Knows peft's way of naming, and no model.
"""

from __future__ import annotations

from typing import Any

import torch

from ecva_bench.checkpoints.filling import compare_names, report_problems
from ecva_bench.checkpoints.tensors import Tensors, renamed, without_old_buffers
from ecva_bench.errors import AdapterError

WRAPPED = "base_model.model."  # what peft puts before a module's own name


def lora_of(tensors: Tensors, prefix: str) -> Tensors:
    """Return the tensors of a LoRA as `<module>.A` and `<module>.B`.

    Of their names in `tensors`, `prefix` stands in front: `<prefix>base_model.model.<module>.lora_A.default.weight`,
    or the same without `.default`.
    """

    def own_name(name: str) -> str | None:
        if not name.startswith(prefix + WRAPPED):
            return None
        module, _, rest = name.removeprefix(prefix + WRAPPED).partition(".lora_")
        return f"{module}.{rest[0]}" if rest[1:] in (".weight", ".default.weight") else name

    return renamed(without_old_buffers(tensors), own_name)


def add_lora(language: Any, lora: Tensors, alpha: float, where: object, *, modules: tuple[str, ...]) -> None:
    """Add `alpha / rank * B @ A` to the weights of a language model's modules, reckoned in float32.

    `lora` is what `lora_of` gives; `modules` are the last parts of the names of all modules it was trained for, such as
    `q_proj`. Raises `CheckpointError` where one of them has no tensors, where there are tensors of other modules or of
    other shapes, and where the weights are quantised.
    """
    if getattr(language, "is_quantized", False):
        remedy = "leave quantize out, or merge it and save the model first"
        raise AdapterError("a LoRA cannot be merged into quantised weights", str(where), remedy)
    targets = {name: part for name, part in language.named_modules() if name.rpartition(".")[2] in modules}
    expected = {f"{name}.{side}" for name in targets for side in "AB"}
    problems, shapes = compare_names(expected, lora, "the LoRA", where), []
    with torch.no_grad():
        for name, part in targets.items():
            if not {f"{name}.A", f"{name}.B"} <= lora.keys():  # noted above, in an inspection
                continue
            weight = part.weight
            first, second = (lora[f"{name}.{side}"].to(weight.device, torch.float32) for side in "AB")
            if (*second.shape, *first.shape[1:]) != (weight.shape[0], len(first), weight.shape[1]):
                shapes.append(name)
                continue
            weight.copy_(weight.float() + alpha / len(first) * (second @ first))
    report_problems({**problems, "of another shape": shapes}, "the LoRA", where, len(expected))
