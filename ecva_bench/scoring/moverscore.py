"""MoverScore v2 (Zhao et al. 2019, `moverscore_v2.py`): how far a candidate's words are from the reference's.

Both texts lie in the last layer of DistilBERT, a point per token, each text's mass spread evenly over its points.
The score is 1 / (1 + d) for the least distance d by which one text's mass becomes the other's. Punctuation and
continuations of words (`##ing`) have no mass; `[CLS]` and `[SEP]` have. Every token weighs the same (idf = 1): weights
counted over the answers would make an answer's score depend on the others. There are no stop words.

It is the original's number but for its float32: points without mass are left out of the transport problem instead of
being solved for, and distances are in float64, so that equal texts score 1, which to the original are 1e-4 apart.

An answer without text scores 0; the original gives it what `[CLS]` and `[SEP]` are worth, about as much as a wrong one.
"""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ScoringError, UsageError
from .neural import MetricModel, NeuralScorer, Texts, batch_tokens_on, length_batches, load_network
from .scorer import Column, Scorable

if TYPE_CHECKING:
    from torch import Tensor

# Pairs whose points are held at once: at 512 tokens of 768 numbers a text, 200 MB.
_PAIRS_AT_ONCE = 32
# Of the network simplex: more than the largest problem there is, 512 by 512 tokens, takes.
_MOST_STEPS = 5_000_000
# Of DistilBERT trained for masked words, classes or questions: names of weights that begin so.
_HEADS = r"^(vocab_|pre_classifier\.|classifier\.|qa_outputs\.)"


class MoverScore(NeuralScorer):
    """MoverScore of free-text answers."""

    name = "moverscore"
    columns = (Column("moverscore", "nearness of the answer's words to those of the annotation's text"),)
    default_checkpoint = "distilbert/distilbert-base-uncased"
    files = ("config.json", "tokenizer*", "vocab.txt", "model.safetensors")
    packages = ("torch", "transformers", "ot")

    def inputs(self, item: Scorable) -> Sequence[Texts]:
        """Return the pair, in the same order under every protocol: the score is symmetric."""
        return [(item.reference, item.candidate)] if item.candidate.strip() else []

    def values(self, item: Scorable, scores: Sequence[float]) -> dict[str, float]:
        """Return the pair's score, 0 for an answer without text."""
        return {"moverscore": scores[0] if scores else 0.0}

    def settings(self) -> dict[str, str]:
        """Return those of the network, the layer, the weights of tokens and what an empty answer gets."""
        return {**super().settings(), "layer": "last", "idf": "1", "stop": "none", "empty": "0"}

    @classmethod
    def load(cls, folder: Path, device: str, dtype: str) -> MoverModel:
        """Return the network in a folder; `ScoringError` where it is no DistilBERT."""
        return MoverModel(folder, device, dtype)


class MoverModel(MetricModel):
    """A DistilBERT checkpoint in memory, with its tokeniser."""

    def __init__(self, folder: Path, device: str, dtype: str) -> None:
        import torch
        from transformers import AutoTokenizer

        self._network = load_network(
            "DistilBertModel", folder, device, dtype, passed_over={_HEADS: "the head of another task"}
        )
        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder)
        self._limit = min(self._tokenizer.model_max_length, self._network.config.max_position_embeddings)
        marks = set(string.punctuation)
        massless = [piece in marks or "##" in piece for piece in self._pieces()]
        self._has_mass = ~torch.tensor(massless)

    def similarities(self, *, references: Sequence[str], candidates: Sequence[str]) -> list[float]:
        """Return the MoverScore of each candidate against the reference in its place, in (0, 1].

        Raises `UsageError` where either is one text instead of a sequence of texts.
        """
        for name, texts in (("references", references), ("candidates", candidates)):
            if isinstance(texts, str):
                what = (
                    f"the {name} of MoverScore are one text, which would be taken apart into one text per character: "
                    "every answer would score alike, as in the published column, 43.4 % for all models"
                )
                raise UsageError(what, repr(texts[:40]), f"give a list of texts, such as {name}=[text]")
        pairs = list(zip(references, candidates, strict=True))
        found = dict(self.scores(pairs, batch_tokens=batch_tokens_on(self._network.device.type)))
        return [found[place] for place in range(len(pairs))]

    def scores(self, inputs: Sequence[Texts], *, batch_tokens: int) -> Iterator[tuple[int, float]]:
        """Yield (place, score) of (reference, candidate) pairs, the longest first."""
        order = sorted(range(len(inputs)), key=lambda place: -sum(map(len, inputs[place])))
        for start in range(0, len(order), _PAIRS_AT_ONCE):
            places = order[start : start + _PAIRS_AT_ONCE]
            points = self._points(sorted({text for place in places for text in inputs[place]}), batch_tokens)
            for place in places:
                reference, candidate = inputs[place]
                yield place, mover_score(reference=points[reference], candidate=points[candidate])

    def _points(self, texts: Sequence[str], batch_tokens: int) -> Mapping[str, Tensor]:
        """Return the points of texts on the unit sphere, of tokens that have mass: float64 [tokens, width]."""
        import torch

        encoded = self._tokenizer(list(texts), truncation=True, max_length=self._limit)["input_ids"]
        found: dict[str, Tensor] = {}
        for batch in length_batches([len(ids) for ids in encoded], batch_tokens):
            rows = [torch.tensor(encoded[place]) for place in batch]
            ids = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)
            mask = torch.nn.utils.rnn.pad_sequence([torch.ones_like(row) for row in rows], batch_first=True)
            device = self._network.device
            with torch.inference_mode():
                hidden = self._network(input_ids=ids.to(device), attention_mask=mask.to(device)).last_hidden_state
            for place, row, vectors in zip(batch, rows, hidden.cpu(), strict=True):
                points = vectors[: len(row)][self._has_mass[row]].double()
                found[texts[place]] = points / points.norm(dim=1, keepdim=True)
        return found

    def _pieces(self) -> list[str]:
        """The vocabulary in the order of its numbers."""
        pieces: list[str] = self._tokenizer.convert_ids_to_tokens(range(len(self._tokenizer)))
        return pieces


def mover_score(*, reference: Tensor, candidate: Tensor) -> float:
    """Return 1 / (1 + d) for the earth mover's distance d of two sets of points, float64 [tokens, width] each.

    Every point of a set has the same mass. The points are on the unit sphere, and the distance between two is
    Euclidean. Raises `ScoringError` where no optimum is found.
    """
    import numpy as np
    import ot

    distances = (2 - 2 * (reference @ candidate.T)).clamp_min(0).sqrt().numpy()
    masses = (np.full(len(points), 1 / len(points)) for points in (reference, candidate))
    # The masses are right as they are, and nobody asks for the dual: checks and centring would take a tenth longer.
    options = {"check_marginals": False, "center_dual": False, "numItermax": _MOST_STEPS}
    moved, log = ot.emd2(*masses, distances, log=True, **options)
    if log["warning"]:
        raise ScoringError(f"MoverScore found no optimum ({log['warning']})", f"{len(reference)} by {len(candidate)}")
    return 1 / (1 + float(moved))
