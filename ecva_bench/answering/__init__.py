"""Answering: from samples and a model to a results file.

`Adapter` is the interface of a model and `Baseline` that of a baseline. A `Question` is what a model is asked, a
`ModelOutput` an answer with the steps that led to it. A `ModelCard` says where a model comes from and how it differs
from the authors' program. `request` holds what a user asks for, `runner` does the work.
"""

from .adapter import Adapter, Baseline, ModelOutput
from .factory import create_adapter
from .model_card import ModelCard
from .question import Question

__all__ = ["Adapter", "Baseline", "ModelCard", "ModelOutput", "Question", "create_adapter"]
