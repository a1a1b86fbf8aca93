"""The class an answer names: `reader` decides over the `places` that name one (`names`), by what is said (`cues`)."""

from __future__ import annotations

from .reader import VERSION, first_number, read_class

__all__ = ["VERSION", "first_number", "read_class"]
