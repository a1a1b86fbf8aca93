"""BLEURT (Sellam et al. 2020; BLEURT-20 of Pu et al. 2021): a network's regression on the pair (reference, candidate).

Knows both forms of checkpoints, RemBERT with SentencePiece (BLEURT-20 and its distilled sizes D12, D6, D3) and BERT
with WordPiece (tiny, base, large), under the names of their PyTorch conversions or of the original variables. The
networks are stock classes of transformers; names and tokens are mapped here, so that no checkpoint's code is run.
Scores are not calibrated: BLEURT-20's lie mostly in [0, 1], those of the BERT form go well below 0.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ScoringError
from ..torchvision import ensure_torchvision
from ..untrusted import parse_json
from .neural import MetricModel, NeuralScorer, Texts, length_batches
from .scorer import Column, Scorable

if TYPE_CHECKING:
    import torch

    from ..checkpoints.tensors import Tensors

BLEURT_MAX_TOKENS = 512
_SPECIALS = 3  # [CLS] reference [SEP] candidate [SEP]
_WORD_CHARACTERS = 200  # longer words are unknown, as in BERT's own tokenizer
_SENTENCE_PIECES = ("sent_piece.model", "spm.model", "spiece.model", "sentencepiece.model")
_SIZES = (
    "vocab_size",
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
    "max_position_embeddings",
    "type_vocab_size",
)
_HEAD: dict[str, Any] = {"num_labels": 1, "bos_token_id": None, "eos_token_id": None}  # one number, no text
# The variables of the original BERT form, by rewriting their names in turn.
_FROM_TF = (
    (r"/", "."),
    (r"layer_(\d+)", r"layer.\1"),
    (r"(kernel|gamma)$", "weight"),
    (r"beta$", "bias"),
    (r"_embeddings$", "_embeddings.weight"),
    (r"^dense\.", "classifier."),
)

Tokenize = Callable[[str], list[int]]


class Bleurt(NeuralScorer):
    """BLEURT of free-text answers."""

    name = "bleurt"
    columns = (Column("bleurt", "BLEURT against the annotation's text", low=-math.inf, high=math.inf),)
    default_checkpoint = "lucadiliello/BLEURT-20"
    files = ("*.json", "*.txt", "*.model", "*.safetensors", "*.bin")
    packages = ("torch", "transformers", "safetensors", "sentencepiece")

    def inputs(self, item: Scorable) -> Sequence[Texts]:
        """Return the pair, reference first; the published figures have it the other way round."""
        pair = (item.reference, item.candidate)
        return [pair[::-1] if self.protocol.swap_arguments else pair]

    def values(self, item: Scorable, scores: Sequence[float]) -> dict[str, float]:
        """Return the pair's score."""
        return {"bleurt": scores[0]}

    def settings(self) -> dict[str, str]:
        """Return those of the network and, where swapped, the order of the arguments."""
        settings = super().settings()
        return {**settings, "args": "swapped"} if self.protocol.swap_arguments else settings

    @classmethod
    def load(cls, folder: Path, device: str, dtype: str) -> MetricModel:
        """Return the network in a folder; `ScoringError` or `CheckpointError` where it is no whole BLEURT."""
        return BleurtModel(folder, device, dtype)


