"""Otter's perceiver, blocks, prompt and text against its authors' program and against plain sums, and whole models."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sentencepiece
import torch
from transformers import CLIPVisionConfig, CLIPVisionModel, LlamaConfig, LlamaForCausalLM

from ecva_bench.adapters.otter.adapter import ADDED, Otter
from ecva_bench.adapters.otter.gated import GatedBlock, GatedBlocks, load_gated
from ecva_bench.adapters.otter.perceiver import Perceiver, load_perceiver
from ecva_bench.adapters.parts.placement import Placement
from ecva_bench.adapters.parts.towers.clip import CONFIGS, ClipTower, own_name
from ecva_bench.checkpoints.filling import fill
from ecva_bench.checkpoints.tensors import Tensors, open_weights, renamed, under
from ecva_bench.errors import CheckpointError
from tests.adapters.tiny import llm
from tests.adapters.tiny import otter as tiny
from tests.adapters.tiny.answers import five_answers, mini_clip
from tests.adapters.tiny.edit import refused

CPU, DOUBLE = (Placement(torch.device("cpu"), dtype) for dtype in (torch.float32, torch.float64))
CLOSE = {"atol": 1e-5, "rtol": 1e-5}
QUESTIONS = ["Why does it happen?", "What does the accident lead to? Give the seconds, [12.5, 31.0]."]


@pytest.fixture(scope="module")
def golden(shared_golden: Path) -> tuple[dict[str, Any], Tensors]:
    config = json.loads((shared_golden / "otter" / "a.json").read_text())
    return config, open_weights(shared_golden / "otter" / "a.safetensors")


def gated_of(weights: Tensors) -> Tensors:
    layers = under(weights, "lang_encoder.model.layers.")
    mark = "gated_cross_attn_layer."
    return renamed(layers, lambda name: name.replace(mark, "") if mark in name else None)


def language_of(weights: Tensors, sizes: dict[str, Any]) -> Any:
    language = LlamaForCausalLM(LlamaConfig.from_dict(sizes)).eval()
    language.set_attn_implementation("eager")
    own = under(weights, "lang_encoder.").items()
    plain = {n.replace("decoder_layer.", ""): t for n, t in own if "gated" not in n and "rotary_emb" not in n}
    language.load_state_dict(plain)
    return language


def test_what_is_seen_is_the_originals(golden: tuple[dict[str, Any], Tensors]) -> None:
    config, tensors = golden
    weights = under(tensors, "w.")
    tower = ClipTower(CLIPVisionConfig(**config["vision_config"]), last=True).eval()
    fill(tower.model, renamed(under(weights, "vision_encoder."), own_name), "golden")
    perceiver = load_perceiver(under(weights, "perceiver."), "golden", CPU, head=config["perceiver"]["dim_head"])
    with torch.no_grad():
        patches = tower.patches(tensors["in.vision_x"][0, 0])
        seen = perceiver(patches)
    torch.testing.assert_close(patches, tensors["out.clip_patch_features"][0, 0], **CLOSE)
    torch.testing.assert_close(seen, tensors["out.perceiver"][0, 0], **CLOSE)


def test_what_is_said_is_the_originals_with_and_without_beams(golden: tuple[dict[str, Any], Tensors]) -> None:
    config, tensors = golden
    weights, ids, pictures = under(tensors, "w."), tensors["in.input_ids"], tensors["out.perceiver"]
    gated = load_gated(gated_of(weights), (1, 3), "golden", CPU)
    language = language_of(weights, config["text_config"])
    named = config["media_token_id"]
    marks = ids == named
    more = {"attention_mask": tensors["in.attention_mask"], "max_new_tokens": 8, "do_sample": False}
    beams = {"num_beams": 3, "no_repeat_ngram_size": 3, "bad_words_ids": [[5], [7, 8]], "eos_token_id": 128 - 3}
    with torch.no_grad():
        block = gated.blocks["1"](tensors["in.gated_block_x"], pictures, marks)
        with gated.attending(language, pictures, named):
            prefill = language(input_ids=ids, use_cache=True)
            greedy = language.generate(ids, eos_token_id=None, **more)
            best = language.generate(ids, **beams, **more)
            first = greedy[:, ids.shape[1] : ids.shape[1] + 1]
            uncached = language(input_ids=torch.cat([ids, first], dim=1)).logits[:, -1:]
            cached = language(input_ids=first, past_key_values=prefill.past_key_values).logits
        bare = language(input_ids=ids).logits
    torch.testing.assert_close(block, tensors["out.gated_block_out"], **CLOSE)
    torch.testing.assert_close(prefill.logits, tensors["out.logits_prefill"], **CLOSE)
    torch.testing.assert_close(cached, tensors["out.logits_decode_step1_cached"], **CLOSE)
    torch.testing.assert_close(uncached, tensors["out.logits_decode_step1_uncached_for_contrast"], **CLOSE)
    assert greedy.tolist() == tensors["out.generated_greedy"].tolist()
    assert best.tolist() == tensors["out.generated_beam3_ngram3"].tolist()
    assert not torch.allclose(bare, prefill.logits)  # and after the context the layers are as they were


def norm(state: Tensors, name: str, x: torch.Tensor) -> torch.Tensor:
    centred = x - x.mean(-1, keepdim=True)
    scaled = centred / (centred.square().mean(-1, keepdim=True) + 1e-5).sqrt()
    return scaled * state[f"{name}.weight"] + state[f"{name}.bias"]


def forward(state: Tensors, x: torch.Tensor) -> torch.Tensor:
    hidden = norm(state, "feed_forward.0", x) @ state["feed_forward.1.weight"].T
    return (hidden * (1 + torch.erf(hidden / math.sqrt(2))) / 2) @ state["feed_forward.3.weight"].T


def attended(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, heads: int) -> torch.Tensor:
    parts = []
    for q, k, v in zip(*(part.chunk(heads, dim=-1) for part in (query, key, value)), strict=True):
        parts.append(torch.softmax(q @ k.T / math.sqrt(q.shape[-1]), dim=-1) @ v)
    return torch.cat(parts, dim=-1)


def test_the_perceiver_is_the_sums_it_stands_for() -> None:
    state = {name: tensor.double() for name, tensor in tiny.perceiver_state().items()}
    perceiver = load_perceiver(state, "random", DOUBLE)
    patches = torch.randn(3, 7, tiny.WIDTH, generator=torch.Generator().manual_seed(5)).double()
    with torch.no_grad():
        found = perceiver(patches)
    read = torch.cat([frame + state["frame_embs"][number] for number, frame in enumerate(patches)])
    x = state["latents"]
    for layer in range(2):
        own = under(state, f"layers.{layer}.")
        normed = norm(own, "norm_latents", x)
        both = torch.cat([norm(own, "norm_media", read), normed]) @ own["to_kv.weight"].T
        key, value = both[:, : both.shape[1] // 2], both[:, both.shape[1] // 2 :]
        x = x + attended(normed @ own["to_q.weight"].T, key, value, 2) @ own["to_out.weight"].T
        x = x + forward(own, x)
    torch.testing.assert_close(found, norm(state, "norm", x), atol=1e-9, rtol=1e-9)


def test_words_look_at_the_picture_named_last_before_them() -> None:
    block = GatedBlock(12, 6, 128, 20).double().eval()
    state = {name: tensor.double() for name, tensor in llm.random_state(block, 6).items()}
    block.load_state_dict(state)
    generator = torch.Generator().manual_seed(7)
    words = torch.randn(2, 6, 12, generator=generator).double()
    pictures = torch.randn(2, 2, 3, 6, generator=generator).double()
    marks = torch.tensor([[False, True, False, False, True, False], [True, False, False, False, False, False]])
    with torch.no_grad():
        found = block(words, pictures, marks)
    own = under(state, "attn.")
    for row, looked in enumerate([[None, 0, 0, 0, 1, 1], [0] * 6]):
        for place, picture in enumerate(looked):
            x = words[row, place]
            if picture is not None:
                key, value = (pictures[row, picture] @ own["to_kv.weight"].T).chunk(2, dim=-1)
                query = (norm(own, "norm", x) @ own["to_q.weight"].T)[None]
                x = x + torch.tanh(state["attn_gate"]) * (attended(query, key, value, 2) @ own["to_out.weight"].T)[0]
            x = x + torch.tanh(state["ff_gate"]) * forward(state, x)
            torch.testing.assert_close(found[row, place], x, atol=1e-9, rtol=1e-9)


def test_the_prompt_is_the_originals_to_the_letter(shared_golden: Path, tmp_path: Path) -> None:
    golden = json.loads((shared_golden / "otter" / "sampling_and_prompt.json").read_text())
    assert Otter.template.text.replace("{question}", golden["question"]) == golden["prompt"]
    policy = Otter.policies["upstream"]
    assert list(policy.forbidden) == golden["bad_words"]
    assert {name: getattr(policy, name) for name in golden["generation"]} == golden["generation"]


@pytest.mark.parametrize(("vocabulary", "generation"), [("own", "greedy"), ("apart", "upstream")])
def test_the_five_tasks_are_answered_together_as_one_by_one(vocabulary: str, generation: str, tmp_path: Path) -> None:
    options = tiny.build(tmp_path, vocabulary=vocabulary)
    adapter, video = Otter(**options, generation=generation), mini_clip(tmp_path)
    assert len(set(five_answers(adapter, video))) > 3
    assert adapter.look(video).features.shape == (5, tiny.WIDTH)
    described = adapter.describe()
    assert described["frames"] == {"rule": "starts", "count": 16, "whole": True}
    assert described["generation"]["eos"] == ["<|endofchunk|>"]
    ids = [adapter.words.id_of(name) - llm.PIECES for name in ADDED]
    assert ids == ([1, 2, 3] if vocabulary == "own" else [0, 1, 2])
    assert set(described["checkpoints"]) == ({"model"} if vocabulary == "own" else {"model", "tokenizer"})


def test_answers_are_those_of_the_same_weights_put_together_by_hand(tmp_path: Path) -> None:
    options = tiny.build(tmp_path, form="safetensors") | {"max_new_tokens": "24"}
    adapter, video = Otter(**options), mini_clip(tmp_path)
    clip = CLIPVisionModel(CLIPVisionConfig(**tiny.CLIP)).eval()
    clip.load_state_dict(llm.random_state(clip, 1))
    prepare = adapter.networks.tower.prepared  # type: ignore[attr-defined]
    frames = video.frames_at([n * (video.n_frames // 16) for n in range(16)])
    with torch.no_grad():
        patches = clip(prepare(frames.pixels), output_hidden_states=True).hidden_states[-1][:, 1:]
        seen = adapter.networks.connector(patches)
    torch.testing.assert_close(adapter.look(video).features, seen, **CLOSE)
    expected = [by_hand(tmp_path, seen, question) for question in QUESTIONS]
    assert adapter.answer_many(video, QUESTIONS) == expected
    assert expected != [by_hand(tmp_path, 0.5 * seen, question) for question in QUESTIONS]
    adapter.policy = replace(adapter.policy, no_repeat_ngram_size=1)  # of the question's words, too
    unlike = [by_hand(tmp_path, seen, question, length=1) for question in QUESTIONS]
    assert adapter.answer_many(video, QUESTIONS) == unlike != expected


def by_hand(folder: Path, seen: torch.Tensor, question: str, length: int = 3) -> str:
    """The answer of the blocks between the layers: the prompt looks, what is said does not.

    Nothing of `length` tokens is said twice.
    """
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(folder / "model" / "tokenizer.model"))
    encode = pieces.encode
    ids = [1, tiny.ADDED["<image>"], *encode(f"User: {question} GPT:"), tiny.ADDED["<answer>"]]
    banned = [encode(word) for word in ("User:", "GPT1:", "GFT:", "GPT:")]
    language, start = tiny.language(), len(ids)
    blocks = GatedBlocks((1, 3), llm.HIDDEN, tiny.WIDTH, tiny.INNER, 40).blocks
    blocks.load_state_dict(tiny.gated_state())
    marks = torch.zeros(1, 99, dtype=torch.bool)
    marks[0, 1] = True
    inside = list(language.model.layers)  # type: ignore[union-attr, arg-type]

    def look(number: str, words: torch.Tensor) -> torch.Tensor:
        looking = blocks[number](words[:, :start], seen[None, None], marks[:, :start])
        rest = words[:, start:]
        state = under(dict(blocks[number].state_dict()), "")
        return torch.cat([looking, rest + torch.tanh(state["ff_gate"]) * forward(state, rest)], dim=1)

    for number in blocks:
        inside[int(number)].register_forward_pre_hook(
            lambda _, given, number=number: (look(number, given[0]), *given[1:])
        )
    said: list[int] = []
    while len(said) < 24 and tiny.ADDED["<|endofchunk|>"] not in said:
        with torch.no_grad():
            logits = language(input_ids=torch.tensor([ids + said]), use_cache=False).logits[0, -1]
        whole = ids + said
        for place in range(len(whole) - length + 1):
            if whole[place : place + length - 1] == whole[len(whole) - length + 1 :]:
                logits[whole[place + length - 1]] = -math.inf
        for word in banned:
            if len(word) == 1 or whole[1 - len(word) :] == word[:-1]:
                logits[word[-1]] = -math.inf
        said.append(int(logits.argmax()))
    return pieces.decode([token for token in said if 2 < token < llm.PIECES]).strip().strip('"')


PERCEIVER, LAYER = "perceiver.layers.1.", "lang_encoder.model.layers.3."


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({f"{PERCEIVER}to_q.weight": None}, "fit Perceiver (1 missing: layers.1.to_q.weight"),
        ({f"{PERCEIVER}x": torch.ones(1)}, "fit Perceiver (1 unexpected: layers.1.x"),
        ({"vision_encoder.vision_model.pre_layrnorm.bias": None}, "fit CLIPVisionModel (1 missing: pre_layrnorm.bias"),
        ({f"{LAYER}gated_cross_attn_layer.ff_gate": None}, "1 missing: 3.ff_gate"),
        ({f"{LAYER}gated_cross_attn_layer.x": torch.ones(1)}, "1 unexpected: 3.x"),
        ({f"{LAYER[:-2]}2.gated_cross_attn_layer.ff_gate": torch.ones(1)}, "1 unexpected: model.layers.2.gated"),
        ({f"{LAYER}decoder_layer.input_layernorm.weight": None}, "missing: model.layers.3.input_layernorm.weight"),
        ({"other": torch.ones(1)}, "LlamaForCausalLM (1 unexpected: other"),
    ],
)
def test_a_name_too_few_or_too_many_is_an_error(
    change: dict[str, torch.Tensor | None], message: str, tmp_path: Path
) -> None:
    model = Otter(**tiny.build(tmp_path, form="single"))
    assert message in refused(model, tmp_path / "model" / "pytorch_model.bin", change)


def test_a_vocabulary_with_more_tokens_than_the_weights_have_is_an_error(tmp_path: Path) -> None:
    options = tiny.build(tmp_path)
    llm.write_vocabulary(tmp_path / "model", {**tiny.ADDED, "<more>": llm.PIECES + 4})
    with pytest.raises(CheckpointError, match="the vocabulary has 325 tokens and the weights 324"):
        Otter(**options).load()


def test_real_sizes_have_the_numbers_of_parameters_that_follow_from_the_published_widths() -> None:
    layer = 4 * 1024 + 3 * 1024 * 512 + 512 * 1024 + 2 * 1024 + 2 * 1024 * 4096
    perceiver = 6 * layer + (64 + 128 + 2) * 1024
    block = 2 * 4096 + 4096 * 512 + 1024 * 1024 + 512 * 4096 + 2 * 4096 + 2 * 4096 * 16384 + 2
    with torch.device("meta"):
        parts = [
            Perceiver(),
            GatedBlocks(range(3, 32, 4), 4096, 1024, 512, 16384),
            ClipTower(CLIPVisionConfig(**CONFIGS["clip-vit-large-patch14"]), last=True),
            LlamaForCausalLM(LlamaConfig(vocab_size=32004)),
        ]
        sizes = [sum(p.numel() for p in part.parameters()) for part in parts]
        assert sizes == [perceiver, 8 * block, 303_179_776, 6_738_415_616 + 2 * 4 * 4096]
        assert parts[0](torch.empty(16, 256, 1024)).shape == (64, 1024)
    assert Otter.card.memory.startswith(f"{2 * sum(sizes) / 1e9:.1f} GB")
