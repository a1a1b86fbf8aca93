"""The spans of time an answer names: `times` are found, paired (`pairs`, `roles`, `columns`) and sifted (`asides`)."""

from __future__ import annotations

from .reader import VERSION, Span, read_spans

__all__ = ["VERSION", "Span", "read_spans"]
