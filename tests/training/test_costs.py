"""The arithmetic of a stage, held to FLOPs that torch counted at full size on its meta device (`FlopCounterMode`)."""

from __future__ import annotations

import pytest

from ecva_bench.training.costs import NetworkSizes, kept_bytes, sample_flops
from ecva_bench.training.recipe import Recipe, get_recipe

SIZES = NetworkSizes()
MISTRAL = {
    "num_hidden_layers": 32,
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "vocab_size": 32000,
}
CLIP = {"num_hidden_layers": 24, "hidden_size": 1024, "intermediate_size": 4096, "image_size": 224, "patch_size": 14}


def other(recipe: Recipe, **keys: object) -> Recipe:
    return recipe.model_copy(update=keys)


THIRD = get_recipe("anomshield/paper/3")
FROZEN = get_recipe("anomshield/released/3")

# Recipe, positions, supervised tokens; TFLOP of tower, connector, language model, backward pass, and the sum.
COUNTED = [
    (get_recipe("anomshield/paper/1"), 40, 22, (0.155, 0.004, 0.564, 0.574, 1.297)),
    (get_recipe("anomshield/paper/2"), 240, 222, (0.155, 0.004, 3.44, 3.48, 7.07)),
    (FROZEN, 406, 60, (2.49, 0.068, 6.32, 7.08, 15.95)),
    (THIRD, 406, 60, (2.49, 0.068, 6.32, 12.05, 20.91)),
    (other(THIRD, checkpointing=True), 406, 60, (2.49, 0.068, 6.32, 18.32, 27.19)),
]


@pytest.mark.parametrize(("recipe", "positions", "supervised", "counted"), COUNTED)
def test_flops_are_those_that_torch_counted(
    recipe: Recipe, positions: int, supervised: int, counted: tuple[float, ...]
) -> None:
    found = sample_flops(recipe, SIZES, positions, supervised)
    values = (found.tower, found.connector, found.language, found.backward, found.sum)
    assert [value / 1e12 for value in values] == pytest.approx(counted, rel=0.015, abs=6e-4)


@pytest.mark.parametrize(
    ("recipe", "positions", "gib"),
    [
        (get_recipe("anomshield/paper/1"), 40, 7.5),
        (get_recipe("anomshield/paper/2"), 240, 11.8),
        (FROZEN, 406, 13.8),
        (THIRD, 406, 25.1),
        (other(THIRD, checkpointing=True), 406, 12.3),
    ],
)
def test_bytes_are_those_that_torch_kept(recipe: Recipe, positions: int, gib: float) -> None:
    assert kept_bytes(recipe, SIZES, positions) / 2**30 == pytest.approx(gib, rel=0.08)


def test_sizes_are_read_and_parameters_counted() -> None:
    assert NetworkSizes.of(MISTRAL, CLIP) == SIZES
    assert SIZES.lora_parameters(FROZEN) == 671_088_640
    assert sum(SIZES.connector_parameters) == pytest.approx(28_022_784, rel=1e-3)
    assert SIZES.tokens == 16
