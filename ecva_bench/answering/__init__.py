"""Answering: from samples and a model to a results file.

`Adapter` is the interface of a model, `Request` what a user asks for, `Runner` the work.
"""

from .adapter import Adapter, create

__all__ = ["Adapter", "create"]
