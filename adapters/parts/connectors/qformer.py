"""Q-Formers: a fixed number of learned queries that read the tokens of a picture, beside a text or without one.

transformers has the networks as InstructBLIP's and BLIP-2's. Weights come under the names of the authors' BERT
(`Qformer.bert.…`); sizes are read from them, for the authors' files state none. The text is what BERT's own
vocabulary makes of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import nn
from torch.nn.utils.rnn import pad_sequence
from transformers import Blip2QFormerModel, InstructBlipQFormerModel

from ecva_bench.checkpoints.files import reading
from ecva_bench.checkpoints.filling import fill, report_problems
from ecva_bench.checkpoints.tensors import Tensors, layered, renamed
from ecva_bench.errors import CheckpointError

from ..layouts.sizes import numbers, shape_of
from ..placement import Placement

HEAD = 64  # channels a head

_untyped: Any = transformers  # its configurations have no types


class QFormer(nn.Module):
    """Queries that read tokens, layers with cross-attention between layers without (InstructBLIP's), or in all.

    With `words`, the size of a vocabulary, a text stands beside the queries: it is seen by them and sees them, but not
    the tokens. `crossed` is the distance of two layers with cross-attention.
    """

    def __init__(
        self,
        queries: int = 32,
        *,
        width: int = 768,
        layers: int = 12,
        mlp: int = 3072,
        encoder: int = 1408,
        crossed: int = 2,
        words: int = 30523,
        positions: int = 512,
        head: int = HEAD,
    ) -> None:
        super().__init__()
        sizes = {
            "hidden_size": width,
            "num_hidden_layers": layers,
            "num_attention_heads": width // head,
            "intermediate_size": mlp,
            "encoder_hidden_size": encoder,
            "cross_attention_frequency": crossed,
            "layer_norm_eps": 1e-12,
        }
        self.queries = nn.Parameter(torch.zeros(1, queries, width))
        self.words, self.width, self.encoder = words, width, encoder
        self.bert: Any
        if words:
            config = _untyped.InstructBlipQFormerConfig(vocab_size=words, max_position_embeddings=positions, **sizes)
            self.bert = InstructBlipQFormerModel(config)
        else:
            self.bert = Blip2QFormerModel(_untyped.Blip2QFormerConfig(use_qformer_text_input=False, **sizes))

    def forward(
        self, tokens: torch.Tensor, ids: torch.Tensor | None = None, mask: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Return [n, queries, width] for tokens [n, m, encoder], or with a text [n, queries + length, width].

        `ids` and `mask` (1 where there is text, 0 where it is padded) are int64 [n, length], or [1, length] for one
        text beside all.
        """
        queries = self.queries.expand(len(tokens), -1, -1)
        if ids is None:
            alone: torch.Tensor = self.bert(query_embeds=queries, encoder_hidden_states=tokens).last_hidden_state
            return alone
        mask = torch.ones_like(ids) if mask is None else mask
        seen = torch.cat([mask.new_ones(len(mask), queries.shape[1]), mask], dim=1).expand(len(tokens), -1)
        found: torch.Tensor = self.bert(
            input_ids=ids.expand(len(tokens), -1),
            attention_mask=seen,
            query_embeds=queries,
            encoder_hidden_states=tokens,
        ).last_hidden_state
        return found


def load_qformer(
    bert: Tensors, queries: torch.Tensor, where: object, placement: Placement, *, head: int = HEAD
) -> QFormer:
    """Return a Q-Former filled with tensors under the names of the authors' BERT, with or without `bert.` before them.

    `queries` is [1, n, width]. Whether there is a text, and in which layers there is cross-attention, the names show.
    Raises `CheckpointError` where a name is missing or unexpected.
    """
    own = qformer_tensors(bert)
    sizes = _sizes(own, where)
    module = placement.make(lambda: QFormer(queries.shape[1], head=head, **sizes))
    fill(module, layered(renamed(own, lambda name: f"bert.{name}"), {"queries": queries}), where)
    return module


def qformer_tensors(bert: Tensors) -> Tensors:
    """Return tensors under the names of transformers' Q-Formers, without the head that was trained to write."""
    texts = any("word_embeddings" in name for name in bert)

    def own_name(name: str) -> str | None:
        if name.startswith("cls.") or name.endswith("position_ids"):
            return None
        name = name.removeprefix("bert.").replace("attention.self.", "attention.attention.")
        return name.replace("embeddings.LayerNorm", "embeddings.layernorm" if texts else "layernorm")

    return renamed(bert, own_name)


def _sizes(own: Tensors, where: object) -> dict[str, int]:
    """Return what `QFormer` takes, from the shapes of tensors under transformers' names."""
    text = {"words": "embeddings.word_embeddings.weight", "positions": "embeddings.position_embeddings.weight"}
    layers = len(numbers(own, "encoder.layer."))
    mlp, width = shape_of(own, "encoder.layer.0.intermediate_query.dense.weight", where)
    return {
        "width": width,
        "mlp": mlp,
        "layers": layers,
        "encoder": shape_of(own, "encoder.layer.0.crossattention.attention.key.weight", where)[1],
        "crossed": min(numbers(own, "encoder.layer.", "crossattention.") - {0}, default=layers),
        **{size: shape_of(own, name, where)[0] if name in own else 0 for size, name in text.items()},
    }


class Projected(nn.Module):
    """What a Q-Former's queries read, as visual tokens of the language model's width.

    `among`, where given, makes of the tokens of all pictures [n, queries, hidden] those that are kept, [k, m, hidden].
    """

    def __init__(self, qformer: QFormer, proj: nn.Linear, among: nn.Module | None = None) -> None:
        super().__init__()
        self.qformer, self.proj, self.among = qformer, proj, among

    def forward(self, tokens: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
        """Return [visual tokens, hidden] for n pictures' tokens [n, m, encoder] and a text's ids, int64 [1, length]."""
        read = self.qformer(tokens, ids)[:, : self.qformer.queries.shape[1]]
        visual: torch.Tensor = self.proj(read)
        return (self.among(visual) if self.among else visual).flatten(0, 1)


class BertText:
    """Texts to ids by BERT's vocabulary, in lower case, as [CLS] text [SEP].

    `length` is the most ids of a text; of a longer one the end is kept. No name of a special token is understood.
    `size` is the number of words.
    """

    def __init__(self, folder: Path, length: int) -> None:
        from tokenizers import Tokenizer, normalizers, pre_tokenizers
        from tokenizers.models import WordPiece

        path = folder / "vocab.txt"
        if not path.is_file():
            raise CheckpointError("there is no vocab.txt", folder, "put that of bert-base-uncased there")
        with reading("BERT's vocabulary", path), path.open(encoding="utf-8") as lines:
            words = {line.rstrip("\n"): number for number, line in enumerate(lines)}
        report_problems(
            {"missing": sorted({"[CLS]", "[SEP]", "[PAD]", "[UNK]"} - words.keys())}, "BERT's vocabulary", path
        )
        self._begin, self._end, self._pad = words["[CLS]"], words["[SEP]"], words["[PAD]"]
        self.path, self.size = path, len(words)
        self._words = Tokenizer(WordPiece(words, unk_token="[UNK]"))  # noqa: S106 - no password
        self._words.normalizer = normalizers.BertNormalizer(lowercase=True)
        self._words.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        self._length = length

    def __call__(self, texts: Sequence[str]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return ids and mask (1 where there is text), int64 [n, length of the longest], padded on the right."""
        rows = [self._words.encode(text, add_special_tokens=False).ids[2 - self._length :] for text in texts]
        ids = [torch.tensor([self._begin, *row, self._end]) for row in rows]
        mask = [torch.ones_like(row) for row in ids]
        return pad_sequence(ids, batch_first=True, padding_value=self._pad), pad_sequence(mask, batch_first=True)
