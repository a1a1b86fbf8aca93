"""Probabilities of the first word of an answer: `hf:`, `vllm:`, an endpoint, a composed model, against arithmetic."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from ecva_bench.adapters.parts.language.beginnings import Beginning, beginnings, word_probabilities
from ecva_bench.answering import create_adapter
from ecva_bench.answering.severity import DIGITS
from ecva_bench.errors import AdapterError
from ecva_bench.judging.logprobs import likely_beginnings
from ecva_bench.video import Video
from tests.adapters import tiny_hf as tiny
from tests.clips import write_clip

from .model_server import ModelServer
from .test_composed import Reader, base, loaded  # noqa: F401  fixtures

WORDS = list(DIGITS)
OPTIONS = {"frames": "4", "max_pixels": "2048", "device": "cpu"}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Video:
    return Video(write_clip(tmp_path_factory.mktemp("clips") / "1.mp4", frames=41))


def by_characters(said: str) -> Sequence[Hashable]:
    return [ord(character) for character in "Q:" + said]


def by_words(said: str) -> Sequence[Hashable]:
    """A vocabulary in which a word and the blank before it are one token, as in GPT's."""
    return ["Q:", *([ord(said[1]) + 1000] if said[:1] == " " else [ord(said[0])] if said else [])]


def test_a_blank_before_a_word_is_a_token_or_a_part_of_one() -> None:
    digits = tuple(map(ord, WORDS))
    assert beginnings(by_characters, WORDS, "m") == [Beginning((), digits), Beginning((ord(" "),), digits)]
    assert beginnings(by_words, WORDS, "m") == [Beginning((), digits), Beginning((), tuple(d + 1000 for d in digits))]


def test_two_words_of_one_token_are_refused_by_the_model_s_name() -> None:
    with pytest.raises(AdapterError, match="two begin with the same token: the-model"):
        beginnings(lambda said: [1, *([2] if said else [])], WORDS, "the-model")
    with pytest.raises(AdapterError, match="the same token"):
        beginnings(by_characters, ["1", "10"], "m")


def test_the_ways_to_begin_add_up() -> None:
    nexts: dict[tuple[int, ...], dict[int, float]] = {(): {ord("1"): 0.2, ord(" "): 0.5}, (ord(" "),): {ord("1"): 0.8}}
    found = beginnings(by_characters, WORDS, "m")
    likely = word_probabilities(found, lambda said: lambda token: nexts[said].get(token, 0.0))
    assert likely == pytest.approx([0, 0.2 + 0.5 * 0.8, *[0] * 8])


def test_a_composed_model_s_are_those_of_its_network(loaded: Reader, clip: Video) -> None:  # noqa: F811
    likely = loaded.first_token_probabilities(clip, "How severe?", WORDS)
    networks, seen = loaded.networks, loaded.look(clip)
    embed, pieces = networks.language.get_input_embeddings(), networks.tokenizer

    def nexts(ids: list[int]) -> torch.Tensor:
        rows = [embed(torch.tensor([pieces.bos]))]
        for seconds, visual in zip(seen.positions, loaded.visual(seen, "How severe?"), strict=True):
            rows += [embed(torch.tensor(pieces.encode(f"{seconds:.1f}"))), visual[None]]
        rows.append(embed(torch.tensor(ids)))
        with torch.no_grad():
            logits = networks.language(inputs_embeds=torch.cat(rows)[None]).logits[0, -1]
        return torch.softmax(logits, dim=-1)

    question = pieces.encode("How severe?")
    expected = []
    for digit in WORDS:
        total = 0.0
        for said in (digit, f" {digit}"):
            ids = pieces.encode("How severe?" + said)
            assert ids[: len(question)] == question
            chain = [nexts(ids[:place])[ids[place]].item() for place in range(len(question), len(ids))]
            total += math.prod(chain)
        expected.append(total)
    assert likely == pytest.approx(expected, rel=1e-4)


@pytest.fixture(scope="module", params=["qwen2_vl", "gemma3"])
def checkpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    return request.param, tiny.write(tmp_path_factory.mktemp("checkpoints") / request.param, request.param)


def options_of(family: str) -> dict[str, str]:
    return {name: value for name, value in OPTIONS.items() if name != "max_pixels" or family != "gemma3"}


