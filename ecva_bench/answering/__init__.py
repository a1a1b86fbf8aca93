"""Answering: from samples and a model to a results file.

`Adapter` is the interface of a model, `Question` what it is asked, `Told` an answer with the steps that led to it,
`Baseline` the interface of what is no contestant, `Card` what a reader must know of a model, `Request` what a user asks
for, `Runner` the work.
"""

from .adapter import Adapter, Baseline, Told
from .card import Card
from .making import Model, create
from .question import Question

__all__ = ["Adapter", "Baseline", "Card", "Model", "Question", "Told", "create"]
