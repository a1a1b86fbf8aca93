"""What a model says is decoded without special tokens, but for those that tell a thought from an answer."""

from __future__ import annotations

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from ecva_bench.adapters.parts.language.decoding import decoded
from ecva_bench.reading.thoughts import without_thought

SPECIAL = ("<pad>", "<s>", "<|im_end|>", "<|end|>", "[THINK]", "[/THINK]", "<|channel|>", "<|message|>", "<|start|>")
ALPHABET = sorted(pre_tokenizers.ByteLevel.alphabet())


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    library = Tokenizer(models.BPE(vocab={letter: i for i, letter in enumerate(ALPHABET)}, merges=[]))
    library.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    library.decoder = decoders.ByteLevel()
    library.add_special_tokens(list(SPECIAL))
    names = {"pad_token": "<pad>", "eos_token": "<|im_end|>"}
    return PreTrainedTokenizerFast(tokenizer_object=library, **names)


@pytest.mark.parametrize(
    ("text", "shown", "said"),
    [
        ("[THINK]Is it [5]?[/THINK][7]<|im_end|><pad>", "[THINK]Is it [5]?[/THINK][7]", "[7]"),
        (
            "<|channel|>analysis<|message|>é [5]<|end|><|start|>assistant<|channel|>final<|message|> [7]<|im_end|>",
            "<|channel|>analysis<|message|>é [5]<|end|><|start|>assistant<|channel|>final<|message|> [7]",
            "[7]",
        ),
        ("<s> A car “burns”.<|im_end|><pad><pad>", "A car “burns”.", "A car “burns”."),
        ("<|im_end|>", "", ""),
    ],
)
def test_marks_are_kept_and_other_special_tokens_are_not(
    text: str, shown: str, said: str, tokenizer: PreTrainedTokenizerFast
) -> None:
    ids = tokenizer.encode(text, add_special_tokens=False)
    assert len(ids) < len(text.encode())  # special tokens are one id each
    found = decoded(tokenizer, ids, [tokenizer.eos_token_id])
    assert found == shown
    assert without_thought(found)[0] == said


def test_a_token_that_ends_an_answer_is_no_mark(tokenizer: PreTrainedTokenizerFast) -> None:
    ids = tokenizer.encode("A car burns.<|end|>", add_special_tokens=False)
    assert decoded(tokenizer, ids, ids[-1:]) == "A car burns."
