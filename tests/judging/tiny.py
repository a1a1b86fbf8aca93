"""A tiny text model with random weights, made on the spot."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ecva_bench.torchvision import ensure_torchvision

CHAT = (
    "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


# Further architectures by how they tell places: rotary is Llama's own.
KINDS: dict[str, dict[str, Any]] = {
    "gpt2": {"n_embd": 32, "n_layer": 2, "n_head": 2, "n_positions": 8192},  # learned
    "bloom": {"n_layer": 2, "n_head": 2},  # alibi
    "rwkv": {"attention_hidden_size": 32, "num_hidden_layers": 2, "context_length": 8192},  # a state, and no mask
}


def save_tiny_model(
    folder: Path, *, chat: bool | str = True, always: str = "", kind: str = "llama", control: Sequence[str] = ()
) -> Path:
    """Save a two-layer model that reads bytes, the same one every time; `chat` may be a template of its own.

    With `always`, a single character, its weights are no longer random: it answers that character, then ends.
    `control` are tokens of its family that its tokenizer reads wherever they stand.
    """
    ensure_torchvision()
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: number for number, token in enumerate(["<pad>", "<eos>", *alphabet])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", eos_token="<eos>")  # noqa: S106
    fast.add_tokens(list(control), special_tokens=True)
    if chat:
        fast.chat_template = CHAT if chat is True else chat
    fast.save_pretrained(folder)
    torch.manual_seed(0)
    if kind != "llama":
        _save_other(folder, kind, len(fast))
        return folder
    config = LlamaConfig(
        vocab_size=len(fast),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=8192,
        initializer_range=0.6,
        pad_token_id=0,
        eos_token_id=1,
        bos_token_id=1,
    )
    model = LlamaForCausalLM(config)
    if always:
        _answer_always(model, vocabulary[always], vocabulary["<eos>"])
    model.save_pretrained(folder)
    return folder


def _save_other(folder: Path, kind: str, size: int) -> None:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    ids = {"pad_token_id": 0, "eos_token_id": 1, "bos_token_id": 1}
    model = AutoModelForCausalLM.from_config(
        AutoConfig.for_model(kind, vocab_size=size, hidden_size=32, **ids, **KINDS[kind])
    )
    for weights in model.parameters():
        if weights.dim() > 1:
            torch.nn.init.normal_(weights, std=0.4)
    model.save_pretrained(folder)


def _answer_always(model: Any, answer: int, end: int) -> None:
    """Make the next token depend on the last one alone: `answer` after any token, `end` after `answer`."""
    import torch

    with torch.no_grad():
        for layer in model.model.layers:
            layer.self_attn.o_proj.weight.zero_()
            layer.mlp.down_proj.weight.zero_()
        embedding, head = model.model.embed_tokens.weight, model.lm_head.weight
        embedding.zero_()
        head.zero_()
        embedding[:, 0] = 1.0
        embedding[answer] = 0.0
        embedding[answer, 1] = 1.0
        head[answer, 0] = head[end, 1] = 1.0
