"""A recipe: every setting of one stage of a training, as a file, with who chose it.

Recipes are TOML, named `MODEL/RECIPE/STAGE` (`anomshield/paper/1`) where they come with the package. A key that is
none is an error that names the nearest one.
"""

from __future__ import annotations

import difflib
import tomllib
from importlib.resources import files
from operator import not_
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, ValidationError, model_validator

from ..errors import DataError, UsageError
from ..records.base import sha256_of

LARGEST_RECIPE = 100_000  # bytes

# What is trained, by the first part of its tensors' names. `language` is the language model: by LoRA, or whole.
TrainedGroup = Literal["connector", "language", "tower"]


class _Keys(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class LoraKeys(_Keys):
    """LoRA on matrices of the language model, by the last part of their names, in all layers, without biases."""

    r: PositiveInt
    alpha: PositiveFloat
    dropout: float = Field(default=0.0, ge=0, lt=1)
    targets: tuple[str, ...] = Field(min_length=1)


class Recipe(_Keys):
    """One stage of a training.

    `adapter` is what the trained model is called where `run` knows it by another name than `model`.
    `template` is `plain` (captions alone) or `mistral`, the words that answering uses. A picture or video is shown as
    `frames` frames; `shaping` makes them square: `crop` scales the short side and takes the middle, `pad` fills up on
    the mean colour. `rates` are learning rates by what is trained: what has none is frozen. With `lora`, `language`
    is its rate; without, the language model is trained whole. `mean` is what a loss is the mean over: the supervised
    `tokens` of an optimizer batch, or the means of its `micro-batches`. `batch` is the optimizer batch over all
    processes, `warmup` a share of all steps, `clip` the largest norm of the gradient (0: none). `max_length` counts ids
    before visual tokens take their places. `by_video` keeps the samples about one video together, so that a batch sees
    it once. `packing` joins samples to one row, `checkpointing` computes the language model's activations again in the
    backward pass. `data` names the public sets it was made for. `reasons` say by key who chose a value and what
    contradicts it, `deviations` what differs from the published training on purpose.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,49}$")
    model: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,49}$")
    stage: Literal[1, 2, 3]
    adapter: str = Field(default="", pattern=r"^[a-z0-9-]{0,50}$", exclude_if=not_)
    title: str = ""
    data: tuple[str, ...] = ()

    template: Literal["plain", "mistral"]
    max_length: PositiveInt = 3000
    frames: int = Field(ge=1, le=1024)
    shaping: Literal["crop", "pad"]

    rates: dict[TrainedGroup, PositiveFloat] = Field(min_length=1)
    lora: LoraKeys | None = None
    drop_path: float = Field(default=0.1, ge=0, lt=1)

    epochs: PositiveFloat | None = None
    steps: PositiveInt | None = None
    batch: PositiveInt
    micro_batch: PositiveInt
    mean: Literal["tokens", "micro-batches"] = "tokens"
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    warmup: float = Field(default=0.03, ge=0, lt=1)
    weight_decay: float = Field(default=0.0, ge=0)
    clip: float = Field(default=1.0, ge=0)
    precision: Literal["bf16", "float32"] = "bf16"
    packing: bool = False
    by_video: bool = False
    checkpointing: bool = False
    seed: int = Field(default=42, ge=0, lt=2**32)
    save_steps: PositiveInt = 3000

    reasons: dict[str, str] = Field(default_factory=dict)
    deviations: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if (self.epochs is None) == (self.steps is None):
            raise ValueError("name either epochs or steps")
        if self.batch % self.micro_batch:
            raise ValueError("batch is a multiple of micro_batch")
        if self.lora is not None and "language" not in self.rates:
            raise ValueError("lora needs a rate of its own: rates.language")
        known = {*type(self).model_fields, *(f"rates.{name}" for name in self.rates)}
        if unknown := [key for key in self.reasons if key not in known]:
            raise ValueError(f"reasons are about keys of the recipe, and {unknown[0]!r} is none")
        return self

    @property
    def id(self) -> str:
        """What the recipe is called: `MODEL/RECIPE/STAGE`."""
        return f"{self.model}/{self.name}/{self.stage}"

    @property
    def answers_as(self) -> str:
        """What `run` knows the trained model by."""
        return self.adapter or self.model

    @property
    def sha256(self) -> str:
        """The hash of all that determines what is trained: everything but words about it and when it is saved."""
        told = {"name", "title", "data", "reasons", "deviations", "save_steps"}
        return sha256_of(self.model_dump(mode="json", exclude=told))


def recipe_names() -> tuple[str, ...]:
    """Return the recipes that come with the package, in order."""
    root = Path(str(files(__package__) / "recipes"))
    return tuple(sorted(path.relative_to(root).with_suffix("").as_posix() for path in root.rglob("*.toml")))


def get_recipe(name: str) -> Recipe:
    """Return a recipe by its name (`anomshield/paper/1`), or from a file (`my.toml`).

    Raises `UsageError` where there is none of that name, `DataError` with file and key where one cannot be used.
    """
    if name in recipe_names():
        path = Path(str(files(__package__) / "recipes" / f"{name}.toml"))
    elif name.endswith(".toml"):
        path = Path(name)
    else:
        near = difflib.get_close_matches(name, recipe_names(), n=1)
        meant = f"did you mean {near[0]}? " if near else ""
        raise UsageError(f"no recipe is called {name!r}", None, f"{meant}known are {', '.join(recipe_names())}")
    try:
        if path.stat().st_size > LARGEST_RECIPE:
            raise DataError(f"a recipe has at most {LARGEST_RECIPE} bytes", path, "name the recipe, not the data")
        content = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"the recipe cannot be read ({error.strerror})", path, "name a file that is there") from error
    except UnicodeDecodeError as error:
        raise DataError("the recipe is no TOML in UTF-8", path, "mend it") from error
    return parse_recipe(content, path)


def parse_recipe(content: str, where: Path) -> Recipe:
    """Return a recipe from its text; `DataError` with the file, the key and what is wrong with it."""
    try:
        return Recipe.model_validate(tomllib.loads(content))
    except ValidationError as error:
        raise DataError(_reason(error), where, "docs/guides/training.md explains every key") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"the recipe is no TOML ({error!s:.200})", where, "mend it") from error


def _reason(error: ValidationError) -> str:
    """Return in words the first thing that is wrong with a recipe."""
    errors = error.errors(include_url=False, include_input=False)
    first = next((one for one in errors if one["type"] == "extra_forbidden"), errors[0])
    called = ".".join(map(str, first["loc"])) or "the recipe"
    if first["type"] == "extra_forbidden":
        known = list((LoraKeys if first["loc"][0] == "lora" else Recipe).model_fields)
        near = difflib.get_close_matches(str(first["loc"][-1]), known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
        return f"there is no key {called!r}; {hint}"
    return f"{called}: {first['msg'].removeprefix('Value error, ')}"
