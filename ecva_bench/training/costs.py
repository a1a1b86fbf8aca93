"""What a stage costs, by arithmetic: FLOPs of a sample, bytes kept for the backward pass, bytes of weights.

Counted are the matrices, attention and their gradients; `tests/training/test_costs.py` holds it to FLOPs that torch
counted at full size. Hours and bytes are models of a machine, and no measurement.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .recipe import Recipe

POOLED = 16  # patches that become one token of the language model
_MAMBA = 6.71  # parameters of the Mamba block, in squares of its width
_OPTIMIZER = 16  # bytes of a trained parameter: float32 with gradient and two moments
_KEPT, _KEPT_LORA, _KEPT_TOWER = 48, 133, 62  # bytes for each position (patch), layer and channel, counted

# Arithmetic of a GPU in bf16, in FLOP/s, and the share of it that is taken to be reached.
GPUS: dict[str, tuple[int, float, float]] = {
    "1 A100 or A800": (1, 312e12, 0.40),
    "4 A100 or A800": (4, 312e12, 0.40),
    "1 H200": (1, 790e12, 0.45),
}


@dataclass(frozen=True)
class NetworkSizes:
    """The sizes of language model and vision tower that arithmetic depends on. Default: Mistral 7B and CLIP ViT-L/14.

    `computed` are the tower's layers that are: the last one is not.
    """

    layers: int = 32
    hidden: int = 4096
    intermediate: int = 14336
    narrow: int = 1024  # channels of keys and of values
    vocabulary: int = 32_000
    tower_layers: int = 24
    width: int = 1024
    tower_intermediate: int = 4096
    side: int = 224
    patch: int = 14

    @classmethod
    def of(cls, language: Mapping[str, Any], tower: Mapping[str, Any]) -> NetworkSizes:
        """Return the sizes that two config.json state."""
        heads = language["num_attention_heads"]
        return cls(
            layers=language["num_hidden_layers"],
            hidden=language["hidden_size"],
            intermediate=language["intermediate_size"],
            narrow=language["hidden_size"] // heads * (language.get("num_key_value_heads") or heads),
            vocabulary=language["vocab_size"],
            tower_layers=tower["num_hidden_layers"],
            width=tower["hidden_size"],
            tower_intermediate=tower["intermediate_size"],
            side=tower["image_size"],
            patch=tower["patch_size"],
        )

    @property
    def patches(self) -> int:
        """Patches of a frame."""
        return (self.side // self.patch) ** 2

    @property
    def tokens(self) -> int:
        """Tokens that a frame becomes."""
        return self.patches // POOLED

    @property
    def computed(self) -> int:
        """Layers of the tower that are computed."""
        return self.tower_layers - 1

    @property
    def matrices(self) -> dict[str, tuple[int, int]]:
        """The matrices of a layer of the language model, by the last part of their names: channels in and out."""
        wide, narrow = (self.hidden, self.hidden), (self.hidden, self.narrow)
        up, down = (self.hidden, self.intermediate), (self.intermediate, self.hidden)
        names = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
        return dict(zip(names, (wide, narrow, narrow, wide, up, up, down), strict=True))

    @property
    def language_parameters(self) -> int:
        """Parameters of the language model's layers."""
        return self.layers * sum(one * other for one, other in self.matrices.values())

    @property
    def tower_parameters(self) -> int:
        """Parameters of the tower's layers that are computed."""
        return self.computed * (4 * self.width**2 + 2 * self.width * self.tower_intermediate)

    @property
    def connector_parameters(self) -> tuple[int, int]:
        """Parameters of the connector: of its block, which reads patches, and of its readout, which makes tokens."""
        return round(_MAMBA * self.width**2), self.width * self.hidden + self.hidden**2

    def lora_parameters(self, recipe: Recipe) -> int:
        """Return the parameters of a recipe's LoRA."""
        if recipe.lora is None:
            return 0
        sums = [sum(self.matrices[name]) for name in recipe.lora.targets if name in self.matrices]
        return self.layers * recipe.lora.r * sum(sums)

    def trained_parameters(self, recipe: Recipe) -> int:
        """Return how many parameters a recipe trains."""
        whole = self.language_parameters + 2 * self.vocabulary * self.hidden
        parts = {
            "connector": sum(self.connector_parameters),
            "language": self.lora_parameters(recipe) or whole,
            "tower": self.tower_parameters,
        }
        return sum(parts[group] for group in recipe.rates)


@dataclass(frozen=True)
class SampleFlops:
    """FLOPs of one sample: forward through each part, and backward through all."""

    tower: float
    connector: float
    language: float
    backward: float

    @property
    def sum(self) -> float:
        """All of them."""
        return self.tower + self.connector + self.language + self.backward


def sample_flops(recipe: Recipe, sizes: NetworkSizes, positions: float, supervised: float) -> SampleFlops:
    """Return the FLOPs of a sample with so many positions, visual tokens included, and supervised tokens.

    Where a part is trained, its weights' gradients cost as much as its forward pass; what lies between a trained part
    and the loss has gradients of its activations, which cost as much again.
    """
    patches = sizes.patches + 1
    of_frame = 2 * sizes.tower_parameters * patches + 4 * sizes.computed * patches**2 * sizes.width
    tower = float(recipe.frames * of_frame)
    block, readout = sizes.connector_parameters
    connector = float(2 * recipe.frames * (block * sizes.patches + readout * sizes.tokens))
    attention = 4 * sizes.layers * positions**2 * sizes.hidden
    lora = 2 * sizes.lora_parameters(recipe) * positions
    layers = 2 * sizes.language_parameters * positions
    head = 2 * sizes.vocabulary * sizes.hidden * supervised
    language = layers + lora + attention + head
    backward = layers + 2 * lora + 2 * attention + head + 2 * connector
    if "language" in recipe.rates and recipe.lora is None:
        backward += layers + head
    if "tower" in recipe.rates:
        backward += 2 * tower
    if recipe.checkpointing:
        backward += language - head
    return SampleFlops(tower, connector, language, backward)


def kept_bytes(recipe: Recipe, sizes: NetworkSizes, positions: float) -> float:
    """Return the bytes that a micro-batch keeps for its backward pass; attention counts unfused, so it is a bound."""
    channels = sizes.layers * sizes.hidden
    each = _KEPT if "language" not in recipe.rates else _KEPT_LORA
    if recipe.checkpointing:
        each = 2 + each // sizes.layers
    kept = float(recipe.micro_batch * positions * channels * each)
    if "tower" in recipe.rates:
        kept += recipe.micro_batch * recipe.frames * sizes.patches * sizes.computed * sizes.width * _KEPT_TOWER
    return kept


def weight_bytes(recipe: Recipe, sizes: NetworkSizes) -> float:
    """Return the bytes of weights and optimizer: frozen ones in 16 bits, trained ones in float32 with their moments."""
    each = 2 if recipe.precision == "bf16" else 4
    language = sizes.language_parameters + 2 * sizes.vocabulary * sizes.hidden
    frozen = language + sizes.tower_parameters
    if "language" in recipe.rates and recipe.lora is None:
        frozen -= language
    if "tower" in recipe.rates:
        frozen -= sizes.tower_parameters
    return float(each * frozen + _OPTIMIZER * sizes.trained_parameters(recipe))
