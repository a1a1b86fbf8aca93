"""Answering: from samples and a model to a results file.

`Adapter` is the interface of a model, `Told` an answer with the steps that led to it, `Request` what a user asks for,
`Runner` the work.
"""

from .adapter import Adapter, Told, create

__all__ = ["Adapter", "Told", "create"]