class BleurtModel(MetricModel):
    """A BLEURT checkpoint in memory."""

    def __init__(self, folder: Path, device: str, dtype: str) -> None:
        ensure_torchvision()
        import torch

        from ..checkpoints.filling import fill

        config = _config(folder)
        pieces = next((folder / name for name in _SENTENCE_PIECES if (folder / name).is_file()), None)
        if pieces:
            self._tokenize, marks = _sentence_pieces(pieces)
            network, state = _rembert(config), _rembert_names(_state(folder))
        else:
            self._tokenize, marks = _word_pieces(folder, lower=config.get("do_lower_case", True))
            network, state = _bert(config), _bert_names(_state(folder))
        fill(network, state, folder)
        self._network: Any = network.to(device, getattr(torch, dtype)).eval()
        self._start, self._end = marks
        lengths = (config[name] for name in ("max_position_embeddings", "max_seq_length", "model_max_length"))
        self._limit = min(BLEURT_MAX_TOKENS, *(length for length in lengths if length))

    def scores(self, inputs: Sequence[Texts], *, batch_tokens: int) -> Iterator[tuple[int, float]]:
        """Yield (place, score) of pairs of texts, batch by batch."""
        tokens = {text: self._tokenize(text) for text in {text for pair in inputs for text in pair}}
        encoded = [self._encode(tokens[first], tokens[second]) for first, second in inputs]
        for batch in length_batches([len(ids) for ids, _ in encoded], batch_tokens):
            yield from zip(batch, self._forward([encoded[place] for place in batch]), strict=True)

    def _encode(self, first: Sequence[int], second: Sequence[int]) -> tuple[list[int], list[int]]:
        """Return token and segment ids of a pair. The longer text is cut until both fit, the second where equal."""
        room = self._limit - _SPECIALS
        a, b = len(first), len(second)
        if a + b > room:
            a = min(a, max(room - b, room - room // 2))
            b = min(b, room - a)
        ids = [self._start, *first[:a], self._end, *second[:b], self._end]
        return ids, [0] * (a + 2) + [1] * (b + 1)

    def _forward(self, batch: Sequence[tuple[list[int], list[int]]]) -> list[float]:
        import torch

        width = max(len(ids) for ids, _ in batch)
        padded = [
            [
                ids + [0] * (width - len(ids)),
                segments + [0] * (width - len(ids)),
                [1] * len(ids) + [0] * (width - len(ids)),
            ]
            for ids, segments in batch
        ]
        ids, segments, mask = torch.tensor(padded, device=self._network.device).unbind(1)
        with torch.inference_mode():
            logits = self._network(input_ids=ids, token_type_ids=segments, attention_mask=mask).logits
        found: list[float] = logits[:, 0].float().tolist()
        return found


def _config(folder: Path) -> dict[str, Any]:
    """Return the settings of a checkpoint, whatever file they stand in; absent lengths are None."""
    config: dict[str, Any] = {"max_seq_length": None, "model_max_length": None}
    for name in ("tokenizer_config.json", "bert_config.json", "bleurt_config.json", "config.json"):
        if (folder / name).is_file():
            config.update(parse_json((folder / name).read_text(encoding="utf-8")))
    lacking = [name for name in _SIZES if name not in config]
    if lacking:
        raise ScoringError(
            f"the checkpoint's config.json lacks {', '.join(lacking)}", folder, "name another checkpoint"
        )
    return config


def _sentence_pieces(file: Path) -> tuple[Tokenize, tuple[int, int]]:
    from sentencepiece import SentencePieceProcessor

    pieces = SentencePieceProcessor(model_file=str(file))
    return pieces.encode, (pieces.piece_to_id("[CLS]"), pieces.piece_to_id("[SEP]"))


def _word_pieces(folder: Path, *, lower: bool) -> tuple[Tokenize, tuple[int, int]]:
    """BERT's tokenizer, to which `[SEP]` in a text is a word in brackets, as to the original."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

    file = folder / "vocab.txt"
    if not file.is_file():
        names = ", ".join((*_SENTENCE_PIECES, file.name))
        raise ScoringError("the checkpoint has no vocabulary", folder, f"one of {names} is needed")
    tokenizer = Tokenizer(models.WordPiece.from_file(str(file), max_input_chars_per_word=_WORD_CHARACTERS))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lower)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    vocabulary = tokenizer.get_vocab()
    return lambda text: tokenizer.encode(text).ids, (vocabulary["[CLS]"], vocabulary["[SEP]"])


def _rembert(config: Mapping[str, Any]) -> torch.nn.Module:
    from transformers import RemBertConfig, RemBertForSequenceClassification

    own = {name: config[name] for name in _SIZES}
    own["input_embedding_size"] = config.get("embedding_size", config.get("input_embedding_size"))
    own["hidden_act"] = config.get("hidden_act", "gelu")
    return RemBertForSequenceClassification(RemBertConfig(**own, **_HEAD))


def _bert(config: Mapping[str, Any]) -> torch.nn.Module:
    from transformers import BertConfig, BertForSequenceClassification

    own = {name: config[name] for name in _SIZES}
    own["hidden_act"] = "gelu_new"  # "gelu" in the original's config names its tanh approximation
    return BertForSequenceClassification(BertConfig(**own, **_HEAD))


def _state(folder: Path) -> Tensors:
    """Return the weights of a folder, without buffers: those of its one safetensors file, whatever it is called."""
    from ..checkpoints.tensors import open_weights, renamed

    files = list(folder.glob("*.safetensors"))
    return renamed(
        open_weights(files[0] if len(files) == 1 else folder),
        lambda name: None if name.endswith("position_ids") else name,
    )


def _rembert_names(state: Tensors) -> Tensors:
    from ..checkpoints.tensors import renamed

    def own_name(name: str) -> str:
        name = re.sub(r"^bleurt\.", "rembert.", name)
        return name.replace("encoder.embedding_projection.", "encoder.embedding_hidden_mapping_in.")

    return renamed(state, own_name)


def _bert_names(state: Tensors) -> Tensors:
    from ..checkpoints.tensors import renamed

    if not any("/" in name for name in state):
        return renamed(state, lambda name: re.sub(r"^bleurt\.", "bert.", name))
    found = {}
    for name, tensor in state.items():
        own = name
        for pattern, replacement in _FROM_TF:
            own = re.sub(pattern, replacement, own)
        found[own] = tensor.T.contiguous() if name.endswith("kernel") else tensor
    return found
