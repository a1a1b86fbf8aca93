"""The public sets that recipes name: where each comes from, how large it is, and under which terms."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict


class PublicSet(BaseModel):
    """A set of training data that others published."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    get: str
    files: str
    size: str
    licence: str


@cache
def public_sets() -> dict[str, PublicSet]:
    """Return all that are known, by name."""
    text = (files(__package__) / "sources.toml").read_text(encoding="utf-8")
    return {name: PublicSet.model_validate(keys) for name, keys in tomllib.loads(text).items()}


def tell_sets(names: Sequence[str]) -> list[str]:
    """Return in a few lines each where sets come from and under which terms."""
    lines = []
    for name in names:
        one = public_sets().get(name)
        lines += [f"  {name}"] if one is None else [
            f"  {name}: {one.title}; {one.size}",
            f"    licence: {one.licence}",
            f"    from {one.get}: {one.files}",
        ]  # fmt: skip
    return lines
