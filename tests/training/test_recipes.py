"""Recipes: those of the package are what paper and release say, and what contradicts itself is refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecva_bench.errors import DataError, UsageError
from ecva_bench.training.recipe import get_recipe, parse_recipe, recipe_names
from ecva_bench.training.sources import public_sets

# As the paper's Sec. IV-C and the release's scripts have it: rates of connector, language model and tower; epochs,
# optimizer batch, frames, template; whether gradients are cut.
TABLE = {
    "paper/1": (1e-3, None, None, 3, 32, 1, "plain", True),
    "paper/2": (1e-3, None, None, 3, 32, 1, "plain", True),
    "paper/3": (2e-5, 2e-5, 4e-6, 3, 32, 16, "mistral", True),
    "released/1": (2e-5, None, None, 5, 480, 1, "plain", False),
    "released/2": (2e-5, None, None, 5, 480, 1, "plain", False),
    "released/3": (2e-5, 2e-5, None, 3, 240, 16, "mistral", False),
}

LEAST = """
name = "own"
model = "anomshield"
stage = 1
template = "plain"
frames = 1
shaping = "crop"
steps = 4
batch = 4
micro_batch = 2
[rates]
connector = 1e-3
"""


@pytest.mark.parametrize("name", TABLE)
def test_a_packaged_recipe_is_what_paper_or_release_says(name: str) -> None:
    recipe = get_recipe(f"anomshield/{name}")
    rates = [recipe.rates.get(group) for group in ("connector", "language", "tower")]
    found = (*rates, recipe.epochs, recipe.batch, recipe.frames, recipe.template, recipe.clip > 0)
    assert found == TABLE[name]
    assert recipe.id == f"anomshield/{name}"
    released = name.startswith("released")
    assert bool(recipe.deviations) == released
    assert recipe.mean == ("micro-batches" if released else "tokens")
    assert recipe.reasons
    assert all(name in public_sets() for name in recipe.data)


def test_every_contradiction_that_is_known_is_named_beside_its_value() -> None:
    for name, key in (("paper/1", "epochs"), ("paper/3", "rates.tower"), ("released/1", "rates.connector")):
        reason = get_recipe(f"anomshield/{name}").reasons[key]
        assert "paper" in reason
    assert set(TABLE) <= {name.removeprefix("anomshield/") for name in recipe_names()}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("batch = 4", "bach = 4"), "there is no key 'bach'; did you mean 'batch'?"),
        (("steps = 4", "steps = 4\nepochs = 1"), "name either epochs or steps"),
        (("steps = 4", ""), "name either epochs or steps"),
        (("micro_batch = 2", "micro_batch = 3"), "batch is a multiple of micro_batch"),
        (("connector = 1e-3", "connector = -1"), "rates.connector"),
        (("connector = 1e-3", "conector = 1e-3"), "rates.conector"),
        (('shaping = "crop"', 'shaping = "squeeze"'), "shaping"),
        (('template = "plain"', 'template = "llama2"'), "template"),  # would be trained with the words of another one
        (("[rates]", '[lora]\nr = 4\nalpha = 8\ntargets = ["q_proj"]\n[rates]'), "rates.language"),
        (("[rates]", '[reasons]\nbach = "I"\n[rates]'), "'bach' is none"),
        (("[rates]", "[rates"), "no TOML"),
    ],
)
def test_a_recipe_that_cannot_be_followed_is_refused_by_key(change: tuple[str, str], said: str) -> None:
    assert parse_recipe(LEAST, Path("own.toml")).batch == 4
    with pytest.raises(DataError) as error:
        parse_recipe(LEAST.replace(*change), Path("own.toml"))
    assert said in str(error.value)
    assert "own.toml" in str(error.value)


def test_words_about_a_recipe_do_not_change_what_is_trained(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(LEAST)
    first = get_recipe(str(file)).sha256
    file.write_text('title = "Mine"\nsave_steps = 7\n' + LEAST)
    assert get_recipe(str(file)).sha256 == first
    file.write_text(LEAST.replace("1e-3", "2e-3"))
    assert get_recipe(str(file)).sha256 != first


def test_a_name_that_is_none_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean anomshield/paper/3"):
        get_recipe("anomshield/papr/3")
