"""Sequences that begin alike have their beginning read once, and are answered as each would be alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import MistralConfig, MistralForCausalLM

from ecva_bench.adapters.parts.language.generation import generate
from ecva_bench.adapters.parts.language.networks import Networks
from ecva_bench.adapters.parts.language.policy import Policy
from ecva_bench.adapters.parts.prompts import Visual
from ecva_bench.answering import ModelOutput
from ecva_bench.errors import OutOfMemory
from tests.adapters import tiny_llava as tiny

GREEDY = Policy(max_new_tokens=9, eos=(2,), pad=2)
VIDEO = torch.randn(24, tiny.HIDDEN, generator=torch.Generator().manual_seed(1)) * 0.4


class Plain:
    """A tokenizer whose text is the ids."""

    bos, size = 1, tiny.PIECES

    def encode(self, text: str) -> list[int]:
        return [int(word) for word in text.split()]

    def decode(self, ids: Sequence[int]) -> str:
        return " ".join(map(str, ids))

    def id_of(self, token: str) -> int:
        return int(token)


def networks(**config: Any) -> Networks:
    torch.manual_seed(0)
    language = MistralForCausalLM(MistralConfig(**{**tiny.MISTRAL, **config})).eval()
    return Networks(Plain(), lambda pixels: pixels, lambda features: features, language)


NETWORKS = networks()


def said(
    model: Networks, questions: Sequence[Sequence[int]], videos: Sequence[torch.Tensor], **how: Any
) -> list[ModelOutput]:
    sequences = [[1, 5, Visual(), *question] for question in questions]
    with torch.inference_mode():
        return generate(
            model,
            sequences,
            videos,
            how.pop("policy", GREEDY),
            seed=0,
            attending=how.pop("attending", lambda v, i: nullcontext()),
        )


@contextmanager
def positions_read(model: Networks) -> Iterator[list[int]]:
    """Collect how many positions each pass through the language model reads."""
    read: list[int] = []

    def count(_: object, __: object, given: dict[str, Any]) -> None:
        read.append(given["inputs_embeds"].shape[:2].numel() if given.get("inputs_embeds") is not None else 0)

    hook = model.language.base_model.register_forward_pre_hook(count, with_kwargs=True)
    try:
        yield read
    finally:
        hook.remove()


@settings(max_examples=20)
@given(questions=st.lists(st.lists(st.integers(3, 300), min_size=1, max_size=12), min_size=2, max_size=5))
def test_answers_are_those_of_each_question_alone(questions: list[list[int]]) -> None:
    alone = [said(NETWORKS, [question], [VIDEO])[0] for question in questions]
    assert said(NETWORKS, questions, [VIDEO] * len(questions)) == alone


def test_a_text_says_whether_it_was_cut_off() -> None:
    questions = [[7, 8, 9], [7, 8, 10, 11, 12]]
    whole = said(NETWORKS, questions, [VIDEO] * 2)
    ids = [[int(word) for word in text.split()] for text in whole]
    assert [(len(row), text.finish) for row, text in zip(ids, whole, strict=True)] == [(9, "length")] * 2
    end = next(number for number in ids[0] if number not in ids[1])
    ended = said(NETWORKS, questions, [VIDEO] * 2, policy=replace(GREEDY, eos=(2, end)))
    assert [text.finish for text in ended] == ["stop", "length"]
    assert ended[0].split() == list(map(str, ids[0][: ids[0].index(end)]))
    stopped = said(NETWORKS, questions, [VIDEO] * 2, policy=replace(GREEDY, stop=(f"{ids[1][2]} {ids[1][3]}",)))
    assert stopped[1].finish == "stop"
    last = said(NETWORKS, questions[:1], [VIDEO], policy=replace(GREEDY, eos=(2, ids[0][-1])))
    assert last[0].finish == "stop"  # at the last token that was allowed


def test_a_common_beginning_is_read_once_and_the_rest_for_each() -> None:
    questions = [[7, 8, 9], [7, 8, 11, 12, 13], [7, 20]]
    with positions_read(NETWORKS) as read:
        said(NETWORKS, questions, [VIDEO] * 3)
    # The first id, 5, 24 visual tokens and 7 are common; of the questions, the longest leaves four.
    assert read[:2] == [2 + 24 + 1, 3 * 4]


def test_transformers_is_not_asked_in_a_way_that_it_is_giving_up(recwarn: pytest.WarningsRecorder) -> None:
    said(NETWORKS, [[7, 8, 9], [7, 20]], [VIDEO] * 2)
    assert [str(one.message) for one in recwarn if "deprecated" in str(one.message)] == []


def test_one_question_twice_leaves_its_last_token_to_each() -> None:
    with positions_read(NETWORKS) as read:
        said(NETWORKS, [[7, 8], [7, 8]], [VIDEO] * 2)
    assert read[:2] == [2 + 24 + 1, 2]


@contextmanager
def looking() -> Iterator[None]:
    yield


@pytest.mark.parametrize(
    ("videos", "how", "config"),
    [
        ([VIDEO, VIDEO.clone()], {}, {}),  # a connector that reads the question
        ([VIDEO, VIDEO], {"attending": lambda visuals, ids: looking()}, {}),  # cross-attention
        ([VIDEO, VIDEO], {"policy": Policy(max_new_tokens=9, eos=(2,), pad=2, num_beams=2)}, {}),
        ([VIDEO, VIDEO], {}, {"sliding_window": 30}),  # of 31 positions and 9 new ones
    ],
    ids=["visuals", "attending", "beams", "window"],
)
def test_nothing_is_shared_where_it_would_not_be_the_same(
    videos: list[torch.Tensor], how: dict[str, Any], config: dict[str, Any]
) -> None:
    model, questions = networks(**config) if config else NETWORKS, [[7, 8, 9], [7, 8, 10, 11, 12]]
    with positions_read(model) as read:
        together = said(model, questions, videos, **how)
    assert read[0] == 2 * 31 * how.get("policy", GREEDY).num_beams
    assert together == [said(model, [q], [v], **how)[0] for q, v in zip(questions, videos, strict=True)]


def test_too_little_memory_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(NETWORKS.language, "generate", full)
    with pytest.raises(OutOfMemory, match="ran out of memory at 27 tokens"):
        said(NETWORKS, [[7]], [VIDEO])