def test_hf_s_are_those_of_a_forward_pass(checkpoint: tuple[str, Path], clip: Video) -> None:
    family, folder = checkpoint
    adapter: Any = create_adapter(f"hf:{folder}", options_of(family))
    likely = adapter.first_token_probabilities(clip, "How severe?", WORDS)
    model, shown = adapter.model, adapter._look(clip)
    inputs = model.inputs(shown, "How severe?")
    tokenizer = model.processor.tokenizer
    with torch.no_grad():
        now = torch.softmax(model.network(**inputs).logits[0, -1].float(), dim=-1)
    text = model._prompt(shown, "How severe?")
    before = tokenizer(text).input_ids
    tokens = [tokenizer(text + word).input_ids[len(before)] for word in WORDS]
    assert len(set(tokens)) == 10
    behind_a_blank = [one - now[token].item() for one, token in zip(likely, tokens, strict=True)]
    assert all(-1e-7 <= one < now.max().item() for one in behind_a_blank)
    again = adapter.first_token_probabilities(clip, "How severe?", WORDS)
    assert adapter.answer(clip, "How severe?") == create_adapter(f"hf:{folder}", options_of(family)).answer(
        clip,
        "How severe?",  # type: ignore[arg-type]
    )
    assert again == pytest.approx(likely, rel=1e-6)


def test_vllm_s_are_hf_s(checkpoint: tuple[str, Path], clip: Video, monkeypatch: pytest.MonkeyPatch) -> None:
    from .standin_vllm import install

    install(monkeypatch)
    family, folder = checkpoint
    of_hf = create_adapter(f"hf:{folder}", options_of(family)).first_token_probabilities(clip, "Where?", WORDS)  # type: ignore[arg-type]
    options = {name: value for name, value in options_of(family).items() if name != "device"}
    found = create_adapter(f"vllm:{folder}", options).first_token_probabilities(clip, "Where?", WORDS)  # type: ignore[arg-type]
    assert found == pytest.approx(of_hf, rel=1e-4)


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")


def logprobs(tokens: dict[str, float]) -> dict[str, Any]:
    entries = [{"token": text, "logprob": math.log(share)} for text, share in tokens.items()]
    return {"content": [{**entries[0], "top_logprobs": entries}]}


def test_an_endpoint_s_are_those_of_its_reply(clip: Video) -> None:
    said = {"choices": [{"message": {"content": "7"}, "finish_reason": "length"}]}
    said["choices"][0]["logprobs"] = logprobs({"7": 0.5, " 7": 0.1, "3": 0.2, "The": 0.1})
    with ModelServer([said]) as server:
        adapter = create_adapter("openai:tiny", {"base_url": server.url, "retries": "0"})
        likely = adapter.first_token_probabilities(clip, "How severe?", WORDS)  # type: ignore[arg-type]
        body = server.requests[0].body
    assert likely == pytest.approx([0, 0, 0, 0.2, 0, 0, 0, 0.6, 0, 0])
    assert (body["logprobs"], body["top_logprobs"], body["max_completion_tokens"]) == (True, 20, 1)


@pytest.mark.parametrize("first", ["", " ", "<think>"])
def test_a_first_word_that_is_a_blank_or_begins_a_thought_ends_no_run(first: str, clip: Video) -> None:
    """One token is all that is asked for: that nothing but it came is no fault, however often."""
    said: dict[str, Any] = {"choices": [{"message": {"content": first}, "finish_reason": "length"}]}
    said["choices"][0]["logprobs"] = logprobs({first: 0.75, "7": 0.25})
    with ModelServer([said] * 21) as server:
        adapter = create_adapter("openai:tiny", {"base_url": server.url, "retries": "0", "frames": "1"})
        found = [adapter.first_token_probabilities(clip, f"How severe, {n}?", WORDS)[7] for n in range(21)]  # type: ignore[arg-type]
        adapter.close()
    assert found == pytest.approx(21 * [0.25])


def test_an_endpoint_without_them_is_an_error_that_names_the_model(clip: Video) -> None:
    with ModelServer() as server:
        adapter = create_adapter("openai:tiny", {"base_url": server.url, "retries": "0"})
        with pytest.raises(AdapterError, match="gives no log-probabilities: tiny"):
            adapter.first_token_probabilities(clip, "How severe?", WORDS)  # type: ignore[arg-type]
        assert adapter.answer(clip, "How severe?").startswith("It is")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "told",
    [None, {}, {"content": []}, {"content": [{"token": "7"}]}, {"content": [{"token": "7", "logprob": 5}]}, "x", 3],
)
def test_what_is_no_probability_is_none(told: Any) -> None:
    assert likely_beginnings(told) == ()
