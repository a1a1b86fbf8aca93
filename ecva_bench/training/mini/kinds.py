"""The kinds of scenes to train on, as `scenes.toml` has them: words, colours, times and severities."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from ...data.scenes import SCENES

DEFINITION = Path(__file__).with_name("scenes.toml")


class SceneKind(BaseModel):
    """What is learned of one scene, and how it is varied; the head of `scenes.toml` explains the fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    label: int | None = Field(default=None, alias="class")
    anomalous: bool
    whole: bool = False
    length: tuple[float, float] = (0.0, 0.0)
    parts: int = 1
    earliest: float = 0.8
    to_end: bool = False
    severity: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    peak: float = 0.5
    colours: Mapping[str, str] = Field(default_factory=dict)
    description: tuple[str, ...]
    cause: tuple[str, ...]
    effect: tuple[str, ...]

    @property
    def original(self) -> str:
        """The scene whose times it has: itself, unless it is a twin."""
        return self.name.removesuffix("_normal").removesuffix("_context")


@cache
def kinds() -> Mapping[str, SceneKind]:
    """Return the kinds by the names of their scenes."""
    with DEFINITION.open("rb") as file:
        found = tomllib.load(file)
    return {
        name: SceneKind.model_validate({"name": name, "anomalous": name in SCENES, **fields})
        for name, fields in found.items()
    }
