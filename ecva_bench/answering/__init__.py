"""Answering: from samples and a model to a results file.

`Adapter` is the interface of a model, `Card` what a reader must know of one, `Told` an answer with the steps that led
to it, `Request` what a user asks for, `Runner` the work.
"""

from .adapter import Adapter, Told, create
from .card import Card

__all__ = ["Adapter", "Card", "Told", "create"]
